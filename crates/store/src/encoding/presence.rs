//! Maps of the rows that have a field: a bitmap, or the few rows that have it, or the few that lack it.

use super::bitpack::GROUP;
use super::cursor::{Cursor, push_count};
use super::frame::{Compressor, read_frame};
use super::{Corrupt, int};
use crate::column::Presence;

const MODE_BITS: u8 = 0;
const MODE_PRESENT: u8 = 1;
const MODE_ABSENT: u8 = 2;

/// A list of rows is tried when it names at most one row in this many: a row then takes at least as many bits.
const ROWS_PER_LISTED: usize = 6;

/// Appends a map.
pub(crate) fn encode(presence: &Presence, compressor: &mut Compressor, out: &mut Vec<u8>) {
    let (rows, present) = (presence.rows(), presence.present());
    let list = if present <= rows / ROWS_PER_LISTED {
        list(MODE_PRESENT, presence.iter().map(|(row, _)| row))
    } else if rows - present <= rows / ROWS_PER_LISTED {
        let is_absent = |row: &usize| !presence.contains(*row);
        list(MODE_ABSENT, (0..rows).filter(is_absent))
    } else {
        Vec::new()
    };
    let bitmap = presence
        .words()
        .map(|words| bitmap(words, rows, compressor));
    match bitmap {
        Some(bitmap) if list.is_empty() || bitmap.len() < list.len() => out.extend(bitmap),
        _ => out.extend(list),
    }
}

fn bitmap(words: &[u64], rows: usize, compressor: &mut Compressor) -> Vec<u8> {
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.truncate(rows.div_ceil(8));
    let mut bitmap = vec![MODE_BITS];
    compressor.push_frame(&mut bitmap, &bytes);
    bitmap
}

fn list(mode: u8, rows: impl Iterator<Item = usize>) -> Vec<u8> {
    let rows: Vec<i64> = rows.map(|row| (row as u64).cast_signed()).collect();
    let mut list = vec![mode];
    push_count(&mut list, rows.len());
    int::encode(&rows, &mut list);
    list
}

/// Reads the map of `rows` rows.
pub(crate) fn decode(cursor: &mut Cursor<'_>, rows: usize) -> Result<Presence, Corrupt> {
    match cursor.byte()? {
        MODE_BITS => {
            let mut bitmap = read_frame(cursor, rows.div_ceil(8))?;
            bitmap.resize(rows.div_ceil(GROUP) * 8, 0);
            let words = bitmap
                .as_chunks()
                .0
                .iter()
                .map(|bytes| u64::from_le_bytes(*bytes));
            Ok(Presence::of_words(rows, words.collect()))
        }
        MODE_PRESENT => Ok(Presence::of_rows(rows, decode_list(cursor, rows)?)),
        MODE_ABSENT => {
            let absent = Presence::of_rows(rows, decode_list(cursor, rows)?);
            let words = match absent.words() {
                Some(words) => words.iter().map(|word| !word).collect(),
                None => Vec::new(),
            };
            Ok(Presence::of_words(rows, words))
        }
        _ => Err(Corrupt("an unknown mode of a presence map")),
    }
}

fn decode_list(cursor: &mut Cursor<'_>, rows: usize) -> Result<Vec<usize>, Corrupt> {
    let count = cursor.count(rows)?;
    let listed = int::decode(cursor, count)?;
    let row = |listed: i64| usize::try_from(listed).ok().filter(|row| *row < rows);
    let listed: Option<Vec<usize>> = listed.into_iter().map(row).collect();
    listed.ok_or(Corrupt("a presence map of rows that are not there"))
}
