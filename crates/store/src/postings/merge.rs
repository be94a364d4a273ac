//! Makes the posting lists of a segment: of those of blocks, of older segments, or of both. Lists are copied as they are, and go out as
//! they come: of each input only a leaf and its lists are in memory, of what is made only the dictionaries.

mod source;
mod tournament;

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::index::{IndexedColumn, LeafPlace, PostingsPages};
use super::leaf::LeafWriter;
use super::pages::PagesWriter;
use super::{BlockPostings, PostingsIndex};
use crate::encoding::Compressor;
use crate::tokens::{BlockTarget, ReadPages};
use crate::{MergeFailure, ReadFailure};

use source::{Gathered, Source};
use tournament::Tournament;

/// Two of the three sections that hold posting lists, as they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DictionaryBytes {
    pub(crate) index: Vec<u8>,
    /// The leaves of the dictionaries, in pages.
    pub(crate) leaves: Vec<u8>,
}

/// Some of the lists that go into a segment.
#[derive(Debug)]
pub(crate) enum PostingsInput<'a, P> {
    /// Those of one block, and its index in the segment.
    Block(&'a BlockPostings, u32),
    /// Those of a segment, and what becomes of each of its blocks.
    Segment(&'a PostingsIndex, &'a PostingsPages<P>, &'a [BlockTarget]),
}

/// Writes the lists of a segment made of these, in pages, and gives what finds them; `None` if there are none.
pub(crate) fn merge<P: ReadPages>(
    inputs: &[PostingsInput<'_, P>],
    lists: &mut impl Write,
) -> Result<Option<DictionaryBytes>, MergeFailure> {
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
    let mut writer = Writer::new(lists);
    for (path, sources) in by_path {
        writer.push_column(path, sources)?;
    }
    writer.finish().map_err(MergeFailure::Write)
}

/// Writes the words of column after column.
struct Writer<'w, W> {
    compressor: Compressor,
    columns: Vec<IndexedColumn>,
    leaves: PagesWriter<Vec<u8>>,
    lists: PagesWriter<&'w mut W>,
}

/// A column being written.
struct OpenColumn {
    column: IndexedColumn,
    leaf: LeafWriter,
    /// Where the lists of the leaf begin.
    lists_at: u64,
}

impl<'w, W: Write> Writer<'w, W> {
    fn new(lists: &'w mut W) -> Writer<'w, W> {
        Writer {
            compressor: Compressor::new(),
            columns: Vec::new(),
            leaves: PagesWriter::new(Vec::new()),
            lists: PagesWriter::new(lists),
        }
    }

    fn push_column<P: ReadPages>(
        &mut self,
        path: &str,
        sources: Vec<Source<'_, P>>,
    ) -> Result<(), MergeFailure> {
        let kept = sources.iter().flat_map(Source::kept);
        let mut blocks: Vec<(u32, u32)> = kept.map(|kept| (kept.block, kept.texts)).collect();
        if blocks.is_empty() {
            return Ok(());
        }
        blocks.sort_unstable();
        let (blocks, texts): (Vec<u32>, Vec<u32>) = blocks.into_iter().unzip();
        let mut open = OpenColumn {
            column: IndexedColumn {
                path: path.into(),
                blocks,
                texts,
                leaves: Vec::new(),
            },
            leaf: LeafWriter::default(),
            lists_at: self.lists.plain_bytes(),
        };
        let mut with_words = Vec::with_capacity(sources.len());
        for mut source in sources {
            if source.begin(&open.column.blocks)? {
                with_words.push(source);
            }
        }
        if !with_words.is_empty() {
            self.push_words(&mut open, &mut with_words)?;
        }
        self.close_leaf(&mut open).map_err(MergeFailure::Write)?;
        self.columns.push(open.column);
        Ok(())
    }

    fn push_words<P: ReadPages>(
        &mut self,
        open: &mut OpenColumn,
        sources: &mut [Source<'_, P>],
    ) -> Result<(), MergeFailure> {
        let mut tournament = Tournament::new(sources.len(), sources);
        let mut word: Vec<u8> = Vec::new();
        let mut gathered = Gathered::default();
        while let Some(winner) = tournament.winner()
            && let Some(source) = sources.get_mut(winner)
        {
            if source.word() != word {
                self.push_word(open, &word, &mut gathered)?;
                word.clear();
                word.extend_from_slice(source.word());
            }
            source.gather(&mut gathered);
            let shared = source.advance(&word)?;
            tournament.advance(shared, sources);
        }
        self.push_word(open, &word, &mut gathered)
    }

    /// Writes the lists of a word, unless none stays.
    fn push_word(
        &mut self,
        open: &mut OpenColumn,
        word: &[u8],
        gathered: &mut Gathered,
    ) -> Result<(), MergeFailure> {
        if gathered.blocks.is_empty() {
            return Ok(());
        }
        gathered.sort(&open.column.texts);
        let written = self.lists.push(&gathered.lists);
        written.map_err(MergeFailure::Write)?;
        let not_text = |_| ReadFailure::Malformed("a word that is no text".to_owned());
        let word = std::str::from_utf8(word).map_err(not_text)?;
        open.leaf.push(word, &gathered.blocks);
        gathered.clear();
        if open.leaf.is_full() {
            self.close_leaf(open).map_err(MergeFailure::Write)?;
        }
        Ok(())
    }

    /// Ends the leaf, if there is anything in it.
    fn close_leaf(&mut self, open: &mut OpenColumn) -> io::Result<()> {
        let leaf = std::mem::take(&mut open.leaf);
        if leaf.is_empty() {
            return Ok(());
        }
        let start = self.leaves.plain_bytes();
        let first = leaf.first().into();
        self.leaves.push(&leaf.finish(&mut self.compressor))?;
        open.column.leaves.push(LeafPlace {
            first,
            bytes: start..self.leaves.plain_bytes(),
            lists_at: open.lists_at,
        });
        open.lists_at = self.lists.plain_bytes();
        Ok(())
    }

    fn finish(self) -> io::Result<Option<DictionaryBytes>> {
        self.lists.finish()?;
        let leaves = self.leaves.finish()?;
        if self.columns.is_empty() {
            return Ok(None);
        }
        Ok(Some(DictionaryBytes {
            index: PostingsIndex::new(self.columns).encode(),
            leaves,
        }))
    }
}
