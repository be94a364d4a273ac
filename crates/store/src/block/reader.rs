//! Gives the columns of a block back, from memory or from wherever else its bytes are.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use cordwood_event::{EventId, Scalar, Timestamp, Value};

use super::directory::{BlockDirectory, Chunk, ColumnEntry, TextEntry};
use super::rest::Rest;
use crate::column::{
    Column, DictCodes, Presence, SlotIndex, TextCodes, TextSlots, TextValues, Values,
};
use crate::encoding::{self, Corrupt, Encoding, SharedDictionaries};

/// The fields of one row: paths, escaped, and values.
pub type RowFields = Vec<(Arc<str>, Value)>;

/// Where the bytes of one block are.
pub trait ReadChunk {
    /// What can go wrong, damaged bytes included.
    type Error: From<Corrupt>;

    /// The bytes of a chunk. The reader verifies their checksum.
    fn read(&self, chunk: Chunk) -> Result<Bytes, Self::Error>;
}

/// A whole block in memory.
impl ReadChunk for Bytes {
    type Error = Corrupt;

    fn read(&self, chunk: Chunk) -> Result<Bytes, Corrupt> {
        let start = chunk.offset as usize;
        let end = start + chunk.length as usize;
        if end > self.len() {
            return Err(Corrupt("a chunk past the end of the block"));
        }
        Ok(self.slice(start..end))
    }
}

/// Of more rows than these, columns are decoded as a whole: what is looked for in front of a value adds up.
const ROWS_FEW: usize = 64;

/// Reads columns of one block; keeps what they share (dictionaries, presence maps, the rest), so
/// make one per block and query. Costs nothing until it is read from: a search makes one for every block there is.
#[derive(Debug)]
pub struct BlockReader<S> {
    directory: Arc<BlockDirectory>,
    source: S,
    dictionaries: OnceLock<Arc<SharedDictionaries>>,
    presences: OnceLock<Box<[OnceLock<Arc<Presence>>]>>,
    all_rows: OnceLock<Arc<Presence>>,
    rest: OnceLock<Arc<Rest>>,
}

impl<S: ReadChunk> BlockReader<S> {
    /// A reader of the block that `directory` describes and whose bytes `source` gives.
    pub fn new(directory: Arc<BlockDirectory>, source: S) -> BlockReader<S> {
        BlockReader {
            dictionaries: OnceLock::new(),
            presences: OnceLock::new(),
            all_rows: OnceLock::new(),
            rest: OnceLock::new(),
            directory,
            source,
        }
    }

    /// The directory.
    pub fn directory(&self) -> &Arc<BlockDirectory> {
        &self.directory
    }

    /// Where the bytes are.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.directory.rows as usize
    }

    /// The time of every row in nanoseconds, rising.
    pub fn timestamps(&self) -> Result<Vec<i64>, S::Error> {
        let bytes = self.read(self.directory.timestamp)?;
        Ok(encoding::decode_timestamps(&bytes, self.rows())?)
    }

    /// The sequence number of every row.
    pub fn sequences(&self) -> Result<Vec<u64>, S::Error> {
        let bytes = self.read(self.directory.sequence)?;
        Ok(encoding::decode_sequences(&bytes, self.rows())?)
    }

    /// The time and the sequence number of a few rows, in the order asked for, without decoding those of all.
    pub fn ids_of(&self, rows: &[usize]) -> Result<Vec<EventId>, S::Error> {
        let bytes = self.read(self.directory.timestamp)?;
        let times = encoding::decode_few_timestamps(&bytes, self.rows(), rows)?;
        let bytes = self.read(self.directory.sequence)?;
        let sequences = encoding::decode_few_sequences(&bytes, self.rows(), rows)?;
        let ids = times.into_iter().zip(sequences);
        let id = |(time, sequence)| EventId {
            timestamp: Timestamp::from_nanos(time),
            sequence,
        };
        Ok(ids.map(id).collect())
    }

    /// The level code of every row: [`Level::code`](cordwood_event::Level::code), 0 for none.
    pub fn levels(&self) -> Result<Vec<u8>, S::Error> {
        let bytes = self.read(self.directory.level)?;
        Ok(encoding::decode_levels(&bytes, self.rows())?)
    }

    /// The same, unpacked when somebody asks for them.
    pub fn level_codes(&self) -> Result<DictCodes, S::Error> {
        let bytes = self.read(self.directory.level)?;
        Ok(DictCodes::new(bytes, self.rows(), encoding::LEVEL_CODES))
    }

    /// The column at an index of [`BlockDirectory::columns`].
    pub fn column(&self, index: usize) -> Result<Column, S::Error> {
        let entry = self.directory.columns.get(index);
        let entry = entry.ok_or(Corrupt("no column of this index"))?;
        let presence = self.presence(entry)?;
        if entry.text.is_some() {
            let (codes, slots) = (self.text_codes(index)?, self.slot_index(index)?);
            let slots = self.text_slots(index, slots)?;
            let values = Values::Text(TextValues::new(codes, slots));
            return Ok(Column { presence, values });
        }
        let Some(counts) = &entry.values else {
            return self.stored_column(index);
        };
        // The directory lists the values: the dictionaries of the block need not be read for them.
        let values = counts.dictionary()?;
        let values = match (entry.encoding, values.get(0)) {
            (Encoding::Const, Some(value)) => Values::Const(value.to_value()),
            _ => {
                let bytes = self.read(entry.chunk)?;
                encoding::decode_dict_of(&bytes, presence.present(), values)?
            }
        };
        Ok(Column { presence, values })
    }

    /// The values that a few rows have of the column at an index, in the order asked for. Decodes no more than it takes: of many rows
    /// this takes longer than [`column`](Self::column) does.
    pub fn values_of(&self, index: usize, rows: &[usize]) -> Result<Vec<Option<Value>>, S::Error> {
        let entry = self.directory.columns.get(index);
        let entry = entry.ok_or(Corrupt("no column of this index"))?;
        let presence = self.presence(entry)?;
        let ranks: Vec<Option<usize>> = rows.iter().map(|row| presence.rank(*row)).collect();
        let present: Vec<usize> = ranks.iter().flatten().copied().collect();
        if present.is_empty() {
            return Ok(vec![None; rows.len()]);
        }
        let mut values = self.values_at(index, entry, &present)?.into_iter();
        let by_row = ranks.iter().map(|rank| rank.and_then(|_| values.next()));
        Ok(by_row.collect())
    }

    /// The values of a few ranks.
    fn values_at(
        &self,
        index: usize,
        entry: &ColumnEntry,
        ranks: &[usize],
    ) -> Result<Vec<Value>, S::Error> {
        if entry.text.is_some() {
            let (codes, slots) = (self.text_codes(index)?, self.slot_index(index)?);
            let slots = self.text_slots(index, slots)?;
            return Ok(TextValues::new(codes, slots).values_of(ranks)?);
        }
        let count = entry.present as usize;
        if let Some(counts) = &entry.values {
            let values: Vec<Scalar<'_>> = counts.scalars().collect();
            let codes = match (entry.encoding, &*values) {
                (Encoding::Const, [only]) => return Ok(vec![only.to_value(); ranks.len()]),
                _ => {
                    let bytes = self.read(entry.chunk)?;
                    encoding::decode_few_codes(&bytes, (count, ranks), values.len())?
                }
            };
            let value = |code: u16| values.get(usize::from(code)).map(|value| value.to_value());
            let values: Option<Vec<Value>> = codes.into_iter().map(value).collect();
            return Ok(values.ok_or(Corrupt("a code past the last value of its list"))?);
        }
        let bytes = self.read(entry.chunk)?;
        let shared = match encoding::needs_dictionaries(entry.encoding, &bytes) {
            true => self.dictionaries()?,
            false => Arc::default(),
        };
        let few = encoding::decode_few(entry.encoding, &bytes, (count, ranks), &shared);
        Ok(few?)
    }

    /// The same, from the bytes of the block alone, of a column that follows no templates.
    pub(crate) fn stored_column(&self, index: usize) -> Result<Column, S::Error> {
        let entry = self.directory.columns.get(index);
        let entry = entry.ok_or(Corrupt("no column of this index"))?;
        let presence = self.presence(entry)?;
        let bytes = self.read(entry.chunk)?;
        let shared = match encoding::needs_dictionaries(entry.encoding, &bytes) {
            true => self.dictionaries()?,
            false => Arc::default(),
        };
        let values = encoding::decode(entry.encoding, &bytes, presence.present(), &shared)?;
        Ok(Column { presence, values })
    }

    /// Of a column of texts that follow templates, which follows which; reads nothing of the slots.
    pub fn text_codes(&self, index: usize) -> Result<TextCodes, S::Error> {
        let (entry, text) = self.text_entry(index)?;
        let bytes = self.read(entry.chunk)?;
        let uses = Arc::clone(&text.uses);
        Ok(encoding::decode_codes(&bytes, entry.present as usize, uses))
    }

    /// Of a column of texts that follow templates, what is in the slots, as far as it can be told without reading them.
    pub fn slot_index(&self, index: usize) -> Result<Arc<SlotIndex>, S::Error> {
        let (_, text) = self.text_entry(index)?;
        let bytes = self.read(text.index)?;
        Ok(Arc::new(SlotIndex::decode(&bytes, &text.uses)?))
    }

    /// Of a column of texts that follow templates, all texts without the rows they are in; `slots` is its
    /// [`slot_index`](Self::slot_index).
    pub fn text_slots(&self, index: usize, slots: Arc<SlotIndex>) -> Result<TextSlots, S::Error> {
        let (_, text) = self.text_entry(index)?;
        let stored = self.read(text.slots)?;
        Ok(TextSlots::new(slots, stored, Arc::clone(&text.uses)))
    }

    fn text_entry(&self, index: usize) -> Result<(&ColumnEntry, &TextEntry), Corrupt> {
        let entry = self.directory.columns.get(index);
        let entry = entry.ok_or(Corrupt("no column of this index"))?;
        let text = entry.text.as_ref();
        Ok((entry, text.ok_or(Corrupt("a column without templates"))?))
    }

    /// The column of a path (escaped), whether it has its own chunk or lies in the rest; `None` if no row has the field.
    pub fn column_of(&self, path: &str) -> Result<Option<Column>, S::Error> {
        if let Some(index) = self.directory.column_index(path) {
            return self.column(index).map(Some);
        }
        let Some(rest) = self.rest()? else {
            return Ok(None);
        };
        match rest.path_index(path) {
            Some(index) => Ok(Some(rest.column(index)?)),
            None => Ok(None),
        }
    }

    /// The rare fields, if the block has so many fields that some share a chunk.
    pub fn rest(&self) -> Result<Option<&Arc<Rest>>, S::Error> {
        let Some(entry) = self.directory.rest else {
            return Ok(None);
        };
        if let Some(rest) = self.rest.get() {
            return Ok(Some(rest));
        }
        let bytes = self.read(entry.chunk)?;
        let rest = Rest::decode(&bytes, &entry, self.rows())?;
        Ok(Some(self.rest.get_or_init(|| Arc::new(rest))))
    }

    /// The map of the rows that have the field of `entry`.
    pub fn presence(&self, entry: &ColumnEntry) -> Result<Arc<Presence>, S::Error> {
        let Some(index) = entry.presence.map(usize::from) else {
            let all_rows = || Arc::new(Presence::all(self.rows()));
            return Ok(Arc::clone(self.all_rows.get_or_init(all_rows)));
        };
        let none_read = || {
            let maps = self.directory.presences.iter();
            maps.map(|_| OnceLock::new()).collect()
        };
        let cell = self.presences.get_or_init(none_read).get(index);
        let cell = cell.ok_or(Corrupt("no presence map of this index"))?;
        let presence = match cell.get() {
            Some(presence) => presence,
            None => {
                let chunk = self.directory.presences.get(index).copied();
                let bytes = self.read(chunk.ok_or(Corrupt("no presence map of this index"))?)?;
                let decoded = encoding::decode_presence(&bytes, self.rows())?;
                cell.get_or_init(|| Arc::new(decoded))
            }
        };
        if presence.present() != entry.present as usize {
            return Err(Corrupt("a presence map that does not fit its column").into());
        }
        Ok(Arc::clone(presence))
    }

    /// Every field of each of the given rows: path and value, sorted by path but for the rare ones, which come last.
    /// Decodes each column once, and of its texts only the frames that hold one of the rows.
    pub fn fields(&self, rows: &[usize]) -> Result<Vec<RowFields>, S::Error> {
        let mut fields: Vec<RowFields> = rows.iter().map(|_| Vec::new()).collect();
        for (index, entry) in self.directory.columns.iter().enumerate() {
            let presence = self.presence(entry)?;
            if !rows.iter().any(|row| presence.contains(*row)) {
                continue;
            }
            let values = match rows.len() {
                ..ROWS_FEW => self.values_of(index, rows)?,
                _ => self.column(index)?.values_of(rows)?,
            };
            for (fields, value) in fields.iter_mut().zip(values) {
                fields.extend(value.map(|value| (Arc::clone(&entry.path), value)));
            }
        }
        if let Some(rest) = self.rest()? {
            for (fields, row) in fields.iter_mut().zip(rows) {
                let rare = rest.fields(*row)?;
                fields.extend(
                    rare.iter()
                        .map(|(path, value)| (Arc::from(*path), value.to_value())),
                );
            }
        }
        Ok(fields)
    }

    /// Whether the lists that several columns share have been read.
    pub fn has_read_dictionaries(&self) -> bool {
        self.dictionaries.get().is_some()
    }

    fn dictionaries(&self) -> Result<Arc<SharedDictionaries>, S::Error> {
        let Some(chunk) = self.directory.dictionaries else {
            return Ok(Arc::default());
        };
        if let Some(shared) = self.dictionaries.get() {
            return Ok(Arc::clone(shared));
        }
        let decoded = SharedDictionaries::decode(&self.read(chunk)?)?;
        let shared = self.dictionaries.get_or_init(|| Arc::new(decoded));
        Ok(Arc::clone(shared))
    }

    fn read(&self, chunk: Chunk) -> Result<Bytes, S::Error> {
        let bytes = self.source.read(chunk)?;
        if bytes.len() != chunk.length as usize || crc32c::crc32c(&bytes) != chunk.crc {
            return Err(Corrupt("a checksum that does not match").into());
        }
        Ok(bytes)
    }
}
