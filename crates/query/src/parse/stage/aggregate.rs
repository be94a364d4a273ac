//! The columns that `stats` and `timechart` compute.

use std::ops::Range;

use super::name::column_name;
use crate::limits::AGGREGATES_MAX;
use crate::parse::{Parser, Step};
use crate::{Aggregate, Diagnostic, Filter};

/// An aggregate, and the text it was read from. Those at fault are missing, which has been noted.
pub(super) type Spanned = (Aggregate, Range<usize>);

/// What may follow a function, in either order.
#[derive(Default)]
struct Modifiers {
    condition: Option<Filter>,
    name: Option<String>,
}

impl Parser<'_> {
    /// Aggregates separated by commas; at least one.
    pub(super) fn aggregates(&mut self) -> Step<Vec<Spanned>> {
        let mut aggregates = Vec::new();
        let mut count = 0;
        loop {
            if count == AGGREGATES_MAX {
                let message =
                    format!("There are more than {AGGREGATES_MAX} functions, which is the limit.");
                let span = self.cursor.span_of_next();
                return self.stop(Diagnostic::new(span, message));
            }
            count += 1;
            aggregates.extend(self.aggregate()?);
            if !self.comma() {
                return Ok(aggregates);
            }
        }
    }

    fn aggregate(&mut self) -> Step<Option<Spanned>> {
        let (call, function) = self.function()?;
        let modifiers = self.modifiers()?;
        let span = call.span.start..self.cursor.at();
        let name = modifiers
            .name
            .unwrap_or_else(|| column_name(&call.word, call.argument.as_ref()));
        Ok(function.map(|function| {
            let aggregate = Aggregate {
                function,
                condition: modifiers.condition,
                name,
            };
            (aggregate, span)
        }))
    }

    fn modifiers(&mut self) -> Step<Modifiers> {
        let mut modifiers = Modifiers::default();
        loop {
            let before = self.cursor.at();
            if let Some(span) = self.keyword("if") {
                let condition = self.condition(span.clone())?;
                if modifiers.condition.replace(condition).is_some() {
                    self.note_second(span, "Join the conditions in one, as in `if (a b)`.");
                }
            } else if let Some(span) = self.keyword("as") {
                let name = self.name()?.text;
                if modifiers.name.replace(name).is_some() {
                    self.note_second(span, "A column has one name.");
                }
            } else {
                self.cursor.go_to(before);
                return Ok(modifiers);
            }
        }
    }

    fn note_second(&mut self, span: Range<usize>, hint: &str) {
        let written = self.cursor.slice(span.clone()).to_owned();
        let message = format!("`{written}` stands twice after one function.");
        self.note(Diagnostic::new(span, message).hint(hint));
    }

    /// `(filter)` after `if`.
    fn condition(&mut self, keyword: Range<usize>) -> Step<Filter> {
        self.cursor.skip_space();
        if self.cursor.peek() == Some('(') {
            return self.parentheses(None);
        }
        self.stop(
            Diagnostic::new(keyword, "The condition after `if` stands in parentheses.")
                .hint("Write it as in `count() if (level:error)`."),
        )
    }
}
