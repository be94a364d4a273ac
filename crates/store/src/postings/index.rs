//! The posting lists of a segment, as a search reads them: a leaf of a dictionary for a word, and then its list in one block.

use std::ops::Range;

use super::leaf::{BlockCount, Leaf};
use super::{list, pages};
use crate::encoding::cursor::{Cursor, push_count, push_varint};
use crate::tokens::ReadPages;
use crate::{Corrupt, ReadFailure};

/// What is kept in memory: which columns of which blocks have lists, and where each leaf begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PostingsIndex {
    /// Sorted by path.
    columns: Vec<IndexedColumn>,
}

/// A column, by its path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct IndexedColumn {
    pub(super) path: Box<str>,
    /// The blocks whose texts are listed, rising.
    pub(super) blocks: Vec<u32>,
    /// How many texts each of them has in the column.
    pub(super) texts: Vec<u32>,
    /// Rising by their words.
    pub(super) leaves: Vec<LeafPlace>,
}

/// Where a leaf is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LeafPlace {
    /// Its first word.
    pub(super) first: Box<str>,
    /// Its bytes among those of all leaves.
    pub(super) bytes: Range<u64>,
    /// Where the lists of its words begin among all lists.
    pub(super) lists_at: u64,
}

/// The leaves and the lists of a segment, in pages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PostingsPages<P> {
    pub(crate) leaves: P,
    pub(crate) leaves_bytes: u64,
    pub(crate) lists: P,
    pub(crate) lists_bytes: u64,
}

impl<P: ReadPages> PostingsPages<P> {
    pub(super) fn leaves(&self, range: Range<u64>) -> Result<Vec<u8>, ReadFailure> {
        pages::read(&self.leaves, self.leaves_bytes, range)
    }

    pub(super) fn lists(&self, range: Range<u64>) -> Result<Vec<u8>, ReadFailure> {
        pages::read(&self.lists, self.lists_bytes, range)
    }
}

/// Where the lists of one word are, block by block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WordLists {
    /// Of every block whose texts are listed, rising.
    blocks: Vec<ListPlace>,
}

/// A list of one word in one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListPlace {
    block: u32,
    texts: u32,
    count: u32,
    at: u64,
}

impl WordLists {
    /// The list in the block at an index of the segment; `None` if the texts of the block are not listed.
    pub fn of_block(&self, block: u32) -> Option<ListPlace> {
        let found = self
            .blocks
            .binary_search_by_key(&block, |place| place.block);
        self.blocks.get(found.ok()?).copied()
    }
}

impl ListPlace {
    /// How many texts hold the word.
    pub fn count(self) -> u32 {
        self.count
    }

    /// How many bytes the list takes.
    fn bytes(self) -> u64 {
        list::encoded_bytes(self.count, self.texts) as u64
    }
}

const MALFORMED: Corrupt = Corrupt("the index of the posting lists");

impl PostingsIndex {
    pub(super) fn new(columns: Vec<IndexedColumn>) -> PostingsIndex {
        PostingsIndex { columns }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        push_count(&mut out, self.columns.len());
        for column in &self.columns {
            push_text(&mut out, &column.path);
            push_count(&mut out, column.blocks.len());
            let mut next = 0;
            for (block, texts) in column.blocks.iter().zip(&column.texts) {
                push_varint(&mut out, u64::from(block - next));
                push_varint(&mut out, u64::from(*texts));
                next = block + 1;
            }
            push_count(&mut out, column.leaves.len());
            for leaf in &column.leaves {
                push_text(&mut out, &leaf.first);
                push_varint(&mut out, leaf.bytes.start);
                push_varint(&mut out, leaf.bytes.end - leaf.bytes.start);
                push_varint(&mut out, leaf.lists_at);
            }
        }
        out
    }

    /// Reads the index of a segment of so many blocks.
    pub(crate) fn decode(bytes: &[u8], blocks: u32) -> Result<PostingsIndex, Corrupt> {
        let mut cursor = Cursor::new(bytes);
        let count = cursor.count(bytes.len())?;
        let mut columns: Vec<IndexedColumn> = Vec::with_capacity(count);
        for _ in 0..count {
            let column = read_column(&mut cursor, blocks)?;
            if columns.last().is_some_and(|last| last.path >= column.path) {
                return Err(MALFORMED);
            }
            columns.push(column);
        }
        cursor.finish()?;
        Ok(PostingsIndex { columns })
    }

    pub(super) fn column(&self, path: &str) -> Option<&IndexedColumn> {
        let found = self
            .columns
            .binary_search_by(|column| (*column.path).cmp(path));
        self.columns.get(found.ok()?)
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| &*column.path)
    }

    /// Where the lists of a word of a column are.
    pub(crate) fn find(
        &self,
        path: &str,
        word: &str,
        pages: &PostingsPages<impl ReadPages>,
    ) -> Result<WordLists, ReadFailure> {
        let Some(column) = self.column(path) else {
            return Ok(WordLists::default());
        };
        let after = column.leaves.partition_point(|leaf| *leaf.first <= *word);
        let leaf = after
            .checked_sub(1)
            .and_then(|leaf| column.leaves.get(leaf));
        let Some(place) = leaf else {
            return Ok(column.lists_of(&[], 0));
        };
        let leaf = column.read_leaf(place, pages)?;
        let Some(index) = leaf.find(word.as_bytes()) else {
            return Ok(column.lists_of(&[], 0));
        };
        let before = column.list_bytes(leaf.blocks_before(index));
        let blocks = leaf.blocks(index).unwrap_or_default();
        Ok(column.lists_of(blocks, place.lists_at.saturating_add(before)))
    }

    /// The ranks of the texts in a list, rising.
    pub(crate) fn read(
        &self,
        place: ListPlace,
        pages: &PostingsPages<impl ReadPages>,
    ) -> Result<Vec<u32>, ReadFailure> {
        if place.count == 0 {
            return Ok(Vec::new());
        }
        let end = place.at.saturating_add(place.bytes());
        let bytes = pages.lists(place.at..end)?;
        Ok(list::decode(&bytes, place.count, place.texts)?)
    }

    /// Reads everything.
    pub(crate) fn check(&self, pages: &PostingsPages<impl ReadPages>) -> Result<(), ReadFailure> {
        for column in &self.columns {
            let mut last: Vec<u8> = Vec::new();
            for place in &column.leaves {
                let leaf = column.read_leaf(place, pages)?;
                let mut at = place.lists_at;
                for index in 0..leaf.len() {
                    let word = leaf.word(index).unwrap_or_default();
                    let is_first = index == 0 && *word == *place.first.as_bytes();
                    let is_text = str::from_utf8(word).is_ok();
                    if (index == 0 && !is_first) || *last >= *word || !is_text {
                        return Err(MALFORMED.into());
                    }
                    last = word.to_vec();
                    let blocks = leaf.blocks(index).unwrap_or_default();
                    for list in column.lists_of(blocks, at).blocks {
                        self.read(list, pages)?;
                    }
                    at += column.list_bytes(blocks);
                }
            }
        }
        Ok(())
    }
}

impl IndexedColumn {
    pub(super) fn read_leaf(
        &self,
        place: &LeafPlace,
        pages: &PostingsPages<impl ReadPages>,
    ) -> Result<Leaf, ReadFailure> {
        let bytes = pages.leaves(place.bytes.clone())?;
        Ok(Leaf::decode(&bytes, &self.texts)?)
    }

    /// How many bytes the lists of a word take in a block.
    pub(super) fn bytes_in(&self, of_block: BlockCount) -> usize {
        let texts = self.texts.get(of_block.block as usize);
        list::encoded_bytes(of_block.count, texts.copied().unwrap_or(0))
    }

    /// How many bytes they take in all these blocks.
    pub(super) fn list_bytes(&self, blocks: &[BlockCount]) -> u64 {
        blocks
            .iter()
            .map(|of_block| self.bytes_in(*of_block) as u64)
            .sum()
    }

    /// The lists of a word that has texts in some blocks.
    fn lists_of(&self, with_texts: &[BlockCount], mut at: u64) -> WordLists {
        let mut with_texts = with_texts.iter().peekable();
        let mut blocks = Vec::with_capacity(self.blocks.len());
        for (number, (block, texts)) in (0u32..).zip(self.blocks.iter().zip(&self.texts)) {
            let listed = with_texts.next_if(|of_block| of_block.block == number);
            blocks.push(ListPlace {
                block: *block,
                texts: *texts,
                count: listed.map_or(0, |of_block| of_block.count),
                at,
            });
            at += listed.map_or(0, |of_block| self.bytes_in(*of_block) as u64);
        }
        WordLists { blocks }
    }
}

fn read_column(cursor: &mut Cursor<'_>, blocks_max: u32) -> Result<IndexedColumn, Corrupt> {
    let mut column = IndexedColumn {
        path: read_text(cursor)?,
        ..IndexedColumn::default()
    };
    let count = cursor.count(blocks_max as usize)?;
    let mut next = 0u32;
    for _ in 0..count {
        let block = u64::from(next).checked_add(cursor.varint()?);
        let block = block.and_then(|block| u32::try_from(block).ok());
        let block = block.filter(|block| *block < blocks_max).ok_or(MALFORMED)?;
        column.blocks.push(block);
        let texts = u32::try_from(cursor.varint()?);
        column.texts.push(texts.map_err(|_| MALFORMED)?);
        next = block + 1;
    }
    for _ in 0..cursor.count(cursor.remaining())? {
        let first = read_text(cursor)?;
        let start = cursor.varint()?;
        let end = start.checked_add(cursor.varint()?).ok_or(MALFORMED)?;
        if column.leaves.last().is_some_and(|last| last.first >= first) {
            return Err(MALFORMED);
        }
        column.leaves.push(LeafPlace {
            first,
            bytes: start..end,
            lists_at: cursor.varint()?,
        });
    }
    Ok(column)
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    push_count(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn read_text(cursor: &mut Cursor<'_>) -> Result<Box<str>, Corrupt> {
    let length = cursor.count(cursor.remaining())?;
    let text = std::str::from_utf8(cursor.take(length)?);
    Ok(text.map_err(|_| MALFORMED)?.into())
}
