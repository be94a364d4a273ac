//! Makes a token map: of the words of blocks, of other maps, or of both.

mod parts;

use std::io::{self, Write};

use super::map::Walk;
use super::page::{PageWriter, Position};
use super::{HashBits, ReadPages, TokenMap};
use crate::{MergeFailure, ReadFailure};
use parts::Parts;

/// A map as it is written: two sections of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenMapBytes {
    /// The pages, one after the other.
    pub pages: Vec<u8>,
    /// The number of blocks, the bits of a hash, and the first hash of every page.
    pub index: Vec<u8>,
}

/// What becomes of a block of an input: its index in the segment that is made, or nothing.
pub(crate) type BlockTarget = Option<u32>;

/// Some of the words that go into a map.
#[derive(Debug)]
pub(crate) enum MapInput<'a, P> {
    /// The words of one block, as [`BlockTokens::into_sorted`](super::BlockTokens::into_sorted) gives them, and its index.
    Block(&'a [u32], u32),
    /// A map, and what becomes of each of its blocks. The indices of those that stay must rise.
    Map(&'a TokenMap, &'a P, &'a [BlockTarget]),
}

impl TokenMapBytes {
    /// The map of blocks by their words, rising.
    pub fn of_blocks<'a>(blocks: impl Iterator<Item = &'a [u32]>) -> TokenMapBytes {
        let lists: Vec<&[u32]> = blocks.collect();
        let mut pages = Vec::new();
        let index = map_blocks(&lists, &mut pages).expect("memory takes what is written");
        TokenMapBytes { pages, index }
    }
}

/// Writes the pages of the map of blocks by their words, rising, and gives its index.
pub(crate) fn map_blocks(lists: &[&[u32]], pages: &mut impl Write) -> io::Result<Vec<u8>> {
    map_blocks_by(HashBits::for_words(words_in(lists)), lists, pages)
}

/// The words of each block, together.
fn words_in(lists: &[&[u32]]) -> u64 {
    lists.iter().map(|list| list.len() as u64).sum()
}

/// The same by so many bits of their hashes.
pub(super) fn map_blocks_by(
    hash_bits: HashBits,
    lists: &[&[u32]],
    pages: &mut impl Write,
) -> io::Result<Vec<u8>> {
    let count = u32::try_from(lists.len()).expect("a segment has fewer than 2^32 blocks");
    let expected = words_in(lists);
    let mut writer = MapWriter::new(count, hash_bits, expected, pages);
    writer.push_lists(lists)?;
    writer.finish()
}

/// Writes the pages of the map of a segment of `blocks` blocks, and gives its index. Goes through the inputs side by side and keeps a
/// page of each in memory. An input that cannot be read is an error: a map without it would lose answers.
pub(crate) fn merge<P: ReadPages>(
    inputs: &[MapInput<'_, P>],
    blocks: u32,
    pages: &mut impl Write,
) -> Result<Vec<u8>, MergeFailure> {
    let expected = inputs.iter().map(MapInput::expected_hashes).sum();
    // What an input has not kept of a hash cannot be had any more.
    let kept = inputs.iter().filter_map(MapInput::hash_bits);
    let hash_bits = kept.fold(HashBits::for_words(expected), HashBits::min);
    let mut writer = MapWriter::new(blocks, hash_bits, expected, pages);
    let source = |input| Source::new(input, hash_bits);
    let mut sources: Vec<Source<'_, P>> = inputs.iter().map(source).collect();
    let first = sources.iter_mut().map(Source::advance);
    let mut hashes: Vec<u64> = first.collect::<Result<_, _>>()?;
    let mut list = Vec::new();
    while let Some(least) = hashes.iter().copied().min()
        && let Ok(hash) = u32::try_from(least)
    {
        list.clear();
        for (source, at_hand) in sources.iter_mut().zip(&mut hashes) {
            while *at_hand == least {
                source.collect(&mut list);
                *at_hand = source.advance()?;
            }
        }
        settle(&mut list);
        if !list.is_empty() {
            writer.push(hash, &list).map_err(MergeFailure::Write)?;
        }
    }
    writer.finish().map_err(MergeFailure::Write)
}

/// Puts blocks in order, each once.
fn settle(list: &mut Vec<u32>) {
    if !list.is_sorted_by(|a, b| a < b) {
        list.sort_unstable();
        list.dedup();
    }
}

impl<P> MapInput<'_, P> {
    /// How many bits of a hash it has, if not all.
    fn hash_bits(&self) -> Option<HashBits> {
        match self {
            MapInput::Block(..) => None,
            MapInput::Map(map, ..) => Some(map.hash_bits()),
        }
    }

    /// A guess, for the first page.
    fn expected_hashes(&self) -> u64 {
        const BYTES_PER_HASH: u64 = 3;
        match self {
            MapInput::Block(hashes, _) => hashes.len() as u64,
            MapInput::Map(map, ..) => map.bytes() / BYTES_PER_HASH,
        }
    }
}

/// An input, part of the way.
struct Source<'a, P> {
    hashes: Hashes<'a, P>,
    /// How many bits of a hash the input has more than the map that is made.
    dropped: u32,
}

enum Hashes<'a, P> {
    Block(std::slice::Iter<'a, u32>, u32),
    Map(Walk<'a, P>, &'a [BlockTarget]),
}

impl<'a, P: ReadPages> Source<'a, P> {
    fn new(input: &MapInput<'a, P>, hash_bits: HashBits) -> Source<'a, P> {
        let of_input = input.hash_bits().unwrap_or(HashBits::ALL);
        let hashes = match input {
            MapInput::Block(hashes, block) => Hashes::Block(hashes.iter(), *block),
            MapInput::Map(map, pages, targets) => Hashes::Map(Walk::new(map, *pages), targets),
        };
        Source {
            hashes,
            dropped: of_input.beyond(hash_bits),
        }
    }

    /// The next hash, or the same once more; more than any at the end.
    fn advance(&mut self) -> Result<u64, ReadFailure> {
        let hash = match &mut self.hashes {
            Hashes::Block(hashes, _) => hashes.next().copied(),
            Hashes::Map(walk, _) => walk.advance()?,
        };
        Ok(hash.map_or(u64::MAX, |hash| u64::from(hash >> self.dropped)))
    }

    /// Adds the blocks of the hash at hand.
    fn collect(&self, list: &mut Vec<u32>) {
        match &self.hashes {
            Hashes::Block(_, block) => list.push(*block),
            Hashes::Map(walk, targets) => {
                let targets = walk
                    .blocks()
                    .iter()
                    .map(|block| targets.get(*block as usize));
                list.extend(targets.flatten().flatten());
            }
        }
    }
}

/// Writes hashes, rising, page by page.
struct MapWriter<'w, W> {
    blocks: u32,
    hash_bits: HashBits,
    pages: &'w mut W,
    index: Vec<u8>,
    page: PageWriter,
}

impl<'w, W: Write> MapWriter<'w, W> {
    fn new(
        blocks: u32,
        hash_bits: HashBits,
        expected_hashes: u64,
        pages: &'w mut W,
    ) -> MapWriter<'w, W> {
        let mut index = blocks.to_le_bytes().to_vec();
        index.push(hash_bits.to_byte());
        MapWriter {
            blocks,
            hash_bits,
            pages,
            index,
            page: PageWriter::new(blocks, hash_bits.hashes() / expected_hashes.max(1)),
        }
    }

    /// Adds the words of all blocks, each list rising.
    fn push_lists(&mut self, lists: &[&[u32]]) -> io::Result<()> {
        let mut parts = Parts::of(lists);
        let dropped = u32::BITS + HashBits::ALL.beyond(self.hash_bits);
        let mut list = Vec::new();
        while let Some(pairs) = parts.next() {
            for same in pairs.chunk_by(|a, b| a >> dropped == b >> dropped) {
                let low = |pair: &u64| u32::try_from(pair & u64::from(u32::MAX)).unwrap_or(0);
                list.clear();
                list.extend(same.iter().map(low));
                settle(&mut list);
                let hash = same.first().map_or(0, |pair| pair >> dropped);
                self.push(u32::try_from(hash).unwrap_or(0), &list)?;
            }
        }
        Ok(())
    }

    fn push(&mut self, hash: u32, blocks: &[u32]) -> io::Result<()> {
        if !self.page.push(hash, blocks) {
            self.close_page(Position::Inner)?;
            let fits = self.page.push(hash, blocks);
            debug_assert!(fits, "any list fits an empty page");
        }
        Ok(())
    }

    fn close_page(&mut self, position: Position) -> io::Result<()> {
        let next = PageWriter::new(self.blocks, self.page.gap());
        let page = std::mem::replace(&mut self.page, next);
        self.index.extend(page.first().to_le_bytes());
        self.pages.write_all(&page.finish(position))
    }

    fn finish(mut self) -> io::Result<Vec<u8>> {
        if !self.page.is_empty() {
            self.close_page(Position::Last)?;
        }
        Ok(self.index)
    }
}
