//! The inverted index of a column: which texts hold a word in their slots, or anywhere if they are kept whole.
//!
//! Words of at least [`TEXTS_MIN`] texts are spelled out, each with its posting list, so that what the index says of them needs no look
//! at a text. Of the others it says by a part of their hash which frames may hold them: those are many, and each is rarely asked for.
//! Texts are numbered in the order of their codes, and within a code as they come.

mod read;
mod write;

use super::super::super::bitpack::bit_width;
use super::number;
use crate::tokens::WordHash;
pub(super) use read::Postings;
pub(super) use write::{PostingsWriter, WordId};

/// A word of fewer texts is not worth spelling out.
const TEXTS_MIN: usize = 4;

/// Most postings of a column, 16 for each row of a full block; where long texts have more, the commonest words are listed as the rare ones
/// are.
const POSTINGS_MAX: usize = 1 << 18;

/// The bits of its hash by which a rare word is known in a list, which has some hundreds of them: one in a hundred words that
/// are not there is taken to be.
const RARE_BITS: u32 = 16;

/// Most rare words of a list; a list of more may hold any word.
const RARE_MAX: usize = 1 << 13;

/// Instead of the words of a list that has too many: greater than any.
const ANY_WORD: u32 = 1 << RARE_BITS;

/// The list of rare words in texts that are kept whole.
pub(super) const LIST_OF_WHOLE: u32 = 0;

/// The list of rare words in dictionaries, and in what stands around numbers.
pub(super) const LIST_OF_DISTINCT: u32 = 1;

/// The list of rare pairs of which one word is in a slot and the other in the next.
pub(super) const LIST_BETWEEN_SLOTS: u32 = 2;

/// The list of rare words in a frame.
pub(super) fn list_of_frame(frame: usize) -> u32 {
    number(frame) + 3
}

fn known_by(word: WordHash) -> u32 {
    word.0 >> (u32::BITS - RARE_BITS)
}

/// Posting lists of one class are encoded as one run.
fn class_of(texts: usize) -> u32 {
    bit_width(texts as u64)
}

#[cfg(test)]
mod tests {
    use super::super::super::super::frame::Compressor;
    use super::super::words::{ListedWord, each_word};
    use super::*;
    use crate::template::{TemplateTable, TemplateUses};

    /// The index of texts that are kept whole, given as words of one letter.
    fn index_of(texts: &[&str]) -> Postings {
        let mut writer = PostingsWriter::default();
        for (text, number) in texts.iter().zip(0..) {
            each_word(text, |word| {
                let word = writer.id(word);
                writer.push(word, number, LIST_OF_WHOLE);
            });
        }
        let bytes = writer.encode(list_of_frame(0) as usize, &mut Compressor::new());
        let uses = TemplateUses::new(
            TemplateTable::default().into(),
            Vec::new(),
            number(texts.len()),
        );
        Postings::decode(&bytes.into(), &uses.unwrap()).unwrap()
    }

    fn texts_of(index: &Postings, word: &str) -> Option<Vec<u32>> {
        index.texts_of(&ListedWord::each_of(word)[0]).unwrap()
    }

    #[test]
    fn texts_are_listed_once_and_rising() {
        let index = index_of(&["a b", "A", "b a b", "c", "a", "b", "b", "a"]);
        assert_eq!(texts_of(&index, "a"), Some(vec![0, 1, 2, 4, 7]));
        assert_eq!(texts_of(&index, "B"), Some(vec![0, 2, 5, 6]));
        assert_eq!(texts_of(&index, "c"), None);
        assert_eq!(texts_of(&index, "d"), None);
    }

    #[test]
    fn the_commonest_words_of_too_many_are_known_as_rare_ones() {
        const TEXTS: usize = POSTINGS_MAX / 3;
        let mut texts = vec!["w x y z"; TEXTS];
        texts.extend(["few"; TEXTS_MIN]);
        let index = index_of(&texts);
        assert_eq!(
            texts_of(&index, "few").map(|texts| texts.len()),
            Some(TEXTS_MIN)
        );
        for word in ["w", "x", "y", "z"] {
            assert_eq!(texts_of(&index, word), None);
            let word = &ListedWord::each_of(word)[0];
            assert_eq!(index.may_be_in(LIST_OF_WHOLE, word), Ok(true));
            assert_eq!(index.may_be_in(LIST_OF_DISTINCT, word), Ok(false));
        }
    }
}
