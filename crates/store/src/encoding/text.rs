//! STR: the lengths of the texts, and their bytes in compressed frames small enough to fetch one text.

use bytes::Bytes;

use super::bitpack::GROUP;
use super::cursor::{Cursor, push_count};
use super::frame::{Compressor, decompress, push_header, read_header};
use super::{Corrupt, int};
use crate::block::TEXT_BYTES_MAX;
use crate::column::{FrameText, StoredFrame, StrValues};

/// A frame ends at a multiple of 64 texts and closes once it holds this much. Frames of 64 KiB take 0.8 % more space of the reference corpus as a
/// whole, 32 KiB 1.5 %, mostly of its stack traces, and make a page of a hundred events 20 % faster; one text costs the decompression
/// of its frame, 0.1 to 0.2 ms.
const FRAME_BYTES: usize = 256 << 10;

const TOO_MUCH: Corrupt = Corrupt("more text than a block can hold");

/// Appends the texts, [`TEXT_BYTES_MAX`] bytes in all at the most.
pub(crate) fn encode(texts: &[&str], compressor: &mut Compressor, out: &mut Vec<u8>) {
    let lengths: Vec<i64> = texts.iter().map(|text| length_of(text)).collect();
    int::encode(&lengths, out);
    let mut headers = Vec::new();
    let mut frames = Vec::new();
    let mut frame_count = 0;
    let mut plain = Vec::new();
    let mut groups = 0;
    let mut group_iter = texts.chunks(GROUP).peekable();
    while let Some(group) = group_iter.next() {
        for text in group {
            plain.extend_from_slice(text.as_bytes());
        }
        groups += 1;
        if group_iter.peek().is_none() || plain.len() >= FRAME_BYTES {
            let compressed = compressor.compress(&plain);
            push_count(&mut headers, groups);
            push_header(&mut headers, &compressed);
            frames.extend(compressed.bytes);
            frame_count += 1;
            groups = 0;
            plain.clear();
        }
    }
    push_count(out, frame_count);
    out.extend(headers);
    out.extend(frames);
}

fn length_of(text: &str) -> i64 {
    (text.len() as u64).cast_signed()
}

/// Where the texts of a frame lie that some are read of.
struct FrameOfFew<'a> {
    first_rank: usize,
    lengths: &'a [i64],
    stored: (&'a [u8], bool),
}

impl FrameOfFew<'_> {
    fn text(&self) -> Result<String, Corrupt> {
        let bytes = self.end_of(self.lengths.len()).ok_or(TOO_MUCH)?;
        let plain = match self.stored {
            (stored, true) => decompress(stored, bytes)?,
            (stored, false) => stored.to_vec(),
        };
        if plain.len() != bytes {
            return Err(Corrupt("a frame of another length than its texts"));
        }
        String::from_utf8(plain).map_err(|_| Corrupt("text that is not UTF-8"))
    }

    /// Where the first so many texts end.
    fn end_of(&self, texts: usize) -> Option<usize> {
        let lengths = self.lengths.get(..texts)?.iter();
        let end = lengths.fold(0i64, |end, length| end.saturating_add(*length));
        let end = usize::try_from(end).ok();
        end.filter(|end| *end <= TEXT_BYTES_MAX)
    }

    fn range_of(&self, rank: usize) -> Option<std::ops::Range<usize>> {
        let place = rank.checked_sub(self.first_rank)?;
        Some(self.end_of(place)?..self.end_of(place + 1)?)
    }
}

/// Reads the texts at some of `count` ranks, in the order asked for. Decompresses the frames that hold one, and each once.
pub(super) fn decode_few(
    cursor: &mut Cursor<'_>,
    (count, ranks): (usize, &[usize]),
) -> Result<Vec<String>, Corrupt> {
    let lengths = int::decode(cursor, count)?;
    let headers = read_headers(cursor, count)?;
    let mut texts = vec![None; ranks.len()];
    let mut end_rank = 0;
    for (groups, (stored_bytes, is_zstd)) in headers {
        let first_rank = end_rank;
        end_rank = count.min(first_rank + groups * GROUP);
        let frame = FrameOfFew {
            first_rank,
            lengths: lengths.get(first_rank..end_rank).unwrap_or_default(),
            stored: (cursor.take(stored_bytes)?, is_zstd),
        };
        let mut wanted = texts
            .iter_mut()
            .zip(ranks)
            .filter(|(_, rank)| (first_rank..end_rank).contains(rank));
        let Some(first) = wanted.next() else {
            continue;
        };
        let all = frame.text()?;
        for (text, rank) in std::iter::once(first).chain(wanted) {
            let range = frame.range_of(*rank);
            let found = range.and_then(|range| all.get(range));
            *text = Some(
                found
                    .ok_or(Corrupt("a text cut within a character"))?
                    .to_owned(),
            );
        }
    }
    let texts: Option<Vec<String>> = texts.into_iter().collect();
    texts.ok_or(Corrupt("a rank past the last text"))
}

/// How many groups a frame has, and its [header](read_header).
type FrameHeader = (usize, (usize, bool));

/// Those of all frames of `count` texts.
fn read_headers(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<FrameHeader>, Corrupt> {
    let groups_max = count.div_ceil(GROUP);
    let frames = cursor.count(groups_max)?;
    let header = |_| Ok((cursor.count(groups_max)?, read_header(cursor)?));
    (0..frames).map(header).collect()
}

/// Reads `count` texts; `cursor` is within `bytes`. Decompresses nothing yet.
pub(crate) fn decode(
    bytes: &Bytes,
    cursor: &mut Cursor<'_>,
    count: usize,
) -> Result<StrValues, Corrupt> {
    let lengths = int::decode(cursor, count)?;
    let headers = read_headers(cursor, count)?;
    let mut ends = Vec::with_capacity(count);
    let mut lengths = lengths.into_iter();
    let mut frames = Vec::with_capacity(headers.len());
    let mut total = 0usize;
    for (groups, (length, is_zstd)) in headers {
        let mut end = 0usize;
        for length in lengths.by_ref().take(groups * GROUP) {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            end = end.saturating_add(length);
            let narrow = u32::try_from(end).ok().filter(|_| end <= TEXT_BYTES_MAX);
            ends.push(narrow.ok_or(TOO_MUCH)?);
        }
        total += end;
        let stored = bytes.slice_ref(cursor.take(length)?);
        frames.push(StoredFrame::new(
            ends.len(),
            if is_zstd {
                FrameText::Zstd(stored)
            } else {
                FrameText::Plain(stored)
            },
        ));
    }
    if ends.len() != count || total > TEXT_BYTES_MAX {
        return Err(Corrupt("frames that do not hold all texts"));
    }
    Ok(StrValues::of_frames(ends, frames))
}
