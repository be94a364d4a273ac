//! Several values of one field: `field:(a OR b)` and `field:in(a, b)`.

use super::value::Scope;
use super::word::Place;
use super::{Parser, Step};
use crate::limits::ALTERNATIVES_MAX;
use crate::{Clause, Diagnostic, Filter, Target, Test};

impl Parser<'_> {
    /// `( … )` after a field. Any filter of values may stand in it; alternatives become one clause.
    pub(super) fn group(&mut self, scope: &Scope) -> Step<Filter> {
        let start = self.cursor.at();
        let filter = self.parentheses(Some(scope))?;
        self.hint_at_comma(&scope.target, start..self.cursor.at());
        let Filter::Or(members) = &filter else {
            return Ok(filter);
        };
        let Some(tests) = tests_of(members) else {
            return Ok(filter);
        };
        self.alternatives(&scope.target, tests, start)
    }

    /// `in( … )` after a field.
    pub(super) fn list(&mut self, scope: &Scope) -> Step<Filter> {
        let start = self.cursor.at();
        self.cursor.go_to(start + "in(".len());
        let scope = Scope {
            place: Place::List,
            ..scope.clone()
        };
        let mut members = Vec::new();
        loop {
            self.cursor.skip_space();
            if matches!(self.cursor.peek(), Some(')' | ',') | None) {
                return self.stop_at_missing_item(start);
            }
            members.push(self.value(&scope)?);
            self.cursor.skip_space();
            if self.cursor.eat(")") {
                break;
            }
            if !self.cursor.eat(",") {
                return self.stop_at_missing_comma(start);
            }
        }
        match tests_of(&members) {
            Some(tests) => self.alternatives(&scope.target, tests, start),
            None => self.either(members, start),
        }
    }

    fn alternatives(&mut self, target: &Target, tests: Vec<Test>, start: usize) -> Step<Filter> {
        let test = Test::any_of(tests);
        if test.alternatives().len() > ALTERNATIVES_MAX {
            return self.stop_at_alternatives(start);
        }
        Ok(Filter::Clause(Clause {
            target: target.clone(),
            test,
        }))
    }

    fn stop_at_missing_item<T>(&mut self, start: usize) -> Step<T> {
        let span = start..self.cursor.span_of_next().end;
        self.stop(
            Diagnostic::new(span, "A value is missing in this list.")
                .hint("Write the values with commas between them, as in `in(500, 502)`."),
        )
    }

    fn stop_at_missing_comma<T>(&mut self, start: usize) -> Step<T> {
        if self.cursor.is_at_end() {
            return self.stop(
                Diagnostic::new(start..start + "in(".len(), "This list is never closed.")
                    .hint("Add `)` where it ends."),
            );
        }
        let span = self.cursor.span_of_next();
        self.stop(
            Diagnostic::new(span, "The values of a list are separated by commas.")
                .hint("Put a comma here, or quotes around a value that holds spaces."),
        )
    }
}

/// The tests, when all members are single clauses; they are of one target.
fn tests_of(members: &[Filter]) -> Option<Vec<Test>> {
    members
        .iter()
        .map(|member| match member {
            Filter::Clause(Clause { test, .. }) => Some(test.clone()),
            _ => None,
        })
        .collect()
}
