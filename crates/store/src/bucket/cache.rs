//! The range cache: aligned pieces of objects on the local disk, a bounded number of bytes, the least recently used goes first.
//!
//! A piece is a file of its own, `cache/<segment>-<index>`: a checksum of its place and bytes, then these. Nothing of it is synced:
//! pieces survive a restart, and one that power loss has damaged is found by its checksum and fetched again.

mod index;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;

use super::{BucketFailure, Objects};
use crate::Disk;
use crate::segment::SegmentId;
pub(crate) use index::PieceId;
use index::PieceIndex;

const DIRECTORY: &str = "cache";
const CHECKSUM_BYTES: u64 = 4;
/// Pieces that one request to the bucket asks for at most.
const PIECES_PER_FETCH: u64 = 8;

/// Reads objects through the local disk.
#[derive(Debug)]
pub(crate) struct RangeCache {
    disk: Arc<dyn Disk>,
    objects: Arc<Objects>,
    /// Free space that pieces leave alone.
    reserve_bytes: u64,
    state: Mutex<State>,
    /// A fetch has ended.
    fetched: Condvar,
    pub(crate) counters: CacheCounters,
}

#[derive(Debug, Default)]
struct State {
    index: PieceIndex,
    /// Being fetched by somebody: others wait.
    under_way: BTreeSet<PieceId>,
    outage: Option<Outage>,
}

/// The bucket could not be asked.
#[derive(Debug)]
struct Outage {
    until: Instant,
    kind: io::ErrorKind,
    reason: String,
}

/// What the cache counts.
#[derive(Debug, Default)]
pub(crate) struct CacheCounters {
    pub(crate) hits: AtomicU64,
    pub(crate) fetches: AtomicU64,
    pub(crate) fetched_bytes: AtomicU64,
    pub(crate) fetch_failures: AtomicU64,
}

/// What a look at the cache says.
enum Look {
    Here {
        is_verified: bool,
    },
    /// To be fetched by who looked: from the piece looked for on, so many.
    Fetch(u64),
}

impl RangeCache {
    /// Finds the pieces that are there; removes those of segments that are not `live`.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        objects: Arc<Objects>,
        reserve_bytes: u64,
        live: &BTreeSet<SegmentId>,
    ) -> io::Result<RangeCache> {
        disk.create_dir(DIRECTORY)?;
        let mut state = State::default();
        for name in disk.list(DIRECTORY)? {
            let path = format!("{DIRECTORY}/{name}");
            let piece = PieceId::of_file(&name).filter(|piece| live.contains(&piece.segment));
            let length = disk.open(&path).and_then(|file| file.length());
            match (piece, length) {
                (Some(piece), Ok(length)) => state.index.insert_found(piece, length),
                // A cache that is not as it should be keeps no store from opening.
                _ => drop(disk.remove(&path)),
            }
        }
        let cache = RangeCache {
            disk,
            objects,
            reserve_bytes,
            state: Mutex::new(state),
            fetched: Condvar::new(),
            counters: CacheCounters::default(),
        };
        cache.make_room(0);
        Ok(cache)
    }

    pub(crate) fn objects(&self) -> &Arc<Objects> {
        &self.objects
    }

    /// Bytes of all pieces.
    pub(crate) fn bytes(&self) -> u64 {
        self.lock().index.bytes()
    }

    /// Why the bucket is not asked now, if so.
    pub(crate) fn outage(&self) -> Option<String> {
        let state = self.lock();
        let outage = state.outage.as_ref();
        outage.map(|outage| outage.reason.clone())
    }

    /// Fills `buffer` from `offset` of the object of a segment, which has `length` bytes.
    pub(crate) fn read_at(
        &self,
        segment: SegmentId,
        length: u64,
        offset: u64,
        buffer: &mut [u8],
    ) -> io::Result<()> {
        let piece_bytes = self.piece_bytes();
        let end = offset.saturating_add(buffer.len() as u64);
        if end > length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut at = offset;
        while at < end {
            let index = at / piece_bytes;
            let last = (end - 1) / piece_bytes;
            let found = self.pieces_from(PieceId { segment, index }, last, at..end, length)?;
            let start = usize::try_from(at - offset).unwrap_or(usize::MAX);
            let target = buffer.get_mut(start..start + found.len());
            let target = target.ok_or(io::ErrorKind::UnexpectedEof)?;
            target.copy_from_slice(&found);
            at += found.len() as u64;
        }
        Ok(())
    }

    /// The bytes of `wanted` that lie in the piece and in those behind it that were fetched with it.
    fn pieces_from(
        &self,
        piece: PieceId,
        last: u64,
        wanted: Range<u64>,
        length: u64,
    ) -> io::Result<Bytes> {
        loop {
            match self.look(piece, last)? {
                Look::Here { is_verified } => {
                    if let Some(bytes) = self.read_piece(piece, is_verified, &wanted) {
                        self.counters.hits.fetch_add(1, Ordering::Relaxed);
                        return Ok(bytes);
                    }
                    // Damaged, or taken away since: as if it had never been there.
                    self.lock().index.remove(piece);
                    let _ = self.disk.remove(&piece.path());
                }
                Look::Fetch(count) => {
                    let under_way = UnderWay {
                        cache: self,
                        pieces: (piece.index..piece.index + count)
                            .map(|index| PieceId { index, ..piece })
                            .collect(),
                    };
                    let start = piece.index * self.piece_bytes();
                    let end = length.min((piece.index + count) * self.piece_bytes());
                    let fetched = self.fetch(piece.segment, start..end)?;
                    self.keep(&under_way.pieces, &fetched);
                    let from = to_index(wanted.start - start);
                    let to = to_index(wanted.end.min(end) - start);
                    return Ok(fetched.slice(from..to));
                }
            }
        }
    }

    /// Says whether a piece is there or is to be fetched; waits while somebody else does.
    fn look(&self, piece: PieceId, last: u64) -> io::Result<Look> {
        let mut state = self.lock();
        loop {
            if let Some(is_verified) = state.index.touch(piece) {
                return Ok(Look::Here { is_verified });
            }
            if !state.under_way.contains(&piece) {
                break;
            }
            let woken = self.fetched.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(outage) = &state.outage {
            if Instant::now() < outage.until {
                let reason = format!("it was not asked again: {}", outage.reason);
                return Err(self.failure(piece.segment, io::Error::new(outage.kind, reason)));
            }
            // One asks; until it knows, the others need not wait with it.
            let again = Instant::now() + self.objects.remote.retry_after;
            if let Some(outage) = &mut state.outage {
                outage.until = again;
            }
        }
        let behind = (piece.index + 1..=last)
            .map(|index| PieceId { index, ..piece })
            .take_while(|next| !state.index.contains(*next) && !state.under_way.contains(next));
        let count = 1 + behind.take(to_index(PIECES_PER_FETCH) - 1).count() as u64;
        let pieces = (piece.index..piece.index + count).map(|index| PieceId { index, ..piece });
        state.under_way.extend(pieces);
        Ok(Look::Fetch(count))
    }

    fn fetch(&self, segment: SegmentId, range: Range<u64>) -> io::Result<Bytes> {
        let fetched = self.objects.read(segment, range);
        match &fetched {
            Ok(bytes) => {
                self.counters.fetches.fetch_add(1, Ordering::Relaxed);
                let bytes = bytes.len() as u64;
                self.counters
                    .fetched_bytes
                    .fetch_add(bytes, Ordering::Relaxed);
                if self.lock().outage.take().is_some() {
                    tracing::info!("the bucket can be read again");
                }
            }
            Err(error) => {
                self.counters.fetch_failures.fetch_add(1, Ordering::Relaxed);
                self.note_failure(error);
            }
        }
        fetched
    }

    /// An object that is not as it should be says nothing about the others.
    fn note_failure(&self, error: &io::Error) {
        let of_object = [io::ErrorKind::NotFound, io::ErrorKind::UnexpectedEof];
        if of_object.contains(&error.kind()) {
            tracing::error!(%error, "a segment in the bucket cannot be read");
            return;
        }
        let outage = Outage {
            until: Instant::now() + self.objects.remote.retry_after,
            kind: error.kind(),
            reason: error.to_string(),
        };
        if self.lock().outage.replace(outage).is_none() {
            tracing::warn!(%error, "the bucket cannot be read: answers say what is missing");
        }
    }

    fn failure(&self, segment: SegmentId, source: io::Error) -> io::Error {
        let failure = BucketFailure {
            bucket: self.objects.remote.bucket.describe(),
            name: segment.file_name(),
            source,
        };
        io::Error::new(failure.source.kind(), failure)
    }

    /// Writes pieces that were fetched, as far as they find room. That they do not is no failure.
    fn keep(&self, pieces: &[PieceId], fetched: &Bytes) {
        let step = to_index(self.piece_bytes());
        for (piece, bytes) in pieces.iter().zip(fetched.chunks(step)) {
            let stored_bytes = bytes.len() as u64 + CHECKSUM_BYTES;
            if !self.has_room(stored_bytes) {
                return;
            }
            self.make_room(stored_bytes);
            if let Err(error) = self.write(*piece, bytes) {
                tracing::debug!(%error, "a piece was not kept");
                return;
            }
            self.lock().index.insert(*piece, stored_bytes);
        }
    }

    fn has_room(&self, bytes: u64) -> bool {
        let free_bytes = self.disk.free_bytes();
        let is_free = free_bytes.is_ok_and(|free| free >= self.reserve_bytes.saturating_add(bytes));
        is_free && bytes <= self.objects.remote.cache_bytes_max
    }

    fn make_room(&self, bytes: u64) {
        let room = self.objects.remote.cache_bytes_max.saturating_sub(bytes);
        let removed = self.lock().index.shrink_to(room);
        for piece in removed {
            // What stays is found, or removed, at the next start.
            let _ = self.disk.remove(&piece.path());
        }
    }

    fn write(&self, piece: PieceId, bytes: &[u8]) -> io::Result<()> {
        let path = piece.path();
        match self.disk.remove(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = self.disk.create(&path)?;
        file.append(&self.checksum(piece, bytes).to_le_bytes())?;
        file.append(bytes)
    }

    /// Of where the bytes come from, and of them: pieces of another size are others.
    fn checksum(&self, piece: PieceId, bytes: &[u8]) -> u32 {
        let start = piece.index * self.piece_bytes();
        crc32c::crc32c_append(crc32c::crc32c(&start.to_le_bytes()), bytes)
    }

    /// The wanted bytes of a piece, which is verified whole once in the life of the process.
    fn read_piece(&self, piece: PieceId, is_verified: bool, wanted: &Range<u64>) -> Option<Bytes> {
        let file = self.disk.open(&piece.path()).ok()?;
        let start = piece.index * self.piece_bytes();
        let content_bytes = file.length().ok()?.checked_sub(CHECKSUM_BYTES)?;
        if !is_verified {
            let mut crc = [0; 4];
            let mut content = vec![0; to_index(content_bytes)];
            file.read_at(0, &mut crc).ok()?;
            file.read_at(CHECKSUM_BYTES, &mut content).ok()?;
            if self.checksum(piece, &content) != u32::from_le_bytes(crc) {
                return None;
            }
            self.lock().index.verified(piece);
        }
        let end = wanted.end.min(start + content_bytes);
        let mut bytes = vec![0; to_index(end.checked_sub(wanted.start)?)];
        file.read_at(CHECKSUM_BYTES + wanted.start - start, &mut bytes)
            .ok()?;
        (!bytes.is_empty()).then(|| bytes.into())
    }

    /// Lets go of the pieces of a segment that nobody reads any more.
    pub(crate) fn forget(&self, segment: SegmentId) {
        let removed = self.lock().index.remove_segment(segment);
        for piece in removed {
            let _ = self.disk.remove(&piece.path());
        }
    }

    fn piece_bytes(&self) -> u64 {
        self.objects.remote.piece_bytes.max(1)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change of the index is one call, which leaves it whole or stays undone.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Pieces that are being fetched; whatever becomes of the fetch, they are not afterwards.
struct UnderWay<'c> {
    cache: &'c RangeCache,
    pieces: Vec<PieceId>,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut state = self.cache.lock();
        for piece in &self.pieces {
            state.under_way.remove(piece);
        }
        drop(state);
        self.cache.fetched.notify_all();
    }
}

fn to_index(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
