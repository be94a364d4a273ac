//! A block as a search reads it, wherever its bytes are.

use std::sync::Arc;

use bytes::Bytes;
use cordwood_event::{EventId, Timestamp, Value};

use crate::block::{BlockDirectory, BlockReader, Chunk, ColumnEntry, ReadChunk, Rest, RowFields};
use crate::column::{Column, DictCodes, Presence, SlotIndex, TextCodes, TextSlots};
use crate::encoding::Corrupt;
use crate::memtable::MemoryBlock;
use crate::postings::{BlockPostings, ListPlace, ListedWord, WordLists};
use crate::segment::{Segment, SegmentBlock};
use crate::tokens::{BlockSet, WordHash};
use crate::{ReadError, ReadFailure};

/// One block. Keeps what its columns share, so make one per query; what it reads is verified. A clone is cheap and shares
/// what is kept.
#[derive(Clone, Debug)]
pub struct BlockHandle {
    reader: Arc<BlockReader<Place>>,
}

/// Where the bytes of a block are.
#[derive(Clone, Debug)]
enum Place {
    Memory(Arc<MemoryBlock>),
    Segment {
        segment: Arc<Segment>,
        offset: u64,
        /// Its place among the blocks of the segment.
        index: u32,
    },
}

/// What says which words a block may hold.
#[derive(Clone, Copy, Debug)]
pub enum Tokens<'h> {
    /// The words of the block itself: it is in memory.
    OfBlock(BlockWords<'h>),
    /// The words of its segment, and the index of the block there.
    OfSegment(SegmentWords<'h>, u32),
}

/// The words of one block.
#[derive(Clone, Copy, Debug)]
pub struct BlockWords<'h>(&'h [u32]);

/// The words of all blocks of one segment.
#[derive(Clone, Copy, Debug)]
pub struct SegmentWords<'h>(&'h Arc<Segment>);

/// Where the posting lists of the words of a block are.
#[derive(Clone, Copy, Debug)]
pub enum Postings<'h> {
    /// Those of the block itself: it is in memory.
    OfBlock(&'h BlockPostings),
    /// Those of its segment, and the index of the block there.
    OfSegment(SegmentLists<'h>, u32),
}

/// The posting lists of all blocks of one segment.
#[derive(Clone, Copy, Debug)]
pub struct SegmentLists<'h>(&'h Arc<Segment>);

impl SegmentLists<'_> {
    /// The number of the segment, which no other has.
    pub fn segment(self) -> u64 {
        self.0.id().0
    }

    /// Where the lists of a word of a column (its path, escaped) are. `None` when that is not known: the segment has no posting
    /// lists, or they cannot be read, which is counted among the errors of reading.
    pub fn find(self, path: &str, word: &ListedWord) -> Option<WordLists> {
        match self.0.lists_of(path, word.spelled()) {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(file = self.0.path(), %error, "a dictionary of words cannot be read");
                None
            }
        }
    }
}

impl BlockWords<'_> {
    /// Whether the block may hold the word.
    pub fn may_hold(self, word: WordHash) -> bool {
        self.0.binary_search(&word.0).is_ok()
    }
}

impl SegmentWords<'_> {
    /// How many blocks the segment has.
    pub fn blocks(self) -> u32 {
        u32::try_from(self.0.blocks.len()).unwrap_or(u32::MAX)
    }

    /// The number of the segment, which no other has.
    pub fn segment(self) -> u64 {
        self.0.id().0
    }

    /// The blocks that may hold the word. `None` when that is not known: the segment has no token map, or its map cannot
    /// be read, which is counted among the errors of reading.
    pub fn blocks_with(self, word: WordHash) -> Option<BlockSet> {
        match self.0.blocks_with(word) {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(file = self.0.path(), %error, "a token map cannot be read");
                None
            }
        }
    }
}

impl From<Corrupt> for ReadFailure {
    fn from(corrupt: Corrupt) -> ReadFailure {
        ReadFailure::Malformed(corrupt.0.to_owned())
    }
}

impl ReadChunk for Place {
    type Error = ReadFailure;

    fn read(&self, chunk: Chunk) -> Result<Bytes, ReadFailure> {
        match self {
            Place::Memory(block) => Ok(block.bytes.read(chunk)?),
            Place::Segment { segment, index, .. } => Ok(segment.read_chunk(*index, chunk)?),
        }
    }
}

impl BlockHandle {
    pub(crate) fn in_memory(block: Arc<MemoryBlock>) -> BlockHandle {
        let directory = Arc::clone(&block.directory);
        BlockHandle {
            reader: Arc::new(BlockReader::new(directory, Place::Memory(block))),
        }
    }

    /// The block at `index` of a segment.
    pub(crate) fn in_segment(
        segment: &Arc<Segment>,
        block: &SegmentBlock,
        index: usize,
    ) -> BlockHandle {
        let place = Place::Segment {
            segment: Arc::clone(segment),
            offset: block.offset,
            index: u32::try_from(index).unwrap_or(u32::MAX),
        };
        BlockHandle {
            reader: Arc::new(BlockReader::new(Arc::clone(&block.directory), place)),
        }
    }

    /// The same block with nothing kept yet: what is decoded through it is let go with it.
    pub fn afresh(&self) -> BlockHandle {
        let directory = Arc::clone(self.reader.directory());
        let place = self.reader.source().clone();
        BlockHandle {
            reader: Arc::new(BlockReader::new(directory, place)),
        }
    }

    /// What the block holds, and where; every handle of the block shares it.
    pub fn shared_directory(&self) -> &Arc<BlockDirectory> {
        self.reader.directory()
    }

    /// What the block holds, and where.
    pub fn directory(&self) -> &BlockDirectory {
        self.reader.directory()
    }

    /// The file of the segment it lies in, below the data directory; `None` for a block in memory.
    pub fn segment_file(&self) -> Option<&str> {
        match self.reader.source() {
            Place::Memory(_) => None,
            Place::Segment { segment, .. } => Some(segment.path()),
        }
    }

    /// Where the words of the block are looked up.
    pub fn tokens(&self) -> Tokens<'_> {
        match self.reader.source() {
            Place::Memory(block) => Tokens::OfBlock(BlockWords(&block.tokens)),
            Place::Segment { segment, index, .. } => {
                Tokens::OfSegment(SegmentWords(segment), *index)
            }
        }
    }

    /// Where the posting lists of the block are.
    pub fn postings(&self) -> Postings<'_> {
        match self.reader.source() {
            Place::Memory(block) => Postings::OfBlock(&block.postings),
            Place::Segment { segment, index, .. } => {
                Postings::OfSegment(SegmentLists(segment), *index)
            }
        }
    }

    /// The ranks of the texts that hold a word in the column at an index of [`BlockDirectory::columns`], rising: of the list
    /// that was found for the block.
    pub fn listed_texts(&self, index: usize, place: ListPlace) -> Result<Vec<u32>, ReadError> {
        let Place::Segment { segment, .. } = self.reader.source() else {
            let corrupt = Corrupt("a list of a block that has its own");
            return Err(self.error(self.name_of(index), corrupt.into()));
        };
        let texts = segment.read_list(place);
        texts.map_err(|error| self.error(self.name_of(index), error))
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.reader.rows()
    }

    /// Whether the lists that several columns share have been read.
    pub fn has_read_dictionaries(&self) -> bool {
        self.reader.has_read_dictionaries()
    }

    /// The earliest and the latest time of the rows.
    pub fn time_range(&self) -> (Timestamp, Timestamp) {
        self.directory().timestamps
    }

    /// The lowest and the highest sequence number of the rows.
    pub fn sequence_range(&self) -> (u64, u64) {
        self.directory().sequences
    }

    /// Bytes of the block as encoded.
    pub fn encoded_bytes(&self) -> u64 {
        self.directory().encoded_bytes()
    }

    /// The time of every row in nanoseconds, rising.
    pub fn timestamps(&self) -> Result<Vec<i64>, ReadError> {
        self.reader
            .timestamps()
            .map_err(|e| self.error("the times", e))
    }

    /// The sequence number of every row.
    pub fn sequences(&self) -> Result<Vec<u64>, ReadError> {
        let sequences = self.reader.sequences();
        sequences.map_err(|e| self.error("the sequence numbers", e))
    }

    /// The ids of a few rows, in the order asked for, without decoding those of all.
    pub fn ids_of(&self, rows: &[usize]) -> Result<Vec<EventId>, ReadError> {
        let ids = self.reader.ids_of(rows);
        ids.map_err(|e| self.error("the ids of rows", e))
    }

    /// The level code of every row: [`Level::code`](cordwood_event::Level::code), 0 for none.
    pub fn levels(&self) -> Result<Vec<u8>, ReadError> {
        self.reader
            .levels()
            .map_err(|e| self.error("the levels", e))
    }

    /// The same, unpacked when somebody asks for them.
    pub fn level_codes(&self) -> Result<DictCodes, ReadError> {
        let codes = self.reader.level_codes();
        codes.map_err(|e| self.error("the levels", e))
    }

    /// Of the column at an index of [`BlockDirectory::columns`], whose texts follow templates, which follows which.
    pub fn text_codes(&self, index: usize) -> Result<TextCodes, ReadError> {
        let codes = self.reader.text_codes(index);
        codes.map_err(|e| self.error(self.name_of(index), e))
    }

    /// Of such a column, what can be told of its slots without reading them.
    pub fn slot_index(&self, index: usize) -> Result<Arc<SlotIndex>, ReadError> {
        let slots = self.reader.slot_index(index);
        slots.map_err(|e| self.error(self.name_of(index), e))
    }

    /// Of such a column, all texts without the rows they are in; `slots` is its [`slot_index`](Self::slot_index).
    pub fn text_slots(&self, index: usize, slots: Arc<SlotIndex>) -> Result<TextSlots, ReadError> {
        let slots = self.reader.text_slots(index, slots);
        slots.map_err(|e| self.error(self.name_of(index), e))
    }

    /// The column at an index of [`BlockDirectory::columns`].
    pub fn column(&self, index: usize) -> Result<Column, ReadError> {
        let column = self.reader.column(index);
        column.map_err(|error| self.error(self.name_of(index), error))
    }

    /// The values that a few rows have of such a column, in the order asked for, without decoding all of it.
    pub fn values_of(&self, index: usize, rows: &[usize]) -> Result<Vec<Option<Value>>, ReadError> {
        let values = self.reader.values_of(index, rows);
        values.map_err(|error| self.error(self.name_of(index), error))
    }

    /// The same, whatever the directory says of its values.
    pub(crate) fn stored_column(&self, index: usize) -> Result<Column, ReadError> {
        let of_templates = |entry: &ColumnEntry| entry.text.is_some();
        if self
            .directory()
            .columns
            .get(index)
            .is_some_and(of_templates)
        {
            return self.column(index);
        }
        let column = self.reader.stored_column(index);
        column.map_err(|error| self.error(self.name_of(index), error))
    }

    /// The column of a path (escaped), whether it has its own chunk or lies in the rest.
    pub fn column_of(&self, path: &str) -> Result<Option<Column>, ReadError> {
        self.reader.column_of(path).map_err(|e| self.error(path, e))
    }

    /// The rows that have the field of `entry`.
    pub fn presence(&self, entry: &ColumnEntry) -> Result<Arc<Presence>, ReadError> {
        let presence = self.reader.presence(entry);
        presence.map_err(|e| self.error(&entry.path, e))
    }

    /// The rare fields, if the block has so many fields that some share a chunk.
    pub fn rest(&self) -> Result<Option<&Arc<Rest>>, ReadError> {
        self.reader
            .rest()
            .map_err(|e| self.error("the rare fields", e))
    }

    /// Every field of each of some rows: path and value. For a few rows; a scan reads columns.
    pub fn fields(&self, rows: &[usize]) -> Result<Vec<RowFields>, ReadError> {
        self.reader.fields(rows).map_err(|e| self.error("a row", e))
    }

    /// A failure to decode values of a column that were read before.
    pub fn error_in_column(&self, index: usize, corrupt: Corrupt) -> ReadError {
        self.error(self.name_of(index), corrupt.into())
    }

    /// A failure to decode values of the rare fields that were read before.
    pub(crate) fn error_in_rest(&self, corrupt: Corrupt) -> ReadError {
        self.error("the rare fields", corrupt.into())
    }

    fn name_of(&self, index: usize) -> &str {
        let entry = self.directory().columns.get(index);
        entry.map_or("a column", |entry| &entry.path)
    }

    fn error(&self, what: &str, source: ReadFailure) -> ReadError {
        let (file, block) = match self.reader.source() {
            Place::Memory(_) => ("(memory)".to_owned(), String::new()),
            Place::Segment {
                segment, offset, ..
            } => {
                segment.count_read_error();
                (
                    segment.path().to_owned(),
                    format!(" of the block at {offset}"),
                )
            }
        };
        ReadError {
            file,
            what: format!("{what}{block}"),
            source,
        }
    }
}
