//! How rows are written.

use std::str::FromStr;

/// A form in which rows are given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON array of objects.
    Json,
    /// A JSON object on each line.
    NdJson,
    /// Comma-separated values under a line of names.
    Csv,
    /// An Arrow IPC stream.
    Arrow,
    /// A Parquet file, its pages compressed with Snappy.
    Parquet,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 5] = [
        Format::Json,
        Format::NdJson,
        Format::Csv,
        Format::Arrow,
        Format::Parquet,
    ];

    /// The name a request gives it.
    pub fn name(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::NdJson => "ndjson",
            Format::Csv => "csv",
            Format::Arrow => "arrow",
            Format::Parquet => "parquet",
        }
    }

    /// The media type of what is written.
    pub fn media_type(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::NdJson => "application/x-ndjson",
            Format::Csv => "text/csv",
            Format::Arrow => "application/vnd.apache.arrow.stream",
            Format::Parquet => "application/vnd.apache.parquet",
        }
    }
}

impl FromStr for Format {
    type Err = ();

    /// By its name.
    fn from_str(name: &str) -> Result<Format, ()> {
        let mut all = Format::ALL.into_iter();
        all.find(|format| format.name() == name).ok_or(())
    }
}
