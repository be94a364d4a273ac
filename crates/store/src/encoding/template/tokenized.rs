//! The texts of a column taken apart, so that what follows works on numbers.
//!
//! Runs with a digit are the *numbers* of a text; they differ too often for it to be worth looking for their like. Without them a text is
//! an *outline*, of which there are far fewer than texts: words are found and counted, and templates made, outline by outline.

use std::ops::Range;

use super::slots::number;
use crate::column::ScalarKind;
use crate::postings::words::{Found, each_word};
use crate::template::{Marks, PLACEHOLDER, Run};
use crate::tokens::{BlockTokens, WordHash};
use crate::value_key::{KeyNumbers, ValueKey};

/// A piece of text: the index of a separator or word; or, from [`FIRST_NUMBER`] on, which of the numbers of its text it is, or of all
/// numbers. A block has fewer than 2^30 bytes of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in super::super) struct TokenId(u32);

const FIRST_NUMBER: u32 = 1 << 31;

impl TokenId {
    /// Stands for a slot in a sequence of tokens.
    pub(super) const SLOT: TokenId = TokenId(u32::MAX);

    fn of_number(index: u32) -> TokenId {
        TokenId(FIRST_NUMBER | index)
    }

    /// What tells it apart from others.
    #[inline]
    pub(super) fn bits(self) -> u64 {
        self.0.into()
    }

    /// The index of a number.
    #[inline]
    pub(super) fn number(self) -> Option<usize> {
        self.0.checked_sub(FIRST_NUMBER).map(|index| index as usize)
    }

    /// The same token among those of all texts, of a text whose first number is this one.
    #[inline]
    fn among_all(self, first_number: u32) -> TokenId {
        match self.number() {
            Some(_) => TokenId(self.0 + first_number),
            None => self,
        }
    }

    /// The index among [`Tokenized::tokens`] of any other token.
    #[inline]
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The index of an outline.
pub(super) type OutlineId = u32;

/// Texts taken apart at the borders of their runs.
#[derive(Debug, Default)]
pub(in super::super) struct Tokenized<'a> {
    tokens: Vec<Token<'a>>,
    outlines: Vec<Outline>,
    /// The tokens of all outlines. What stands between two runs is left out if it is one space, as it mostly is.
    sequence: Vec<TokenId>,
    texts: Vec<TextParts>,
    numbers: Vec<Number>,
    /// What they say, together: many are read in another order than they come.
    number_text: Vec<u8>,
    /// The listed words of all numbers.
    listed: Vec<Found<'a>>,
}

/// What a text is made of.
#[derive(Clone, Copy, Debug)]
struct TextParts {
    outline: OutlineId,
    first_number: u32,
}

/// What texts have in common that differ in their numbers only.
#[derive(Debug)]
struct Outline {
    /// Where in [`Tokenized::sequence`] its tokens begin and end.
    start: usize,
    end: usize,
    texts: u32,
}

/// A separator or a word.
#[derive(Debug)]
pub(super) struct Token<'a> {
    text: &'a str,
    pub(super) kind: TokenKind,
    /// How often it occurs in the column.
    pub(super) count: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// What stands between runs.
    Separator,
    /// A run without a digit.
    Word,
}

/// A run with a digit, of which all begins where that of the one before ends.
#[derive(Clone, Copy, Debug, Default)]
struct Number {
    text_end: u32,
    listed_end: u32,
}

/// Between two runs it goes without saying.
const USUAL_SEPARATOR: u8 = b' ';

impl<'a> Tokenized<'a> {
    /// Takes texts apart, and adds their words to `block_words`.
    pub(in super::super) fn of(texts: &[&'a str], block_words: &mut BlockTokens) -> Tokenized<'a> {
        /// Of a log message.
        const NUMBERS_USUAL: usize = 3;
        const NUMBER_BYTES_USUAL: usize = 10;
        const WORDS_USUAL: usize = 2;
        /// Of what is kept once for each outline, by text.
        const OUTLINE_BYTES_USUAL: usize = 16;
        const OUTLINE_TOKENS_USUAL: usize = 3;
        const TEXTS_PER_OUTLINE: usize = 4;
        const TEXTS_PER_TOKEN: usize = 2;
        let mut tokenizer = Tokenizer {
            hasher: rapidhash::fast::RandomState::new(),
            known_outlines: KeyNumbers::with_capacity(texts.len() / TEXTS_PER_OUTLINE),
            outline_ends: Vec::with_capacity(texts.len() / TEXTS_PER_OUTLINE),
            outline_text: Vec::with_capacity(texts.len() * OUTLINE_BYTES_USUAL),
            known_tokens: KeyNumbers::with_capacity(texts.len() / TEXTS_PER_TOKEN),
            block_words,
            made: Tokenized {
                texts: Vec::with_capacity(texts.len()),
                numbers: Vec::with_capacity(texts.len() * NUMBERS_USUAL),
                number_text: Vec::with_capacity(texts.len() * NUMBERS_USUAL * NUMBER_BYTES_USUAL),
                listed: Vec::with_capacity(texts.len() * WORDS_USUAL),
                sequence: Vec::with_capacity(texts.len() * OUTLINE_TOKENS_USUAL),
                ..Tokenized::default()
            },
        };
        let mut marks = Marks::default();
        for texts in texts.chunks(TEXTS_AT_ONCE) {
            fetch(texts);
            for text in texts {
                marks.mark(text);
                tokenizer.push_text(text, &marks);
            }
        }
        tokenizer.made.count_tokens();
        tokenizer.made
    }

    /// A token occurs in every text of its outline.
    fn count_tokens(&mut self) {
        for outline in &self.outlines {
            let tokens = self.sequence.get(outline.start..outline.end);
            for id in tokens.unwrap_or_default() {
                if let Some(token) = self.tokens.get_mut(id.index()) {
                    token.count += outline.texts;
                }
            }
        }
    }

    /// How many texts there are.
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    /// By text, its outline.
    pub(super) fn outlines(&self) -> impl Iterator<Item = OutlineId> {
        self.texts.iter().map(|text| text.outline)
    }

    /// How many outlines there are.
    pub(super) fn outline_count(&self) -> usize {
        self.outlines.len()
    }

    /// How many texts have an outline.
    pub(super) fn texts_of_outline(&self, id: OutlineId) -> u32 {
        let outline = self.outlines.get(id as usize);
        outline.map_or(0, |outline| outline.texts)
    }

    /// The tokens of an outline. Numbers are those of a text.
    pub(super) fn of_outline(&self, id: OutlineId) -> &[TokenId] {
        let outline = self.outlines.get(id as usize);
        let tokens = outline.and_then(|outline| self.sequence.get(outline.start..outline.end));
        tokens.unwrap_or_default()
    }

    /// The tokens at some places of a text. Numbers are those of all texts.
    #[inline]
    pub(super) fn of_text(&self, row: u32, places: &[usize]) -> impl Iterator<Item = TokenId> {
        let (tokens, first_number) = self.outline_of(row);
        places.iter().map(move |place| {
            let id = tokens.get(*place);
            id.map_or(TokenId::SLOT, |id| id.among_all(first_number))
        })
    }

    /// The tokens of the outline of a text, and its first number.
    #[inline]
    fn outline_of(&self, row: u32) -> (&[TokenId], u32) {
        let text = self.texts.get(row as usize);
        let tokens = text.map(|text| (self.of_outline(text.outline), text.first_number));
        tokens.unwrap_or_default()
    }

    /// The separators and words.
    pub(super) fn tokens(&self) -> &[Token<'a>] {
        &self.tokens
    }

    /// How many listed words all numbers have.
    pub(super) fn listed_of_numbers(&self) -> usize {
        self.listed.len()
    }

    /// The listed words of a number, and how many there are of the numbers before it.
    #[inline]
    pub(super) fn listed(&self, number: usize) -> (usize, &[Found<'a>]) {
        let (before, number) = self.number(number);
        let start = before.listed_end as usize;
        let listed = self.listed.get(start..number.listed_end as usize);
        (start, listed.unwrap_or_default())
    }

    /// The number before a number, and this one.
    #[inline]
    fn number(&self, number: usize) -> (Number, Number) {
        let number_of = |number: usize| self.numbers.get(number).copied().unwrap_or_default();
        let before = number.checked_sub(1).map(number_of);
        (before.unwrap_or_default(), number_of(number))
    }

    /// Whether a token is a run without a digit.
    pub(super) fn is_word(&self, id: TokenId) -> bool {
        let token = self.tokens.get(id.index());
        token.is_some_and(|token| token.kind == TokenKind::Word)
    }

    /// Whether a token is a run.
    pub(super) fn is_run(&self, id: TokenId) -> bool {
        id.number().is_some() || self.is_word(id)
    }

    /// What a token says.
    #[inline]
    pub(super) fn text(&self, id: TokenId) -> &[u8] {
        let text = match id.number() {
            Some(number) => {
                let (before, number) = self.number(number);
                let range = before.text_end as usize..number.text_end as usize;
                self.number_text.get(range)
            }
            None => Some(self.word_or_separator(id).as_bytes()),
        };
        text.unwrap_or_default()
    }

    /// The same of a token that is no number.
    pub(super) fn word_or_separator(&self, id: TokenId) -> &'a str {
        let token = self.tokens.get(id.index());
        token.map_or("", |token| token.text)
    }

    /// What a sequence of tokens says, with `slot` for the slots.
    pub(super) fn spelled(&self, sequence: &[TokenId], slot: &str) -> Option<String> {
        let mut spelled = Vec::new();
        let mut is_after_run = false;
        for id in sequence {
            let is_run = *id == TokenId::SLOT || self.is_run(*id);
            if is_run && is_after_run {
                spelled.push(USUAL_SEPARATOR);
            }
            spelled.extend(match *id {
                TokenId::SLOT => slot.as_bytes(),
                id => self.text(id),
            });
            is_after_run = is_run;
        }
        String::from_utf8(spelled).ok()
    }
}

/// Texts lie apart from each other, with the rest of their events between them: so many are fetched at the same time.
const TEXTS_AT_ONCE: usize = 32;

/// Has memory bring texts to the core. Most are shorter than two lines of the cache.
fn fetch(texts: &[&str]) {
    let ends = texts
        .iter()
        .filter_map(|text| Some(text.as_bytes().first()? ^ text.as_bytes().last()?));
    std::hint::black_box(ends.fold(0, |all, byte| all ^ byte));
}

/// Appends a piece of a text. A short one, as most are, is copied with what lies behind it, in one step of a length that the compiler
/// knows, and that is taken back.
#[inline]
fn push_piece(text: &[u8], piece: Range<usize>, out: &mut Vec<u8>) {
    const LANES: usize = 16;
    let end = out.len() + piece.len();
    let tail = text.get(piece.start..).unwrap_or_default();
    match tail.first_chunk::<LANES>() {
        Some(lanes) if piece.len() <= LANES => {
            out.extend_from_slice(lanes);
            out.truncate(end);
        }
        _ => out.extend_from_slice(text.get(piece).unwrap_or_default()),
    }
}

/// Adds the words of a part of a text, between two boundaries of words, to those of the block, and visits the listed ones, whose places are
/// those in the part.
pub(super) fn add_words<'a>(
    (text, part): (&'a str, &Range<usize>),
    marks: &Marks,
    block_words: &mut BlockTokens,
    mut visit: impl FnMut(Found<'a>),
) {
    let is_ascii = marks.is_ascii();
    marks.each_word(part, |word| {
        let hash = WordHash::at(text.as_bytes(), word.range.clone());
        block_words.add_word(hash);
        if is_ascii && !word.has_digit {
            let start = word.range.start - part.start;
            let text = text.get(word.range).unwrap_or_default();
            visit(Found { text, start });
        }
    });
    if !is_ascii {
        // Letters of other scripts make other words.
        each_word(text.get(part.clone()).unwrap_or_default(), visit);
    }
}

/// Takes texts apart one by one.
struct Tokenizer<'a, 'b> {
    hasher: rapidhash::fast::RandomState,
    known_outlines: KeyNumbers,
    /// All outlines one after the other, with a placeholder for each number; and behind them that of the text at hand.
    outline_text: Vec<u8>,
    outline_ends: Vec<usize>,
    /// By index of the token.
    known_tokens: KeyNumbers,
    block_words: &'b mut BlockTokens,
    made: Tokenized<'a>,
}

impl<'a> Tokenizer<'a, '_> {
    fn push_text(&mut self, text: &'a str, marks: &Marks) {
        let first_number = number(self.made.numbers.len());
        self.outline_text
            .truncate(self.outline_ends.last().copied().unwrap_or(0));
        let mut at = 0;
        marks.each_number(|number| {
            push_piece(text.as_bytes(), at..number.start, &mut self.outline_text);
            self.outline_text.extend(PLACEHOLDER.as_bytes());
            at = number.end;
            self.push_number(text, &number, marks);
        });
        push_piece(text.as_bytes(), at..text.len(), &mut self.outline_text);
        let outline = self.outline(text, marks);
        self.made.texts.push(TextParts {
            outline,
            first_number,
        });
    }

    fn push_number(&mut self, text: &'a str, range: &Range<usize>, marks: &Marks) {
        let listed = &mut self.made.listed;
        add_words((text, range), marks, self.block_words, |word| {
            listed.push(word)
        });
        push_piece(text.as_bytes(), range.clone(), &mut self.made.number_text);
        self.made.numbers.push(Number {
            text_end: number(self.made.number_text.len()),
            listed_end: number(self.made.listed.len()),
        });
    }

    /// The outline of the text at hand, which is made if there is none.
    fn outline(&mut self, text: &'a str, marks: &Marks) -> OutlineId {
        let ends = &self.outline_ends;
        let outline_at = |index: usize| {
            let start = index.checked_sub(1).and_then(|before| ends.get(before));
            let start = start.copied().unwrap_or(0);
            let end = ends.get(index).copied();
            self.outline_text
                .get(start..end.unwrap_or(self.outline_text.len()))
        };
        let wanted = outline_at(ends.len());
        let key = ValueKey::of_text(wanted.unwrap_or_default(), ScalarKind::Str, &self.hasher);
        let is_same = |index: usize| outline_at(index) == wanted;
        match self.known_outlines.find(key, is_same) {
            Ok(id) => {
                if let Some(outline) = self.made.outlines.get_mut(id as usize) {
                    outline.texts += 1;
                }
                id
            }
            Err(vacant) => {
                self.known_outlines.add(vacant);
                self.outline_ends.push(self.outline_text.len());
                self.push_outline(text, marks)
            }
        }
    }

    fn push_outline(&mut self, text: &'a str, marks: &Marks) -> OutlineId {
        let start = self.made.sequence.len();
        let mut numbers = 0;
        let mut at = 0;
        marks.each_run(|run| {
            let between = text.get(at..run.range.start).unwrap_or_default();
            if at == 0 || between.as_bytes() != [USUAL_SEPARATOR] {
                self.push_separator(between);
            }
            at = run.range.end;
            let id = match run.has_digit {
                true => {
                    numbers += 1;
                    TokenId::of_number(numbers - 1)
                }
                false => self.word(text, &run, marks),
            };
            self.made.sequence.push(id);
        });
        self.push_separator(text.get(at..).unwrap_or_default());
        self.made.outlines.push(Outline {
            start,
            end: self.made.sequence.len(),
            texts: 1,
        });
        number(self.made.outlines.len() - 1)
    }

    fn push_separator(&mut self, separator: &'a str) {
        if !separator.is_empty() {
            let id = self.token(separator, TokenKind::Separator);
            self.made.sequence.push(id);
        }
    }

    /// The token of a run without a digit. Its words are those of the block the first time it comes.
    fn word(&mut self, text: &'a str, run: &Run, marks: &Marks) -> TokenId {
        let known = self.made.tokens.len();
        let word = text.get(run.range.clone()).unwrap_or_default();
        let id = self.token(word, TokenKind::Word);
        if id.index() == known {
            marks.each_word(&run.range, |word| {
                let hash = WordHash::at(text.as_bytes(), word.range);
                self.block_words.add_word(hash);
            });
        }
        id
    }

    /// The token with this text, which is made if there is none.
    fn token(&mut self, text: &'a str, kind: TokenKind) -> TokenId {
        let key = ValueKey::of_text(text.as_bytes(), ScalarKind::Str, &self.hasher);
        let tokens = &mut self.made.tokens;
        let is_same = |index: usize| tokens.get(index).is_some_and(|token| token.text == text);
        match self.known_tokens.find(key, is_same) {
            Ok(index) => TokenId(index),
            Err(vacant) => {
                self.known_tokens.add(vacant);
                let count = 0;
                tokens.push(Token { text, kind, count });
                TokenId(number(tokens.len() - 1))
            }
        }
    }
}
