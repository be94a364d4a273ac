//! `parse "user=<user> took <ms:number>ms" from message`

use std::ops::Range;

use crate::parse::word::Place;
use crate::parse::{Parser, Step};
use crate::{Diagnostic, FieldName, ParsePattern, Stage};

impl Parser<'_> {
    pub(super) fn parse_stage(&mut self, keyword: Range<usize>) -> Step<Stage> {
        self.expect_rows("parse", keyword.clone())?;
        self.cursor.skip_space();
        if self.cursor.peek() != Some('"') {
            return self.stop(
                Diagnostic::new(keyword, "`parse` has no pattern in quotes.").hint(
                    "Write it as in `parse \"user=<user> took <ms:number>ms\"`, and `from field` after it if it is not about the message.",
                ),
            );
        }
        let literal = self.quoted(Place::Name)?;
        let pattern = self.pattern(&literal);
        let from = match self.keyword("from") {
            Some(_) => self.name()?.field(),
            None => FieldName::new("message"),
        };
        // The pattern that stands in for a mistake is never seen.
        let pattern = pattern.unwrap_or(ParsePattern { parts: Vec::new() });
        Ok(Stage::Parse { from, pattern })
    }
}
