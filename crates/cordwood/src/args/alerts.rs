//! What `cordwood alerts` takes.

mod templates;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::silences::parse_pair;
use templates::TEMPLATES_EXAMPLES;

pub(crate) use templates::{TemplateArguments, TemplateClientArguments, TemplatesVerb};

pub(crate) const ALERTS_EXAMPLES: &str = "Examples:
  cordwood alerts add \"many errors\" --query level:error --above 50 --by service
  cordwood alerts add \"slow checkout\" --query service:checkout --measure \"p95(duration_ms)\" --above 800 --confirm 5m
  cordwood alerts add \"silent hosts\" --absent-members --by host --window 10m
  cordwood alerts add \"never seen before\" --query level:error --new-pattern
  cordwood alerts back-test --query level:error --above 50 --by service --days 30
  cordwood alerts add \"from a file\" --rule rule.json
  cordwood alerts history \"many errors\"
  cordwood alerts retire \"silent hosts\" host=web-3 --reason \"replaced by web-9\"";

#[derive(Debug, Subcommand)]
pub(crate) enum AlertsVerb {
    /// List alerts and how they stand.
    List,
    /// Show one, with the groups that fire.
    Show {
        /// Its id or name.
        name: String,
    },
    /// Make one; it is checked from now on.
    Add {
        /// Its name.
        name: String,
        #[command(flatten)]
        rule: RuleArguments,
        /// A source to look at, by id or name; may be repeated [default: all of the client's].
        #[arg(long = "source", value_name = "SOURCE")]
        sources: Vec<String>,
        /// A channel to tell, by id; may be repeated [default: the default ones].
        #[arg(long = "channel", value_name = "ID")]
        channels: Vec<String>,
        /// What it is for.
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// The client it is for, by id or name [default: the only one you see].
        #[arg(long, value_name = "CLIENT")]
        client: Option<String>,
    },
    /// Say when one would have fired in the last days. Nothing is saved and nobody is told.
    BackTest {
        /// The id or name of one that is there [default: what the options say].
        name: Option<String>,
        #[command(flatten)]
        rule: RuleArguments,
        /// A source to look at; may be repeated [default: all].
        #[arg(long = "source", value_name = "SOURCE")]
        sources: Vec<String>,
        /// How many days, up to 30.
        #[arg(long, default_value_t = 7, value_name = "DAYS")]
        days: u32,
        /// The client it would be for, by id or name [default: the only one you see].
        #[arg(long, value_name = "CLIENT", conflicts_with = "name")]
        client: Option<String>,
    },
    /// Show what its checks saw at which something happened, or which failed.
    History {
        /// Its id or name.
        name: String,
        /// How many, the newest first.
        #[arg(long, default_value_t = 20, value_name = "N")]
        limit: u32,
        /// Only those with a smaller id.
        #[arg(long, value_name = "ID")]
        before: Option<u64>,
    },
    /// Give alerts to all clients, and see what these changed of them.
    #[command(subcommand, after_help = TEMPLATES_EXAMPLES)]
    Templates(TemplatesVerb),
    /// List who is expected to send, of one on the absence of members.
    Members {
        /// Its id or name.
        name: String,
    },
    /// Say that a member was taken out of service on purpose: it is not missed until it is heard from again.
    Retire {
        /// The id or name of the alert.
        name: String,
        /// The member, FIELD=VALUE for each field that the alert groups by: host=web-3.
        #[arg(required = true, value_name = "MEMBER", value_parser = parse_pair)]
        member: Vec<(String, String)>,
        /// Why, for those who read its incident.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Check one no longer, until it is resumed.
    Pause {
        /// Its id or name.
        name: String,
    },
    /// Check one again.
    Resume {
        /// Its id or name.
        name: String,
    },
    /// Delete one. Its incidents stay.
    Remove {
        /// Its id or name.
        name: String,
    },
}

/// A rule in options, or in a file.
#[derive(Debug, Args)]
pub(crate) struct RuleArguments {
    /// Which events [default: all].
    #[arg(long, value_name = "QUERY")]
    pub query: Option<String>,

    /// Fires when the measure is above this.
    #[arg(long, value_name = "NUMBER", group = "condition")]
    pub above: Option<f64>,

    /// Fires when the measure is below this.
    #[arg(long, value_name = "NUMBER", group = "condition")]
    pub below: Option<f64>,

    /// Fires on any event that matches.
    #[arg(long, group = "condition")]
    pub any: bool,

    /// Fires when there is no event that matches.
    #[arg(long, group = "condition")]
    pub absent: bool,

    /// Fires when a group that sent something in the last week does not any more; with --by.
    #[arg(long, group = "condition", requires = "by")]
    pub absent_members: bool,

    /// Fires when messages say what was never said before.
    #[arg(long, group = "condition")]
    pub new_pattern: bool,

    /// Fires when the measure is not what is usual at this time of day.
    #[arg(long, group = "condition")]
    pub anomaly: bool,

    /// What is measured: count(), rate(), p95(duration_ms) [default: count()].
    #[arg(long, value_name = "FUNCTION")]
    pub measure: Option<String>,

    /// A field whose values are judged each by itself; may be repeated.
    #[arg(long = "by", value_name = "FIELD")]
    pub by: Vec<String>,

    /// How long the window is [default: 5m].
    #[arg(long, value_name = "DURATION")]
    pub window: Option<String>,

    /// How often it is checked [default: 1m].
    #[arg(long, value_name = "DURATION")]
    pub every: Option<String>,

    /// For how long it must be so before it fires [default: 0s].
    #[arg(long, value_name = "DURATION")]
    pub confirm: Option<String>,

    /// For how long it must not be so before it recovers [default: 5m].
    #[arg(long, value_name = "DURATION")]
    pub recover: Option<String>,

    /// How bad it is [default: error].
    #[arg(long, value_enum)]
    pub severity: Option<SeverityName>,

    /// The rule as JSON, as `docs/alerts.md` describes it; options come before what it says.
    #[arg(long = "rule", value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SeverityName {
    Info,
    Warning,
    Error,
    Critical,
}
