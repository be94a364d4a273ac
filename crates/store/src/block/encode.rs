//! Encodes rows as a block.

use std::collections::HashMap;
use std::sync::Arc;

use cordwood_event::{Level, Timestamp};

use super::directory::{
    BlockDirectory, Chunk, ColumnEntry, LevelCounts, MinuteCounts, RestEntry, TextEntry,
};
use super::gather::{BlockRow, FieldCells, FieldColumn, Gathered};
use super::{ROWS_MAX, rest};
use crate::column::Presence;
use crate::encoding::{self, Compressor, SharedDictionaries};
use crate::postings::BlockPostings;
use crate::tokens::BlockTokens;

/// A block ready to be kept: its bytes, and what lies where in them.
#[derive(Clone, Debug)]
pub struct EncodedBlock {
    /// The directory.
    pub directory: BlockDirectory,
    /// All chunks.
    pub bytes: Vec<u8>,
    /// The hashes of the words of all values, rising.
    pub tokens: Vec<u32>,
    /// Which texts hold which words.
    pub postings: BlockPostings,
}

/// The rows do not make a block. All but `Empty` and `Unsorted` are cured by cutting the rows in two; a single event
/// within the limits of ingest always makes a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// There is no row.
    #[error("a block of no rows")]
    Empty,
    /// More than [`ROWS_MAX`].
    #[error("a block of too many rows")]
    TooManyRows,
    /// More than [`TEXT_BYTES_MAX`](super::TEXT_BYTES_MAX) bytes of text.
    #[error("a block of too much text")]
    TooMuchText,
    /// More than [`REST_CELLS_MAX`](super::REST_CELLS_MAX) values, of more than
    /// [`COLUMNS_MAX`](super::COLUMNS_MAX) fields.
    #[error("a block of too many values of too many fields")]
    TooManyFields,
    /// The rows are not in the order of time and then sequence number.
    #[error("a block of rows out of order")]
    Unsorted,
}

/// Encodes rows of one source, sorted by time and then sequence number.
pub fn encode(rows: &[BlockRow<'_>]) -> Result<EncodedBlock, EncodeError> {
    check_rows(rows)?;
    let gathered = Gathered::of(rows)?;
    let rare_fields = gathered.rare();

    let mut block = Encoder::new(rows.len());
    let fields = gathered.columns.iter();
    let columns: Vec<ColumnEntry> = fields.map(|field| block.column(field)).collect();
    let rest = (!rare_fields.is_empty()).then(|| block.rest(&rare_fields));
    Ok(block.finish(rows, columns, rest))
}

fn check_rows(rows: &[BlockRow<'_>]) -> Result<(), EncodeError> {
    if rows.is_empty() {
        return Err(EncodeError::Empty);
    }
    if rows.len() > ROWS_MAX {
        return Err(EncodeError::TooManyRows);
    }
    if rows.is_sorted_by_key(|row| (row.event.timestamp(), row.sequence)) {
        Ok(())
    } else {
        Err(EncodeError::Unsorted)
    }
}

/// A block being written. The head (times, dictionaries, presence maps: what every reader wants) goes before the
/// columns, but is known only after them.
struct Encoder {
    rows: usize,
    compressor: Compressor,
    dictionaries: Vec<u8>,
    presences: Vec<Presence>,
    presence_index: HashMap<Vec<u64>, u16>,
    body: Section,
    tokens: BlockTokens,
    postings: BlockPostings,
}

/// Chunks one after the other.
#[derive(Default)]
struct Section {
    bytes: Vec<u8>,
}

impl Section {
    fn push(&mut self, chunk: &[u8]) -> Chunk {
        let offset = narrow(self.bytes.len());
        self.bytes.extend_from_slice(chunk);
        Chunk {
            offset,
            length: narrow(chunk.len()),
            crc: crc32c::crc32c(chunk),
        }
    }

    fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Chunk {
        let mut chunk = Vec::new();
        write(&mut chunk);
        self.push(&chunk)
    }
}

impl Encoder {
    fn new(rows: usize) -> Encoder {
        Encoder {
            rows,
            compressor: Compressor::new(),
            dictionaries: Vec::new(),
            presences: Vec::new(),
            presence_index: HashMap::new(),
            body: Section::default(),
            tokens: BlockTokens::of_rows(rows),
            postings: BlockPostings::default(),
        }
    }

    fn column(&mut self, field: &FieldColumn<'_>) -> ColumnEntry {
        let dictionaries = Some(&mut self.dictionaries);
        let encoded = encoding::encode(
            &field.values,
            &mut self.compressor,
            dictionaries,
            &mut self.tokens,
        );
        let path: Arc<str> = Arc::from(field.path);
        if let Some(postings) = encoded.postings {
            self.postings.push(Arc::clone(&path), postings);
        }
        ColumnEntry {
            path,
            encoding: encoded.encoding,
            chunk: self.body.push(&encoded.bytes),
            present: narrow(field.values.len()),
            presence: self.presence(&field.rows),
            numbers: encoded.numbers,
            dictionary_len: encoded.dictionary_len,
            values: encoded.counts.map(Arc::new),
            text: encoded.text.map(|text| TextEntry {
                index: self.body.push(&text.index),
                slots: self.body.push(&text.slots),
                uses: Arc::new(text.uses),
            }),
        }
    }

    /// The index of the map of these rows, a bit for each; equal maps are kept once. All rows need none.
    fn presence(&mut self, present: &[u64]) -> Option<u16> {
        let presence = Presence::of_words(self.rows, present.to_vec());
        let words = presence.words()?.to_vec();
        let next = u16::try_from(self.presences.len()).ok()?;
        let index = *self.presence_index.entry(words).or_insert(next);
        if index == next {
            self.presences.push(presence);
        }
        Some(index)
    }

    fn rest(&mut self, fields: &[FieldCells<'_, '_>]) -> RestEntry {
        let chunk = rest::encode(fields, &mut self.compressor, &mut self.tokens);
        RestEntry {
            chunk: self.body.push(&chunk),
            paths: narrow(fields.len()),
            cells: narrow(fields.iter().map(|field| field.rows.len()).sum()),
        }
    }

    fn finish(
        mut self,
        rows: &[BlockRow<'_>],
        mut columns: Vec<ColumnEntry>,
        mut rest: Option<RestEntry>,
    ) -> EncodedBlock {
        let mut head = Section::default();
        let times: Vec<i64> = rows
            .iter()
            .map(|row| row.event.timestamp().as_nanos())
            .collect();
        let numbers: Vec<u64> = rows.iter().map(|row| row.sequence).collect();
        let levels: Vec<u16> = rows
            .iter()
            .map(|row| level_code(row.event.level()))
            .collect();
        let compressor = &mut self.compressor;

        let timestamp = head.push_with(|out| encoding::encode_timestamps(&times, out));
        let sequence = head.push_with(|out| encoding::encode_sequences(&numbers, out));
        let level = head.push_with(|out| encoding::encode_levels(&levels, compressor, out));
        let dictionaries = (!self.dictionaries.is_empty()).then(|| {
            head.push_with(|out| SharedDictionaries::encode(&self.dictionaries, compressor, out))
        });
        let presences = self
            .presences
            .iter()
            .map(|map| head.push_with(|out| encoding::encode_presence(map, compressor, out)))
            .collect();

        let level_codes = || levels.iter().map(|code| usize::from(*code));
        let head_length = narrow(head.bytes.len());
        let chunks = columns.iter_mut().flat_map(|entry| {
            let text = entry.text.as_mut();
            let slots = text.map(|text| [&mut text.index, &mut text.slots]);
            std::iter::once(&mut entry.chunk).chain(slots.into_iter().flatten())
        });
        for chunk in chunks.chain(rest.as_mut().map(|rest| &mut rest.chunk)) {
            chunk.offset += head_length;
        }
        head.bytes.extend(self.body.bytes);
        let directory = BlockDirectory {
            rows: narrow(rows.len()),
            timestamps: bounds(times.iter().copied().map(Timestamp::from_nanos)),
            sequences: bounds(numbers.iter().copied()),
            source_bytes: rows.iter().map(|row| row.event.source_bytes() as u64).sum(),
            levels: LevelCounts::count(level_codes()),
            minutes: MinuteCounts::of(&times, level_codes()),
            timestamp,
            sequence,
            level,
            dictionaries,
            presences,
            columns,
            rest,
        };
        EncodedBlock {
            directory,
            bytes: head.bytes,
            tokens: self.tokens.into_sorted(),
            postings: self.postings,
        }
    }
}

fn level_code(level: Option<Level>) -> u16 {
    level.map_or(0, |level| level.code().into())
}

fn bounds<T: Ord + Copy>(values: impl Iterator<Item = T> + Clone) -> (T, T) {
    let least = values.clone().min().expect("a block has at least one row");
    (least, values.max().unwrap_or(least))
}

/// Text is bounded by 2^30 bytes and all else by 32 bytes for each of 2^24 values, so that offsets fit.
fn narrow(count: usize) -> u32 {
    u32::try_from(count).expect("a block stays below 2^32 bytes")
}
