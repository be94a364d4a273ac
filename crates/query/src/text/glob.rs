//! Wildcard patterns compiled: tested against a whole value and each whitespace-separated word in it.

use super::finder::Finder;
use super::fold::{first_char, fold, last_char, next_char};
use crate::interrupt::Pace;
use crate::{GlobToken, Interrupt, RequiredWords, Wildcard};

/// So many characters are compared between two looks at the interrupt: less than a tenth of a millisecond.
const UNINTERRUPTED_STEPS: usize = 1 << 14;

/// A wildcard pattern, compiled.
#[derive(Clone, Debug)]
pub struct WildcardPattern {
    /// Characters folded.
    tokens: Box<[GlobToken]>,
    /// The longest literal part: no value matches without it.
    literal: Option<Finder>,
    shape: Shape,
}

/// What a match comes down to once the literal is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// `*literal*`: nothing more.
    Infix,
    /// `literal*` without whitespace: it stands where a word begins.
    Prefix,
    /// `*literal` without whitespace: it stands where a word ends.
    Suffix,
    /// Anything else that begins and ends with `*`: a word that matches makes the whole value match.
    Whole,
    /// Whole value and words are tested each.
    WholeOrWord,
}

impl WildcardPattern {
    /// Compiles a pattern.
    pub fn new(wildcard: &Wildcard) -> WildcardPattern {
        let tokens: Box<[GlobToken]> = wildcard
            .tokens()
            .iter()
            .map(|token| match token {
                GlobToken::Char(c) => GlobToken::Char(fold(*c)),
                other => *other,
            })
            .collect();
        let literal = longest_literal(&tokens);
        WildcardPattern {
            shape: Shape::of(&tokens),
            literal: (!literal.is_empty()).then(|| Finder::new(&literal)),
            tokens,
        }
    }

    /// The longest literal part, folded: no value matches without it.
    pub fn literal(&self) -> Option<String> {
        let literal = self.literal.as_ref()?;
        Some(literal.literal().iter().collect())
    }

    /// Whether it begins and ends with `*`, so that a value matches if any part of it does.
    pub fn is_open(&self) -> bool {
        matches!(self.shape, Shape::Infix | Shape::Whole)
    }

    /// Whether it is a literal between `*`, so that a value matches if it contains the literal, and only then.
    pub fn is_infix(&self) -> bool {
        self.shape == Shape::Infix
    }

    /// The words without which no text and no number matches.
    pub(crate) fn required_words(&self) -> RequiredWords {
        RequiredWords::of_wildcard(&self.tokens)
    }

    /// Whether the value as a whole, or one word in it, matches.
    pub fn matches(&self, value: &str) -> bool {
        self.matches_unless(&Interrupt::default(), value)
    }

    /// The same, unless interrupted.
    pub(crate) fn matches_unless(&self, interrupt: &Interrupt, value: &str) -> bool {
        let mut pace = interrupt.every(UNINTERRUPTED_STEPS);
        self.matches_bytes(value.as_bytes(), 0, &mut pace)
    }

    /// Calls `select` with the index of each value that matches, in order, unless interrupted. The values lie end to end in
    /// `run`; `ends` holds where each of them ends.
    pub(crate) fn select(
        &self,
        run: &[u8],
        ends: &[u32],
        interrupt: &Interrupt,
        select: &mut dyn FnMut(usize),
    ) {
        let mut pace = interrupt.every(UNINTERRUPTED_STEPS);
        match &self.literal {
            Some(literal) => super::select_by_candidates(
                run,
                ends,
                |from| literal.find(run, from).map(|found| found.start),
                |value, from| self.matches_bytes(value, from, &mut pace),
                select,
            ),
            None => super::each_value(run, ends, &mut |index, value| {
                if self.matches_bytes(value, 0, &mut pace) {
                    select(index);
                }
            }),
        }
    }

    /// Whether `value` matches, given that the literal does not stand before `from`.
    fn matches_bytes(&self, value: &[u8], from: usize, pace: &mut Pace<'_>) -> bool {
        let Some(literal) = &self.literal else {
            return self.matches_somewhere(value, pace);
        };
        let mut at = from;
        while let Some(found) = literal.find(value, at) {
            let is_match = match self.shape {
                Shape::Infix => true,
                Shape::Prefix => is_word_edge(last_char(&value[..found.start])),
                Shape::Suffix => is_word_edge(first_char(&value[found.end..])),
                Shape::Whole | Shape::WholeOrWord => return self.matches_somewhere(value, pace),
            };
            if is_match {
                return true;
            }
            at = next_char(value, found.start);
        }
        false
    }

    fn matches_somewhere(&self, value: &[u8], pace: &mut Pace<'_>) -> bool {
        if glob(&self.tokens, value, pace) {
            return true;
        }
        self.shape != Shape::Whole
            && words(value).any(|word| word.len() < value.len() && glob(&self.tokens, word, pace))
    }
}

impl Shape {
    fn of(tokens: &[GlobToken]) -> Shape {
        use GlobToken::{AnyRun, Char};
        let is_literal = |part: &[GlobToken]| {
            !part.is_empty() && part.iter().all(|token| matches!(token, Char(_)))
        };
        let is_one_word = |part: &[GlobToken]| {
            is_literal(part)
                && !part
                    .iter()
                    .any(|token| matches!(token, Char(c) if c.is_whitespace()))
        };
        match tokens {
            [AnyRun, inner @ .., AnyRun] if is_literal(inner) => Shape::Infix,
            [AnyRun, .., AnyRun] => Shape::Whole,
            [literal @ .., AnyRun] if is_one_word(literal) => Shape::Prefix,
            [AnyRun, literal @ ..] if is_one_word(literal) => Shape::Suffix,
            _ => Shape::WholeOrWord,
        }
    }
}

/// Whether a word begins after, or ends before, this neighbour.
fn is_word_edge(neighbour: Option<(char, usize)>) -> bool {
    neighbour.is_none_or(|(c, _)| c.is_whitespace())
}

/// The whitespace-separated words of a value.
fn words(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = value;
    std::iter::from_fn(move || {
        while let Some((c, length)) = first_char(rest) {
            if !c.is_whitespace() {
                break;
            }
            rest = &rest[length..];
        }
        let mut end = 0;
        while let Some((c, length)) = first_char(&rest[end..]) {
            if c.is_whitespace() {
                break;
            }
            end += length;
        }
        let (word, tail) = rest.split_at(end);
        rest = tail;
        (!word.is_empty()).then_some(word)
    })
}

/// Whether the whole of `text` matches. Goes back no further than the last `*`, so its time is bounded by
/// the product of both lengths, unless it is given up.
fn glob(tokens: &[GlobToken], text: &[u8], pace: &mut Pace<'_>) -> bool {
    let (mut token, mut at) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if pace.stops(1) {
            return false;
        }
        match tokens.get(token) {
            None if at == text.len() => return true,
            Some(GlobToken::AnyRun) => {
                token += 1;
                retry = Some((token, at));
                continue;
            }
            Some(expected) => {
                if let Some((c, length)) = first_char(&text[at..])
                    && meets(*expected, c)
                {
                    token += 1;
                    at += length;
                    continue;
                }
            }
            None => {}
        }
        let Some((after_run, run_end)) = retry else {
            return false;
        };
        let Some((_, length)) = first_char(&text[run_end..]) else {
            return false;
        };
        (token, at) = (after_run, run_end + length);
        retry = Some((token, at));
    }
}

fn meets(token: GlobToken, c: char) -> bool {
    match token {
        GlobToken::Char(expected) => fold(c) == expected,
        GlobToken::AnyChar | GlobToken::AnyRun => true,
    }
}

fn longest_literal(tokens: &[GlobToken]) -> String {
    let mut longest = String::new();
    let mut current = String::new();
    for token in tokens {
        match token {
            GlobToken::Char(c) => current.push(*c),
            _ => current.clear(),
        }
        if current.len() > longest.len() {
            longest.clone_from(&current);
        }
    }
    longest
}
