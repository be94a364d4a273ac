//! A leaf of the dictionary of a column: some of its words, sorted, and which blocks have texts with each.
//!
//! Alike things lie side by side and are compressed together: the words without what each shares with the one before, then the blocks,
//! then how many texts of each hold the word.

use crate::Corrupt;
use crate::encoding::Compressor;
use crate::encoding::cursor::{Cursor, push_count, push_varint};
use crate::encoding::frame::read_frame;

/// A leaf is closed when it has so many bytes before compression: a lookup decodes one.
const PLAIN_BYTES: usize = 16 << 10;

/// No leaf has more, however many blocks have its last word.
const PLAIN_BYTES_MAX: usize = 1 << 28;

/// How many texts of one block hold a word; the block by its place among those of the column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockCount {
    pub(super) block: u32,
    pub(super) count: u32,
}

/// A leaf being filled.
#[derive(Debug, Default)]
pub(super) struct LeafWriter {
    first: String,
    last: String,
    terms: usize,
    shared: Vec<u8>,
    suffix_lengths: Vec<u8>,
    suffixes: Vec<u8>,
    block_counts: Vec<u8>,
    gaps: Vec<u8>,
    counts: Vec<u8>,
}

impl LeafWriter {
    /// Adds a word that comes after all others, and its blocks, rising.
    pub(super) fn push(&mut self, word: &str, blocks: &[BlockCount]) {
        if self.terms == 0 {
            self.first.push_str(word);
        }
        let pairs = self.last.bytes().zip(word.bytes());
        let shared = pairs.take_while(|(a, b)| a == b).count();
        push_count(&mut self.shared, shared);
        push_count(&mut self.suffix_lengths, word.len() - shared);
        let suffix = word.as_bytes().get(shared..);
        self.suffixes.extend_from_slice(suffix.unwrap_or_default());
        self.last.clear();
        self.last.push_str(word);
        push_count(&mut self.block_counts, blocks.len());
        let mut next = 0;
        for BlockCount { block, count } in blocks {
            push_varint(&mut self.gaps, u64::from(block - next));
            push_varint(&mut self.counts, u64::from(count - 1));
            next = block + 1;
        }
        self.terms += 1;
    }

    pub(super) fn is_full(&self) -> bool {
        let parts = self.parts();
        parts.iter().map(|part| part.len()).sum::<usize>() >= PLAIN_BYTES
    }

    pub(super) fn is_empty(&self) -> bool {
        self.terms == 0
    }

    pub(super) fn first(&self) -> &str {
        &self.first
    }

    fn parts(&self) -> [&[u8]; 6] {
        [
            &self.shared,
            &self.suffix_lengths,
            &self.suffixes,
            &self.block_counts,
            &self.gaps,
            &self.counts,
        ]
    }

    /// Its bytes.
    pub(super) fn finish(self, compressor: &mut Compressor) -> Vec<u8> {
        let mut plain = Vec::new();
        push_count(&mut plain, self.terms);
        push_count(&mut plain, self.suffixes.len());
        self.parts()
            .iter()
            .for_each(|part| plain.extend_from_slice(part));
        let mut bytes = Vec::new();
        push_count(&mut bytes, plain.len());
        compressor.push_frame(&mut bytes, &plain);
        bytes
    }
}

/// A leaf as it is read.
#[derive(Debug, Default)]
pub(super) struct Leaf {
    words: Vec<u8>,
    word_ends: Vec<usize>,
    blocks: Vec<BlockCount>,
    block_ends: Vec<usize>,
}

const DISORDER: Corrupt = Corrupt("a dictionary of words out of order");

impl Leaf {
    /// Reads the leaf of a column whose blocks have so many texts.
    pub(super) fn decode(bytes: &[u8], texts: &[u32]) -> Result<Leaf, Corrupt> {
        let mut cursor = Cursor::new(bytes);
        let plain_bytes = cursor.count(PLAIN_BYTES_MAX)?;
        let plain = read_frame(&mut cursor, plain_bytes)?;
        cursor.finish()?;
        let mut cursor = Cursor::new(&plain);
        let terms = cursor.count(plain_bytes)?;
        let suffix_bytes = cursor.count(plain_bytes)?;
        let shared = counts(&mut cursor, terms, plain_bytes)?;
        let lengths = counts(&mut cursor, terms, plain_bytes)?;
        let mut suffixes = Cursor::new(cursor.take(suffix_bytes)?);
        let mut leaf = Leaf::default();
        let mut word = Vec::new();
        for (shared, length) in shared.into_iter().zip(lengths) {
            if shared > word.len() {
                return Err(DISORDER);
            }
            word.truncate(shared);
            word.extend_from_slice(suffixes.take(length)?);
            // What damaged bytes can make of one word after the other is bounded as well.
            if leaf.words.len() + word.len() > PLAIN_BYTES_MAX {
                return Err(DISORDER);
            }
            leaf.words.extend_from_slice(&word);
            leaf.word_ends.push(leaf.words.len());
        }
        suffixes.finish()?;
        leaf.read_blocks(cursor, terms, texts)?;
        Ok(leaf)
    }

    fn read_blocks(
        &mut self,
        mut cursor: Cursor<'_>,
        terms: usize,
        texts: &[u32],
    ) -> Result<(), Corrupt> {
        let block_counts = counts(&mut cursor, terms, texts.len())?;
        let mut total = 0;
        for of_term in &block_counts {
            total += of_term;
            self.block_ends.push(total);
        }
        if total > cursor.remaining() {
            return Err(DISORDER);
        }
        let mut gaps = counts(&mut cursor, total, texts.len())?.into_iter();
        let mut counts = counts(&mut cursor, total, u32::MAX as usize)?.into_iter();
        cursor.finish()?;
        self.blocks.reserve_exact(total);
        for of_term in block_counts {
            let mut next = 0;
            for (gap, more) in gaps.by_ref().zip(counts.by_ref()).take(of_term) {
                let block = next + gap;
                let texts = *texts.get(block).ok_or(DISORDER)?;
                let count = u32::try_from(more)
                    .ok()
                    .and_then(|more| more.checked_add(1));
                let count = count.filter(|count| *count <= texts).ok_or(DISORDER)?;
                self.blocks.push(BlockCount {
                    block: u32::try_from(block).map_err(|_| DISORDER)?,
                    count,
                });
                next = block + 1;
            }
        }
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.word_ends.len()
    }

    pub(super) fn word(&self, index: usize) -> Option<&[u8]> {
        self.words.get(range_of(&self.word_ends, index)?)
    }

    /// The blocks that have texts with the word, rising.
    pub(super) fn blocks(&self, index: usize) -> Option<&[BlockCount]> {
        self.blocks.get(range_of(&self.block_ends, index)?)
    }

    /// The blocks of all words before the one at an index.
    pub(super) fn blocks_before(&self, index: usize) -> &[BlockCount] {
        let end = index
            .checked_sub(1)
            .and_then(|before| self.block_ends.get(before));
        let before = self.blocks.get(..end.copied().unwrap_or(0));
        before.unwrap_or_default()
    }

    /// The index of a word.
    pub(super) fn find(&self, word: &[u8]) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.word(middle)?.cmp(word) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }
}

fn range_of(ends: &[usize], index: usize) -> Option<std::ops::Range<usize>> {
    let start = match index.checked_sub(1) {
        Some(before) => *ends.get(before)?,
        None => 0,
    };
    Some(start..*ends.get(index)?)
}

fn counts(cursor: &mut Cursor<'_>, count: usize, max: usize) -> Result<Vec<usize>, Corrupt> {
    if count > cursor.remaining() {
        return Err(DISORDER);
    }
    (0..count).map(|_| cursor.count(max)).collect()
}
