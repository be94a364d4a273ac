//! Directories of many blocks as bytes, attribute by attribute, paths once for all.
//!
//! A directory takes about 15 bytes per column this way; read as a whole when a segment is opened.

use std::collections::HashMap;
use std::sync::Arc;
use std::vec;

use cordwood_event::{Number, Timestamp};

use super::templates::{decode_uses, push_uses, table_of};
use super::values::{decode_counts, push_counts};
use super::{
    BlockDirectory, Chunk, ColumnEntry, LevelCounts, MISSING, NumberRange, RestEntry, TextEntry,
    minutes,
};
use crate::block::rest::{decode_paths, push_paths};
use crate::block::{COLUMNS_MAX, REST_CELLS_MAX, ROWS_MAX};
use crate::encoding::cursor::{Cursor, push_count};
use crate::encoding::{Compressor, Corrupt, Encoding, int};
use crate::template::{TemplateTable, TemplateUses};

/// The first byte, as it is written. A greater one means another layout, or blocks that a reader does not know. In version 1 no slot
/// is of hex digits, no number in one is below zero, and no integers are kept by which are the same as that before.
const VERSION: u8 = 2;
const VERSION_MIN: u8 = 1;

/// Times, sequence numbers, levels: every block has them.
const HEAD_CHUNKS: usize = 3;

const HAS_DICTIONARIES: i64 = 1;
const HAS_REST: i64 = 2;
const HAS_MINUTES: i64 = 4;

const NO_NUMBERS: i64 = 0;
const MIN_IS_FLOAT: i64 = 1;
const MAX_IS_FLOAT: i64 = 2;
const SOME_NUMBERS: i64 = 4;

/// Directories as bytes.
#[derive(Clone, Debug)]
pub struct EncodedDirectories {
    /// The directories.
    pub bytes: Vec<u8>,
    /// The templates of all of them, each once.
    pub templates: TemplateTable,
}

/// Writes directories; [`decode_directories`] gives them back in the same order. Blocks from anywhere can be put
/// together so: their templates become one table, and no byte of a block is about a table.
pub fn encode_directories<'a>(
    directories: impl IntoIterator<Item = &'a BlockDirectory>,
) -> EncodedDirectories {
    let blocks: Vec<&BlockDirectory> = directories.into_iter().collect();
    let columns: Vec<&ColumnEntry> = blocks.iter().flat_map(|block| &block.columns).collect();
    let mut out = vec![VERSION];
    push_count(&mut out, blocks.len());
    push_shapes(&blocks, &mut out);
    push_chunks(&blocks, &mut out);
    push_totals(&blocks, &mut out);
    push_columns(&columns, &mut out);
    let texts = columns.iter().filter_map(|entry| entry.text.as_ref());
    let uses: Vec<&TemplateUses> = texts.map(|text| text.uses.as_ref()).collect();
    let templates = table_of(&uses);
    push_uses(&uses, &templates, &mut out);
    minutes::push(&blocks, &mut out);
    EncodedDirectories {
        bytes: out,
        templates,
    }
}

fn push_shapes(blocks: &[&BlockDirectory], out: &mut Vec<u8>) {
    push(out, blocks, |block| {
        let dictionaries = i64::from(block.dictionaries.is_some()) * HAS_DICTIONARIES;
        let rest = i64::from(block.rest.is_some()) * HAS_REST;
        dictionaries + rest + i64::from(block.minutes.is_some()) * HAS_MINUTES
    });
    push(out, blocks, |block| signed(block.presences.len()));
    push(out, blocks, |block| signed(block.columns.len()));
    push(out, blocks, |block| {
        let texts = block.columns.iter().filter(|entry| entry.text.is_some());
        signed(texts.count())
    });
}

fn push_chunks(blocks: &[&BlockDirectory], out: &mut Vec<u8>) {
    let with_surplus = blocks.iter().flat_map(|block| with_surplus(block));
    let chunks: Vec<(Chunk, i64)> = with_surplus.collect();
    out.extend(chunks.iter().flat_map(|(chunk, _)| chunk.crc.to_le_bytes()));
    push(out, &chunks, |(chunk, _)| chunk.length.into());
    push(out, &chunks, |(_, surplus)| *surplus);
}

/// Every chunk of a block, and how far from the end of the one before it begins: nowhere, as blocks are written.
fn with_surplus(block: &BlockDirectory) -> impl Iterator<Item = (Chunk, i64)> {
    block.chunks().scan(0i64, |end, chunk| {
        let surplus = i64::from(chunk.offset) - *end;
        *end = i64::from(chunk.offset) + i64::from(chunk.length);
        Some((chunk, surplus))
    })
}

fn push_totals(blocks: &[&BlockDirectory], out: &mut Vec<u8>) {
    push(out, blocks, |block| block.rows.into());
    push(out, blocks, |block| block.timestamps.0.as_nanos());
    push(out, blocks, |block| block.timestamps.1.as_nanos());
    push(out, blocks, |block| block.sequences.0.cast_signed());
    push(out, blocks, |block| block.sequences.1.cast_signed());
    push(out, blocks, |block| block.source_bytes.cast_signed());
    let levels: Vec<u32> = blocks.iter().flat_map(|block| block.levels.0).collect();
    push(out, &levels, |count| (*count).into());
    let rests: Vec<RestEntry> = blocks.iter().filter_map(|block| block.rest).collect();
    push(out, &rests, |rest| rest.paths.into());
    push(out, &rests, |rest| rest.cells.into());
}

fn push_columns(columns: &[&ColumnEntry], out: &mut Vec<u8>) {
    let mut paths: Vec<&str> = Vec::new();
    let mut by_path: HashMap<&str, i64> = HashMap::new();
    let mut path_ids = Vec::with_capacity(columns.len());
    for entry in columns {
        let id = by_path.entry(&entry.path).or_insert_with(|| {
            paths.push(&entry.path);
            signed(paths.len()) - 1
        });
        path_ids.push(*id);
    }
    push_count(out, paths.len());
    let mut compressor = Compressor::new();
    push_paths(paths.iter().copied(), &mut compressor, out);
    push(out, &path_ids, |id| *id);
    push(out, columns, |entry| entry.encoding.code().into());
    push(out, columns, |entry| entry.present.into());
    push(out, columns, |entry| {
        entry.presence.map_or(0, |index| i64::from(index) + 1)
    });
    push(out, columns, |entry| entry.dictionary_len.into());
    push(out, columns, |entry| {
        entry.numbers.map_or(NO_NUMBERS, kinds_of)
    });
    let numbers: Vec<NumberRange> = columns.iter().filter_map(|entry| entry.numbers).collect();
    push(out, &numbers, |range| bits_of(range.min));
    push(out, &numbers, |range| bits_of(range.max));
    push_counts(columns, &path_ids, paths.len(), out);
}

/// Appends one attribute of every item.
pub(super) fn push<T>(out: &mut Vec<u8>, items: &[T], attribute: impl FnMut(&T) -> i64) {
    let values: Vec<i64> = items.iter().map(attribute).collect();
    int::encode(&values, out);
}

pub(super) fn signed(count: usize) -> i64 {
    (count as u64).cast_signed()
}

fn kinds_of(range: NumberRange) -> i64 {
    let flag = |number, flag| match number {
        Number::Int(_) => 0,
        Number::Float(_) => flag,
    };
    SOME_NUMBERS + flag(range.min, MIN_IS_FLOAT) + flag(range.max, MAX_IS_FLOAT)
}

fn bits_of(number: Number) -> i64 {
    match number {
        Number::Int(integer) => i64::try_from(integer).expect("columns hold 64-bit integers"),
        Number::Float(float) => float.to_bits().cast_signed(),
    }
}

/// Reads directories written by [`encode_directories`], with the table written beside them.
pub fn decode_directories(
    bytes: &[u8],
    templates: &Arc<TemplateTable>,
) -> Result<Vec<BlockDirectory>, Corrupt> {
    /// The checksums of the chunks every block has.
    const BLOCK_BYTES_MIN: usize = HEAD_CHUNKS * size_of::<u32>();
    let mut cursor = Cursor::new(bytes);
    if !(VERSION_MIN..=VERSION).contains(&cursor.byte()?) {
        return Err(Corrupt("directories of an unknown version"));
    }
    let count = cursor.count(cursor.remaining() / BLOCK_BYTES_MIN)?;
    let shapes = decode_shapes(&mut cursor, count)?;
    let mut chunks = decode_chunks(&mut cursor, &shapes)?.into_iter();
    let mut blocks = decode_totals(&mut cursor, count)?;
    let rest_count = shapes.iter().filter(|shape| shape.has_rest).count();
    let rest_paths = int::decode(&mut cursor, rest_count)?;
    let rest_cells = int::decode(&mut cursor, rest_count)?;
    let mut rests = rest_paths.into_iter().zip(rest_cells);
    let column_count = shapes.iter().map(|shape| shape.columns).sum();
    let mut columns = decode_columns(&mut cursor, column_count)?.into_iter();
    let text_count = shapes.iter().map(|shape| shape.texts).sum();
    let mut uses = decode_uses(&mut cursor, text_count, templates)?.into_iter();
    let with_minutes = blocks.iter_mut().zip(&shapes);
    let with_minutes = with_minutes.filter_map(|(block, shape)| shape.has_minutes.then_some(block));
    minutes::decode(&mut cursor, with_minutes)?;
    cursor.finish()?;
    for (block, shape) in blocks.iter_mut().zip(&shapes) {
        fill(block, shape, &mut chunks, &mut columns, &mut rests).ok_or(MISSING)?;
        fill_texts(block, shape, &mut uses).ok_or(MISSING)?;
        check(block)?;
    }
    Ok(blocks)
}

/// How many of everything a block has.
struct Shape {
    has_dictionaries: bool,
    has_rest: bool,
    has_minutes: bool,
    presences: usize,
    columns: usize,
    texts: usize,
}

impl Shape {
    fn chunk_count(&self) -> usize {
        let optional = usize::from(self.has_dictionaries) + usize::from(self.has_rest);
        HEAD_CHUNKS + optional + self.presences + self.columns + 2 * self.texts
    }
}

fn decode_shapes(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<Shape>, Corrupt> {
    let flags = int::decode(cursor, count)?;
    let presences = int::decode(cursor, count)?;
    let columns = int::decode(cursor, count)?;
    let texts = int::decode(cursor, count)?;
    let counts = presences.into_iter().zip(columns).zip(texts);
    let shape = |(flags, ((presences, columns), texts)): (i64, ((i64, i64), i64))| {
        Ok(Shape {
            has_dictionaries: flags & HAS_DICTIONARIES != 0,
            has_rest: flags & HAS_REST != 0,
            has_minutes: flags & HAS_MINUTES != 0,
            presences: within(presences, COLUMNS_MAX)?,
            columns: within(columns, COLUMNS_MAX)?,
            texts: within(texts, COLUMNS_MAX)?,
        })
    };
    flags.into_iter().zip(counts).map(shape).collect()
}

fn decode_chunks(cursor: &mut Cursor<'_>, shapes: &[Shape]) -> Result<Vec<Chunk>, Corrupt> {
    let count = shapes.iter().map(Shape::chunk_count).sum::<usize>();
    // Read first: that bounds the count by the bytes there are.
    let crcs = cursor
        .take(count.saturating_mul(size_of::<u32>()))?
        .as_chunks()
        .0;
    let mut lengths = int::decode(cursor, count)?.into_iter();
    let mut surpluses = int::decode(cursor, count)?.into_iter();
    let mut crcs = crcs.iter();
    let mut chunks = Vec::with_capacity(count);
    for shape in shapes {
        let mut end = 0i64;
        for _ in 0..shape.chunk_count() {
            let offset = end
                .checked_add(surpluses.next().ok_or(MISSING)?)
                .ok_or(MISSING)?;
            let length = lengths.next().ok_or(MISSING)?;
            let chunk = Chunk {
                offset: u32::try_from(offset).map_err(|_| MISSING)?,
                length: u32::try_from(length).map_err(|_| MISSING)?,
                crc: u32::from_le_bytes(*crcs.next().ok_or(MISSING)?),
            };
            end = i64::from(chunk.offset) + i64::from(chunk.length);
            chunks.push(chunk);
        }
    }
    Ok(chunks)
}

/// Directories with their totals, and no chunk yet.
fn decode_totals(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<BlockDirectory>, Corrupt> {
    let rows = int::decode(cursor, count)?;
    let mut get = || int::decode(cursor, count).map(Vec::into_iter);
    let (mut ts_min, mut ts_max) = (get()?, get()?);
    let (mut sequence_min, mut sequence_max) = (get()?, get()?);
    let mut source_bytes = get()?;
    let level_counts = count.saturating_mul(LevelCounts::KINDS);
    let mut levels = int::decode(cursor, level_counts)?.into_iter();
    let mut blocks = Vec::with_capacity(count);
    for rows in rows {
        let mut counts = LevelCounts::default();
        for level in &mut counts.0 {
            *level = narrow(next(&mut levels)?, 0, ROWS_MAX)?;
        }
        let timestamps = (next(&mut ts_min)?, next(&mut ts_max)?);
        let sequences = (next(&mut sequence_min)?, next(&mut sequence_max)?);
        blocks.push(BlockDirectory {
            rows: narrow(rows, 1, ROWS_MAX)?,
            timestamps: (
                Timestamp::from_nanos(timestamps.0),
                Timestamp::from_nanos(timestamps.1),
            ),
            sequences: (sequences.0.cast_unsigned(), sequences.1.cast_unsigned()),
            source_bytes: next(&mut source_bytes)?.cast_unsigned(),
            levels: counts,
            minutes: None,
            timestamp: Chunk::default(),
            sequence: Chunk::default(),
            level: Chunk::default(),
            dictionaries: None,
            presences: Vec::new(),
            columns: Vec::new(),
            rest: None,
        });
    }
    Ok(blocks)
}

fn decode_columns(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<ColumnEntry>, Corrupt> {
    let path_count = cursor.count(count)?;
    let paths = decode_paths(cursor, path_count)?;
    let path_ids = int::decode(cursor, count)?;
    let mut get = || int::decode(cursor, count).map(Vec::into_iter);
    let (mut encodings, mut presents, mut presences) = (get()?, get()?, get()?);
    let (mut dictionary_lens, number_kinds) = (get()?, get()?);
    let is_range = |kinds: &i64| *kinds != NO_NUMBERS;
    let ranges = number_kinds.clone().filter(is_range).count();
    let mut minima = int::decode(cursor, ranges)?.into_iter();
    let mut maxima = int::decode(cursor, ranges)?.into_iter();
    let mut columns = Vec::with_capacity(count);
    for (path_id, kinds) in path_ids.iter().zip(number_kinds) {
        let path = usize::try_from(*path_id).ok().and_then(|id| paths.get(id));
        let encoding = u8::try_from(next(&mut encodings)?).ok();
        let encoding = encoding.and_then(Encoding::from_code);
        let numbers = match kinds {
            NO_NUMBERS => None,
            _ => Some(NumberRange {
                min: number(next(&mut minima)?, kinds & MIN_IS_FLOAT != 0),
                max: number(next(&mut maxima)?, kinds & MAX_IS_FLOAT != 0),
            }),
        };
        columns.push(ColumnEntry {
            path: Arc::clone(path.ok_or(MISSING)?),
            encoding: encoding.ok_or(Corrupt("an unknown encoding"))?,
            chunk: Chunk::default(),
            present: narrow(next(&mut presents)?, 1, ROWS_MAX)?,
            presence: presence_index(next(&mut presences)?)?,
            numbers,
            dictionary_len: u16::try_from(next(&mut dictionary_lens)?).map_err(|_| MISSING)?,
            values: None,
            text: None,
        });
    }
    decode_counts(cursor, &mut columns, &path_ids, path_count)?;
    Ok(columns)
}

pub(super) fn next(values: &mut vec::IntoIter<i64>) -> Result<i64, Corrupt> {
    values.next().ok_or(MISSING)
}

/// Stored plus one; 0 for "present in every row".
fn presence_index(stored: i64) -> Result<Option<u16>, Corrupt> {
    match stored {
        0 => Ok(None),
        _ => u16::try_from(stored - 1).map(Some).map_err(|_| MISSING),
    }
}

/// Gives a block its chunks, columns and rest; `None` when one is missing.
fn fill(
    block: &mut BlockDirectory,
    shape: &Shape,
    chunks: &mut vec::IntoIter<Chunk>,
    columns: &mut vec::IntoIter<ColumnEntry>,
    rests: &mut impl Iterator<Item = (i64, i64)>,
) -> Option<()> {
    block.timestamp = chunks.next()?;
    block.sequence = chunks.next()?;
    block.level = chunks.next()?;
    if shape.has_dictionaries {
        block.dictionaries = Some(chunks.next()?);
    }
    block.presences = chunks.take(shape.presences).collect();
    block.columns = columns.take(shape.columns).collect();
    for entry in &mut block.columns {
        entry.chunk = chunks.next()?;
        if entry.encoding == Encoding::Text {
            entry.text = Some(TextEntry {
                index: chunks.next()?,
                slots: chunks.next()?,
                uses: Arc::default(),
            });
        }
    }
    if shape.has_rest {
        let (paths, cells) = rests.next()?;
        let cells = narrow(cells, 1, REST_CELLS_MAX).ok()?;
        block.rest = Some(RestEntry {
            chunk: chunks.next()?,
            paths: narrow(paths, 1, cells as usize).ok()?,
            cells,
        });
    }
    Some(())
}

/// Gives the columns of texts their templates; `None` when they are not as many as the shape says, or count other texts.
fn fill_texts(
    block: &mut BlockDirectory,
    shape: &Shape,
    uses: &mut vec::IntoIter<Arc<TemplateUses>>,
) -> Option<()> {
    let mut left = shape.texts;
    for entry in &mut block.columns {
        if let Some(text) = &mut entry.text {
            text.uses = uses.next()?;
            left = left.checked_sub(1)?;
            let rows = text.uses.rows_by_code().map(u64::from).sum::<u64>();
            if rows != u64::from(entry.present) {
                return None;
            }
        }
    }
    (left == 0).then_some(())
}

fn check(block: &BlockDirectory) -> Result<(), Corrupt> {
    let in_order =
        block.timestamps.0 <= block.timestamps.1 && block.sequences.0 <= block.sequences.1;
    let is_sorted = block.columns.is_sorted_by(|a, b| a.path < b.path);
    let fits = |entry: &ColumnEntry| match entry.presence {
        None => entry.present == block.rows,
        Some(index) => usize::from(index) < block.presences.len() && entry.present < block.rows,
    };
    if in_order && is_sorted && block.columns.iter().all(fits) {
        Ok(())
    } else {
        Err(MISSING)
    }
}

fn number(bits: i64, is_float: bool) -> Number {
    if is_float {
        Number::Float(f64::from_bits(bits.cast_unsigned()))
    } else {
        Number::Int(bits.into())
    }
}

pub(super) fn within(value: i64, max: usize) -> Result<usize, Corrupt> {
    let value = usize::try_from(value).ok();
    value.filter(|value| *value <= max).ok_or(MISSING)
}

pub(super) fn narrow(value: i64, min: usize, max: usize) -> Result<u32, Corrupt> {
    let value = within(value, max)?;
    if value < min {
        return Err(MISSING);
    }
    u32::try_from(value).map_err(|_| MISSING)
}
