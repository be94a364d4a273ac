//! `field:/re/` and `field:/re/i`: regular expressions, in the syntax of the `regex` crate, unanchored.

mod stepped;

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use memchr::memmem;
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::{Hir, HirKind};

use crate::Interrupt;
use crate::limits::REGEX_BYTES_MAX;
use stepped::Stepped;

/// How much memory one search may take for its lazily built automaton, in bytes. The crate's own default is four
/// times as much; a query can hold many expressions.
const DFA_BYTES_MAX: usize = 512 * 1024;

/// So much text is looked at between two looks at the interrupt: the slowest expressions that are let in, with counted
/// repetitions inside each other, need about 3 µs for a byte, and so 25 ms.
const UNINTERRUPTED_BYTES: usize = 8 * 1024;

/// A valid regular expression with its compiled form, which is shared by all copies.
#[derive(Clone)]
pub struct RegexTest {
    source: Box<str>,
    is_case_ignored: bool,
    compiled: Regex,
    /// The longest text that every match contains.
    literal: Option<Arc<memmem::Finder<'static>>>,
    /// What takes a large text step by step, made for the first; `None` if there is no such thing.
    stepped: Arc<OnceLock<Option<Stepped>>>,
}

/// Why a text is no regular expression that can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidRegex {
    /// It is malformed: the bytes of the source at fault, and what the `regex` crate says of them.
    Syntax(Range<usize>, String),
    /// Its compiled program would exceed [`REGEX_BYTES_MAX`].
    TooLarge,
}

impl RegexTest {
    /// Checks and compiles `source`, in which a slash is written `\/`; a bare one is escaped here.
    pub fn new(source: &str, is_case_ignored: bool) -> Result<RegexTest, InvalidRegex> {
        let source = escape_slashes(source);
        let syntax = parse_syntax(&source, is_case_ignored)?;
        let compiled = RegexBuilder::new(&source)
            .case_insensitive(is_case_ignored)
            .size_limit(REGEX_BYTES_MAX)
            .dfa_size_limit(DFA_BYTES_MAX)
            .build()
            .map_err(|error| match error {
                regex::Error::Syntax(reason) => InvalidRegex::Syntax(0..source.len(), reason),
                _ => InvalidRegex::TooLarge,
            })?;
        Ok(RegexTest {
            source: source.into(),
            is_case_ignored,
            compiled,
            literal: required_literal(&syntax)
                .map(|literal| Arc::new(memmem::Finder::new(literal).into_owned())),
            stepped: Arc::default(),
        })
    }

    /// Whether every slash in `source` is escaped, so that it is compiled as it stands.
    pub(crate) fn slashes_are_escaped(source: &str) -> bool {
        escape_slashes(source) == source
    }

    /// The expression as it stands between the slashes.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it was written with the flag `i`.
    pub fn is_case_ignored(&self) -> bool {
        self.is_case_ignored
    }

    /// The longest text that every match contains, to the letter; `None` when there is none worth looking for.
    pub fn literal(&self) -> Option<&[u8]> {
        self.literal.as_deref().map(memmem::Finder::needle)
    }

    /// Whether `text` contains a match.
    pub fn matches(&self, text: &[u8]) -> bool {
        self.compiled.is_match(text)
    }

    /// The same, unless interrupted.
    pub(crate) fn matches_unless(&self, interrupt: &Interrupt, text: &[u8]) -> bool {
        !interrupt.stops() && self.matches_or_gives_up(interrupt, text)
    }

    fn matches_or_gives_up(&self, interrupt: &Interrupt, text: &[u8]) -> bool {
        if text.len() <= UNINTERRUPTED_BYTES || !interrupt.is_set() {
            return self.matches(text);
        }
        let literal = self.literal.as_ref();
        if literal.is_some_and(|literal| literal.find(text).is_none()) {
            return false;
        }
        let stepped = self
            .stepped
            .get_or_init(|| Stepped::new(&self.source, self.is_case_ignored));
        let stepped = stepped
            .as_ref()
            .and_then(|stepped| stepped.matches(text, interrupt));
        stepped.unwrap_or_else(|| self.matches(text))
    }

    /// Calls `select` with the index of each value that contains a match, in order, unless interrupted. The values lie end to end
    /// in `run`; `ends` holds where each of them ends.
    pub(crate) fn select(
        &self,
        run: &[u8],
        ends: &[u32],
        interrupt: &Interrupt,
        select: &mut dyn FnMut(usize),
    ) {
        let mut pace = interrupt.every(UNINTERRUPTED_BYTES);
        let mut matches = |value: &[u8]| {
            !pace.stops(value.len())
                && !interrupt.has_stopped()
                && self.matches_or_gives_up(interrupt, value)
        };
        match &self.literal {
            Some(literal) => crate::text::select_by_candidates(
                run,
                ends,
                |from| Some(from + literal.find(run.get(from..)?)?),
                |value, _| matches(value),
                select,
            ),
            None => crate::text::each_value(run, ends, &mut |index, value| {
                if matches(value) {
                    select(index);
                }
            }),
        }
    }
}

impl PartialEq for RegexTest {
    fn eq(&self, other: &RegexTest) -> bool {
        self.source == other.source && self.is_case_ignored == other.is_case_ignored
    }
}

impl fmt::Debug for RegexTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_literal(f)
    }
}

impl RegexTest {
    /// Writes `/re/` or `/re/i`.
    pub(crate) fn fmt_literal(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flag = if self.is_case_ignored { "i" } else { "" };
        write!(f, "/{}/{flag}", self.source)
    }
}

fn parse_syntax(source: &str, is_case_ignored: bool) -> Result<Hir, InvalidRegex> {
    let parsed = regex_syntax::ParserBuilder::new()
        .utf8(false)
        .case_insensitive(is_case_ignored)
        .build()
        .parse(source);
    let (span, reason) = match parsed {
        Ok(syntax) => return Ok(syntax),
        Err(regex_syntax::Error::Parse(error)) => (*error.span(), error.kind().to_string()),
        Err(regex_syntax::Error::Translate(error)) => (*error.span(), error.kind().to_string()),
        Err(other) => return Err(InvalidRegex::Syntax(0..source.len(), other.to_string())),
    };
    Err(InvalidRegex::Syntax(
        span.start.offset..span.end.offset,
        reason,
    ))
}

/// The longest literal that stands in every match.
fn required_literal(syntax: &Hir) -> Option<&[u8]> {
    /// A single byte is in most values, and looking for it saves nothing.
    const LITERAL_BYTES_MIN: usize = 2;
    let longest = match syntax.kind() {
        HirKind::Literal(literal) => Some(&*literal.0),
        HirKind::Concat(parts) => parts
            .iter()
            .filter_map(required_literal)
            .max_by_key(|literal| literal.len()),
        HirKind::Capture(capture) => required_literal(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required_literal(&repetition.sub),
        HirKind::Repetition(_)
        | HirKind::Alternation(_)
        | HirKind::Class(_)
        | HirKind::Look(_)
        | HirKind::Empty => None,
    };
    longest.filter(|literal| literal.len() >= LITERAL_BYTES_MIN)
}

fn escape_slashes(source: &str) -> String {
    let mut escaped = String::with_capacity(source.len());
    let mut is_escaped = false;
    for c in source.chars() {
        if c == '/' && !is_escaped {
            escaped.push('\\');
        }
        is_escaped = c == '\\' && !is_escaped;
        escaped.push(c);
    }
    escaped
}
