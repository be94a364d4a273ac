//! The one thread that writes the log: takes all that waits, writes it at once, syncs once, publishes, answers.
//!
//! While one group is being synced the next gathers by itself, so there is no need to wait for more requests: under load
//! groups are as large as a sync is long, and an idle log answers after one sync.

use std::sync::Arc;
use std::time::Instant;

use cordwood_event::SourceId;

use super::file::{HEADER_BYTES, LogHeader, file_name};
use super::group::GroupBytes;
use super::queue::{Request, Work};
use super::record::LoggedRecord;
use super::{DIRECTORY, StoredBody};
use crate::batch_keys::{BatchKeys, KeyDigest, KeyUse};
use crate::disk::{DiskFile, is_full};
use crate::memtable::{OpenRows, Sequences};
use crate::shared::Shared;
use crate::{AppendError, Appended, BusyReason, Error};

/// A group is closed at this size, so that the first of many requests need not wait for all of them.
pub(super) const GROUP_BYTES: usize = 16 << 20;

/// The file being written, and where its last record ends.
#[derive(Debug)]
pub(crate) struct Position {
    pub(crate) header: LogHeader,
    pub(crate) file: Box<dyn DiskFile>,
    pub(crate) end: u64,
}

/// A generation that grows no more, and what the manifest that covers it has to say.
#[derive(Debug)]
pub(crate) struct Frozen {
    pub(crate) generation: u64,
    /// The first log file with events of a later generation.
    pub(crate) log_floor: u64,
    /// The first sequence number of a later generation.
    pub(crate) next_sequence: u64,
    pub(crate) batch_keys: Vec<(KeyDigest, KeyUse)>,
}

/// Writes the log.
#[derive(Debug)]
pub(crate) struct LogWriter {
    shared: Arc<Shared>,
    position: Position,
    next_sequence: u64,
    keys: BatchKeys,
    /// The active generation.
    generation: u64,
    /// The records of the group being written.
    group: GroupBytes,
}

/// A request of the group being written.
struct Admitted {
    request: Request,
    key: Option<KeyDigest>,
    /// `None` for a duplicate.
    first_sequence: Option<u64>,
}

impl LogWriter {
    /// Goes on writing at a position.
    pub(crate) fn new(
        shared: Arc<Shared>,
        position: Position,
        next_sequence: u64,
        keys: BatchKeys,
    ) -> LogWriter {
        let generation = shared.published.get().active().id;
        LogWriter {
            shared,
            position,
            next_sequence,
            keys,
            generation,
            group: GroupBytes::default(),
        }
    }

    /// Writes until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        loop {
            let Work {
                requests,
                freeze,
                is_last,
            } = shared.queue.take();
            self.write_all(requests);
            if let Some(answer) = freeze {
                // Nobody listens any more if the flusher died; the generation is flushed at the next start.
                let _ = answer.send(self.freeze());
            }
            if is_last {
                return;
            }
        }
    }

    fn write_all(&mut self, requests: Vec<Request>) {
        let mut group = Vec::new();
        let mut group_bytes = 0;
        for request in requests {
            group_bytes += request.body.bytes.len();
            group.push(request);
            if group_bytes >= GROUP_BYTES {
                self.write_group(std::mem::take(&mut group));
                group_bytes = 0;
            }
        }
        if !group.is_empty() {
            self.write_group(group);
        }
    }

    fn write_group(&mut self, requests: Vec<Request>) {
        if let Err(error) = self.make_room(&requests) {
            return refuse(requests, &error);
        }
        let first_sequence = self.next_sequence;
        let group = self.admit(requests);
        match self.make_durable() {
            Ok(()) => self.acknowledge(group),
            Err(error) => {
                self.next_sequence = first_sequence;
                self.withdraw(group, &error);
            }
        }
        self.group.clear();
    }

    /// Whether there is space for the group, in a file that has not reached its size.
    fn make_room(&mut self, requests: &[Request]) -> Result<(), AppendError> {
        self.shared.check_writable()?;
        let bodies: usize = requests
            .iter()
            .map(|request| request.body.bytes.len())
            .sum();
        self.shared.check_free_space(bodies as u64)?;
        if self.position.end < self.shared.options.log_file_bytes {
            return Ok(());
        }
        self.rotate().map_err(|error| {
            if error.is_disk_full() {
                return self.shared.disk_full();
            }
            self.shared.poison(&error)
        })
    }

    /// Gives out sequence numbers and serialises the records of all but duplicates.
    fn admit(&mut self, requests: Vec<Request>) -> Vec<Admitted> {
        let mut group = Vec::with_capacity(requests.len());
        for mut request in requests {
            let key = request.batch_key.as_deref();
            let key = key.map(|key| KeyDigest::of(request.source, key));
            let is_duplicate =
                key.is_some_and(|key| self.keys.find(key, request.received_at).is_some());
            if !is_duplicate && key.is_some() && self.keys.is_full() {
                let error = AppendError::busy(BusyReason::BatchKeys);
                refuse(vec![request], &error);
                continue;
            }
            let first_sequence = (!is_duplicate).then(|| self.serialise(&mut request, key));
            group.push(Admitted {
                request,
                key,
                first_sequence,
            });
        }
        group
    }

    fn serialise(&mut self, request: &mut Request, key: Option<KeyDigest>) -> u64 {
        let first_sequence = self.next_sequence;
        let event_count = request.held.batch.len();
        self.next_sequence += event_count as u64;
        let nothing = StoredBody::plain(Vec::new());
        let record = LoggedRecord {
            group_offset: self.position.end,
            first_sequence,
            event_count: u32::try_from(event_count).expect("a batch has less than 2^32 events"),
            source: request.source,
            received_at: request.received_at,
            format: request.format.as_str().into(),
            batch_key: request.batch_key.as_deref().map(Into::into),
            body: std::mem::replace(&mut request.body, nothing),
        };
        self.group.push(record, self.position.header.marker);
        if let Some(key) = key {
            let found = KeyUse {
                received_at: request.received_at,
                first_sequence,
            };
            self.keys.insert(key, found);
        }
        first_sequence
    }

    /// Writes, then one sync. After an error the file ends where it did, or writing is over.
    fn make_durable(&mut self) -> Result<(), AppendError> {
        let group_bytes = self.group.bytes();
        if group_bytes == 0 {
            return Ok(());
        }
        let Position { file, end, header } = &mut self.position;
        let path = file_name(header.number);
        let began = Instant::now();
        if let Err(error) = self.group.append_to(file.as_ref()) {
            // Whatever part was written must not stand before the next record, nor come back when power is lost.
            let is_cut = file.truncate(*end).and_then(|()| file.sync());
            if is_full(&error) && is_cut.is_ok() {
                return Err(self.shared.disk_full());
            }
            return Err(self.shared.poison(&Error::io("write to", path)(error)));
        }
        if let Err(error) = file.sync() {
            // The page cache may now differ from the disk, for good. What was refused should at least not come back from the
            // cache at the next start; should this fail too, the start finds whole records or none.
            let _ = file.truncate(*end);
            return Err(self.shared.poison(&Error::io("sync", path)(error)));
        }
        *end += group_bytes as u64;
        self.shared.log_pace.note(group_bytes, began.elapsed());
        self.shared.counters.group_written(group_bytes);
        self.shared.disk_has_space();
        Ok(())
    }

    fn acknowledge(&mut self, group: Vec<Admitted>) {
        let mut touched: Vec<SourceId> = Vec::new();
        let mut answers = Vec::with_capacity(group.len());
        let mut rows_to_publish = Vec::new();
        for admitted in group {
            let Admitted {
                request,
                key,
                first_sequence,
            } = admitted;
            let appended = Appended {
                duplicate: first_sequence.is_none(),
                first_sequence: first_sequence
                    .or_else(|| Some(self.keys.find(key?, request.received_at)?.first_sequence))
                    .unwrap_or(0),
            };
            self.shared
                .counters
                .appended(appended, request.held.batch.len());
            if let Some(first) = first_sequence
                && !request.held.batch.is_empty()
            {
                touched.push(request.source);
                let sequences = Sequences::consecutive(first, request.held.batch.len());
                let rows = OpenRows::new(Arc::new(request.held.written()), sequences);
                rows_to_publish.push((request.source, rows));
            }
            answers.push((request.answer, appended));
        }
        self.shared.publish(rows_to_publish, self.next_sequence);
        for (answer, appended) in answers {
            // A caller that has gone away misses only the news.
            let _ = answer.send(Ok(appended));
        }
        touched.sort_unstable();
        touched.dedup();
        for source in touched {
            self.shared.gather(source);
        }
    }

    fn withdraw(&mut self, group: Vec<Admitted>, error: &AppendError) {
        for admitted in &group {
            if let (Some(key), Some(_)) = (admitted.key, admitted.first_sequence) {
                self.keys.remove(key);
            }
        }
        for admitted in group {
            let received_at = admitted.request.received_at;
            let earlier = admitted
                .key
                .and_then(|key| self.keys.find(key, received_at));
            let answer = match earlier {
                Some(earlier) => {
                    let appended = Appended {
                        duplicate: true,
                        first_sequence: earlier.first_sequence,
                    };
                    self.shared.counters.appended(appended, 0);
                    Ok(appended)
                }
                None => Err(error.clone()),
            };
            let _ = admitted.request.answer.send(answer);
        }
    }

    /// Freezes the active generation at a record boundary that is also a file boundary.
    fn freeze(&mut self) -> Result<Option<Frozen>, Error> {
        self.shared.check_not_poisoned()?;
        if self.shared.published.get().active().is_empty() {
            return Ok(None);
        }
        if self.position.end > HEADER_BYTES as u64 {
            self.rotate()?;
        }
        let generation = self.generation;
        self.generation += 1;
        let next_generation = self.generation;
        self.shared
            .published
            .update(|view| view.begin_generation(next_generation));
        Ok(Some(Frozen {
            generation,
            log_floor: self.position.header.number,
            next_sequence: self.next_sequence,
            batch_keys: self.keys.valid(),
        }))
    }

    fn rotate(&mut self) -> Result<(), Error> {
        let number = self.position.header.number + 1;
        self.position = begin_file(self.shared.disk.as_ref(), number, self.next_sequence)?;
        Ok(())
    }
}

/// Makes an empty log file durable, in place of a leftover of the same name: one that could not be finished.
pub(crate) fn begin_file(
    disk: &dyn crate::Disk,
    number: u64,
    first_sequence: u64,
) -> Result<Position, Error> {
    let path = file_name(number);
    remove_unfinished(disk, &path)?;
    let header = LogHeader::new(number, first_sequence);
    let file = disk.create(&path).map_err(Error::io("create", &*path))?;
    let made_durable = file
        .append(&header.to_bytes())
        .and_then(|()| file.sync())
        .and_then(|()| disk.sync_dir(DIRECTORY));
    if let Err(error) = made_durable {
        // Should it stay, the next attempt or the next start removes it.
        let _ = disk.remove(&path);
        return Err(Error::io("create", path)(error));
    }
    Ok(Position {
        header,
        file,
        end: HEADER_BYTES as u64,
    })
}

fn remove_unfinished(disk: &dyn crate::Disk, path: &str) -> Result<(), Error> {
    let Ok(length) = disk.open(path).and_then(|file| file.length()) else {
        return Ok(());
    };
    if length > HEADER_BYTES as u64 {
        return Err(Error::Damaged {
            file: path.to_owned(),
            reason: "it has records, but a number that was never given out".into(),
        });
    }
    disk.remove(path).map_err(Error::io("remove", path))
}

fn refuse(requests: Vec<Request>, error: &AppendError) {
    for request in requests {
        let _ = request.answer.send(Err(error.clone()));
    }
}
