//! The token map of a segment, as a search reads it: one page for a word.

use std::ops::Range;

use super::page::{PAGE_BYTES, Page, PageError};
use super::{BlockSet, HashBits, WordHash};
use crate::fixed::Fixed;
use crate::{Corrupt, ReadFailure};

/// Where the pages of a map are.
pub trait ReadPages {
    /// Reads bytes of the section of pages.
    fn read_pages(&self, range: Range<u64>) -> Result<bytes::Bytes, ReadFailure>;
}

impl ReadPages for bytes::Bytes {
    fn read_pages(&self, range: Range<u64>) -> Result<bytes::Bytes, ReadFailure> {
        let bounds = usize::try_from(range.start)
            .ok()
            .zip(usize::try_from(range.end).ok());
        let inside = bounds.filter(|(start, end)| start <= end && *end <= self.len());
        let (start, end) = inside.ok_or_else(|| malformed("its pages are cut off"))?;
        Ok(self.slice(start..end))
    }
}

/// What is kept in memory of a token map: the first hash of every page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenMap {
    blocks: u32,
    hash_bits: HashBits,
    pages_bytes: u64,
    /// Of as many bits as the map has of a hash.
    first_hashes: Vec<u32>,
}

impl TokenMap {
    /// Reads the index of a map whose pages take `pages_bytes`.
    pub fn open(index: &[u8], pages_bytes: u64) -> Result<TokenMap, Corrupt> {
        const MALFORMED: Corrupt = Corrupt("the index of the token map");
        let mut fields = Fixed::new(index);
        let blocks = fields.u32().ok_or(MALFORMED)?;
        let hash_bits = fields.u8().and_then(HashBits::new).ok_or(MALFORMED)?;
        let mut first_hashes = Vec::with_capacity(fields.rest().len() / 4);
        while let Some(hash) = fields.u32() {
            first_hashes.push(hash);
        }
        let pages = pages_bytes.div_ceil(PAGE_BYTES as u64);
        let is_rising = first_hashes.is_sorted_by(|a, b| a < b);
        if !fields.rest().is_empty() || !is_rising || pages != first_hashes.len() as u64 {
            return Err(MALFORMED);
        }
        Ok(TokenMap {
            blocks,
            hash_bits,
            pages_bytes,
            first_hashes,
        })
    }

    /// How many blocks the map is about.
    pub fn blocks(&self) -> u32 {
        self.blocks
    }

    /// How many bits of a hash it has.
    pub(super) fn hash_bits(&self) -> HashBits {
        self.hash_bits
    }

    /// How many bytes it takes, in pages and in memory.
    pub fn bytes(&self) -> u64 {
        self.pages_bytes + 4 * self.first_hashes.len() as u64
    }

    /// The blocks that may hold the word; no other does.
    pub fn find(&self, word: WordHash, pages: &impl ReadPages) -> Result<BlockSet, ReadFailure> {
        let hash = self.hash_bits.of(word.0);
        let after = self.first_hashes.partition_point(|first| *first <= hash);
        let Some(index) = after.checked_sub(1) else {
            return Ok(BlockSet::none(self.blocks));
        };
        let bytes = self.read_page(index, pages)?;
        let found = self.page(index, &bytes)?.find(hash)?;
        Ok(found.unwrap_or_else(|| BlockSet::none(self.blocks)))
    }

    /// Calls `visit` with every hash, rising, and the blocks that have it: of hashes that are one here, with the least.
    pub fn each(
        &self,
        pages: &impl ReadPages,
        mut visit: impl FnMut(u32, &[u32]),
    ) -> Result<(), ReadFailure> {
        let mut walk = Walk::new(self, pages);
        while let Some(hash) = walk.advance()? {
            let least = self.hash_bits.least(hash);
            let least = least.ok_or_else(|| malformed("a hash of more bits than it has"))?;
            visit(least, walk.blocks());
        }
        Ok(())
    }

    fn read_page(&self, index: usize, pages: &impl ReadPages) -> Result<bytes::Bytes, ReadFailure> {
        let start = (index * PAGE_BYTES) as u64;
        let end = self.pages_bytes.min(start + PAGE_BYTES as u64);
        pages.read_pages(start..end)
    }

    fn page<'b>(&self, index: usize, bytes: &'b [u8]) -> Result<Page<'b>, PageError> {
        let first = self.first_hashes.get(index).copied().unwrap_or(0);
        Page::open(bytes, first, self.blocks)
    }
}

/// Goes through the hashes of a map in order, a page at a time.
pub(super) struct Walk<'m, P> {
    map: &'m TokenMap,
    pages: &'m P,
    next_page: usize,
    /// The hashes of the page that is read, and where the blocks of each end.
    hashes: Vec<(u32, usize)>,
    /// How many of them were passed, the one at hand included.
    passed: usize,
    /// The blocks of all hashes of the page.
    blocks: Vec<u32>,
}

impl<'m, P: ReadPages> Walk<'m, P> {
    pub(super) fn new(map: &'m TokenMap, pages: &'m P) -> Walk<'m, P> {
        Walk {
            map,
            pages,
            next_page: 0,
            hashes: Vec::new(),
            passed: 0,
            blocks: Vec::new(),
        }
    }

    /// The next hash, of as many bits as the map has.
    pub(super) fn advance(&mut self) -> Result<Option<u32>, ReadFailure> {
        if self.passed == self.hashes.len() && self.next_page < self.map.first_hashes.len() {
            self.read_page()?;
        }
        let hash = self.hashes.get(self.passed).map(|(hash, _)| *hash);
        self.passed += usize::from(hash.is_some());
        Ok(hash)
    }

    /// The blocks of the hash that `advance` gave, rising.
    pub(super) fn blocks(&self) -> &[u32] {
        let end_of = |passed: usize| {
            let hash = passed.checked_sub(1).and_then(|at| self.hashes.get(at));
            hash.map_or(0, |(_, end)| *end)
        };
        let range = end_of(self.passed.saturating_sub(1))..end_of(self.passed);
        self.blocks.get(range).unwrap_or_default()
    }

    fn read_page(&mut self) -> Result<(), ReadFailure> {
        let last = self.hashes.last().map(|(hash, _)| *hash);
        let bytes = self.map.read_page(self.next_page, self.pages)?;
        let mut page = self.map.page(self.next_page, &bytes)?;
        self.next_page += 1;
        self.passed = 0;
        self.hashes.clear();
        self.blocks.clear();
        while let Some(hash) = page.next(&mut self.blocks)? {
            self.hashes.push((hash, self.blocks.len()));
        }
        // Within a page they rise by how gaps are written.
        let first = self.hashes.first().map(|(hash, _)| *hash);
        if last.is_some() && last >= first {
            return Err(malformed("its hashes are out of order"));
        }
        Ok(())
    }
}

fn malformed(what: &str) -> ReadFailure {
    ReadFailure::Malformed(what.to_owned())
}

impl From<PageError> for ReadFailure {
    fn from(error: PageError) -> ReadFailure {
        match error {
            PageError::Checksum => ReadFailure::Checksum,
            PageError::Malformed(corrupt) => corrupt.into(),
        }
    }
}
