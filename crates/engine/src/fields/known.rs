//! The kinds of values that blocks have, kept from question to question: a block never changes.
//!
//! A few bytes for each column of a directory, which is in memory anyway and takes twenty times as much; what belongs to
//! blocks that are gone goes with time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
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
pub(crate) struct BlockKinds {
    /// By the index of the column.
    columns: Box<[KnownColumn]>,
    rest: OnceLock<RestFields>,
}

#[derive(Debug, Default)]
struct KnownColumn {
    /// 0 where it is not known.
    kinds: AtomicU8,
    /// Written before the kinds.
    nulls: AtomicU32,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ColumnContents {
    pub(crate) kinds: FieldKinds,
    /// How many of its values are explicit nulls.
    pub(crate) nulls: u32,
}

/// The rarest fields of a block; `None` where they are too many to keep.
pub(crate) type RestFields = Option<Box<[RestPath]>>;

/// One of them.
#[derive(Debug)]
pub(crate) struct RestPath {
    pub(crate) path: Box<str>,
    pub(crate) kinds: FieldKinds,
    /// In how many events it is there and not null.
    pub(crate) events: u32,
}

impl KnownKinds {
    pub(crate) fn of(&self, block: &BlockHandle) -> Arc<BlockKinds> {
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
        let columns = directory.columns.iter().map(|_| KnownColumn::default());
        BlockKinds {
            columns: columns.collect(),
            rest: OnceLock::new(),
        }
    }

    /// What the column at an index holds, which `find` finds unless it is known.
    pub(crate) fn of_column<E>(
        &self,
        index: usize,
        find: impl FnOnce() -> Result<ColumnContents, E>,
    ) -> Result<ColumnContents, E> {
        if let Some(known) = self.known_column(index) {
            return Ok(known);
        }
        let found = find()?;
        if let Some(known) = self.columns.get(index) {
            known.nulls.store(found.nulls, Ordering::Relaxed);
            known.kinds.store(found.kinds.kinds, Ordering::Release);
        }
        Ok(found)
    }

    /// The same, if it is known.
    pub(crate) fn known_column(&self, index: usize) -> Option<ColumnContents> {
        let known = self.columns.get(index)?;
        let kinds = known.kinds.load(Ordering::Acquire);
        (kinds != 0).then(|| ColumnContents {
            kinds: FieldKinds { kinds },
            nulls: known.nulls.load(Ordering::Relaxed),
        })
    }

    /// The rarest fields, which `find` finds unless they are known.
    pub(crate) fn of_rest<E>(
        &self,
        find: impl FnOnce() -> Result<RestFields, E>,
    ) -> Result<&RestFields, E> {
        if let Some(known) = self.rest.get() {
            return Ok(known);
        }
        let found = find()?;
        Ok(self.rest.get_or_init(|| found))
    }

    /// The same, if they are known.
    pub(crate) fn known_rest(&self) -> Option<&RestFields> {
        self.rest.get()
    }
}
