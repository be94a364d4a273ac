//! What `cordwood delete` takes.

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct DeleteArguments {
    /// What to delete, such as `user:ann`; a query without stages.
    pub query: String,

    /// A source to delete from, by id or name; may be repeated.
    #[arg(long = "source", value_name = "SOURCE", required = true)]
    pub sources: Vec<String>,

    /// Only events at or after this time: RFC 3339, or now-1h.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,

    /// Only events up to this time.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,

    /// Say that a query that means every event is meant so.
    #[arg(long)]
    pub everything: bool,

    /// Only count.
    #[arg(long)]
    pub dry_run: bool,

    /// Do not ask.
    #[arg(long)]
    pub yes: bool,

    /// Wait until the events are removed from the files; they are not found any more before that.
    #[arg(long)]
    pub wait: bool,
}
