//! Reads ahead of who goes through a segment block by block while its bytes are not in the page cache.
//!
//! A search reads of each block a chunk or two of the same columns. Each is too small and too far from the next for the
//! readahead of the operating system, so that every block would be waited for. Who waits for the same chunk of two blocks near
//! each other will want that of the next ones: the system is told so, and reads them meanwhile.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::block::{BlockDirectory, Chunk, ColumnEntry};

/// A read that takes longer than this, and the time of copying its bytes, was waited for.
const WAIT_MIN: Duration = Duration::from_micros(40);

/// A slow copy from the page cache.
const COPY_BYTES_PER_NANO: u64 = 2;

/// How many blocks are read ahead.
const BLOCKS_AHEAD: u32 = 16;

/// Threads side by side take blocks in about their order: so far from the last one a block still belongs to the same pass.
const BLOCKS_NEAR: u32 = 4;

/// So many reads of a pass without one that was waited for, and all of it seems to be in the page cache.
const READS_AWAKE: u32 = 4 * BLOCKS_AHEAD;

/// What a chunk is in its block, as another is in the next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Role {
    Timestamps,
    Sequences,
    Levels,
    Dictionaries,
    Rest,
    /// One of the chunks of a column, in their order.
    Column(Arc<str>, usize),
    /// The presence map of a column, the first of those that share it.
    Presence(Arc<str>),
}

impl Role {
    fn of(chunk: Chunk, directory: &BlockDirectory) -> Option<Role> {
        let is_it = |other: &Chunk| *other == chunk;
        for (head, role) in [
            (directory.timestamp, Role::Timestamps),
            (directory.sequence, Role::Sequences),
            (directory.level, Role::Levels),
        ] {
            if is_it(&head) {
                return Some(role);
            }
        }
        if directory.dictionaries.as_ref().is_some_and(is_it) {
            return Some(Role::Dictionaries);
        }
        if directory.rest.is_some_and(|rest| is_it(&rest.chunk)) {
            return Some(Role::Rest);
        }
        if let Some(presence) = directory.presences.iter().position(is_it) {
            let has_it = |column: &&ColumnEntry| column.presence.map(usize::from) == Some(presence);
            let first = directory.columns.iter().find(has_it)?;
            return Some(Role::Presence(Arc::clone(&first.path)));
        }
        directory.columns.iter().find_map(|column| {
            let index = column.chunks().position(|chunk| is_it(&chunk))?;
            Some(Role::Column(Arc::clone(&column.path), index))
        })
    }

    /// The chunk that has this role in a block.
    fn find_in(&self, directory: &BlockDirectory) -> Option<Chunk> {
        let column = |path: &str| {
            let columns = &directory.columns;
            let found = columns.binary_search_by(|column| (*column.path).cmp(path));
            columns.get(found.ok()?)
        };
        match self {
            Role::Timestamps => Some(directory.timestamp),
            Role::Sequences => Some(directory.sequence),
            Role::Levels => Some(directory.level),
            Role::Dictionaries => directory.dictionaries,
            Role::Rest => directory.rest.map(|rest| rest.chunk),
            Role::Column(path, index) => column(path)?.chunks().nth(*index),
            Role::Presence(path) => {
                let presence = usize::from(column(path)?.presence?);
                directory.presences.get(presence).copied()
            }
        }
    }
}

/// Which way blocks are gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

impl Way {
    fn step(self, block: u32, blocks: u32) -> Option<u32> {
        match self {
            Way::Up => block.checked_add(blocks),
            Way::Down => block.checked_sub(blocks),
        }
    }

    /// How many blocks `to` lies ahead of `from`; `None` when it lies behind.
    fn ahead(self, from: u32, to: u32) -> Option<u32> {
        match self {
            Way::Up => to.checked_sub(from),
            Way::Down => from.checked_sub(to),
        }
    }
}

/// The chunks of one role, as they are read block after block.
#[derive(Debug)]
struct Pass {
    /// The block that is furthest on the way.
    last: u32,
    /// Which way, and the last block that was read ahead, once two were waited for.
    ahead: Option<(Way, u32)>,
    /// Reads since the last that was waited for.
    reads_since: u32,
}

impl Pass {
    fn begin(block: u32) -> Pass {
        Pass {
            last: block,
            ahead: None,
            reads_since: 0,
        }
    }

    /// Takes note of a read and gives the blocks to be read ahead: the next, and the last of them.
    fn note(&mut self, block: u32, was_waited_for: bool) -> Option<(u32, u32)> {
        self.reads_since = match was_waited_for {
            true => 0,
            false => self.reads_since + 1,
        };
        let is_near = block.abs_diff(self.last) <= BLOCKS_NEAR;
        let Some((way, until)) = self.ahead else {
            let way = if block > self.last {
                Way::Up
            } else {
                Way::Down
            };
            let is_pass = was_waited_for && is_near && block != self.last;
            self.last = block;
            return is_pass.then(|| self.go_on(way, block)).flatten();
        };
        match way.ahead(self.last, block) {
            Some(_) if is_near || way.ahead(block, until).is_some() => {
                self.last = block;
                match way.ahead(block, until) {
                    Some(left) if left >= BLOCKS_AHEAD / 2 => None,
                    Some(_) => self.go_on(way, until),
                    None => self.go_on(way, block),
                }
            }
            // Another thread took an earlier one.
            None if is_near => None,
            _ => {
                *self = Pass::begin(block);
                None
            }
        }
    }

    fn go_on(&mut self, way: Way, from: u32) -> Option<(u32, u32)> {
        let end = match way {
            Way::Up => self.last.saturating_add(BLOCKS_AHEAD),
            Way::Down => self.last.saturating_sub(BLOCKS_AHEAD),
        };
        self.ahead = Some((way, end));
        Some((way.step(from, 1)?, end))
    }
}

/// A chunk that was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChunkRead<'a> {
    /// The index of its block.
    pub(super) block: u32,
    pub(super) directory: &'a BlockDirectory,
    pub(super) chunk: Chunk,
    pub(super) took: Duration,
}

impl ChunkRead<'_> {
    fn was_waited_for(&self) -> bool {
        let copying = Duration::from_nanos(u64::from(self.chunk.length) / COPY_BYTES_PER_NANO);
        self.took > WAIT_MIN + copying
    }
}

/// Chunks that will be wanted: those of one role in some blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    role: Role,
    blocks: (u32, u32),
}

impl Wanted {
    /// The blocks, the first that will be wanted first.
    pub(super) fn blocks(&self) -> Box<dyn Iterator<Item = u32>> {
        let (next, end) = self.blocks;
        match next <= end {
            true => Box::new(next..=end),
            false => Box::new((end..=next).rev()),
        }
    }

    /// The chunk of a block.
    pub(super) fn chunk_in(&self, directory: &BlockDirectory) -> Option<Chunk> {
        self.role.find_in(directory)
    }
}

/// The passes through one segment.
#[derive(Debug, Default)]
pub(super) struct ReadAhead {
    passes: Mutex<HashMap<Role, Pass>>,
    /// Whether there are any: asked by every read, without the lock.
    is_awake: AtomicBool,
}

impl ReadAhead {
    /// Takes note of a read and says what should be read ahead because of it.
    pub(super) fn note(&self, read: ChunkRead<'_>) -> Option<Wanted> {
        let was_waited_for = read.was_waited_for();
        if !was_waited_for && !self.is_awake.load(Ordering::Relaxed) {
            return None;
        }
        let role = Role::of(read.chunk, read.directory)?;
        let mut passes = self.passes.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(pass) = passes.get_mut(&role) else {
            if was_waited_for {
                passes.insert(role, Pass::begin(read.block));
                self.is_awake.store(true, Ordering::Relaxed);
            }
            return None;
        };
        let blocks = pass.note(read.block, was_waited_for);
        if pass.reads_since > READS_AWAKE {
            passes.remove(&role);
            self.is_awake.store(!passes.is_empty(), Ordering::Relaxed);
            return None;
        }
        blocks.map(|blocks| Wanted { role, blocks })
    }
}

#[cfg(test)]
mod tests;
