//! Codes: indices into a short list, bit-packed, as runs, or entropy coded, whichever is shortest.

mod select;

use std::ops::Range;

use super::bitpack::{GROUP, bit_width, code_at, pack, packed_len, unpack_codes};
use super::cursor::{Cursor, push_count};
use super::frame::{self, Compressor};
use super::{Corrupt, int};

const MODE_PACKED: u8 = 0;
const MODE_RUNS: u8 = 1;
const MODE_ZSTD: u8 = 2;

/// Runs and entropy coding take about five times as long to decode as packed codes, which is most of what a filter or a group by such
/// a column takes. They pay for it from here on: three quarters and half of the packed length.
const RUNS_GAIN: (usize, usize) = (3, 4);
const ZSTD_GAIN: (usize, usize) = (1, 2);

const UNKNOWN_MODE: Corrupt = Corrupt("an unknown mode of codes");
const PAST_END: Corrupt = Corrupt("a code past the end of its list");
const WRONG_LENGTHS: Corrupt = Corrupt("runs that do not add up");

/// Appends codes below `code_count`.
pub(crate) fn encode(
    codes: &[u16],
    code_count: usize,
    compressor: &mut Compressor,
    out: &mut Vec<u8>,
) {
    let width = code_width(code_count);
    let packed_bytes = packed_len(codes.len(), width);
    let runs_max = packed_bytes * RUNS_GAIN.0 / RUNS_GAIN.1;
    let runs = runs_of(codes, runs_max);
    let runs = runs.map(|(run_codes, lengths)| {
        let mut bytes = Vec::new();
        push_count(&mut bytes, run_codes.len());
        pack(
            run_codes.iter().map(|code| u64::from(*code)),
            width,
            &mut bytes,
        );
        int::encode(&lengths, &mut bytes);
        bytes
    });
    let runs = runs.filter(|runs| runs.len() < runs_max);
    let shortest = runs.as_ref().map_or(packed_bytes, Vec::len);
    let zstd_max = shortest.min(packed_bytes * ZSTD_GAIN.0 / ZSTD_GAIN.1);
    if let Some(frame) = entropy_coded(codes, zstd_max, compressor) {
        out.push(MODE_ZSTD);
        out.extend(frame);
    } else if let Some(runs) = runs {
        out.push(MODE_RUNS);
        out.extend(runs);
    } else {
        out.push(MODE_PACKED);
        pack(codes.iter().map(|code| u64::from(*code)), width, out);
    }
}

/// The runs of equal codes and their lengths, unless they can only be longer than `bytes_max`.
fn runs_of(codes: &[u16], bytes_max: usize) -> Option<(Vec<u16>, Vec<i64>)> {
    let run_count = run_count(codes);
    if run_count > bytes_max {
        return None;
    }
    let mut run_codes = Vec::with_capacity(run_count);
    let mut lengths = Vec::with_capacity(run_count);
    for run in codes.chunk_by(|a, b| a == b) {
        run_codes.extend(run.first());
        lengths.push(length_of(run));
    }
    Some((run_codes, lengths))
}

/// How many runs of equal codes there are.
pub(crate) fn run_count(codes: &[u16]) -> usize {
    // Without a branch for each, which becomes vector code.
    let neighbours = codes.iter().zip(codes.get(1..).unwrap_or_default());
    let borders = neighbours.filter(|(a, b)| a != b).count();
    borders + usize::from(!codes.is_empty())
}

fn length_of(run: &[u16]) -> i64 {
    (run.len() as u64).cast_signed()
}

/// `None` if that is not shorter than `bytes_max`. Of many codes, some are tried first.
fn entropy_coded(codes: &[u16], bytes_max: usize, compressor: &mut Compressor) -> Option<Vec<u8>> {
    /// Below it the tables of the entropy coder cost more than they save.
    const BYTES_MIN: usize = 128;
    const TRIED: usize = 2048;
    /// A part has the same tables for fewer codes, and may be so much longer.
    const TRIED_SHARE: (usize, usize) = (3, 2);
    if bytes_max < BYTES_MIN {
        return None;
    }
    if codes.iter().copied().fold(0, u16::max) > u8::MAX.into() {
        return None;
    }
    let bytes: Vec<u8> = codes.iter().map(|code| code.to_le_bytes()[0]).collect();
    if let Some(tried) = bytes.get(..TRIED)
        && bytes.len() >= 2 * TRIED
    {
        let frame = compressor.compress(tried).bytes;
        let (numerator, denominator) = TRIED_SHARE;
        if frame.len() * denominator * codes.len() > bytes_max * numerator * TRIED {
            return None;
        }
    }
    let mut frame = Vec::new();
    compressor.push_frame(&mut frame, &bytes);
    (frame.len() < bytes_max).then_some(frame)
}

/// Reads `count` codes, each below `code_count`.
pub(crate) fn decode(
    cursor: &mut Cursor<'_>,
    count: usize,
    code_count: usize,
) -> Result<Vec<u16>, Corrupt> {
    let width = code_width(code_count);
    let codes = match cursor.byte()? {
        MODE_PACKED => decode_packed(cursor, count, width)?,
        MODE_RUNS => decode_runs(cursor, count, width)?,
        MODE_ZSTD => {
            let bytes = frame::read_frame(cursor, count)?;
            bytes.into_iter().map(u16::from).collect()
        }
        _ => return Err(UNKNOWN_MODE),
    };
    // Folded, which unlike `max` becomes vector code.
    let greatest = codes.iter().copied().fold(0, u16::max);
    if usize::from(greatest) >= code_count && count > 0 {
        return Err(PAST_END);
    }
    Ok(codes)
}

/// Whether a few of the codes can be read without unpacking all.
pub(crate) fn are_packed(stored: &[u8]) -> bool {
    stored.first() == Some(&MODE_PACKED)
}

/// Reads the codes at some of `count` indexes, without unpacking all as far as that goes; in the order asked for. They may be
/// damaged: whoever looks them up in the list finds out.
pub(crate) fn decode_few(
    cursor: &mut Cursor<'_>,
    (count, code_count): (usize, usize),
    indexes: &[usize],
) -> Result<Vec<u16>, Corrupt> {
    let width = code_width(code_count);
    let codes: Option<Vec<u16>> = match cursor.byte()? {
        MODE_PACKED => {
            let packed = cursor.take(packed_len(count, width))?;
            let mut codes = Vec::with_capacity(indexes.len());
            let known = indexes.iter();
            codes.extend(known.map_while(|index| code_at(packed, *index, count, width)));
            (codes.len() == indexes.len()).then_some(codes)
        }
        MODE_RUNS => {
            let mut end = 0;
            let mut ends = Vec::new();
            for (code, length) in read_runs(cursor, count, width)? {
                end += length;
                ends.push((end, code));
            }
            let code = |index: &usize| {
                let run = ends.partition_point(|(end, _)| end <= index);
                ends.get(run).map(|(_, code)| *code)
            };
            indexes.iter().map(code).collect()
        }
        MODE_ZSTD => {
            let bytes = frame::read_frame(cursor, count)?;
            let code = |index: &usize| bytes.get(*index).copied().map(u16::from);
            indexes.iter().map(code).collect()
        }
        _ => return Err(UNKNOWN_MODE),
    };
    codes.ok_or(Corrupt("an index past the last code"))
}

/// Reads which of `count` codes are among those that `holds`: 64 to a word, the first in the lowest bit. They may be damaged: a
/// code past the end of the list is not among them.
pub(crate) fn select(
    cursor: &mut Cursor<'_>,
    (count, code_count): (usize, usize),
    holds: &[bool],
) -> Result<Vec<u64>, Corrupt> {
    let width = code_width(code_count);
    match cursor.byte()? {
        MODE_PACKED => select::select_packed(cursor, count, width, holds),
        MODE_RUNS => {
            let mut words = vec![0; count.div_ceil(GROUP)];
            let mut start = 0;
            for (code, length) in read_runs(cursor, count, width)? {
                if holds.get(usize::from(code)) == Some(&true) {
                    fill(&mut words, start..start + length);
                }
                start += length;
            }
            Ok(words)
        }
        MODE_ZSTD => {
            let bytes = frame::read_frame(cursor, count)?;
            let groups = bytes.chunks(GROUP);
            Ok(groups.map(|codes| select::word_of(codes, holds)).collect())
        }
        _ => Err(UNKNOWN_MODE),
    }
}

/// Sets a run of bits.
fn fill(words: &mut [u64], run: Range<usize>) {
    let mut start = run.start;
    while start < run.end {
        let (index, first) = (start / GROUP, start % GROUP);
        let length = (GROUP - first).min(run.end - start);
        if let Some(word) = words.get_mut(index) {
            *word |= u64::MAX >> (GROUP - length) << first;
        }
        start += length;
    }
}

/// Reads how many of `count` codes are each of those below `code_count`.
pub(crate) fn count(
    cursor: &mut Cursor<'_>,
    count: usize,
    code_count: usize,
) -> Result<Vec<u32>, Corrupt> {
    let width = code_width(code_count);
    let mut counts = vec![0; code_count];
    let mut is_within = true;
    let mut add = |code: u16, ranks: u32| match counts.get_mut(usize::from(code)) {
        Some(count) => *count += ranks,
        None => is_within = false,
    };
    match cursor.byte()? {
        MODE_PACKED => unpack_codes(cursor, count, width, |codes| {
            codes.iter().for_each(|code| add(*code, 1));
        })?,
        MODE_RUNS => {
            for (code, length) in read_runs(cursor, count, width)? {
                add(code, u32::try_from(length).map_err(|_| WRONG_LENGTHS)?);
            }
        }
        MODE_ZSTD => {
            let bytes = frame::read_frame(cursor, count)?;
            bytes.iter().for_each(|code| add((*code).into(), 1));
        }
        _ => return Err(UNKNOWN_MODE),
    }
    if is_within { Ok(counts) } else { Err(PAST_END) }
}

fn decode_packed(cursor: &mut Cursor<'_>, count: usize, width: u32) -> Result<Vec<u16>, Corrupt> {
    let mut codes = Vec::with_capacity(count);
    unpack_codes(cursor, count, width, |group| codes.extend_from_slice(group))?;
    Ok(codes)
}

/// Codes and how many follow each other of each, which are `count` together.
fn read_runs(
    cursor: &mut Cursor<'_>,
    count: usize,
    width: u32,
) -> Result<impl Iterator<Item = (u16, usize)>, Corrupt> {
    let run_count = cursor.count(count)?;
    let codes = decode_packed(cursor, run_count, width)?;
    let lengths = int::decode(cursor, run_count)?;
    // Folded without an early end, which becomes vector code. No sum of as many lengths within the count wraps.
    let signed = (count as u64).cast_signed();
    let is_within = lengths
        .iter()
        .fold(true, |all, length| all & (0..=signed).contains(length));
    let total = lengths
        .iter()
        .fold(0, |total: i64, length| total.wrapping_add(*length));
    if !is_within || total != signed {
        return Err(WRONG_LENGTHS);
    }
    let lengths = lengths.into_iter();
    Ok(codes
        .into_iter()
        .zip(lengths.map(|length| usize::try_from(length).unwrap_or(0))))
}

fn decode_runs(cursor: &mut Cursor<'_>, count: usize, width: u32) -> Result<Vec<u16>, Corrupt> {
    /// Most runs are short: these many codes are one store, whatever the length of the run; the next run overwrites what is
    /// too much.
    const WRITTEN_AT_ONCE: usize = 8;
    // With room for one write beyond the end.
    let mut codes = vec![0; count + WRITTEN_AT_ONCE];
    let mut start = 0;
    for (code, length) in read_runs(cursor, count, width)? {
        let open = codes.get_mut(start..).unwrap_or_default();
        if let Some(codes) = open.first_chunk_mut::<WRITTEN_AT_ONCE>() {
            *codes = [code; WRITTEN_AT_ONCE];
        }
        if let Some(codes) = open.get_mut(WRITTEN_AT_ONCE..length) {
            codes.fill(code);
        }
        start += length;
    }
    codes.truncate(count);
    Ok(codes)
}

fn code_width(code_count: usize) -> u32 {
    bit_width(code_count.saturating_sub(1) as u64)
}
