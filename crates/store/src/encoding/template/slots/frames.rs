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

/// Frames of text, in the making.
#[derive(Debug)]
pub(super) struct FrameWriter {
    slots: Vec<i64>,
    plain_bytes: Vec<i64>,
    headers: Vec<u8>,
    stored: Vec<u8>,
    words: WordLists,
    open: Vec<u8>,
    open_slots: usize,
    open_words: Vec<u32>,
    /// By token, how many frames there were when its words were listed last, the open one included.
    listed_in: Vec<usize>,
}

impl FrameWriter {
    /// Of values that are among so many tokens.
    pub(super) fn new(tokens: usize) -> FrameWriter {
        FrameWriter {
            slots: Vec::new(),
            plain_bytes: Vec::new(),
            headers: Vec::new(),
            stored: Vec::new(),
            words: WordLists::default(),
            open: Vec::new(),
            open_slots: 0,
            open_words: Vec::new(),
            listed_in: vec![0; tokens],
        }
    }

    /// Adds the values of a slot.
    pub(super) fn push(
        &mut self,
        ids: &[TokenId],
        texts: &Tokenized<'_>,
        compressor: &mut Compressor,
    ) {
        let frames = self.slots.len() + 1;
        for id in ids {
            let value = texts.text(*id);
            push_value(value, &mut self.open);
            if let Some(listed_in) = self.listed_in.get_mut(*id as usize)
                && *listed_in != frames
            {
                *listed_in = frames;
                each_listed_word(value, |word| self.open_words.push(known_by(word)));
            }
        }
        self.open_slots += 1;
        if self.open.len() >= FRAME_BYTES {
            self.close(compressor);
        }
    }

    /// Ends the last frame.
    pub(super) fn close(&mut self, compressor: &mut Compressor) {
        if self.open_slots == 0 {
            return;
        }
        let compressed = compressor.compress(&self.open);
        self.slots.push(signed(self.open_slots));
        self.plain_bytes.push(signed(self.open.len()));
        push_header(&mut self.headers, &compressed);
        self.stored.extend(compressed.bytes);
        self.words.push(std::mem::take(&mut self.open_words));
        self.open.clear();
        self.open_slots = 0;
    }

    /// Appends where the frames are.
    pub(super) fn encode_headers(&self, out: &mut Vec<u8>) {
        push_count(out, self.slots.len());
        int::encode(&self.slots, out);
        int::encode(&self.plain_bytes, out);
        out.extend_from_slice(&self.headers);
    }

    /// The words of the frames, to which others can be added, and their stored bytes.
    pub(super) fn into_parts(self) -> (WordLists, Vec<u8>) {
        (self.words, self.stored)
    }
}

/// Appends a value with its end mark.
pub(super) fn push_value(value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(value.as_bytes());
    out.push(END);
}

/// The words of some texts each, in the making.
#[derive(Debug, Default)]
pub(super) struct WordLists {
    lists: Vec<Vec<u32>>,
}

impl WordLists {
    /// Lists the words of values as they lie in a frame.
    pub(super) fn push_values(&mut self, values: &[u8]) {
        let mut words = Vec::new();
        let values = str::from_utf8(values).unwrap_or_default();
        each_listed_word(values, |word| words.push(known_by(word)));
        self.push(words);
    }

    /// Lists the words of whole texts and their pairs.
    pub(super) fn push_texts<'t>(&mut self, texts: impl Iterator<Item = &'t str>) {
        let mut words = Vec::new();
        for text in texts {
            each_listed(text, |word| words.push(known_by(word)));
        }
        self.push(words);
    }

    fn push(&mut self, mut words: Vec<u32>) {
        words.sort_unstable();
        words.dedup();
        if words.len() > WORDS_MAX {
            words = vec![ANY_WORD];
        }
        self.lists.push(words);
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let counts: Vec<i64> = self.lists.iter().map(|words| signed(words.len())).collect();
        int::encode(&counts, out);
        // Rising over all lists, so that they are kept as differences.
        let of_list = |(list, words): (i64, &Vec<u32>)| {
            let base = list << (WORD_BITS + 1);
            let words = words.iter().map(move |word| base + i64::from(*word));
            words.collect::<Vec<i64>>()
        };
        let words: Vec<i64> = (0i64..).zip(&self.lists).flat_map(of_list).collect();
        int::encode(&words, out);
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

/// Visits the words of a text that have no digit, and what stands for each pair of them with one character between.
pub(super) fn each_listed(text: &str, mut visit: impl FnMut(WordHash)) {
    let mut previous: Option<WordHash> = None;
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    for word in text.as_bytes().split(|byte| !is_word(*byte)) {
        let mut of_word = None;
        each_listed_word(str::from_utf8(word).unwrap_or_default(), |hash| {
            of_word = Some(hash);
        });
        if let Some(hash) = of_word {
            visit(hash);
            if let Some(previous) = previous {
                visit(previous.followed_by(hash));
            }
        }
        previous = of_word;
    }
}

/// One frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameEntry {
    pub(super) slots: usize,
    pub(super) plain_bytes: usize,
    pub(super) stored_bytes: usize,
    pub(super) is_zstd: bool,
}

/// Reads where the frames are of at most so many slots.
pub(super) fn decode_headers(
    cursor: &mut Cursor<'_>,
    slots_max: usize,
) -> Result<Vec<FrameEntry>, Corrupt> {
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
    Ok(frames)
}

/// Which words some texts hold.
#[derive(Debug)]
pub(super) struct ListedWords {
    /// Of all lists.
    words: Vec<i64>,
    /// Where each begins, and the last ends.
    starts: Vec<usize>,
}

impl ListedWords {
    /// Reads so many lists.
    pub(super) fn decode(cursor: &mut Cursor<'_>, lists: usize) -> Result<ListedWords, Corrupt> {
        let mut starts = Vec::with_capacity(lists + 1);
        let mut total = 0;
        starts.push(0);
        for length in int::decode(cursor, lists)? {
            total += within(length, WORDS_MAX)?;
            starts.push(total);
        }
        Ok(ListedWords {
            words: int::decode(cursor, total)?,
            starts,
        })
    }

    /// Whether the texts of a list may hold all words.
    pub(super) fn may_hold(&self, list: usize, words: &[WordHash]) -> bool {
        let range = self.starts.get(list).zip(self.starts.get(list + 1));
        let listed = range.and_then(|(start, end)| self.words.get(*start..*end));
        let listed = listed.unwrap_or_default();
        let base = signed(list) << (WORD_BITS + 1);
        let is_listed = |word: u32| listed.binary_search(&(base + i64::from(word))).is_ok();
        listed == [base + i64::from(ANY_WORD)]
            || words.iter().all(|word| is_listed(known_by(*word)))
    }
}

pub(super) fn within(value: i64, max: usize) -> Result<usize, Corrupt> {
    let value = usize::try_from(value).ok().filter(|value| *value <= max);
    value.ok_or(Corrupt("more than there can be in slots"))
}
