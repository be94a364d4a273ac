//! What `cordwood patterns` takes.

use clap::Args;

use super::scope::ScopeArguments;

/// A row for each pattern, the commonest first: how many events have it, which share that is, how many over time, their commonest level, and
/// what they say. `*` behind the count marks what no source had before the range.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cordwood patterns --from now-1h
  cordwood patterns level:error --source web --from now-1d
  cordwood patterns --new-since now-1h
  cordwood patterns --field stack_trace --json")]
pub(crate) struct PatternsArguments {
    /// Which events, such as `level:error`; empty for every one.
    #[arg(default_value = "")]
    pub query: String,

    #[command(flatten)]
    pub scope: ScopeArguments,

    /// The field to look at [default: message].
    #[arg(long, value_name = "FIELD")]
    pub field: Option<String>,

    /// At most this many patterns, up to 1000 [default: 50].
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,

    /// Only patterns that none of the sources had before this time.
    #[arg(long, value_name = "TIME")]
    pub new_since: Option<String>,
}
