//! The texts of a column as sequences of tokens: what follows works on numbers. Words and what stands between runs are kept once each;
//! runs with a digit differ too often for it to be worth looking for their like.

use std::hash::BuildHasher;

use hashbrown::HashTable;

use crate::template::{Run, runs};
use crate::tokens::BlockTokens;

/// The index of a token.
pub(in super::super) type TokenId = u32;

/// Texts taken apart at the borders of their runs.
#[derive(Debug)]
pub(in super::super) struct Tokenized<'a> {
    tokens: Vec<Token<'a>>,
    /// The tokens of all texts. Runs and separators alternate.
    sequence: Vec<TokenId>,
    /// By text, where it begins in `sequence`; and the end of the last.
    starts: Vec<usize>,
}

/// A piece of text.
#[derive(Debug)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) kind: TokenKind,
    /// How often it occurs in the column; of a number, always once.
    pub(super) count: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// What stands between runs.
    Separator,
    /// A run without a digit.
    Word,
    /// A run with a digit.
    Number,
}

impl<'a> Tokenized<'a> {
    pub(in super::super) fn of(texts: &[&'a str]) -> Tokenized<'a> {
        let mut interner = Interner {
            hasher: rapidhash::fast::RandomState::new(),
            ids: HashTable::with_capacity(texts.len()),
            of_byte: [None; 1 << u8::BITS],
            tokens: Vec::with_capacity(texts.len()),
        };
        /// Of a log message.
        const TOKENS_USUAL: usize = 16;
        let mut sequence = Vec::with_capacity(texts.len() * TOKENS_USUAL);
        let mut starts = Vec::with_capacity(texts.len() + 1);
        starts.push(0);
        for text in texts {
            each_token(text, |token, kind| {
                sequence.push(match kind {
                    TokenKind::Number => interner.push(token, kind),
                    TokenKind::Separator => interner.separator_id(token),
                    TokenKind::Word => interner.id(token, kind),
                });
            });
            starts.push(sequence.len());
        }
        Tokenized {
            tokens: interner.tokens,
            sequence,
            starts,
        }
    }

    /// How many texts there are.
    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// The tokens.
    pub(super) fn tokens(&self) -> &[Token<'a>] {
        &self.tokens
    }

    /// The tokens of a text.
    pub(super) fn of_text(&self, row: u32) -> &[TokenId] {
        let range = self
            .starts
            .get(row as usize)
            .zip(self.starts.get(row as usize + 1));
        let tokens = range.and_then(|(start, end)| self.sequence.get(*start..*end));
        tokens.unwrap_or_default()
    }

    pub(super) fn token(&self, id: TokenId) -> Option<&Token<'a>> {
        self.tokens.get(id as usize)
    }

    /// What a token says.
    pub(super) fn text(&self, id: TokenId) -> &'a str {
        self.token(id).map_or("", |token| token.text)
    }

    /// Adds the words of all texts. A word is never longer than a run.
    pub(in super::super) fn add_words(&self, words: &mut BlockTokens) {
        for token in &self.tokens {
            if token.kind != TokenKind::Separator {
                words.add_text(token.text);
            }
        }
    }
}

/// Visits the runs of a text and what is between them.
fn each_token<'a>(text: &'a str, mut visit: impl FnMut(&'a str, TokenKind)) {
    let mut at = 0;
    for Run { range, has_digit } in runs(text) {
        if let Some(separator) = text.get(at..range.start)
            && !separator.is_empty()
        {
            visit(separator, TokenKind::Separator);
        }
        at = range.end;
        let kind = match has_digit {
            true => TokenKind::Number,
            false => TokenKind::Word,
        };
        visit(text.get(range).unwrap_or_default(), kind);
    }
    if let Some(rest) = text.get(at..)
        && !rest.is_empty()
    {
        visit(rest, TokenKind::Separator);
    }
}

struct Interner<'a> {
    hasher: rapidhash::fast::RandomState,
    ids: HashTable<TokenId>,
    /// Of the separators of one byte: most are a space.
    of_byte: [Option<TokenId>; 1 << u8::BITS],
    tokens: Vec<Token<'a>>,
}

impl<'a> Interner<'a> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a block has fewer than 2^30 bytes of text"
    )]
    fn push(&mut self, text: &'a str, kind: TokenKind) -> TokenId {
        let id = self.tokens.len() as TokenId;
        self.tokens.push(Token {
            text,
            kind,
            count: 1,
        });
        id
    }

    fn separator_id(&mut self, text: &'a str) -> TokenId {
        let [byte] = *text.as_bytes() else {
            return self.id(text, TokenKind::Separator);
        };
        let known = self.of_byte.get(usize::from(byte)).copied().flatten();
        let id = known.unwrap_or_else(|| self.push(text, TokenKind::Separator));
        if let Some(known) = self.of_byte.get_mut(usize::from(byte)) {
            *known = Some(id);
        }
        id
    }

    /// The token with this text, made if there is none.
    fn id(&mut self, text: &'a str, kind: TokenKind) -> TokenId {
        let hash = self.hasher.hash_one(text.as_bytes());
        let tokens = &self.tokens;
        let is_same = |id: &TokenId| tokens.get(*id as usize).is_some_and(|t| t.text == text);
        if let Some(id) = self.ids.find(hash, is_same) {
            let id = *id;
            if let Some(token) = self.tokens.get_mut(id as usize) {
                token.count += 1;
            }
            return id;
        }
        let id = self.push(text, kind);
        let (tokens, hasher) = (&self.tokens, &self.hasher);
        let hash_of = |id: &TokenId| {
            let token = tokens.get(*id as usize);
            token.map_or(0, |token| hasher.hash_one(token.text.as_bytes()))
        };
        self.ids.insert_unique(hash, id, hash_of);
        id
    }
}
