//! `timechart 1m count() by level`

use std::ops::Range;

use super::group::fields_of;
use super::stats::{alone, computed};
use crate::parse::{Parser, Step};
use crate::{Diagnostic, Interval, Stage};

impl Parser<'_> {
    pub(super) fn timechart(&mut self, keyword: Range<usize>) -> Step<Stage> {
        self.expect_rows("timechart", keyword.clone())?;
        let (interval, interval_span) = self.chart_interval(keyword)?;
        let aggregates = self.aggregates()?;
        let by = self.group_fields()?;
        let grouped = by.iter().map(|name| (name.text.clone(), name.span.clone()));
        let columns = std::iter::once(("dt".to_owned(), interval_span))
            .chain(grouped)
            .chain(computed(&aggregates));
        self.make_table("timechart", columns.collect());
        Ok(Stage::Timechart {
            interval,
            aggregates: alone(aggregates),
            by: fields_of(&by),
        })
    }

    /// The interval, which is not guessed: what is right depends on the range asked for.
    fn chart_interval(&mut self, keyword: Range<usize>) -> Step<(Interval, Range<usize>)> {
        self.cursor.skip_space();
        let start = self.cursor.at();
        if !self.cursor.peek().is_some_and(|c| c.is_ascii_digit()) {
            return self.stop(
                Diagnostic::new(keyword, "`timechart` has no interval.")
                    .hint("Write how long each step is, as in `timechart 1m count()`."),
            );
        }
        let interval = self.interval()?;
        let span = start..self.cursor.at();
        // The interval that stands in for a mistake is never seen.
        Ok((interval.unwrap_or(Interval { nanos: i64::MAX }), span))
    }
}
