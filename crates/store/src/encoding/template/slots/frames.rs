//! Text of slots in compressed frames, and which words are in which frame.

use super::super::super::cursor::{Cursor, push_count};
use super::super::super::frame::{Compressor, push_header, read_header};
use super::super::super::{Corrupt, int};
use super::super::tokenized::{TokenId, Tokenized};
use super::signed;
use crate::block::TEXT_BYTES_MAX;
use crate::tokens::WordHash;

/// Ends every value in a frame. No slot can hold it.
pub(super) const END: u8 = b'\n';

/// A frame closes at the end of a slot once it holds this much. A search decompresses the frames that hold its words, so
/// that smaller frames make it faster, and larger ones take less space: see `docs/decisions/0010`.
const FRAME_BYTES: usize = 32 << 10;

/// The bits of its hash by which a word is known in a frame, which has some hundreds of them: one in a hundred words that
/// are not there is taken to be.
const WORD_BITS: u32 = 16;

/// Most words of a frame that are listed; a frame with more may hold any word.
const WORDS_MAX: usize = 1 << 13;

/// Frames as written.
#[derive(Debug, Default)]
pub(super) struct Frames {
    slots: Vec<i64>,
    plain_bytes: Vec<i64>,
    headers: Vec<u8>,
    stored: Vec<u8>,
    words: Vec<Vec<u32>>,
}

/// Collects slots into frames.
#[derive(Debug, Default)]
pub(super) struct FrameWriter {
    frames: Frames,
    open: Vec<u8>,
    open_slots: usize,
    open_ids: Vec<TokenId>,
}

impl FrameWriter {
    /// Adds the values of a slot.
    pub(super) fn push(
        &mut self,
        ids: &[TokenId],
        texts: &Tokenized<'_>,
        compressor: &mut Compressor,
    ) {
        for id in ids {
            self.open.extend_from_slice(texts.text(*id).as_bytes());
            self.open.push(END);
        }
        self.open_ids.extend_from_slice(ids);
        self.open_slots += 1;
        if self.open.len() >= FRAME_BYTES {
            self.close(texts, compressor);
        }
    }

    fn close(&mut self, texts: &Tokenized<'_>, compressor: &mut Compressor) {
        let compressed = compressor.compress(&self.open);
        let frames = &mut self.frames;
        frames.slots.push(signed(self.open_slots));
        frames.plain_bytes.push(signed(self.open.len()));
        push_header(&mut frames.headers, &compressed);
        frames.stored.extend(compressed.bytes);
        frames.push_words(&mut self.open_ids, texts);
        self.open.clear();
        self.open_slots = 0;
    }

    pub(super) fn finish(mut self, texts: &Tokenized<'_>, compressor: &mut Compressor) -> Frames {
        if self.open_slots > 0 {
            self.close(texts, compressor);
        }
        self.frames
    }
}

impl Frames {
    pub(super) fn append(&mut self, more: Frames) {
        self.slots.extend(more.slots);
        self.plain_bytes.extend(more.plain_bytes);
        self.headers.extend(more.headers);
        self.stored.extend(more.stored);
        self.words.extend(more.words);
    }

    /// Lists the words of whole texts as those of one more frame.
    pub(super) fn push_words_of(&mut self, rows: &[u32], texts: &Tokenized<'_>) {
        let ids = rows.iter().flat_map(|row| texts.of_text(*row));
        self.push_words(&mut ids.copied().collect(), texts);
    }

    /// Lists the words of some tokens, which are left empty.
    fn push_words(&mut self, ids: &mut Vec<TokenId>, texts: &Tokenized<'_>) {
        ids.sort_unstable();
        ids.dedup();
        let mut words = Vec::new();
        for id in ids.drain(..) {
            each_listed_word(texts.text(id), |word| words.push(known_by(word)));
        }
        words.sort_unstable();
        words.dedup();
        if words.len() > WORDS_MAX {
            words = vec![ANY_WORD];
        }
        self.words.push(words);
    }

    pub(super) fn encode_headers(&self, out: &mut Vec<u8>) {
        push_count(out, self.slots.len());
        int::encode(&self.slots, out);
        int::encode(&self.plain_bytes, out);
        out.extend_from_slice(&self.headers);
        let counts: Vec<i64> = self.words.iter().map(|words| signed(words.len())).collect();
        push_count(out, counts.len());
        int::encode(&counts, out);
        // Rising over all frames, so that they are kept as differences.
        let of_frame = |(frame, words): (i64, &Vec<u32>)| {
            let base = frame << (WORD_BITS + 1);
            let words = words.iter().map(move |word| base + i64::from(*word));
            words.collect::<Vec<i64>>()
        };
        let words: Vec<i64> = (0i64..).zip(&self.words).flat_map(of_frame).collect();
        int::encode(&words, out);
    }

    pub(super) fn into_stored(self) -> Vec<u8> {
        self.stored
    }
}

/// Instead of the words of a frame that has too many: greater than any.
const ANY_WORD: u32 = 1 << WORD_BITS;

fn known_by(word: WordHash) -> u32 {
    word.0 >> (u32::BITS - WORD_BITS)
}

/// Visits the words of a text that have no digit. Those that have are mostly ids, of which each frame has its own: they would
/// make the lists long, and blocks are ruled out by them before.
pub(super) fn each_listed_word(text: &str, mut visit: impl FnMut(WordHash)) {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    for word in text.as_bytes().split(|byte| !is_word(*byte)) {
        if word.iter().any(u8::is_ascii_digit) {
            continue;
        }
        let word = str::from_utf8(word).unwrap_or_default();
        if let Some(hash) = WordHash::of(word) {
            visit(hash);
        }
    }
}

/// Where the frames of a column are, and what words they hold.
#[derive(Debug)]
pub(super) struct FrameIndex {
    /// In the order of the slots of text: those of dictionaries first.
    pub(super) frames: Vec<FrameEntry>,
    /// All lists of words, and where each begins and the last ends.
    words: Vec<u32>,
    starts: Vec<usize>,
}

/// One frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameEntry {
    pub(super) slots: usize,
    pub(super) plain_bytes: usize,
    pub(super) stored_bytes: usize,
    pub(super) is_zstd: bool,
}

impl FrameIndex {
    /// Reads what [`Frames::encode_headers`] wrote of at most so many slots.
    pub(super) fn decode(cursor: &mut Cursor<'_>, slots_max: usize) -> Result<FrameIndex, Corrupt> {
        let count = cursor.count(slots_max)?;
        let slots = int::decode(cursor, count)?;
        let plain_bytes = int::decode(cursor, count)?;
        let mut frames = Vec::with_capacity(count);
        for (slots, plain_bytes) in slots.into_iter().zip(plain_bytes) {
            let (stored_bytes, is_zstd) = read_header(cursor)?;
            frames.push(FrameEntry {
                slots: within(slots, slots_max)?,
                // Each value has its end mark.
                plain_bytes: within(plain_bytes, TEXT_BYTES_MAX * 2)?,
                stored_bytes,
                is_zstd,
            });
        }
        let lists = cursor.count(count + 1)?;
        let mut starts = vec![0];
        let mut total = 0;
        for length in int::decode(cursor, lists)? {
            total += within(length, WORDS_MAX)?;
            starts.push(total);
        }
        let low = i64::from(ANY_WORD) * 2 - 1;
        let words = int::decode(cursor, total)?.into_iter();
        let words = words.map(|word| u32::try_from(word & low).unwrap_or(0));
        Ok(FrameIndex {
            frames,
            words: words.collect(),
            starts,
        })
    }

    /// Whether the frame may hold all words; the list after the last frame is of the texts kept whole.
    pub(super) fn may_hold(&self, frame: usize, words: &[WordHash]) -> bool {
        let range = self.starts.get(frame).zip(self.starts.get(frame + 1));
        let listed = range.and_then(|(start, end)| self.words.get(*start..*end));
        let listed = listed.unwrap_or_default();
        listed.first() == Some(&ANY_WORD)
            || words
                .iter()
                .all(|word| listed.binary_search(&known_by(*word)).is_ok())
    }
}

pub(super) fn within(value: i64, max: usize) -> Result<usize, Corrupt> {
    let value = usize::try_from(value).ok().filter(|value| *value <= max);
    value.ok_or(Corrupt("more than there can be in slots"))
}
