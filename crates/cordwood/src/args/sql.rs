//! What `cordwood sql` takes.

use clap::{Args, ValueEnum};

use super::scope::ScopeArguments;

#[derive(Debug, Args)]
pub(crate) struct SqlArguments {
    /// The statement, such as "SELECT level, count() FROM logs GROUP BY level".
    pub statement: String,

    #[command(flatten)]
    pub scope: ScopeArguments,

    /// How many rows at most [default: 1000].
    #[arg(long, value_name = "ROWS")]
    pub limit: Option<u64>,

    /// How to write them [default: a table on a terminal, ndjson in a pipe].
    #[arg(long, value_enum)]
    pub format: Option<SqlFormat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SqlFormat {
    /// Columns.
    Table,
    /// The whole answer as JSON, the account of what was read with it.
    Json,
    /// One JSON object for each row, each on its own line.
    Ndjson,
    /// Comma-separated, with a heading.
    Csv,
    /// An Arrow IPC stream.
    Arrow,
    /// A Parquet file.
    Parquet,
}
