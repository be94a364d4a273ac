//! What `cordwood incidents` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

pub(super) const INCIDENTS_EXAMPLES: &str = "Examples:
  cordwood incidents list --status open
  cordwood incidents open 'Disk full on db-1' --severity critical --query 'host:db-1 level:error' --from now-1h
  cordwood incidents ack 12 --by ann
  cordwood incidents comment 12 'moving old files away'
  cordwood incidents resolve 12
  cordwood incidents report 12 > incident-12.md";

#[derive(Debug, Subcommand)]
pub(crate) enum IncidentsVerb {
    /// List incidents, those that began last first.
    List(IncidentListArguments),
    /// Show one, with its timeline, what changed when it began, and others that may have to do with it.
    Show {
        /// Its id.
        id: String,
    },
    /// Open one.
    Open(Box<OpenArguments>),
    /// Say that somebody takes care of it.
    Ack {
        /// Its id.
        id: String,
        /// Who does [default: the name of the API token].
        #[arg(long, value_name = "WHO")]
        by: Option<String>,
    },
    /// Say that it is over.
    Resolve {
        /// Its id.
        id: String,
        /// Who says so [default: the name of the API token].
        #[arg(long, value_name = "WHO")]
        by: Option<String>,
    },
    /// Say that it is not over after all, within 24 hours.
    Reopen {
        /// Its id.
        id: String,
    },
    /// Tell its channels again.
    Escalate {
        /// Its id.
        id: String,
        /// To whom, for those who read the timeline.
        #[arg(long, value_name = "WHO")]
        to: Option<String>,
    },
    /// Say something of it.
    Comment {
        /// Its id.
        id: String,
        /// What to say.
        text: String,
    },
    /// Have somebody take care of it.
    Assign {
        /// Its id.
        id: String,
        /// Who; nobody without it.
        #[arg(default_value = "")]
        to: String,
    },
    /// Merge others into it.
    Merge {
        /// The id of the one that stays.
        id: String,
        /// The ids of those that become a part of it.
        #[arg(required = true)]
        others: Vec<String>,
    },
    /// Write its report, in Markdown.
    Report {
        /// Its id.
        id: String,
        /// A file, in place of standard output.
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Show the events kept with it, or keep more.
    Events {
        /// Its id.
        id: String,
        /// The id of an event to keep; may be repeated.
        #[arg(long = "keep", value_name = "EVENT")]
        keep: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct IncidentListArguments {
    /// started, acknowledged, resolved, or open for the first two; may be repeated.
    #[arg(long, value_name = "STATUS")]
    pub status: Vec<String>,

    /// info, warning, error or critical; may be repeated.
    #[arg(long, value_name = "SEVERITY")]
    pub severity: Vec<String>,

    /// A label, NAME=VALUE or NAME; may be repeated.
    #[arg(long, value_name = "LABEL")]
    pub label: Vec<String>,

    /// The id of a rule.
    #[arg(long, value_name = "ID")]
    pub rule: Option<String>,

    /// Part of the name or the cause.
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,

    /// Those that began then or later.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,

    /// Those that began then or earlier.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,

    /// How many at most.
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub limit: u16,
}

#[derive(Debug, Args)]
pub(crate) struct OpenArguments {
    /// A line that says what is wrong.
    pub name: String,

    /// Why it is opened.
    #[arg(long, value_name = "TEXT")]
    pub cause: Option<String>,

    /// info, warning, error or critical [default: error].
    #[arg(long, value_name = "SEVERITY")]
    pub severity: Option<String>,

    /// The query that shows it.
    #[arg(long, value_name = "QUERY")]
    pub query: Option<String>,

    /// A source in which it does; may be repeated [default: all].
    #[arg(long = "source", value_name = "SOURCE")]
    pub sources: Vec<String>,

    /// From when its events are.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,

    /// Until when.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,

    /// A label, NAME=VALUE; may be repeated.
    #[arg(long = "label", value_name = "LABEL", value_parser = super::silences::parse_pair)]
    pub labels: Vec<(String, String)>,

    /// A page that has more about it; may be repeated.
    #[arg(long = "link", value_name = "URL")]
    pub links: Vec<String>,

    /// Who takes care of it.
    #[arg(long, value_name = "WHO")]
    pub assignee: Option<String>,

    /// The id of a channel to tell; may be repeated [default: the default ones].
    #[arg(long = "channel", value_name = "ID")]
    pub channels: Vec<String>,

    /// While one with this key is open, no second one is opened.
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,

    /// The client it is for, by id or name [default: the only one you see].
    #[arg(long, value_name = "CLIENT")]
    pub client: Option<String>,
}
