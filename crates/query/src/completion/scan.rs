//! The text before the place, cut into pieces as far as it can be.

use std::ops::Range;

use super::{Expected, filter, stage};

/// A piece of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) kind: PieceKind,
    pub(super) span: Range<usize>,
    /// Quotes and escapes undone.
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PieceKind {
    Word,
    Quoted,
    /// A quote that is not closed.
    OpenQuote,
    /// A regular expression, closed or not.
    Regex,
    Operator,
    /// `(`, `)`, `,`, `|`, `||`, `&&`, a bracket.
    Mark,
}

/// The text in pieces.
#[derive(Debug)]
pub(super) struct Scan<'q> {
    text: &'q str,
    pub(super) pieces: Vec<Piece>,
    /// Whether nothing but white space follows the last piece, and some does.
    pub(super) is_after_space: bool,
}

/// The word at the place.
pub(super) struct WordAtEnd {
    pub(super) start: usize,
    pub(super) text: String,
    pub(super) is_quoted: bool,
}

const OPERATORS: [&str; 12] = [
    "!=", "!:", "!~", ":=", "=~", "==", ">=", "<=", ":", "=", ">", "<",
];

impl<'q> Scan<'q> {
    pub(super) fn of(text: &'q str) -> Scan<'q> {
        let mut scan = Scan {
            text,
            pieces: Vec::new(),
            is_after_space: false,
        };
        let mut at = 0;
        while at < text.len() {
            at = scan.piece(at);
        }
        scan
    }

    /// Reads a piece or white space; says where it ends, always further on.
    fn piece(&mut self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        let Some(first) = rest.chars().next() else {
            return self.text.len();
        };
        self.is_after_space = first.is_whitespace();
        if first.is_whitespace() {
            return at + first.len_utf8();
        }
        let is_value = self.is_before_value();
        if first == '"' {
            return self.quoted(at, rest);
        }
        if first == '/' && is_value {
            return self.regex(at, rest);
        }
        if let Some(mark) = ["||", "&&", "|", "(", ")", ",", "[", "]", "{", "}"]
            .into_iter()
            .find(|mark| rest.starts_with(mark))
        {
            return self.push(PieceKind::Mark, at..at + mark.len(), mark.to_owned());
        }
        let operator = OPERATORS
            .into_iter()
            .find(|operator| rest.starts_with(operator));
        // A comparison may stand behind a colon.
        let is_compared = rest.starts_with(['<', '>']) && self.has_last(":");
        if let Some(operator) = operator.filter(|_| !is_value || is_compared) {
            let span = at..at + operator.len();
            return self.push(PieceKind::Operator, span, operator.to_owned());
        }
        self.word(at, rest, is_value)
    }

    /// Whether an operator stands before, so that what follows is a value, in which most characters stand for themselves.
    fn is_before_value(&self) -> bool {
        let mut before = self.pieces.iter().rev();
        let last = before.next();
        last.is_some_and(|piece| piece.kind == PieceKind::Operator)
    }

    fn has_last(&self, text: &str) -> bool {
        self.pieces.last().is_some_and(|piece| piece.text == text)
    }

    fn push(&mut self, kind: PieceKind, span: Range<usize>, text: String) -> usize {
        let end = span.end;
        self.pieces.push(Piece { kind, span, text });
        end
    }

    fn quoted(&mut self, at: usize, rest: &str) -> usize {
        let mut text = String::new();
        let mut characters = rest.char_indices().skip(1).peekable();
        while let Some((index, c)) = characters.next() {
            match c {
                '"' => return self.push(PieceKind::Quoted, at..at + index + 1, text),
                '\\' if matches!(characters.peek(), Some((_, '"' | '\\'))) => {
                    text.extend(characters.next().map(|(_, escaped)| escaped));
                }
                c => text.push(c),
            }
        }
        self.push(PieceKind::OpenQuote, at..at + rest.len(), text)
    }

    fn regex(&mut self, at: usize, rest: &str) -> usize {
        let mut is_escaped = false;
        for (index, c) in rest.char_indices().skip(1) {
            match c {
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = true,
                '/' => return self.push(PieceKind::Regex, at..at + index + 1, String::new()),
                _ => {}
            }
        }
        self.push(PieceKind::Regex, at..at + rest.len(), String::new())
    }

    fn word(&mut self, at: usize, rest: &str, is_value: bool) -> usize {
        let mut text = String::new();
        let mut characters = rest.char_indices().peekable();
        let mut end = rest.len();
        while let Some((index, c)) = characters.next() {
            let is_operator = !is_value && index > 0 && matches!(c, ':' | '=' | '<' | '>' | '!');
            if c.is_whitespace() || matches!(c, '"' | '(' | ')' | '|' | ',') || is_operator {
                end = index;
                break;
            }
            match characters.peek() {
                Some((_, escaped))
                    if c == '\\' && (escaped.is_ascii_punctuation() || *escaped == ' ') =>
                {
                    text.push(*escaped);
                    characters.next();
                }
                _ => text.push(c),
            }
        }
        // A `!` that begins no operator, say.
        let end = end.max(rest.chars().next().map_or(1, char::len_utf8));
        self.push(PieceKind::Word, at..at + end, text)
    }

    /// The word that the place is in or at the end of; empty where a new one begins.
    pub(super) fn word_at_end(&self) -> WordAtEnd {
        match self.typing() {
            Some(piece) => WordAtEnd {
                start: piece.span.start,
                text: piece.text.clone(),
                is_quoted: piece.kind == PieceKind::OpenQuote,
            },
            None => WordAtEnd {
                start: self.text.len(),
                text: String::new(),
                is_quoted: false,
            },
        }
    }

    /// The piece that is being typed.
    fn typing(&self) -> Option<&Piece> {
        let last = self.pieces.last()?;
        let is_word = matches!(last.kind, PieceKind::Word if !self.is_after_space);
        (is_word || last.kind == PieceKind::OpenQuote).then_some(last)
    }

    /// What may stand at the place.
    pub(super) fn expected(&self) -> Vec<Expected> {
        let last = self.pieces.last();
        if last.is_some_and(|piece| piece.kind == PieceKind::Regex && !self.is_after_space) {
            return Vec::new();
        }
        let done = match self.typing() {
            Some(_) => self.pieces.len() - 1,
            None => self.pieces.len(),
        };
        let done = self.pieces.get(..done).unwrap_or_default();
        let is_bar = |piece: &Piece| piece.kind == PieceKind::Mark && piece.text == "|";
        match done.iter().rposition(is_bar) {
            None => {
                let mut expected = filter::expected(done);
                if filter::is_whole(done) && self.typing().is_none() {
                    expected.push(super::word("|", super::WordKind::Operator));
                }
                expected
            }
            Some(bar) => {
                let before = done.get(bar).map_or(0, |piece| piece.span.start);
                let columns = stage::columns(self.text.get(..before).unwrap_or_default());
                stage::expected(done.get(bar + 1..).unwrap_or_default(), columns.as_deref())
            }
        }
    }
}
