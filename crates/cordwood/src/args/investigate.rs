//! What `cordwood fields`, `context` and `trace` takes.

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct FieldsArguments {
    /// Whose fields; empty for those of every event.
    #[arg(default_value = "")]
    pub query: String,

    /// A source to look in, by id or name; may be repeated [default: all].
    #[arg(long = "source", value_name = "SOURCE")]
    pub sources: Vec<String>,

    /// Only events at or after this time: RFC 3339, or now-1h.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,

    /// Only events up to this time.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,

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

    /// A source to look in, by id or name; may be repeated [default: all].
    #[arg(long = "source", value_name = "SOURCE")]
    pub sources: Vec<String>,

    /// Only events at or after this time: RFC 3339, or now-1h.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,

    /// Only events up to this time.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,

    /// At most this many events, the earliest [default: 1000].
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
}
