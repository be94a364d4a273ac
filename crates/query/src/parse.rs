//! Text to checked query: a lexer that reads what the grammar asks for, and recursive descent.
//!
//! The grammar is not regular at the word: a slash opens a regular expression after `field:` and is a
//! path elsewhere, so the lexer is called with what is expected instead of cutting tokens ahead.
//! A mistake in a value is noted and reading goes on; a mistake in the structure ends it.

mod clause;
mod cursor;
mod group;
mod hints;
mod operator;
mod range;
mod stage;
mod structure;
mod time;
mod value;
mod word;

use std::ops::Range;

use crate::limits::{NESTING_MAX, TEXT_BYTES_MAX};
use crate::{Diagnostic, Diagnostics, Parsed};

use cursor::Cursor;
use stage::Table;

pub(crate) use stage::{FUNCTION_NAMES, STAGES as STAGE_NAMES, is_call};

/// Reads a query. Never panics, and takes time linear in the text but for the compilation of regular expressions,
/// which [`limits`](crate::limits) bound.
pub fn parse(text: &str) -> Result<Parsed, Diagnostics> {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!(
            "The query is {} bytes long; the limit is {TEXT_BYTES_MAX} bytes.",
            text.len()
        );
        return Err(Diagnostics(vec![Diagnostic::new(0..text.len(), message)]));
    }
    let mut parser = Parser::new(text);
    let query = parser.query();
    let Parser {
        mut diagnostics,
        mut hints,
        ..
    } = parser;
    match query {
        Ok(query) if diagnostics.is_empty() => {
            hints.sort_by_key(|hint| hint.span.start);
            Ok(Parsed { query, hints })
        }
        _ => {
            diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
            Err(Diagnostics(diagnostics))
        }
    }
}

/// Enough to mend a query by; thousands would only fill the answer. Hints are bounded alike.
const DIAGNOSTICS_MAX: usize = 16;

/// The text cannot be read on; why has been noted.
struct Stop;

type Step<T> = Result<T, Stop>;

struct Parser<'q> {
    cursor: Cursor<'q>,
    depth: usize,
    regex_count: usize,
    /// The table that the stage being read works on; `None` while there are events.
    table: Option<Table>,
    diagnostics: Vec<Diagnostic>,
    hints: Vec<Diagnostic>,
}

impl<'q> Parser<'q> {
    fn new(text: &'q str) -> Parser<'q> {
        Parser {
            cursor: Cursor::new(text),
            depth: 0,
            regex_count: 0,
            table: None,
            diagnostics: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// Notes a mistake after which reading goes on.
    fn note(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < DIAGNOSTICS_MAX {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Notes a mistake after which it does not.
    fn stop<T>(&mut self, diagnostic: Diagnostic) -> Step<T> {
        self.diagnostics.push(diagnostic);
        Err(Stop)
    }

    /// Goes one level deeper for the length of `read`; `span` is what opened the level.
    fn nested<T>(
        &mut self,
        span: Range<usize>,
        read: impl FnOnce(&mut Self) -> Step<T>,
    ) -> Step<T> {
        if self.depth == NESTING_MAX {
            return self.stop(Diagnostic::new(
                span,
                format!("The query nests deeper than the limit of {NESTING_MAX} levels."),
            ));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }
}
