//! How an export is written, by the names the API has for it.

use std::str::FromStr;

/// The format of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExportFormat {
    /// A JSON object for each event or row, each on its own line.
    #[default]
    Ndjson,
    /// Comma-separated values with a heading, RFC 4180.
    Csv,
    /// Parquet.
    Parquet,
}

impl ExportFormat {
    /// All of them.
    pub const ALL: [ExportFormat; 3] = [
        ExportFormat::Ndjson,
        ExportFormat::Csv,
        ExportFormat::Parquet,
    ];

    /// Its name in the API, and the ending of its files.
    pub fn name(self) -> &'static str {
        match self {
            ExportFormat::Ndjson => "ndjson",
            ExportFormat::Csv => "csv",
            ExportFormat::Parquet => "parquet",
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            ExportFormat::Ndjson => "application/x-ndjson",
            ExportFormat::Csv => "text/csv; charset=utf-8; header=present",
            ExportFormat::Parquet => "application/vnd.apache.parquet",
        }
    }
}

impl FromStr for ExportFormat {
    type Err = ();

    fn from_str(name: &str) -> Result<ExportFormat, ()> {
        let mut all = ExportFormat::ALL.into_iter();
        all.find(|format| format.name() == name).ok_or(())
    }
}

/// How the file is compressed as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

impl Compression {
    /// All of them.
    pub const ALL: [Compression; 3] = [Compression::None, Compression::Gzip, Compression::Zstd];

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        }
    }

    /// What the names of its files end in, behind the format.
    pub fn suffix(self) -> &'static str {
        match self {
            Compression::None => "",
            Compression::Gzip => ".gz",
            Compression::Zstd => ".zst",
        }
    }

    /// The media type of what it makes; `None` for that of the format.
    pub fn media_type(self) -> Option<&'static str> {
        match self {
            Compression::None => None,
            Compression::Gzip => Some("application/gzip"),
            Compression::Zstd => Some("application/zstd"),
        }
    }
}

impl FromStr for Compression {
    type Err = ();

    fn from_str(name: &str) -> Result<Compression, ()> {
        let mut all = Compression::ALL.into_iter();
        all.find(|compression| compression.name() == name).ok_or(())
    }
}

/// What becomes of a text in CSV that a spreadsheet would run as a formula. Senders of logs are not to be trusted that far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Formulas {
    /// An apostrophe is put before it, as spreadsheets do to say that it is text.
    #[default]
    Guard,
    /// It stays as it is, for programs that read it back.
    Keep,
}

impl Formulas {
    /// All of them.
    pub const ALL: [Formulas; 2] = [Formulas::Guard, Formulas::Keep];

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Formulas::Guard => "guard",
            Formulas::Keep => "keep",
        }
    }
}

impl FromStr for Formulas {
    type Err = ();

    fn from_str(name: &str) -> Result<Formulas, ()> {
        let mut all = Formulas::ALL.into_iter();
        all.find(|formulas| formulas.name() == name).ok_or(())
    }
}
