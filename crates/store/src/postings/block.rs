//! The posting lists of one block, in memory until a segment takes them over.

use std::sync::Arc;

use super::{ListedWord, list};
use crate::Corrupt;

/// The posting lists of a block, column by column.
#[derive(Clone, Debug, Default)]
pub struct BlockPostings {
    /// Sorted by path.
    columns: Vec<(Arc<str>, ColumnPostings)>,
}

/// Which texts of one column of one block hold a word, for all its words.
#[derive(Clone, Debug)]
pub(crate) struct ColumnPostings {
    /// How many texts the column has.
    texts: u32,
    /// The words one after the other, sorted.
    words: String,
    terms: Vec<Term>,
    /// The lists in the order of the words.
    lists: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Term {
    word_end: u32,
    /// How many texts hold the word.
    count: u32,
    list_end: u32,
}

/// One word of a column and its list.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListedTerm<'a> {
    pub(super) word: &'a str,
    pub(super) count: u32,
    pub(super) list: &'a [u8],
}

impl BlockPostings {
    /// Adds the lists of a column; columns come sorted by path.
    pub(crate) fn push(&mut self, path: Arc<str>, column: ColumnPostings) {
        self.columns.push((path, column));
    }

    /// How many texts of the column of a path (escaped) hold a word; `None` if they are not listed.
    pub fn count_of(&self, path: &str, word: &ListedWord) -> Option<u32> {
        let term = self.column(path)?.find(word.spelled());
        Some(term.map_or(0, |term| term.count))
    }

    /// The ranks of the texts of a column that hold a word, rising.
    pub fn texts_of(&self, path: &str, word: &ListedWord) -> Result<Vec<u32>, Corrupt> {
        let column = self.column(path);
        let term = column.and_then(|column| Some((column, column.find(word.spelled())?)));
        term.map_or(Ok(Vec::new()), |(column, term)| {
            list::decode(term.list, term.count, column.texts)
        })
    }

    pub(super) fn column(&self, path: &str) -> Option<&ColumnPostings> {
        let found = self
            .columns
            .binary_search_by(|(known, _)| (**known).cmp(path));
        let (_, column) = self.columns.get(found.ok()?)?;
        Some(column)
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &Arc<str>> {
        self.columns.iter().map(|(path, _)| path)
    }

    /// What they take in memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        let of_column = |(_, column): &(Arc<str>, ColumnPostings)| {
            column.words.len() + size_of_val(&*column.terms) + column.lists.len()
        };
        self.columns.iter().map(of_column).sum()
    }
}

impl ColumnPostings {
    pub(super) fn new(texts: u32) -> ColumnPostings {
        ColumnPostings {
            texts,
            words: String::new(),
            terms: Vec::new(),
            lists: Vec::new(),
        }
    }

    /// Adds a word that comes after all others, and the texts that hold it, rising. A block has fewer than 2^32 bytes of text and of
    /// lists.
    pub(super) fn push(&mut self, word: &str, texts: &[u32]) {
        self.words.push_str(word);
        list::encode(texts, self.texts, &mut self.lists);
        self.terms.push(Term {
            word_end: narrow(self.words.len()),
            count: narrow(texts.len()),
            list_end: narrow(self.lists.len()),
        });
    }

    pub(super) fn texts(&self) -> u32 {
        self.texts
    }

    pub(super) fn term(&self, index: usize) -> Option<ListedTerm<'_>> {
        let term = self.terms.get(index)?;
        let before = index
            .checked_sub(1)
            .and_then(|before| self.terms.get(before));
        let start = before.map_or((0, 0), |before| (before.word_end, before.list_end));
        Some(ListedTerm {
            word: self.words.get(start.0 as usize..term.word_end as usize)?,
            count: term.count,
            list: self.lists.get(start.1 as usize..term.list_end as usize)?,
        })
    }

    /// Every word, and the texts that hold it.
    #[cfg(test)]
    pub(crate) fn each_decoded(&self) -> impl Iterator<Item = (&str, Result<Vec<u32>, Corrupt>)> {
        let terms = (0..self.terms.len()).filter_map(|index| self.term(index));
        terms.map(|term| {
            let texts = list::decode(term.list, term.count, self.texts);
            (term.word, texts)
        })
    }

    fn find(&self, word: &str) -> Option<ListedTerm<'_>> {
        let (mut low, mut high) = (0, self.terms.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let term = self.term(middle)?;
            match term.word.cmp(word) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(term),
            }
        }
        None
    }
}

fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
