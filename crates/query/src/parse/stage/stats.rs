//! `stats count(), p95(duration_ms) as p95 by service, dt:5m`

use std::ops::Range;

use crate::parse::{Parser, Step};
use crate::{Aggregate, GroupKey, Stage};

impl Parser<'_> {
    pub(super) fn stats(&mut self, keyword: Range<usize>) -> Step<Stage> {
        self.expect_rows("stats", keyword)?;
        let aggregates = self.aggregates()?;
        let keys = self.group_keys()?;
        let columns = keys
            .iter()
            .map(|(_, name)| (name.text.clone(), name.span.clone()))
            .chain(computed(&aggregates));
        self.make_table("stats", columns.collect());
        Ok(Stage::Stats {
            aggregates: alone(aggregates),
            by: keys
                .into_iter()
                .map(|(key, _): (GroupKey, _)| key)
                .collect(),
        })
    }
}

/// The columns of aggregates.
pub(super) fn computed(
    aggregates: &[(Aggregate, Range<usize>)],
) -> impl Iterator<Item = (String, Range<usize>)> {
    aggregates
        .iter()
        .map(|(aggregate, span)| (aggregate.name.clone(), span.clone()))
}

/// Aggregates without their places.
pub(super) fn alone(aggregates: Vec<(Aggregate, Range<usize>)>) -> Vec<Aggregate> {
    aggregates
        .into_iter()
        .map(|(aggregate, _)| aggregate)
        .collect()
}
