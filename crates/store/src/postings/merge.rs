//! Makes the posting lists of a segment: of those of blocks, of older segments, or of both. Lists are copied as they are.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::ops::Range;

use super::index::{IndexedColumn, LeafPlace, PostingsPages};
use super::leaf::{BlockCount, Leaf, LeafWriter};
use super::{BlockPostings, ColumnPostings, PostingsIndex, pages};
use crate::ReadFailure;
use crate::encoding::Compressor;
use crate::tokens::{BlockTarget, ReadPages};

/// Posting lists as they are written: three sections of a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PostingsBytes {
    pub(crate) index: Vec<u8>,
    /// The leaves of the dictionaries, in pages.
    pub(crate) leaves: Vec<u8>,
    /// In pages.
    pub(crate) lists: Vec<u8>,
}

/// Some of the lists that go into a segment.
#[derive(Debug)]
pub(crate) enum PostingsInput<'a, P> {
    /// Those of one block, and its index in the segment.
    Block(&'a BlockPostings, u32),
    /// Those of a segment, and what becomes of each of its blocks.
    Segment(&'a PostingsIndex, &'a PostingsPages<P>, &'a [BlockTarget]),
}

/// The lists of a segment made of these; `None` if there are none. An error means that an input cannot be read.
pub(crate) fn merge<P: ReadPages>(
    inputs: &[PostingsInput<'_, P>],
) -> Result<Option<PostingsBytes>, ReadFailure> {
    let mut by_path: BTreeMap<&str, Vec<Source<'_, P>>> = BTreeMap::new();
    for input in inputs {
        match input {
            PostingsInput::Block(postings, target) => {
                for path in postings.paths() {
                    let column = postings.column(path);
                    let source = column.map(|column| Source::of_block(column, *target));
                    by_path.entry(path).or_default().extend(source);
                }
            }
            PostingsInput::Segment(index, pages, targets) => {
                for path in index.paths() {
                    let column = index.column(path);
                    let source = column.map(|column| Source::of_segment(column, pages, targets));
                    by_path.entry(path).or_default().extend(source);
                }
            }
        }
    }
    let mut writer = Writer::new();
    for (path, sources) in by_path {
        writer.push_column(path, sources)?;
    }
    Ok(writer.finish())
}

/// The words of one column in one input, part of the way.
struct Source<'a, P> {
    /// By place among the blocks of the column there, what becomes of each.
    blocks: Vec<Option<Kept>>,
    rest: Rest<'a, P>,
    next: usize,
}

enum Rest<'a, P> {
    Block(&'a ColumnPostings),
    Segment(Box<Walk<'a, P>>),
}

/// Goes through the words of a column of a segment, a leaf at a time.
struct Walk<'a, P> {
    column: &'a IndexedColumn,
    pages: &'a PostingsPages<P>,
    next_leaf: usize,
    leaf: Leaf,
    /// The lists of all words of the leaf, and how many bytes of them belong to words that were passed.
    lists: Vec<u8>,
    passed: usize,
}

/// A block that stays.
#[derive(Clone, Copy)]
struct Kept {
    /// Its index in the new segment; and, once the column is begun, its place among the blocks of the column there.
    block: u32,
    texts: u32,
}

/// A list that goes into the new segment.
struct Copied {
    /// The place of its block among those of the column there.
    block: u32,
    count: u32,
    bytes: Range<usize>,
}

impl<'a, P: ReadPages> Source<'a, P> {
    fn of_block(column: &'a ColumnPostings, target: u32) -> Source<'a, P> {
        Source {
            blocks: vec![Some(Kept {
                block: target,
                texts: column.texts(),
            })],
            rest: Rest::Block(column),
            next: 0,
        }
    }

    fn of_segment(
        column: &'a IndexedColumn,
        pages: &'a PostingsPages<P>,
        targets: &[BlockTarget],
    ) -> Source<'a, P> {
        let blocks = column.blocks.iter().zip(&column.texts);
        let kept = blocks.map(|(block, texts)| {
            let target = targets.get(*block as usize).copied().flatten()?;
            Some(Kept {
                block: target,
                texts: *texts,
            })
        });
        Source {
            blocks: kept.collect(),
            rest: Rest::Segment(Box::new(Walk {
                column,
                pages,
                next_leaf: 0,
                leaf: Leaf::default(),
                lists: Vec::new(),
                passed: 0,
            })),
            next: 0,
        }
    }

    fn kept(&self) -> impl Iterator<Item = Kept> {
        self.blocks.iter().flatten().copied()
    }

    /// Names blocks by their place among those of the column in the new segment.
    fn begin(&mut self, blocks: &[u32]) {
        for kept in self.blocks.iter_mut().flatten() {
            let place = blocks.partition_point(|block| *block < kept.block);
            kept.block = u32::try_from(place).unwrap_or(u32::MAX);
        }
    }

    /// Moves on to the next word; `None` after the last.
    fn advance(&mut self) -> Result<Option<Vec<u8>>, ReadFailure> {
        match &mut self.rest {
            Rest::Block(column) => {
                let term = column.term(self.next);
                self.next += 1;
                Ok(term.map(|term| term.word.as_bytes().to_vec()))
            }
            Rest::Segment(walk) => {
                if self.next > 0 {
                    walk.pass(self.next - 1);
                }
                if self.next == walk.leaf.len() {
                    self.next = 0;
                    if !walk.read_leaf()? {
                        return Ok(None);
                    }
                }
                self.next += 1;
                Ok(walk.leaf.word(self.next - 1).map(<[u8]>::to_vec))
            }
        }
    }

    /// Adds the lists of the word at hand that stay.
    fn copy(&self, lists: &mut Vec<u8>, copied: &mut Vec<Copied>) {
        let Some(at_hand) = self.next.checked_sub(1) else {
            return;
        };
        let mut copy = |block: u32, count: u32, list: &[u8]| {
            let start = lists.len();
            lists.extend_from_slice(list);
            copied.push(Copied {
                block,
                count,
                bytes: start..lists.len(),
            });
        };
        match &self.rest {
            Rest::Block(column) => {
                let term = column.term(at_hand);
                for (kept, term) in self.kept().zip(term) {
                    copy(kept.block, term.count, term.list);
                }
            }
            Rest::Segment(walk) => {
                let mut at = walk.passed;
                for of_block in walk.leaf.blocks(at_hand).unwrap_or_default() {
                    let length = walk.column.bytes_in(*of_block);
                    let kept = self.blocks.get(of_block.block as usize);
                    if let (Some(Some(kept)), Some(list)) = (kept, walk.lists.get(at..at + length))
                    {
                        copy(kept.block, of_block.count, list);
                    }
                    at += length;
                }
            }
        }
    }
}

impl<P: ReadPages> Walk<'_, P> {
    /// Leaves the word at an index of the leaf behind.
    fn pass(&mut self, index: usize) {
        let blocks = self.leaf.blocks(index).unwrap_or_default();
        let bytes = self.column.list_bytes(blocks);
        self.passed += usize::try_from(bytes).unwrap_or(0);
    }

    /// Reads the next leaf and its lists; false after the last.
    fn read_leaf(&mut self) -> Result<bool, ReadFailure> {
        let Some(place) = self.column.leaves.get(self.next_leaf) else {
            return Ok(false);
        };
        self.leaf = self.column.read_leaf(place, self.pages)?;
        let lists = self
            .column
            .list_bytes(self.leaf.blocks_before(self.leaf.len()));
        let lists_end = place.lists_at.saturating_add(lists);
        self.lists = self.pages.lists(place.lists_at..lists_end)?;
        self.passed = 0;
        self.next_leaf += 1;
        Ok(self.leaf.len() > 0)
    }
}

/// Writes the words of column after column.
struct Writer {
    compressor: Compressor,
    columns: Vec<IndexedColumn>,
    leaves: Vec<u8>,
    lists: Vec<u8>,
}

impl Writer {
    fn new() -> Writer {
        Writer {
            compressor: Compressor::new(),
            columns: Vec::new(),
            leaves: Vec::new(),
            lists: Vec::new(),
        }
    }

    fn push_column<P: ReadPages>(
        &mut self,
        path: &str,
        mut sources: Vec<Source<'_, P>>,
    ) -> Result<(), ReadFailure> {
        let kept = sources.iter().flat_map(Source::kept);
        let mut blocks: Vec<(u32, u32)> = kept.map(|kept| (kept.block, kept.texts)).collect();
        if blocks.is_empty() {
            return Ok(());
        }
        blocks.sort_unstable();
        let (blocks, texts): (Vec<u32>, Vec<u32>) = blocks.into_iter().unzip();
        let mut column = IndexedColumn {
            path: path.into(),
            blocks,
            texts,
            leaves: Vec::new(),
        };
        let mut heap = BinaryHeap::with_capacity(sources.len());
        for (index, source) in sources.iter_mut().enumerate() {
            source.begin(&column.blocks);
            heap.extend(source.advance()?.map(|word| Reverse((word, index))));
        }
        let mut leaf = LeafWriter::default();
        let mut lists_at = self.lists.len() as u64;
        let (mut lists, mut copied) = (Vec::new(), Vec::new());
        let mut word = Vec::new();
        while let Some(Reverse((first, _))) = heap.peek() {
            word.clone_from(first);
            while let Some(Reverse((next, index))) = heap.peek()
                && *next == word
            {
                let index = *index;
                heap.pop();
                if let Some(source) = sources.get_mut(index) {
                    source.copy(&mut lists, &mut copied);
                    heap.extend(source.advance()?.map(|word| Reverse((word, index))));
                }
            }
            if !copied.is_empty() {
                self.push_word(&word, &mut leaf, (&lists, &mut copied))?;
            }
            lists.clear();
            copied.clear();
            if leaf.is_full() {
                self.close_leaf(&mut column, std::mem::take(&mut leaf), lists_at);
                lists_at = self.lists.len() as u64;
            }
        }
        if !leaf.is_empty() {
            self.close_leaf(&mut column, leaf, lists_at);
        }
        self.columns.push(column);
        Ok(())
    }

    fn push_word(
        &mut self,
        word: &[u8],
        leaf: &mut LeafWriter,
        (lists, copied): (&[u8], &mut Vec<Copied>),
    ) -> Result<(), ReadFailure> {
        copied.sort_unstable_by_key(|list| list.block);
        copied.dedup_by_key(|list| list.block);
        for list in copied.iter() {
            self.lists
                .extend_from_slice(lists.get(list.bytes.clone()).unwrap_or_default());
        }
        let not_text = |_| ReadFailure::Malformed("a word that is no text".to_owned());
        let word = std::str::from_utf8(word).map_err(not_text)?;
        let blocks = copied.iter().map(|list| BlockCount {
            block: list.block,
            count: list.count,
        });
        leaf.push(word, blocks);
        Ok(())
    }

    fn close_leaf(&mut self, column: &mut IndexedColumn, leaf: LeafWriter, lists_at: u64) {
        let start = self.leaves.len() as u64;
        let first = leaf.first().into();
        leaf.finish(&mut self.compressor, &mut self.leaves);
        column.leaves.push(LeafPlace {
            first,
            bytes: start..self.leaves.len() as u64,
            lists_at,
        });
    }

    fn finish(self) -> Option<PostingsBytes> {
        if self.columns.is_empty() {
            return None;
        }
        Some(PostingsBytes {
            index: PostingsIndex::new(self.columns).encode(),
            leaves: pages::of_plain(&self.leaves),
            lists: pages::of_plain(&self.lists),
        })
    }
}
