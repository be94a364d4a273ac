//! What `cordwood fields`, `context` and `trace` takes.

use clap::Args;

use super::scope::ScopeArguments;

#[derive(Debug, Args)]
pub(crate) struct FieldsArguments {
    /// Whose fields; empty for those of every event.
    #[arg(default_value = "")]
    pub query: String,

    #[command(flatten)]
    pub scope: ScopeArguments,

    /// A field to count over all events that match; may be repeated [default: the commonest, some of a sample].
    #[arg(long = "field", value_name = "FIELD")]
    pub fields: Vec<String>,

    /// How many values of each field [default: 5, of named fields 10].
    #[arg(long, value_name = "N")]
    pub values: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct ContextArguments {
    /// The `_id` of the event.
    pub id: String,

    /// How many events before it [default: 10; with --within, all up to 1000].
    #[arg(long, value_name = "N")]
    pub before: Option<u64>,

    /// How many after it, likewise.
    #[arg(long, value_name = "N")]
    pub after: Option<u64>,

    /// How far from it in time at most, such as 30s or 5m.
    #[arg(long, value_name = "TIME")]
    pub within: Option<String>,

    /// What they have in common with it: source, host, service, or a field [default: source].
    #[arg(long, value_name = "WHAT")]
    pub same: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TraceArguments {
    /// An id that events carry, or the `_id` of an event whose ids are followed.
    pub subject: String,

    #[command(flatten)]
    pub scope: ScopeArguments,

    /// At most this many events, the earliest [default: 1000].
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
}
