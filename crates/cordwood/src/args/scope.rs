//! Where to look and when: the same for all verbs that ask.

use clap::Args;

#[derive(Clone, Debug, Args)]
pub(crate) struct ScopeArguments {
    /// A source to look in, by id or name; may be repeated [default: all].
    #[arg(long = "source", value_name = "SOURCE")]
    pub sources: Vec<String>,

    /// Only events at or after this time: RFC 3339, a date, or now-1h.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,

    /// Only events up to this time.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
}
