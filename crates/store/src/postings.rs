//! Posting lists: which texts of a column hold a word, for every word without a digit, and every two words next to each other.
//!
//! They answer a search for words without a look at the texts. A text is known by its rank among the texts of its column in one block;
//! where texts follow templates, what a template says itself is not listed again. A block that is sealed has its own lists; a segment
//! has, for each column, one dictionary of the words of all its blocks, and the lists of a word one after the other, block by block.
//! `docs/format.md` says what the bytes are. Nothing here knows files or the query language.

mod block;
mod collect;
mod index;
mod leaf;
mod list;
mod merge;
mod pages;
#[cfg(test)]
mod tests;
pub(crate) mod words;

pub use block::BlockPostings;
pub(crate) use block::ColumnPostings;
pub(crate) use collect::{Collector, Group, WordId};
pub use index::{ListPlace, WordLists};
pub(crate) use index::{PostingsIndex, PostingsPages};
pub(crate) use merge::{PostingsInput, merge};
pub use words::ListedWord;

/// How many bytes the posting lists of these blocks take in a segment.
pub fn segment_bytes<'a>(blocks: impl Iterator<Item = &'a BlockPostings>) -> usize {
    let blocks = blocks.zip(0..);
    let inputs: Vec<PostingsInput<'_, bytes::Bytes>> = blocks
        .map(|(postings, number)| PostingsInput::Block(postings, number))
        .collect();
    let mut lists: Vec<u8> = Vec::new();
    let merged = merge(&inputs, &mut lists).ok().flatten();
    merged.map_or(0, |merged| {
        merged.index.len() + merged.leaves.len() + lists.len()
    })
}
