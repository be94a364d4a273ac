//! The texts of a column of one block that hold the words of a test, as its inverted index lists them.

use std::cell::OnceCell;

use cordwood_store::template::TemplateUses;

use crate::evaluate::Failure;
use crate::evaluate::templates::WordIndex;

/// What the index lists, looked up word by word when it is asked for.
#[derive(Debug)]
pub(crate) struct ListedTexts {
    /// `None` of a word that is rare.
    of_word: Vec<OnceCell<Option<Vec<u32>>>>,
    /// By code, the number of its first text, and how many texts there are.
    starts: Vec<u32>,
}

impl ListedTexts {
    /// Of so many words.
    pub(crate) fn new(words: usize, uses: &TemplateUses) -> ListedTexts {
        let mut starts = Vec::with_capacity(uses.uses().len() + 2);
        let mut start = 0;
        for rows in uses.rows_by_code() {
            starts.push(start);
            start += rows;
        }
        starts.push(start);
        ListedTexts {
            of_word: vec![OnceCell::new(); words],
            starts,
        }
    }

    /// The texts of a word, which `look_up` finds the first time.
    pub(crate) fn of(
        &self,
        word: WordIndex,
        look_up: impl FnOnce() -> Result<Option<Vec<u32>>, Failure>,
    ) -> Result<Option<TextsOfWord<'_>>, Failure> {
        let cell = &self.of_word[word];
        let listed = match cell.get() {
            Some(listed) => listed,
            None => {
                let listed = look_up()?;
                cell.get_or_init(|| listed)
            }
        };
        Ok(listed.as_ref().map(|texts| TextsOfWord {
            texts,
            starts: &self.starts,
        }))
    }
}

/// The texts that hold a word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextsOfWord<'a> {
    /// Rising.
    texts: &'a [u32],
    starts: &'a [u32],
}

impl<'a> TextsOfWord<'a> {
    /// The places of those with a code.
    pub(crate) fn of_code(self, code: usize) -> impl Iterator<Item = usize> + 'a {
        let (start, end) = (self.starts[code], self.starts[code + 1]);
        let first = self.texts.partition_point(|text| *text < start);
        let texts = self.texts[first..].iter().copied();
        texts
            .take_while(move |text| *text < end)
            .map(move |text| (text - start) as usize)
    }
}
