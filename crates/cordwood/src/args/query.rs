//! What `cordwood query` takes.

use clap::{Args, ValueEnum};

use super::scope::ScopeArguments;

#[derive(Debug, Args)]
pub(crate) struct QueryArguments {
    /// What to find, such as `level:error AND status:>=500`; empty finds everything. Stages may follow:
    /// `level:error | stats count() by service`.
    #[arg(default_value = "", conflicts_with = "saved")]
    pub query: String,

    /// The query saved under this name or id, instead of one written here.
    #[arg(long, value_name = "NAME")]
    pub saved: Option<String>,

    #[command(flatten)]
    pub scope: ScopeArguments,

    /// At most this many events, or rows of a table [default: 100 events, 1000 rows].
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,

    /// Which events come first.
    #[arg(long, value_enum, default_value_t = ResultOrder::Newest)]
    pub order: ResultOrder,

    /// All events, however many, page after page.
    #[arg(long, conflicts_with_all = ["limit", "explain"])]
    pub all: bool,

    /// Count all events that match, not only those shown.
    #[arg(long)]
    pub total: bool,

    /// Say what the query would read and cost, without running it.
    #[arg(long, conflicts_with = "output")]
    pub explain: bool,

    /// Count the events by time and level, drawn as bars.
    #[arg(long, conflicts_with_all = ["explain", "output", "limit", "total"])]
    pub histogram: bool,

    /// How wide the bars of a histogram are, such as 5m [default: chosen for the range].
    #[arg(long, value_name = "INTERVAL", requires = "histogram")]
    pub interval: Option<String>,

    /// How to print them [default: lines on a terminal, or a table if it is one; json in a pipe].
    #[arg(long, value_enum)]
    pub output: Option<OutputFormat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResultOrder {
    #[value(alias = "newest_first")]
    Newest,
    #[value(alias = "oldest_first")]
    Oldest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// One readable line for each event.
    Lines,
    /// Columns.
    Table,
    /// One JSON object for each event, each on its own line.
    Json,
    /// Comma-separated, with a heading.
    Csv,
}
