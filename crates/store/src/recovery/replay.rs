//! Replays the log into memory: every record above the floor, in order, once.

use std::sync::Arc;

use cordwood_event::Batch;

use crate::batch_keys::{BatchKeys, KeyDigest, KeyUse};
use crate::disk::read_all;
use crate::layout::QUARANTINE;
use crate::log::{self, Gap, LoggedRecord, Position, Scan};
use crate::manifest::Manifest;
use crate::memtable::{HeldBatch, OpenRows, Sequences};
use crate::shared::Shared;
use crate::{Decode, Error, LoggedBody, Recovery};

/// How many sets of rows may wait to be sealed for each sealing thread, before decoding waits for them.
const JOBS_PER_THREAD: usize = 2;

/// A replay under way.
pub(super) struct Replay<'a> {
    shared: &'a Shared,
    decode: &'a dyn Decode,
    keys: BatchKeys,
    recovery: Recovery,
    /// The sequence number the next record should have.
    pub(super) next_sequence: u64,
    position: Option<Position>,
}

impl<'a> Replay<'a> {
    pub(super) fn new(
        shared: &'a Shared,
        decode: &'a dyn Decode,
        manifest: &Manifest,
        recovery: Recovery,
    ) -> Replay<'a> {
        let mut keys = BatchKeys::new(shared.options.batch_key_validity);
        for (key, found) in &manifest.batch_keys {
            keys.insert(*key, *found);
        }
        Replay {
            shared,
            decode,
            keys,
            recovery,
            next_sequence: manifest.next_sequence,
            position: None,
        }
    }

    /// Replays one file; the last is made ready to be written on, if it may be.
    pub(super) fn file(&mut self, number: u64, is_last: bool) -> Result<(), Error> {
        let path = log::file_name(number);
        let disk = self.shared.disk.as_ref();
        let file = disk
            .open_for_append(&path)
            .map_err(Error::io("open", &*path))?;
        if is_last {
            // A killed process may have left bytes that are in the cache only; nothing of them may be seen before they
            // are on disk.
            file.sync().map_err(Error::io("sync", &*path))?;
        }
        let bytes = read_all(file.as_ref()).map_err(Error::io("read", &*path))?;
        let scan = log::scan(&bytes, is_last);
        for (offset, record) in &scan.records {
            self.record(&path, *offset, record)?;
        }
        for gap in &scan.gaps {
            self.report_gap(number, *gap, &bytes);
        }
        let torn = bytes.get(to_index(scan.sound_end)..).unwrap_or_default();
        if !torn.is_empty() {
            self.recovery.torn_bytes += torn.len() as u64;
            self.set_aside(number, scan.sound_end, torn);
            file.truncate(scan.sound_end)
                .and_then(|()| file.sync())
                .map_err(Error::io("truncate", &*path))?;
        }
        if is_last {
            self.position = self.continue_in(file, &scan);
        }
        Ok(())
    }

    /// Where to write on, what batch keys are in use, and what was found.
    pub(super) fn finish(self) -> (Option<Position>, BatchKeys, Recovery) {
        (self.position, self.keys, self.recovery)
    }

    /// A file with damage is left as it is, and one that is full too.
    fn continue_in(
        &self,
        file: Box<dyn crate::disk::DiskFile>,
        scan: &Scan<'_>,
    ) -> Option<Position> {
        let header = scan.header?;
        let has_room = scan.sound_end < self.shared.options.log_file_bytes;
        (has_room && scan.gaps.is_empty()).then_some(Position {
            header,
            file,
            end: scan.sound_end,
        })
    }

    fn record(&mut self, path: &str, offset: u64, record: &LoggedRecord<'_>) -> Result<(), Error> {
        let first = record.first_sequence;
        if first < self.next_sequence {
            self.damage(format!(
                "{path}: the record at {offset} repeats events {first} and following; it was skipped"
            ));
            return Ok(());
        }
        if first > self.next_sequence {
            let last = first - 1;
            let from = self.next_sequence;
            self.damage(format!(
                "{path}: the events {from} to {last} are missing before {offset}"
            ));
        }
        self.next_sequence = first + u64::from(record.event_count);
        self.remember_key(record);
        match self.decode(record) {
            Ok(batch) => self.publish(record, batch),
            Err(reason) => {
                let count = record.event_count;
                self.damage(format!(
                    "{path}: the record at {offset} with {count} events cannot be decoded: {reason}"
                ));
                self.set_aside_named(path, offset, &record.body.bytes);
            }
        }
        self.shared.check_not_poisoned()
    }

    fn decode(&self, record: &LoggedRecord<'_>) -> Result<Batch, String> {
        let body = record.body.unpack()?;
        let batch = self.decode.decode(&LoggedBody {
            source: record.source,
            received_at: record.received_at,
            format: &record.format,
            body: &body,
        })?;
        if batch.len() as u64 != u64::from(record.event_count) {
            return Err(format!("it gave {} events", batch.len()));
        }
        Ok(batch)
    }

    fn publish(&mut self, record: &LoggedRecord<'_>, batch: Batch) {
        self.recovery.replayed_records += 1;
        self.recovery.replayed_events += batch.len() as u64;
        if batch.is_empty() {
            return;
        }
        // What is in the log has to be in memory, whatever the budget says; a flush is due at once then.
        let reservation = self.shared.memory.reserve(batch.memory_bytes() as u64);
        let sequences = Sequences::consecutive(record.first_sequence, batch.len());
        let rows = OpenRows::new(Arc::new(HeldBatch::new(batch, reservation)), sequences);
        self.shared
            .publish(vec![(record.source, rows)], self.next_sequence);
        self.shared.gather(record.source);
        let sealing = &self.shared.sealing;
        let jobs_max = JOBS_PER_THREAD * self.shared.options.sealing_threads;
        sealing.wait_until(|| sealing.waiting_jobs() <= jobs_max);
    }

    fn remember_key(&mut self, record: &LoggedRecord<'_>) {
        if let Some(key) = &record.batch_key {
            let key = KeyDigest::of(record.source, key);
            let found = KeyUse {
                received_at: record.received_at,
                first_sequence: record.first_sequence,
            };
            self.keys.insert(key, found);
        }
    }

    fn report_gap(&mut self, number: u64, gap: Gap, bytes: &[u8]) {
        let Gap { start, end, .. } = gap;
        let certainty = if gap.is_in_last_write {
            ", in the last write, which may never have been acknowledged"
        } else {
            ""
        };
        let path = log::file_name(number);
        self.damage(format!(
            "{path}: the bytes {start} to {end} are damaged{certainty}; the records around them were read"
        ));
        let damaged = bytes.get(to_index(start)..to_index(end));
        self.set_aside(number, start, damaged.unwrap_or_default());
    }

    fn set_aside(&self, number: u64, offset: u64, bytes: &[u8]) {
        self.set_aside_named(&log::file_name(number), offset, bytes);
    }

    /// Keeps a copy of bytes that are about to go, now or when the log file is flushed. Best effort: the disk may be full.
    fn set_aside_named(&self, path: &str, offset: u64, bytes: &[u8]) {
        let name = path.replace('/', "-");
        let copy = format!("{QUARANTINE}/{name}-{offset}");
        let disk = self.shared.disk.as_ref();
        let kept = disk.create(&copy).and_then(|file| {
            file.append(bytes)?;
            file.sync()?;
            disk.sync_dir(QUARANTINE)
        });
        if let Err(error) = kept {
            tracing::warn!(%error, copy, "could not set damaged bytes aside");
        }
    }

    fn damage(&mut self, sentence: String) {
        tracing::error!("{sentence}");
        self.recovery.damage.push(sentence);
    }
}

fn to_index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}
