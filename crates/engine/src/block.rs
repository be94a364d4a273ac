//! One block while a search looks at it: columns are read once, and what was read is counted.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashSet;
use std::sync::Arc;

use cordwood_event::{EventId, Value};
use cordwood_store::block::{BlockDirectory, Chunk, ColumnEntry, Rest};
use cordwood_store::column::{
    Column, DictCodes, Presence, SlotIndex, TextCodes, TextSlots, TextValues, Values,
};
use cordwood_store::{BlockHandle, Encoding, ReadError};

use crate::evaluate::Failure;
use crate::part::id_at;

/// A block open for one search, on one thread.
#[derive(Debug)]
pub(crate) struct OpenBlock {
    /// Its own, so that what is decoded is let go with it.
    handle: BlockHandle,
    /// By index of the directory, in boxes: most are never read, and a search opens many blocks.
    columns: Box<[OnceCell<Box<Column>>]>,
    /// What has been read of columns of texts that follow templates.
    texts: Box<[OnceCell<Box<OpenText>>]>,
    timestamps: OnceCell<Vec<i64>>,
    sequences: OnceCell<Vec<u64>>,
    levels: OnceCell<DictCodes>,
    /// The chunks counted so far that several columns share, by offset.
    shared_counted: RefCell<HashSet<u32>>,
    bytes_read: Cell<u64>,
}

/// What has been read of a column of texts that follow templates.
#[derive(Debug, Default)]
struct OpenText {
    codes: OnceCell<TextCodes>,
    index: OnceCell<Arc<SlotIndex>>,
    slots: OnceCell<TextSlots>,
}

impl OpenBlock {
    pub(crate) fn new(handle: &BlockHandle) -> OpenBlock {
        let columns = handle.directory().columns.len();
        OpenBlock {
            handle: handle.afresh(),
            columns: (0..columns).map(|_| OnceCell::new()).collect(),
            texts: (0..columns).map(|_| OnceCell::new()).collect(),
            timestamps: OnceCell::new(),
            sequences: OnceCell::new(),
            levels: OnceCell::new(),
            shared_counted: RefCell::default(),
            bytes_read: Cell::new(0),
        }
    }

    /// The block itself, to ask what is known of it besides. As token maps, posting lists are no part of it: they are not counted here.
    pub(crate) fn handle(&self) -> &BlockHandle {
        &self.handle
    }

    pub(crate) fn directory(&self) -> &BlockDirectory {
        self.handle.directory()
    }

    pub(crate) fn rows(&self) -> usize {
        self.directory().rows as usize
    }

    /// How many bytes of the block have been read.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes_read.get()
    }

    /// The column at an index of the directory.
    pub(crate) fn column(&self, index: usize) -> Result<&Column, ReadError> {
        let cell = self.columns.get(index);
        let cell = cell.expect("columns are asked for by their index in the directory");
        if let Some(column) = cell.get() {
            return Ok(column);
        }
        let column = match self.directory().columns[index].text {
            Some(_) => self.column_of_texts(index)?,
            None => self.handle.column(index)?,
        };
        self.count_column(index);
        Ok(cell.get_or_init(|| Box::new(column)))
    }

    /// What has been read of the column of texts at an index of the directory.
    fn open_text(&self, index: usize) -> &OpenText {
        self.texts[index].get_or_init(Box::default)
    }

    /// The values that some rows have of the column at an index of the directory, in the order asked for. Of a few rows, nothing else of
    /// a column is decoded that has not been.
    pub(crate) fn values_of(
        &self,
        index: usize,
        rows: &[usize],
    ) -> Result<Vec<Option<Value>>, Failure> {
        let is_decoded = self.columns[index].get().is_some();
        if is_decoded || !self.are_few(rows.len()) {
            return Ok(self.column(index)?.values_of(rows)?);
        }
        let values = self.handle.values_of(index, rows)?;
        self.count_column(index);
        Ok(values)
    }

    /// Which text of the column at an index of the directory follows which template.
    pub(crate) fn text_codes(&self, index: usize) -> Result<&TextCodes, ReadError> {
        let cell = &self.open_text(index).codes;
        if let Some(codes) = cell.get() {
            return Ok(codes);
        }
        let codes = self.handle.text_codes(index)?;
        self.count_shared(self.directory().columns[index].chunk);
        Ok(cell.get_or_init(|| codes))
    }

    /// What the slots of such a column can hold.
    pub(crate) fn slot_index(&self, index: usize) -> Result<&Arc<SlotIndex>, ReadError> {
        let cell = &self.open_text(index).index;
        if let Some(slots) = cell.get() {
            return Ok(slots);
        }
        let slots = self.handle.slot_index(index)?;
        if let Some(text) = &self.directory().columns[index].text {
            self.count_shared(text.index);
        }
        Ok(cell.get_or_init(|| slots))
    }

    /// The texts of such a column, without the rows they are in.
    pub(crate) fn text_slots(&self, index: usize) -> Result<&TextSlots, ReadError> {
        let cell = &self.open_text(index).slots;
        if let Some(slots) = cell.get() {
            return Ok(slots);
        }
        let known = Arc::clone(self.slot_index(index)?);
        let slots = self.handle.text_slots(index, known)?;
        if let Some(text) = &self.directory().columns[index].text {
            self.count_shared(text.slots);
        }
        Ok(cell.get_or_init(|| slots))
    }

    fn column_of_texts(&self, index: usize) -> Result<Column, ReadError> {
        let codes = self.text_codes(index)?.clone();
        let slots = self.text_slots(index)?.clone();
        Ok(Column {
            presence: self.presence(index)?,
            values: Values::Text(TextValues::new(codes, slots)),
        })
    }

    /// The rows that have the field of the column at an index of the directory.
    pub(crate) fn presence(&self, index: usize) -> Result<Arc<Presence>, ReadError> {
        let directory = self.directory();
        let entry = &directory.columns[index];
        self.count_presence(entry);
        self.handle.presence(entry)
    }

    /// The fields that have no column of their own.
    pub(crate) fn rest(&self) -> Result<Option<&Arc<Rest>>, ReadError> {
        let rest = self.handle.rest()?;
        if let Some(entry) = self.directory().rest {
            self.count_shared(entry.chunk);
        }
        Ok(rest)
    }

    /// The time of every row in nanoseconds, rising.
    pub(crate) fn timestamps(&self) -> Result<&[i64], ReadError> {
        let read = || self.handle.timestamps();
        let times = self.head(&self.timestamps, self.directory().timestamp, read);
        times.map(Vec::as_slice)
    }

    /// The sequence number of every row.
    pub(crate) fn sequences(&self) -> Result<&[u64], ReadError> {
        let read = || self.handle.sequences();
        let sequences = self.head(&self.sequences, self.directory().sequence, read);
        sequences.map(Vec::as_slice)
    }

    /// Whether so many rows are so few that what is asked of them is read without decoding it of all.
    pub(crate) fn are_few(&self, rows: usize) -> bool {
        /// Of more rows than one in so many, it takes as long.
        const FEW_SHARE: usize = 256;
        /// And of more rows than this: what is decompressed for one alone is decompressed for each.
        const FEW_MAX: usize = 64;
        rows <= FEW_MAX && rows.saturating_mul(FEW_SHARE) <= self.rows()
    }

    /// The ids of a few rows, in the order asked for.
    pub(crate) fn ids_of(&self, rows: &[usize]) -> Result<Vec<EventId>, ReadError> {
        if let (Some(times), Some(sequences)) = (self.timestamps.get(), self.sequences.get()) {
            let ids = rows.iter().map(|row| id_at(times, sequences, *row));
            return Ok(ids.flatten().collect());
        }
        let ids = self.handle.ids_of(rows)?;
        self.count_shared(self.directory().timestamp);
        self.count_shared(self.directory().sequence);
        Ok(ids)
    }

    /// The code of the level of every row.
    pub(crate) fn levels(&self) -> Result<&DictCodes, ReadError> {
        let read = || self.handle.level_codes();
        self.head(&self.levels, self.directory().level, read)
    }

    fn head<'c, T>(
        &self,
        cell: &'c OnceCell<T>,
        chunk: Chunk,
        read: impl FnOnce() -> Result<T, ReadError>,
    ) -> Result<&'c T, ReadError> {
        if let Some(values) = cell.get() {
            return Ok(values);
        }
        let values = read()?;
        self.count_shared(chunk);
        Ok(cell.get_or_init(|| values))
    }

    fn count_column(&self, index: usize) {
        let directory = self.directory();
        let Some(entry) = directory.columns.get(index) else {
            return;
        };
        self.count_presence(entry);
        if entry.values.is_some() && entry.encoding == Encoding::Const {
            return;
        }
        entry.chunks().for_each(|chunk| self.count_shared(chunk));
        if let Some(chunk) = directory.dictionaries
            && self.handle.has_read_dictionaries()
        {
            self.count_shared(chunk);
        }
    }

    fn count_presence(&self, entry: &ColumnEntry) {
        let presences = &self.directory().presences;
        let chunk = entry
            .presence
            .and_then(|index| presences.get(usize::from(index)));
        if let Some(chunk) = chunk {
            self.count_shared(*chunk);
        }
    }

    fn count_shared(&self, chunk: Chunk) {
        if self.shared_counted.borrow_mut().insert(chunk.offset) {
            self.count(chunk);
        }
    }

    fn count(&self, chunk: Chunk) {
        self.bytes_read
            .set(self.bytes_read.get() + u64::from(chunk.length));
    }
}
