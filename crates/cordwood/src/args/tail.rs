//! What `cordwood tail` takes.

use clap::Args;

/// Prints each event that matches as it arrives, until Ctrl-C; after a break it goes on where it was.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cordwood tail
  cordwood tail 'level:error NOT service:web' --source shop -n 20
  cordwood tail '* | where duration_ms > 1000 | fields dt, service, duration_ms'")]
pub(crate) struct TailArguments {
    /// What to show, such as `level:error`; empty shows everything. The stages `where`, `parse` and `fields` may follow.
    #[arg(default_value = "")]
    pub query: String,

    /// A source to follow, by id or name; may be repeated [default: all, those made later too].
    #[arg(long = "source", value_name = "SOURCE")]
    pub sources: Vec<String>,

    /// Begin with so many of the newest events, at most 1000 [default: none].
    #[arg(short = 'n', long = "last", value_name = "N")]
    pub last: Option<usize>,
}
