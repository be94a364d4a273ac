//! A full date and clock first, in brackets or not, then the level among the next words: log4j and logback, Python,
//! Rust, Go, nginx errors, PostgreSQL, Windows CBS, Zookeeper, containers, and most of the rest.
//!
//! ```text
//! 2015-10-18 18:01:47,978 INFO [main] org.apache.hadoop.mapreduce.v2.app.MRAppMaster: …
//! 2016-09-28 04:30:30, Info                  CBS    …
//! [2026-03-27T10:15:30Z] worker.ERROR: …
//! ```

use cordwood_event::Timestamp;

use super::{Head, level};
use crate::time::iso;

pub(super) fn read(line: &[u8], _received_at: Timestamp) -> Option<Head> {
    let line = line.trim_ascii_start();
    let line = line.strip_prefix(b"[").unwrap_or(line);
    let reading = iso::read(line)?;
    let rest = line.get(reading.length..)?;
    let level = level::in_words(rest).or_else(|| level::after_tag(rest));
    Some(Head::new(reading.timestamp, level))
}
