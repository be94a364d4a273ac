//! What `cordwood alerts templates` takes.

use clap::{Args, Subcommand};

use super::RuleArguments;

pub(crate) const TEMPLATES_EXAMPLES: &str = "Examples:
  cordwood alerts templates add \"many errors\" --query level:error --above 50 --by service --for-new-clients
  cordwood alerts templates apply \"many errors\" --all
  cordwood alerts templates clients \"many errors\"
  cordwood alerts templates change \"many errors\" --above 80
  cordwood alerts templates put-back \"many errors\" --client acme";

#[derive(Debug, Subcommand)]
pub(crate) enum TemplatesVerb {
    /// List templates, with how many clients have an alert of each, and how many of these have drifted.
    List,
    /// Show one.
    Show {
        /// Its id or name.
        name: String,
    },
    /// Make one. Nobody is given an alert by that.
    Add {
        /// Its name, and that of its alerts.
        name: String,
        #[command(flatten)]
        rule: Box<RuleArguments>,
        #[command(flatten)]
        template: TemplateArguments,
    },
    /// Change one, and with it the alerts that are as it had them.
    Change {
        /// Its id or name.
        name: String,
        /// A new name.
        #[arg(long, value_name = "NAME")]
        new_name: Option<String>,
        #[command(flatten)]
        rule: Box<RuleArguments>,
        #[command(flatten)]
        template: TemplateArguments,
        /// Change those too that have drifted.
        #[arg(long)]
        carry_to_drifted: bool,
    },
    /// Show how each client stands to one: what has drifted, and who cannot have it.
    Clients {
        /// Its id or name.
        name: String,
    },
    /// Give clients an alert of one.
    Apply {
        /// Its id or name.
        name: String,
        #[command(flatten)]
        clients: TemplateClientArguments,
    },
    /// Put alerts back to what one has, whatever was changed.
    PutBack {
        /// Its id or name.
        name: String,
        #[command(flatten)]
        clients: TemplateClientArguments,
    },
    /// Delete one. Its alerts stay, as their clients' own.
    Remove {
        /// Its id or name.
        name: String,
    },
}

/// What is said of a template beside its rule.
#[derive(Debug, Args)]
pub(crate) struct TemplateArguments {
    /// The name of a source that each client has; may be repeated [default: all of the client's].
    #[arg(long = "source", value_name = "SOURCE")]
    pub sources: Vec<String>,

    /// A channel of the provider to tell, by id; may be repeated [default: the default ones].
    #[arg(long = "channel", value_name = "ID")]
    pub channels: Vec<String>,

    /// What its alerts are for.
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,

    /// Clients that are made later are given one too.
    #[arg(long)]
    pub for_new_clients: bool,

    /// Clients that are made later are not given one.
    #[arg(long, conflicts_with = "for_new_clients")]
    pub not_for_new_clients: bool,
}

/// For which clients. To mean all of them has to be said.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct TemplateClientArguments {
    /// A client, by id or name; may be repeated.
    #[arg(long = "client", value_name = "CLIENT")]
    pub clients: Vec<String>,

    /// All that you see.
    #[arg(long, conflicts_with = "clients")]
    pub all: bool,
}
