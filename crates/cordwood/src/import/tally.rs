//! What became of the lines, counted, for the summary.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use crate::failure::Failure;
use crate::import::sender::Sent;
use crate::import::split::ByteRange;
use crate::output::{size, write, write_json};
use crate::terminal::printable;

/// Reasons listed; more are counted together.
const REASONS_MAX: usize = 20;

/// Counts over batches and files of one run of the command.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    files: u64,
    bytes: u64,
    lines: u64,
    accepted: u64,
    rejected: u64,
    duplicates: u64,
    /// How often, and where first.
    reasons: BTreeMap<String, (u64, String)>,
}

impl Tally {
    /// Of one file, before its first batch.
    pub(crate) fn of_file() -> Tally {
        Tally {
            files: 1,
            ..Tally::default()
        }
    }

    /// Adds a batch that was sent.
    pub(crate) fn add_batch(&mut self, range: ByteRange, lines: u64, sent: &Sent) {
        self.bytes += range.bytes;
        self.lines += lines;
        if sent.is_duplicate {
            // Its events were stored, and what was wrong with them was told, by the import before.
            self.duplicates += 1;
            return;
        }
        self.accepted += sent.accepted;
        self.rejected += sent.rejected;
        for (index, reason) in &sent.rejections {
            let place = format!("event {} after byte {}", index + 1, range.offset);
            self.add_reason(reason, 1, &place);
        }
        let unlisted = sent.rejected.saturating_sub(sent.rejections.len() as u64);
        if unlisted > 0 {
            let place = format!("after byte {}", range.offset);
            self.add_reason("not listed by the server", unlisted, &place);
        }
    }

    /// Adds another tally.
    pub(crate) fn add(&mut self, other: &Tally) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.lines += other.lines;
        self.accepted += other.accepted;
        self.rejected += other.rejected;
        self.duplicates += other.duplicates;
        for (reason, (count, place)) in &other.reasons {
            self.add_reason(reason, *count, place);
        }
    }

    fn add_reason(&mut self, reason: &str, count: u64, place: &str) {
        let is_room = self.reasons.len() < REASONS_MAX || self.reasons.contains_key(reason);
        let reason = if is_room { reason } else { "other reasons" };
        let entry = self.reasons.entry(reason.to_owned());
        entry.or_insert_with(|| (0, place.to_owned())).0 += count;
    }

    /// Prints the summary.
    pub(crate) fn report(&self, is_json: bool, elapsed: Duration) -> Result<(), Failure> {
        if is_json {
            let reasons: BTreeMap<&String, u64> = self
                .reasons
                .iter()
                .map(|(reason, (count, _))| (reason, *count))
                .collect();
            return write_json(&json!({"data": {
                "files": self.files,
                "bytes": self.bytes,
                "lines": self.lines,
                "accepted": self.accepted,
                "rejected": self.rejected,
                "rejected_by_reason": reasons,
                "batches_repeated": self.duplicates,
                "seconds": elapsed.as_secs_f64(),
                "mb_per_second": self.mb_per_second(elapsed),
            }}));
        }
        write(&self.text(elapsed))
    }

    fn text(&self, elapsed: Duration) -> String {
        if self.bytes == 0 {
            return "Nothing new to import: all of it is stored already. --restart imports it again.\n"
                .into();
        }
        let mut text = format!(
            "{} lines, {} events stored, {} rejected; {} in {:.1} s ({:.1} MB/s)\n",
            self.lines,
            self.accepted,
            self.rejected,
            size(self.bytes),
            elapsed.as_secs_f64(),
            self.mb_per_second(elapsed),
        );
        if self.duplicates > 0 {
            let line = format!(
                "{} batches were stored already, before this import was stopped; not stored again\n",
                self.duplicates
            );
            text.push_str(&line);
        }
        for (reason, (count, place)) in &self.reasons {
            let reason = printable(reason);
            text.push_str(&format!("  rejected {count}: {reason} (first: {place})\n"));
        }
        text
    }

    fn mb_per_second(&self, elapsed: Duration) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a rate, for people")]
        let megabytes = self.bytes as f64 / 1e6;
        megabytes / elapsed.as_secs_f64().max(1e-3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries() {
        let mut tally = Tally::of_file();
        let range = |offset| ByteRange {
            offset,
            bytes: 1_000_000,
        };
        let rejected = |reason: &str| Sent {
            accepted: 1,
            rejected: 2,
            rejections: vec![(4, reason.to_owned())],
            ..Sent::default()
        };
        tally.add_batch(range(0), 3, &rejected("too deep"));
        tally.add_batch(range(7), 3, &rejected("too deep"));
        let expected = "6 lines, 2 events stored, 4 rejected; 1.9 MiB in 2.0 s (1.0 MB/s)\n\
                        \x20 rejected 2: not listed by the server (first: after byte 0)\n\
                        \x20 rejected 2: too deep (first: event 5 after byte 0)\n";
        assert_eq!(tally.text(Duration::from_secs(2)), expected);
    }

    #[test]
    fn many_reasons_are_counted_together() {
        let mut tally = Tally::default();
        for number in 0..30 {
            tally.add_reason(&format!("reason {number}"), 1, "here");
        }
        assert_eq!(tally.reasons.len(), REASONS_MAX + 1);
        assert_eq!(
            tally.reasons.get("other reasons").map(|entry| entry.0),
            Some(10)
        );
    }
}
