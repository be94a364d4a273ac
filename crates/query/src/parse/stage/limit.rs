//! `limit 20`

use std::ops::Range;

use crate::limits::ROWS_MAX;
use crate::parse::{Parser, Step};
use crate::{Diagnostic, Stage};

impl Parser<'_> {
    pub(super) fn limit(&mut self, keyword: Range<usize>) -> Step<Stage> {
        if self.is_at_row_count() {
            return self.row_count().map(Stage::Limit);
        }
        let written = self.cursor.slice(keyword.clone()).to_owned();
        self.stop(
            Diagnostic::new(keyword, format!("`{written}` has no number of rows."))
                .hint(format!("Write it as in `{written} 20`.")),
        )
    }

    /// Whether a number of rows stands here, behind white space: digits and nothing else.
    pub(super) fn is_at_row_count(&mut self) -> bool {
        self.cursor.skip_space();
        let rest = self.cursor.rest();
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        after.len() < rest.len() && !after.starts_with(|c: char| !c.is_whitespace() && c != '|')
    }

    /// The digits here as a number of rows; one that is none is noted.
    pub(super) fn row_count(&mut self) -> Step<u64> {
        let span = self.run_of(|c| c.is_ascii_digit());
        let count = self.cursor.slice(span.clone()).parse().unwrap_or(u64::MAX);
        if count == 0 {
            self.note(
                Diagnostic::new(span, "This asks for no rows at all.")
                    .hint("Write a number from 1 on."),
            );
        } else if count > ROWS_MAX {
            let message = format!("This asks for more than {ROWS_MAX} rows, which is the limit.");
            self.note(
                Diagnostic::new(span, message)
                    .hint("Narrow the query, or aggregate with `stats` before the limit."),
            );
        }
        Ok(count)
    }
}
