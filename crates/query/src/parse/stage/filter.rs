//! `where p95 > 800`

use std::ops::Range;

use crate::parse::{Parser, Step};
use crate::{Diagnostic, Stage};

impl Parser<'_> {
    pub(super) fn filter_stage(&mut self, keyword: Range<usize>) -> Step<Stage> {
        self.cursor.skip_space();
        if self.cursor.is_at_end() || self.is_at_bar() {
            return self.stop(
                Diagnostic::new(keyword, "`where` has no condition.")
                    .hint("Write a filter after it, as in `where duration_ms > 800`."),
            );
        }
        self.disjunction(None).map(Stage::Where)
    }
}
