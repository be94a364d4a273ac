//! The form of a text: its words and what stands between them, with a place where something varies by its nature.
//!
//! What is looked at are the runs of slot characters of [`cordwood_store::template`]. Which runs there are, what stands between
//! them, and what is in quotes, is the same in all texts of a template; so the form of a template tells that of its texts, but for
//! slots that may hold words.

use std::cell::Cell;
use std::ops::Range;

use cordwood_store::template::{Run, runs};
use memchr::memchr3;

/// Stands for a place in the text of a form. No form has it as a character, since a line ends before it.
pub(crate) const PLACE: char = '\0';

/// Runs after these are not looked at: a set of them fits in a number, and nobody reads a longer pattern.
const RUNS_MAX: usize = 64;

/// A longer word is content, such as a key in letters.
const WORD_BYTES_MAX: usize = 64;

/// What stands between two words is cut after so many bytes: a line of dashes.
pub(super) const BETWEEN_BYTES_MAX: usize = 64;

/// Letters that are digits of a hexadecimal number make an id when they are so many.
const HEX_LETTERS_MIN: usize = 8;

/// Follows a form that was cut.
pub(super) const CUT: &str = "…";

/// A line ends before one of these.
const ENDS: [char; 3] = ['\n', '\r', PLACE];

/// As many pieces as most texts have: room for them is made at once.
const PIECES_USUAL: usize = 32;

/// Which of its runs, by bits: the first is the lowest.
pub(crate) type Places = u64;

/// A form in pieces.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form<'t> {
    pieces: Vec<Piece<'t>>,
}

/// A piece of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    /// What stands between two runs.
    Between(&'t str),
    /// A run that says something.
    Word(&'t str),
    /// Something that varies, if it is known what.
    Place(&'t str),
    /// The slot of a template, which may hold a word, by its place among the slots.
    Slot(usize),
}

impl<'t> Form<'t> {
    /// The form of a text: of its first line, if it has several.
    pub(crate) fn of_text(text: &'t str) -> Form<'t> {
        Reading::of(text, |text, run, before| match varies(text, run, before) {
            true => Piece::Place(text),
            false => Piece::Word(text),
        })
    }

    /// The form of what the texts of a template have in common, in whose text `0` stands for each slot.
    pub(crate) fn of_template(text: &'t str) -> Form<'t> {
        let slots = Cell::new(0);
        Reading::of(text, |text, run, before| match run.has_digit {
            true => {
                let slot = slots.replace(slots.get() + 1);
                match before.ends_with('=') {
                    true => Piece::Place(text),
                    false => Piece::Slot(slot),
                }
            }
            false if varies(text, run, before) => Piece::Place(text),
            false => Piece::Word(text),
        })
    }

    /// The form whose text this is.
    pub(crate) fn parse(text: &'t str) -> Form<'t> {
        let mut pieces = Vec::new();
        for (index, part) in text.split(PLACE).enumerate() {
            if index > 0 {
                pieces.push(Piece::Place(""));
            }
            let mut at = 0;
            for run in runs(part) {
                push_between(&mut pieces, cut(part, at..run.range.start));
                at = run.range.end;
                pieces.push(Piece::Word(cut(part, run.range)));
            }
            push_between(&mut pieces, cut(part, at..part.len()));
        }
        Form { pieces }
    }

    /// The form as text.
    pub(crate) fn text(&self) -> String {
        self.masked(0)
    }

    /// The text of the form that has a place in the place of some words as well.
    pub(crate) fn masked(&self, places: Places) -> String {
        let lengths = self.pieces.iter().map(|piece| match piece {
            Piece::Between(text) | Piece::Word(text) => text.len(),
            Piece::Place(_) | Piece::Slot(_) => PLACE.len_utf8(),
        });
        let mut text = String::with_capacity(lengths.sum());
        self.push_masked(places, &mut text);
        text
    }

    /// Appends the text of the form.
    pub(crate) fn push_text(&self, out: &mut String) {
        self.push_masked(0, out);
    }

    fn push_masked(&self, places: Places, text: &mut String) {
        let mut run = 0;
        for piece in &self.pieces {
            let is_masked = places.checked_shr(run).unwrap_or(0) & 1 == 1;
            match piece {
                Piece::Between(between) => text.push_str(between),
                Piece::Word(word) if !is_masked => text.push_str(word),
                Piece::Word(_) | Piece::Place(_) | Piece::Slot(_) => text.push(PLACE),
            }
            run += u32::from(!matches!(piece, Piece::Between(_)));
        }
    }

    /// The text of the form of a text of this template, given what words it has in its open slots, in their order.
    pub(super) fn with_words(&self, words: impl Iterator<Item = Option<&'t str>>) -> String {
        let mut words = words.fuse();
        let fill = |piece: &Piece<'t>| match piece {
            Piece::Slot(_) => match words.next().flatten() {
                Some(word) => Piece::Word(word),
                None => Piece::Place(""),
            },
            piece => *piece,
        };
        let pieces = self.pieces.iter().map(fill).collect();
        Form { pieces }.text()
    }

    /// What all forms have in common that differ in words and places only.
    pub(crate) fn skeleton(&self) -> String {
        self.masked(Places::MAX)
    }

    pub(super) fn pieces(&self) -> &[Piece<'t>] {
        &self.pieces
    }

    fn runs(&self) -> impl Iterator<Item = Piece<'t>> {
        let runs = self.pieces.iter().copied();
        runs.filter(|piece| !matches!(piece, Piece::Between(_)))
    }

    fn those(&self, are_meant: impl Fn(Piece<'t>) -> bool) -> Places {
        let runs = self.runs().enumerate();
        runs.fold(0, |places, (index, piece)| {
            places | Places::from(are_meant(piece)) << (index % RUNS_MAX)
        })
    }

    /// Where something varies.
    pub(crate) fn places(&self) -> Places {
        self.those(|piece| matches!(piece, Piece::Place(_)))
    }

    /// The slots that may hold words, by their places among the slots of the template, and where they are.
    pub(super) fn open_slots(&self) -> impl Iterator<Item = (usize, Places)> {
        let runs = self.runs().enumerate();
        runs.filter_map(|(index, piece)| match piece {
            Piece::Slot(slot) => Some((slot, 1 << (index % RUNS_MAX))),
            _ => None,
        })
    }

    /// Where a word with a letter stands.
    pub(crate) fn words(&self) -> Places {
        self.those(|piece| match piece {
            Piece::Word(word) => word.chars().any(char::is_alphabetic),
            _ => false,
        })
    }

    /// Where words stand, punctuation too.
    pub(crate) fn statics(&self) -> Places {
        self.those(|piece| matches!(piece, Piece::Word(_)))
    }

    /// What stands in each run.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &'t str> {
        self.runs().map(|piece| match piece {
            Piece::Word(text) | Piece::Place(text) | Piece::Between(text) => text,
            Piece::Slot(_) => "",
        })
    }
}

/// A part of a text: runs and marks are whole characters.
pub(super) fn cut(text: &str, range: Range<usize>) -> &str {
    text.get(range).unwrap_or_default()
}

fn is_end_or_quote(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r' | b'\0' | b'"' | b'`' | b'\'')
}

fn push_between<'t>(pieces: &mut Vec<Piece<'t>>, between: &'t str) {
    if !between.is_empty() {
        pieces.push(Piece::Between(between));
    }
}

/// Whether a run varies by its nature, given what stands before it.
fn varies(text: &str, run: &Run, before: &str) -> bool {
    run.has_digit || before.ends_with('=') || is_variable(text)
}

/// Whether a run without a digit varies by its nature, wherever it stands.
fn is_variable(text: &str) -> bool {
    let has_mark = || text.bytes().any(|byte| matches!(byte, b'/' | b'@' | b'.'));
    text.len() > WORD_BYTES_MAX
        || is_hex(text)
        || (has_mark() && (is_path(text) || is_address(text) || is_host(text)))
}

/// As much of a text as its form depends on, or more: a line with a run ends it.
pub(super) fn first_line(text: &str) -> &str {
    let Some(end) = memchr3(b'\n', b'\r', b'\0', text.as_bytes()) else {
        return text;
    };
    let line = cut(text, 0..end);
    match runs(line).next() {
        Some(_) => line,
        None => text,
    }
}

/// The word that a run is, whatever stands before it; `None` if it varies.
pub(crate) fn word_of(run: &str) -> Option<&str> {
    let has_digit = run.bytes().any(|byte| byte.is_ascii_digit());
    (!has_digit && !is_variable(run)).then_some(run)
}

/// `/var/log`, `s3://bucket`, `a/b/c`.
fn is_path(text: &str) -> bool {
    let slashes = text.bytes().filter(|byte| *byte == b'/').count();
    let has_letter = || text.chars().any(char::is_alphabetic);
    slashes > 0 && has_letter() && (slashes > 1 || text.starts_with('/'))
}

/// `user@example.com`.
fn is_address(text: &str) -> bool {
    let mut parts = text.splitn(2, '@');
    let has_word = |part: Option<&str>| part.is_some_and(|part| !part.is_empty());
    has_word(parts.next()) && has_word(parts.next())
}

/// `db.prod.example`, `main.rs`: parts in lower case with dots between them. Names of classes have capitals, and say something.
fn is_host(text: &str) -> bool {
    let trimmed = text.trim_end_matches([':', '.']);
    let is_part = |part: &str| {
        let mut chars = part.chars();
        !part.is_empty() && chars.all(|c| c.is_lowercase() || matches!(c, '_' | '-'))
    };
    trimmed.contains('.') && trimmed.split('.').all(is_part)
}

fn is_hex(text: &str) -> bool {
    text.len() >= HEX_LETTERS_MIN && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A text on its way into a form.
struct Reading<'t> {
    text: &'t str,
    pieces: Vec<Piece<'t>>,
    open: Option<Quote>,
    runs: usize,
}

/// A quotation mark that may begin something in quotes.
#[derive(Clone, Copy)]
struct Quote {
    mark: char,
    /// Where in the text what follows begins, and how many pieces there were.
    start: usize,
    pieces: usize,
}

impl<'t> Reading<'t> {
    fn of(text: &'t str, piece_of: impl Fn(&'t str, &Run, &str) -> Piece<'t>) -> Form<'t> {
        let mut reading = Reading {
            text,
            pieces: Vec::with_capacity(PIECES_USUAL),
            open: None,
            runs: 0,
        };
        let mut at = 0;
        for run in runs(text) {
            let before = at..run.range.start;
            at = run.range.end;
            if reading.between(before.clone()) {
                return reading.finish();
            }
            if reading.runs == RUNS_MAX {
                reading.pieces.push(Piece::Between(CUT));
                return reading.finish();
            }
            reading.runs += 1;
            let piece = piece_of(cut(text, run.range.clone()), &run, cut(text, before));
            reading.pieces.push(piece);
        }
        reading.between(at..text.len());
        reading.finish()
    }

    /// Takes what stands between two runs; says whether the line ends there. Lines without a run are as good as not there.
    fn between(&mut self, between: Range<usize>) -> bool {
        let whole = cut(self.text, between.clone());
        if !whole.bytes().any(is_end_or_quote) {
            self.push_between(between);
            return false;
        }
        let (line, ends) = match (whole.find(ENDS), self.runs) {
            (None, _) => (between, false),
            (Some(_), 0) => {
                let last = whole.rfind(ENDS).unwrap_or(0);
                self.pieces.clear();
                self.open = None;
                (between.start + last + 1..between.end, false)
            }
            (Some(end), _) => (between.start..between.start + end, true),
        };
        let mut start = line.start;
        for (at, mark) in cut(self.text, line.clone()).char_indices() {
            let at = line.start + at;
            match self.open {
                Some(open) if open.mark == mark => {
                    self.pieces.truncate(open.pieces);
                    self.pieces
                        .push(Piece::Place(cut(self.text, open.start..at)));
                    self.runs = self.count_runs();
                    self.open = None;
                    start = at;
                }
                None if self.opens(mark, at == line.start) => {
                    let behind = at + mark.len_utf8();
                    self.push_between(start..behind);
                    self.open = Some(Quote {
                        mark,
                        start: behind,
                        pieces: self.pieces.len(),
                    });
                    start = behind;
                }
                _ => {}
            }
        }
        self.push_between(start..line.end);
        ends
    }

    /// Whether a mark begins something in quotes; an apostrophe right behind a run does not, as in `can't`.
    fn opens(&self, mark: char, is_first: bool) -> bool {
        match mark {
            '"' | '`' => true,
            '\'' => !is_first || self.runs == 0,
            _ => false,
        }
    }

    fn count_runs(&self) -> usize {
        let is_run = |piece: &&Piece<'_>| !matches!(piece, Piece::Between(_));
        self.pieces.iter().filter(is_run).count()
    }

    fn push_between(&mut self, between: Range<usize>) {
        let between = cut(self.text, between);
        let end = between.floor_char_boundary(BETWEEN_BYTES_MAX.min(between.len()));
        push_between(&mut self.pieces, cut(between, 0..end));
    }

    fn finish(mut self) -> Form<'t> {
        let is_between = |piece: &mut Piece<'_>| matches!(piece, Piece::Between(_));
        if let Some(Piece::Between(last)) = self.pieces.pop_if(is_between) {
            push_between(&mut self.pieces, last.trim_end());
        }
        Form {
            pieces: self.pieces,
        }
    }
}
