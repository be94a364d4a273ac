//! A store of lines of text, `<nanoseconds> <text>` each, so that these tests need no decoder of the real formats.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cordwood_event::{Batch, BatchBuilder, EventHead, Level, Scalar, SourceId, Timestamp, Value};
use cordwood_store::disk::simulated::SimulatedDisk;
use cordwood_store::{
    Append, AppendError, Appended, BlockHandle, Decode, DeletedSource, DeletionRequest, Disk,
    Error, FindDeleted, LoggedBody, MemoryBudget, Options, Part, ReadError, ReadFailure, Recovery,
    Snapshot, Store, Untold,
};

/// Decodes lines.
pub(crate) struct Lines;

impl Decode for Lines {
    fn decode(&self, logged: &LoggedBody<'_>) -> Result<Batch, String> {
        let text = std::str::from_utf8(logged.body).map_err(|error| error.to_string())?;
        assert_eq!(logged.format, "lines");
        Ok(batch_of(text))
    }
}

pub(crate) fn batch_of(body: &str) -> Batch {
    let mut builder = BatchBuilder::new();
    for line in body.lines() {
        let (nanos, text) = line.split_once(' ').unwrap();
        let nanos: i64 = nanos.parse().unwrap();
        builder.begin_event();
        builder.key("text").unwrap();
        builder.value(Scalar::Str(text));
        builder.key("length").unwrap();
        builder.value(Scalar::Int(text.len() as i64));
        if nanos % 3 == 0 {
            builder.key("third").unwrap();
            builder.value(Scalar::Float(nanos as f64 / 4.0));
        }
        builder.finish_event(EventHead {
            timestamp: Timestamp::from_nanos(nanos),
            level: Level::from_code((nanos % 7).unsigned_abs() as u8),
            source_bytes: line.len() as u32,
        });
    }
    builder.finish()
}

/// An append of a body of lines.
pub(crate) fn append_of(source: u64, key: Option<&str>, body: &str) -> Append {
    Append {
        source: SourceId(source),
        received_at: Timestamp::from_nanos(1_000_000_000),
        format: "lines".into(),
        batch_key: key.map(str::to_owned),
        body: body.as_bytes().to_vec(),
        compressed: false,
        batch: batch_of(body),
    }
}

/// Small thresholds, so that little data goes through everything; flushes happen when asked for.
pub(crate) fn small_options() -> Options {
    Options {
        memory: MemoryBudget::new(64 << 20),
        fresh_bytes_max: 32 << 20,
        log_file_bytes: 600,
        flush_event_bytes: 1 << 30,
        flush_sealed_bytes: 1 << 30,
        flush_age: Duration::from_secs(3600),
        unflushed_event_bytes_max: 1 << 30,
        free_space_reserve_bytes: 0,
        block_rows: 8,
        block_event_bytes: 1 << 20,
        sealing_threads: 1,
        merge_fan_in: usize::MAX,
        segment_event_bytes_max: 1 << 30,
        segment_blocks_max: 4096,
        merge_memory_bytes: 1 << 20,
        batch_key_validity: Duration::from_secs(3600),
        remote: None,
    }
}

pub(crate) fn open(disk: &SimulatedDisk) -> Result<(Store, Recovery), Error> {
    open_with(small_options(), disk)
}

pub(crate) fn open_with(
    options: Options,
    disk: &SimulatedDisk,
) -> Result<(Store, Recovery), Error> {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    Store::open(options, disk, Arc::new(Lines))
}

pub(crate) fn append(store: &Store, source: u64, body: &str) -> Result<Appended, AppendError> {
    store.append(append_of(source, None, body))
}

/// Every event of a source by its sequence number, as a line.
pub(crate) fn events_of(
    snapshot: &Snapshot,
    source: u64,
) -> Result<BTreeMap<u64, String>, ReadError> {
    let mut events = BTreeMap::new();
    for part in snapshot.parts(SourceId(source)) {
        for (sequence, line) in lines_of(&part)? {
            let earlier = events.insert(sequence, line);
            assert_eq!(earlier, None, "event {sequence} is there twice");
        }
    }
    Ok(events)
}

fn lines_of(part: &Part) -> Result<Vec<(u64, String)>, ReadError> {
    let mut lines = Vec::new();
    match part {
        Part::Open(rows) => {
            for (row, event) in rows.batch().events().enumerate() {
                let text = event.get("text").unwrap().as_str().unwrap();
                lines.push((rows.sequence(row), line(event.timestamp().as_nanos(), text)));
            }
        }
        Part::Block(block) => {
            let (times, sequences) = (block.timestamps()?, block.sequences()?);
            let levels = block.levels()?;
            let rows: Vec<usize> = (0..block.rows()).collect();
            for (row, fields) in block.fields(&rows)?.into_iter().enumerate() {
                let text = fields.iter().find(|(path, _)| &**path == "text").unwrap();
                let Value::Str(text) = &text.1 else {
                    panic!("{text:?} is no text");
                };
                assert_eq!(i64::from(levels[row]), (times[row] % 7).abs());
                lines.push((sequences[row], line(times[row], text)));
            }
        }
    }
    Ok(lines)
}

fn line(nanos: i64, text: &str) -> String {
    format!("{nanos} {text}")
}

/// Deletions in the language of these tests: a query means the lines that contain it.
#[derive(Debug)]
pub(crate) struct Containing;

impl Containing {
    fn means(request: &DeletionRequest, source: SourceId, sequence: u64, line: &str) -> bool {
        let (nanos, text) = line.split_once(' ').unwrap();
        let time = Timestamp::from_nanos(nanos.parse().unwrap());
        request.may_touch(source, (time, time), sequence) && text.contains(&request.query)
    }
}

impl FindDeleted for Containing {
    fn deleted_rows(
        &self,
        request: &DeletionRequest,
        source: SourceId,
        block: &BlockHandle,
    ) -> Result<Vec<usize>, Untold> {
        let lines = lines_of(&Part::Block(block.clone()));
        let lines = lines.map_err(|error| match error.source {
            ReadFailure::Bucket(_) => Untold::OutOfReach(error.to_string()),
            _ => Untold::Lasting(error.to_string()),
        })?;
        let rows = lines.iter().enumerate();
        let deleted = rows
            .filter(|(_, (sequence, line))| Containing::means(request, source, *sequence, line));
        Ok(deleted.map(|(row, _)| row).collect())
    }
}

/// The lines of a source, by their sequence numbers, that no deletion means.
pub(crate) fn visible_of(
    snapshot: &Snapshot,
    source: u64,
) -> Result<BTreeMap<u64, String>, ReadError> {
    let mut events = events_of(snapshot, source)?;
    for deletion in snapshot.deletions() {
        events.retain(|sequence, line| {
            !Containing::means(&deletion.request, SourceId(source), *sequence, line)
        });
    }
    Ok(events)
}

/// Deletes the lines of a source up to now that contain a text, at any time.
pub(crate) fn deletion_of(store: &Store, source: u64, text: &str) -> DeletionRequest {
    DeletionRequest {
        sources: vec![DeletedSource {
            id: SourceId(source),
            name: format!("source {source}"),
        }],
        first: Timestamp::MIN,
        last: Timestamp::MAX,
        query: text.to_owned(),
        requested_at: Timestamp::from_nanos(1_000_000_000),
        up_to_sequence: store.snapshot().last_sequence(),
    }
}

/// The lines of a source in order of arrival.
pub(crate) fn texts_of(store: &Store, source: u64) -> Vec<String> {
    let events = events_of(&store.snapshot(), source).unwrap();
    events.into_values().collect()
}

/// How many batches the fixture of a data directory has.
pub(crate) const FIXTURE_BATCHES: u64 = 30;

/// A batch of the fixture: fields of all kinds, a key, and a body that compresses when it is long.
pub(crate) fn fixture_batch(number: u64) -> Append {
    let lines: Vec<String> = (0..1 + number % 5)
        .map(|line| {
            let nanos = number * 1_000 + (line * 7) % 5 - 2 * (number % 2);
            format!(
                "{nanos} batch {number} line {line} {}",
                "é ".repeat(number as usize)
            )
        })
        .collect();
    let key = format!("fixture {number}");
    append_of(1 + number % 3, Some(&key), &lines.join("\n"))
}
