//! The write-ahead log: files of records, each record the body of one request as it was received.
//!
//! The bytes are described in `docs/format.md`. This file must not know what a body means.

mod file;
mod group;
mod pace;
mod queue;
mod record;
mod scan;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use file::{HEADER_BYTES, LogHeader, file_name, file_number};
pub(crate) use pace::Pace;
pub(crate) use queue::{Queue, Request};
pub(crate) use record::{LoggedRecord, RECORD_BODY_BYTES_MAX, StoredBody};
pub(crate) use scan::{Gap, Scan, scan};
pub(crate) use writer::{Frozen, LogWriter, Position, begin_file};

/// The directory of the log.
pub(crate) const DIRECTORY: &str = "log";
