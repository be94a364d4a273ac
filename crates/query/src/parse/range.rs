//! `[a TO b]`, `{a TO b}` and comparisons.

use std::ops::{Bound, Range as Span};

use cordwood_event::Level;

use super::operator::Comparison;
use super::value::Scope;
use super::word::{Literal, Place};
use super::{Parser, Step};
use crate::{Diagnostic, Filter, Range, Target, Test};

impl Parser<'_> {
    /// A range in brackets, which stand here.
    pub(super) fn range(&mut self, scope: &Scope) -> Step<Filter> {
        let start = self.cursor.at();
        let is_inclusive_below = self.cursor.bump() == Some('[');
        let lower = self.range_end(start)?;
        self.cursor.skip_space();
        let is_to = self.cursor.eat("TO") || self.cursor.eat("to");
        if !is_to || !self.cursor.peek().is_some_and(char::is_whitespace) {
            return self.stop_at_malformed_range(start);
        }
        let upper = self.range_end(start)?;
        self.cursor.skip_space();
        let is_inclusive_above = match self.cursor.peek() {
            Some(']') => true,
            Some('}') => false,
            _ => return self.stop_at_malformed_range(start),
        };
        self.cursor.bump();
        let span = start..self.cursor.at();
        self.refuse_text_after_range(scope)?;
        let lower = bound(&lower, is_inclusive_below);
        let upper = bound(&upper, is_inclusive_above);
        Ok(self.between(scope, lower, upper, span))
    }

    fn range_end(&mut self, start: usize) -> Step<Literal> {
        self.cursor.skip_space();
        let end = self.literal(Place::Range)?;
        if end.tokens.is_empty() && !end.is_quoted {
            return self.stop_at_malformed_range(start);
        }
        Ok(end)
    }

    fn stop_at_malformed_range<T>(&mut self, start: usize) -> Step<T> {
        let span = start..self.cursor.span_of_next().end;
        self.stop(Diagnostic::new(span, "This range is incomplete.").hint(
            "Write `[a TO b]`, with `{` and `}` to leave an end out and `*` for no end; or put the text in quotes.",
        ))
    }

    fn refuse_text_after_range(&mut self, scope: &Scope) -> Step<()> {
        let is_end = self.cursor.peek().is_none_or(|c| {
            c.is_whitespace()
                || matches!(c, ')' | '|' | '&')
                || (c == ',' && scope.place == Place::List)
        });
        if is_end {
            return Ok(());
        }
        let span = self.cursor.span_of_next();
        self.stop(
            Diagnostic::new(span, "Text follows the range without a space.")
                .hint("Put a space between them."),
        )
    }

    /// The value of a comparison, whose sign has been passed.
    pub(super) fn compared(&mut self, scope: &Scope, comparison: Comparison) -> Step<Filter> {
        self.cursor.skip_space();
        if self.is_at_operand_end() || self.connective().is_some() {
            return self.stop_at_missing_value();
        }
        let literal = self.literal(scope.place)?;
        let is_missing = literal.tokens.is_empty() && !literal.is_quoted;
        if is_missing || literal.is_star() {
            let span = literal.span;
            return self.stop(
                Diagnostic::new(span, "A comparison needs a value to compare with.")
                    .hint("Write a number, a time or a text, as in `status:>=500`."),
            );
        }
        self.hint_at_unit(&scope.target, &literal);
        let end = literal.text();
        let (lower, upper) = match comparison {
            Comparison::Above => (Bound::Excluded(end), Bound::Unbounded),
            Comparison::AtLeast => (Bound::Included(end), Bound::Unbounded),
            Comparison::Below => (Bound::Unbounded, Bound::Excluded(end)),
            Comparison::AtMost => (Bound::Unbounded, Bound::Included(end)),
        };
        Ok(self.between(scope, lower, upper, literal.span))
    }

    /// The clause of a range; without ends it is a test of presence.
    fn between(
        &mut self,
        scope: &Scope,
        lower: Bound<String>,
        upper: Bound<String>,
        span: Span<usize>,
    ) -> Filter {
        let Some(range) = Range::new(lower, upper) else {
            return self.suited(scope, Some(Test::Present), span);
        };
        if matches!(scope.target, Target::Field(_) | Target::AnyField) && range.is_inverted() {
            self.note_inverted(span);
            return Filter::All;
        }
        self.suited(scope, Some(Test::Range(range)), span)
    }

    pub(super) fn note_inverted(&mut self, span: Span<usize>) {
        self.note(
            Diagnostic::new(span, "The range ends before it begins.")
                .hint("Put the lower end first."),
        );
    }

    pub(super) fn suited_to_level(&mut self, test: Test, span: Span<usize>) -> Option<Test> {
        let Test::Range(range) = &test else {
            return Some(test);
        };
        let mut ends = Vec::new();
        for end in [range.lower(), range.upper()] {
            let Some(text) = crate::test::end_of(end) else {
                continue;
            };
            let Some(level) = Level::parse(text) else {
                let message = format!("`{text}` is not a level.");
                let hint = "The levels in order are trace, debug, info, warn, error and fatal.";
                self.note(Diagnostic::new(span, message).hint(hint));
                return None;
            };
            ends.push(level);
        }
        if let [lower, upper] = ends[..]
            && lower > upper
        {
            self.note_inverted(span);
            return None;
        }
        Some(test)
    }
}

/// An end of a range; a bare `*` is none.
fn bound(literal: &Literal, is_inclusive: bool) -> Bound<String> {
    match (literal.is_star(), is_inclusive) {
        (true, _) => Bound::Unbounded,
        (false, true) => Bound::Included(literal.text()),
        (false, false) => Bound::Excluded(literal.text()),
    }
}
