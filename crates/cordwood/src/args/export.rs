//! What `cordwood export` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::query::ResultOrder;
use super::scope::ScopeArguments;

pub(super) const EXPORT_EXAMPLES: &str = "Examples:
  cordwood export 'level:error' --from now-7d -o errors.ndjson.zst
  cordwood export 'service:web' --fields dt,status,path -o web.csv
  cordwood export '*' --source audit --from 2026-01-01 --evidence -o audit.ndjson
  cordwood verify-export audit.ndjson";

#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// What to export, as for `query`; empty exports everything. Stages may follow.
    #[arg(default_value = "")]
    pub query: String,

    /// The file to write. Its ending says the format and the compression: .ndjson, .csv, .parquet, and .gz or .zst behind.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,

    #[command(flatten)]
    pub scope: ScopeArguments,

    /// Which events come first.
    #[arg(long, value_enum, default_value_t = ResultOrder::Oldest)]
    pub order: ResultOrder,

    /// The format [default: as the name of the file says].
    #[arg(long, value_enum)]
    pub format: Option<ExportFormat>,

    /// The compression [default: as the name of the file says].
    #[arg(long, value_enum)]
    pub compression: Option<ExportCompression>,

    /// Which fields, in order, with commas between [default: all].
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    pub fields: Vec<String>,

    /// Leave texts in CSV as they are that a spreadsheet would run as formulas.
    #[arg(long)]
    pub keep_formulas: bool,

    /// Chain and sign the records, so that `verify-export` can say later whether anybody changed them.
    #[arg(long)]
    pub evidence: bool,

    /// Leave the export on the server when it is here.
    #[arg(long)]
    pub keep: bool,

    /// Write over the file if it is there.
    #[arg(long)]
    pub overwrite: bool,

    /// Fetch the file of this export instead of starting one; goes on where an earlier download ended.
    #[arg(long, value_name = "ID", conflicts_with_all = ["query", "sources", "from", "to", "fields", "evidence"])]
    pub id: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// One JSON object for each event, each on its own line.
    Ndjson,
    /// Comma-separated, with a heading.
    Csv,
    /// A Parquet file.
    Parquet,
}

impl ExportFormat {
    /// Its name in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ExportFormat::Ndjson => "ndjson",
            ExportFormat::Csv => "csv",
            ExportFormat::Parquet => "parquet",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportCompression {
    None,
    Gzip,
    Zstd,
}

impl ExportCompression {
    /// Its name in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ExportCompression::None => "none",
            ExportCompression::Gzip => "gzip",
            ExportCompression::Zstd => "zstd",
        }
    }
}
