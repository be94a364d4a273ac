//! The words of one column in one input of a merge, in order, with the lists that stay.

use std::ops::Range;

use super::tournament::{Words, shared_bytes};
use crate::ReadFailure;
use crate::postings::ColumnPostings;
use crate::postings::block::ListedTerm;
use crate::postings::index::{IndexedColumn, PostingsPages};
use crate::postings::leaf::{BlockCount, Leaf};
use crate::postings::list;
use crate::tokens::{BlockTarget, ReadPages};

/// An input, part of the way.
pub(super) struct Source<'a, P> {
    /// By place among the blocks of the column there, what becomes of each.
    blocks: Vec<Option<Kept>>,
    rest: Rest<'a, P>,
}

enum Rest<'a, P> {
    Block(BlockWords<'a>),
    Segment(Box<SegmentWords<'a, P>>),
}

/// The words of a column of a block.
struct BlockWords<'a> {
    column: &'a ColumnPostings,
    next: usize,
    at_hand: Option<ListedTerm<'a>>,
}

/// The words of a column of a segment, a leaf at a time.
struct SegmentWords<'a, P> {
    column: &'a IndexedColumn,
    pages: &'a PostingsPages<P>,
    next_leaf: usize,
    leaf: Leaf,
    /// Among the words of the leaf, the one at hand.
    at_hand: usize,
    /// The lists of all words of the leaf, and where each ends.
    lists: Vec<u8>,
    list_ends: Vec<usize>,
}

/// A block that stays.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    /// Its index in the new segment; and, once the column is begun, its place among the blocks of the column there.
    pub(super) block: u32,
    pub(super) texts: u32,
}

/// The lists of one word, one after the other, of all sources that have it.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) blocks: Vec<BlockCount>,
    pub(super) lists: Vec<u8>,
    /// Where each is, and all of them, while they are put in order.
    ranges: Vec<(BlockCount, Range<usize>)>,
    unsorted: Vec<u8>,
}

impl<'a, P: ReadPages> Source<'a, P> {
    pub(super) fn of_block(column: &'a ColumnPostings, target: u32) -> Source<'a, P> {
        Source {
            blocks: vec![Some(Kept {
                block: target,
                texts: column.texts(),
            })],
            rest: Rest::Block(BlockWords {
                column,
                next: 0,
                at_hand: None,
            }),
        }
    }

    pub(super) fn of_segment(
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
            rest: Rest::Segment(Box::new(SegmentWords {
                column,
                pages,
                next_leaf: 0,
                leaf: Leaf::default(),
                at_hand: 0,
                lists: Vec::new(),
                list_ends: Vec::new(),
            })),
        }
    }

    pub(super) fn kept(&self) -> impl Iterator<Item = Kept> {
        self.blocks.iter().flatten().copied()
    }

    /// Names blocks by their place among those of the column in the new segment, and goes to the first word; false if there is none.
    pub(super) fn begin(&mut self, blocks: &[u32]) -> Result<bool, ReadFailure> {
        for kept in self.blocks.iter_mut().flatten() {
            let place = blocks.partition_point(|block| *block < kept.block);
            kept.block = u32::try_from(place).unwrap_or(u32::MAX);
        }
        match &mut self.rest {
            Rest::Block(words) => Ok(words.advance()),
            Rest::Segment(words) => words.read_leaf(),
        }
    }

    pub(super) fn word(&self) -> &[u8] {
        match &self.rest {
            Rest::Block(words) => words.at_hand.map_or(&[], |term| term.word.as_bytes()),
            Rest::Segment(words) => words.leaf.word(words.at_hand).unwrap_or_default(),
        }
    }

    /// Moves on to the next word, and says how many bytes it shares with `word`, the one at hand so far; `None` after the last.
    pub(super) fn advance(&mut self, word: &[u8]) -> Result<Option<usize>, ReadFailure> {
        let is_there = match &mut self.rest {
            Rest::Block(words) => words.advance(),
            Rest::Segment(words) => words.advance()?,
        };
        if !is_there {
            return Ok(None);
        }
        let next = self.word();
        let shared = shared_bytes(word, next, 0);
        if next.get(shared) <= word.get(shared) {
            let disorder = "words out of order".to_owned();
            return Err(ReadFailure::Malformed(disorder));
        }
        Ok(Some(shared))
    }

    /// Adds the lists of the word at hand that stay.
    pub(super) fn gather(&self, gathered: &mut Gathered) {
        match &self.rest {
            Rest::Block(words) => {
                for (kept, term) in self.kept().zip(words.at_hand) {
                    gathered.blocks.push(BlockCount {
                        block: kept.block,
                        count: term.count,
                    });
                    gathered.push_lists(Some(term.list));
                }
            }
            Rest::Segment(words) => words.gather(&self.blocks, gathered),
        }
    }
}

impl<P: ReadPages> Words for [Source<'_, P>] {
    fn word(&self, source: usize) -> &[u8] {
        self.get(source).map_or(&[], Source::word)
    }
}

impl BlockWords<'_> {
    fn advance(&mut self) -> bool {
        self.at_hand = self.column.term(self.next);
        self.next += 1;
        self.at_hand.is_some()
    }
}

impl<P: ReadPages> SegmentWords<'_, P> {
    fn advance(&mut self) -> Result<bool, ReadFailure> {
        self.at_hand += 1;
        if self.at_hand < self.leaf.len() {
            return Ok(true);
        }
        self.read_leaf()
    }

    /// Reads the next leaf and its lists; false after the last.
    fn read_leaf(&mut self) -> Result<bool, ReadFailure> {
        let Some(place) = self.column.leaves.get(self.next_leaf) else {
            return Ok(false);
        };
        self.leaf = self.column.read_leaf(place, self.pages)?;
        let mut end = 0;
        self.list_ends.clear();
        for of_block in self.leaf.blocks_before(self.leaf.len()) {
            end += self.column.bytes_in(*of_block);
            self.list_ends.push(end);
        }
        let lists_end = place.lists_at.saturating_add(end as u64);
        self.lists = self.pages.lists(place.lists_at..lists_end)?;
        self.next_leaf += 1;
        self.at_hand = 0;
        Ok(self.leaf.len() > 0)
    }

    fn gather(&self, targets: &[Option<Kept>], gathered: &mut Gathered) {
        let first = self.leaf.blocks_before(self.at_hand).len();
        let before = first.checked_sub(1).and_then(|at| self.list_ends.get(at));
        let mut start = before.copied().unwrap_or(0);
        // Lists that lie side by side are copied at once.
        let mut run = start..start;
        let ends = self.list_ends.get(first..).unwrap_or_default();
        let blocks = self.leaf.blocks(self.at_hand).unwrap_or_default();
        for (of_block, end) in blocks.iter().zip(ends) {
            let target = targets.get(of_block.block as usize);
            if let Some(Some(kept)) = target {
                gathered.blocks.push(BlockCount {
                    block: kept.block,
                    count: of_block.count,
                });
                if run.end != start {
                    gathered.push_lists(self.lists.get(run));
                    run = start..start;
                }
                run.end = *end;
            }
            start = *end;
        }
        gathered.push_lists(self.lists.get(run));
    }
}

impl Gathered {
    fn push_lists(&mut self, lists: Option<&[u8]>) {
        self.lists.extend_from_slice(lists.unwrap_or_default());
    }

    pub(super) fn clear(&mut self) {
        self.blocks.clear();
        self.lists.clear();
    }

    /// Puts the lists in order of the blocks, which have so many texts.
    pub(super) fn sort(&mut self, texts: &[u32]) {
        if self.blocks.is_sorted_by_key(|of_block| of_block.block) {
            return;
        }
        let mut start = 0;
        for of_block in self.blocks.drain(..) {
            let texts = texts.get(of_block.block as usize).copied();
            let end = start + list::encoded_bytes(of_block.count, texts.unwrap_or(0));
            self.ranges.push((of_block, start..end));
            start = end;
        }
        self.ranges
            .sort_unstable_by_key(|(of_block, _)| of_block.block);
        std::mem::swap(&mut self.lists, &mut self.unsorted);
        self.lists.clear();
        for (of_block, range) in self.ranges.drain(..) {
            self.blocks.push(of_block);
            let list = self.unsorted.get(range);
            self.lists.extend_from_slice(list.unwrap_or_default());
        }
    }
}
