//! How many events of a block match, as far as its directory tells: between which numbers, and about how many.

use cordwood_query::CompiledClause;
use cordwood_store::block::BlockDirectory;

use super::MatchBounds;
use crate::condition::{ClauseId, Condition};
use crate::counted::ValueVerdicts;
use crate::narrow::{self, Verdict, verdict};

/// The share of events that is taken to meet a clause of which nothing is counted.
pub(super) const SHARE_UNKNOWN: f64 = 0.1;

/// Bounds and a guess.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Matches {
    pub(super) bounds: MatchBounds,
    pub(super) expected: f64,
}

/// What is asked of a block.
#[derive(Clone, Copy)]
pub(super) struct AskedBlock<'a> {
    pub(super) clauses: &'a [CompiledClause],
    pub(super) directory: &'a BlockDirectory,
    pub(super) verdicts: &'a ValueVerdicts,
}

impl AskedBlock<'_> {
    /// How many rows meet a condition.
    pub(super) fn matches(self, condition: &Condition) -> Matches {
        let rows = u64::from(self.directory.rows);
        if let Some(count) = narrow::count(condition, self.clauses, self.directory, self.verdicts) {
            return exactly(count);
        }
        match condition {
            Condition::Constant(held) => exactly(if *held { rows } else { 0 }),
            Condition::Clause(clause) => self.of_clause(*clause),
            Condition::Not(term) => self.others(self.matches(term)),
            Condition::And(terms) => {
                // Whatever meets all is what fails none.
                let failing = terms.iter().map(|term| self.others(self.matches(term)));
                self.others(self.any(failing))
            }
            Condition::Or(terms) => self.any(terms.iter().map(|term| self.matches(term))),
        }
    }

    fn of_clause(self, ClauseId(index): ClauseId) -> Matches {
        let rows = u64::from(self.directory.rows);
        match verdict(&self.clauses[index], self.directory, self.verdicts) {
            Verdict::HoldsForAll => exactly(rows),
            Verdict::HoldsForNone(_) => exactly(0),
            Verdict::Open => Matches {
                bounds: MatchBounds {
                    at_least: 0,
                    at_most: rows,
                },
                expected: float(rows) * SHARE_UNKNOWN,
            },
        }
    }

    /// The rows that do not match.
    fn others(self, matches: Matches) -> Matches {
        let rows = u64::from(self.directory.rows);
        Matches {
            bounds: MatchBounds {
                at_least: rows.saturating_sub(matches.bounds.at_most),
                at_most: rows.saturating_sub(matches.bounds.at_least),
            },
            expected: float(rows) - matches.expected,
        }
    }

    /// The rows that meet any of some terms, which are taken to have nothing to do with each other.
    fn any(self, terms: impl Iterator<Item = Matches>) -> Matches {
        let rows = u64::from(self.directory.rows);
        let mut any = Matches::default();
        for term in terms {
            let sum = any.bounds.at_most.saturating_add(term.bounds.at_most);
            any.bounds.at_least = any.bounds.at_least.max(term.bounds.at_least);
            any.bounds.at_most = sum.min(rows);
            any.expected += term.expected - any.expected * term.expected / float(rows.max(1));
        }
        any
    }
}

fn exactly(count: u64) -> Matches {
    Matches {
        bounds: MatchBounds {
            at_least: count,
            at_most: count,
        },
        expected: float(count),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a guess at a number of rows is none the worse for it"
)]
pub(super) fn float(rows: u64) -> f64 {
    rows as f64
}
