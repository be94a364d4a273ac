//! The kinds of values that blocks have, kept from question to question: a block never changes.
//!
//! A byte for each column of a directory, which is in memory anyway and takes a hundred times as much; what belongs to
//! blocks that are gone goes with time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use cordwood_store::BlockHandle;
use cordwood_store::block::BlockDirectory;

use super::FieldKinds;

/// What is known of all blocks that were asked about.
#[derive(Debug, Default)]
pub(crate) struct KnownKinds {
    blocks: Mutex<Blocks>,
}

#[derive(Debug, Default)]
struct Blocks {
    /// By the address of the directory, which nothing else has as long as it is known here.
    known: HashMap<usize, Known>,
    /// How many there were left when blocks that are gone were last looked for.
    left: usize,
}

#[derive(Debug)]
struct Known {
    directory: Weak<BlockDirectory>,
    kinds: Arc<BlockKinds>,
}

/// What is known of one block.
#[derive(Debug)]
pub(super) struct BlockKinds {
    /// By the index of the column; 0 where it is not known.
    columns: Box<[AtomicU8]>,
    rest: OnceLock<RestKinds>,
}

/// The paths of the rarest fields with their kinds; `None` where they are too many to keep.
pub(super) type RestKinds = Option<Box<[(Box<str>, FieldKinds)]>>;

impl KnownKinds {
    pub(super) fn of(&self, block: &BlockHandle) -> Arc<BlockKinds> {
        let directory = block.shared_directory();
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.forget_gone();
        let known = blocks.known.entry(Arc::as_ptr(directory).addr());
        let known = known.or_insert_with(|| Known {
            directory: Arc::downgrade(directory),
            kinds: Arc::new(BlockKinds::unknown(directory)),
        });
        Arc::clone(&known.kinds)
    }
}

impl Blocks {
    /// Looks for blocks that are gone whenever twice as many are known as were left, so that looking costs little.
    fn forget_gone(&mut self) {
        /// Fewer are not worth looking.
        const BLOCKS_MIN: usize = 1024;
        if self.known.len() >= BLOCKS_MIN.max(self.left * 2) {
            self.known
                .retain(|_, known| known.directory.strong_count() > 0);
            self.left = self.known.len();
        }
    }
}

impl BlockKinds {
    fn unknown(directory: &BlockDirectory) -> BlockKinds {
        let columns = directory.columns.iter().map(|_| AtomicU8::new(0));
        BlockKinds {
            columns: columns.collect(),
            rest: OnceLock::new(),
        }
    }

    /// The kinds of the column at an index, which `find` finds unless they are known.
    pub(super) fn of_column<E>(
        &self,
        index: usize,
        find: impl FnOnce() -> Result<FieldKinds, E>,
    ) -> Result<FieldKinds, E> {
        let known = self.columns.get(index);
        let kinds = known.map_or(0, |known| known.load(Ordering::Relaxed));
        if kinds != 0 {
            return Ok(FieldKinds { kinds });
        }
        let found = find()?;
        if let Some(known) = known {
            known.store(found.kinds, Ordering::Relaxed);
        }
        Ok(found)
    }

    /// Those of the rarest fields, which `find` finds unless they are known.
    pub(super) fn of_rest<E>(
        &self,
        find: impl FnOnce() -> Result<RestKinds, E>,
    ) -> Result<&RestKinds, E> {
        if let Some(known) = self.rest.get() {
            return Ok(known);
        }
        let found = find()?;
        Ok(self.rest.get_or_init(|| found))
    }
}
