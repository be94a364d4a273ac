//! What else all events of a part have in common, and whether they only took the place of others.
//!
//! To know what the events of a part have in common, their values are counted anew. Where many parts are replaced at once,
//! as by a deployment of many services, each would be counted before the next is looked at: those that may come next are counted
//! with the first, which reads each block once.

use std::iter;

use cordwood_query::Filter;

use super::{Candidate, Left, Search};
use crate::Error;
use crate::what_changed::counts::Counts;
use crate::what_changed::evidence::Direction;
use crate::what_changed::outcome::Numbers;
use crate::what_changed::part::FieldValue;
use crate::what_changed::scene::{Expected, Scene};

/// Other values that all of the events have.
const ALIKE_MAX: usize = 5;
/// Of a hundred events, so many are as good as all.
const ALL_PERCENT: u64 = 95;
/// Parts that are counted together, as many as are looked at.
const COUNTED_AT_ONCE: usize = super::PARTS_MAX;

impl Search<'_, '_> {
    /// The values that nearly all events of the kind in the part have, and few others; `singles` are the parts that may come next.
    pub(super) fn alike(
        &mut self,
        whole: &Scene,
        left: &mut Left,
        (best, singles): (&Candidate, &[Candidate]),
    ) -> Result<Vec<FieldValue>, Error> {
        let key = (best.outcome, best.part.clone());
        if !left.counted.contains_key(&key) {
            self.count_ahead(left, best, singles)?;
        }
        let Some(hits) = left.counted.get(&key) else {
            return Ok(Vec::new());
        };
        let events = match best.observation.direction() {
            Direction::Up => &whole.events.current,
            Direction::Down => &whole.events.baseline,
        };
        Ok(common_values(hits, events, best))
    }

    /// Counts the events of a part, and of those that will be asked about next if it was only replaced.
    fn count_ahead(
        &mut self,
        left: &mut Left,
        best: &Candidate,
        singles: &[Candidate],
    ) -> Result<(), Error> {
        let Some(outcome) = self.outcomes.get(best.outcome) else {
            return Ok(());
        };
        let direction = best.observation.direction();
        let may_be_next = |next: &&Candidate| {
            // Of other kinds no part is a replacement.
            outcome.kind.is_volume()
                && next.outcome == best.outcome
                && next.part != best.part
                && next.observation.direction() == direction
                && next.evidence >= left.evidence_min
                && !self.is_replaced(left, next)
        };
        let next = singles.iter().filter(may_be_next);
        let counted: Vec<&Candidate> = iter::once(best).chain(next).take(COUNTED_AT_ONCE).collect();
        let filter_of = |candidate: &&Candidate| {
            Filter::and(vec![
                candidate.part.filter(),
                left.taken_out.clone(),
                outcome.filter.clone(),
            ])
        };
        let filters: Vec<Filter> = counted.iter().map(filter_of).collect();
        let window = match direction {
            Direction::Up => self.reading.windows.current,
            Direction::Down => self.reading.windows.baseline,
        };
        let (counts, _) = self.reading.count(window, &filters, self.fields)?;
        let keys = counted.into_iter().map(|of| (of.outcome, of.part.clone()));
        left.counted.extend(keys.zip(counts));
        Ok(())
    }

    /// Whether the events of a part took the place of others of the same owner, or others took theirs: as many more came of
    /// a new version as fewer of the old one.
    pub(super) fn is_replacement(
        &self,
        (whole, expected): (&Scene, &[Expected]),
        best: &Candidate,
        alike: &[FieldValue],
    ) -> bool {
        /// Where the owner's own change is less than this part of it, the rest was made up for.
        const KEPT_MIN: f64 = 0.5;
        /// In an owner so many times as large its own restlessness hides a part that came, or went: what goes leaves a hole
        /// as large as it was, of what comes a small part may be a trial.
        const OWNER_MAX: (u64, u64) = (8, 4);
        let outcome = self.outcomes.get(best.outcome);
        let Some((outcome, expected)) = outcome.zip(expected.get(best.outcome)) else {
            return false;
        };
        if !outcome.kind.is_volume() {
            return false;
        }
        let most = |numbers: Numbers| numbers.hits.current.max(numbers.hits.baseline);
        let excess = best.observation.excess();
        let owner_max = match best.observation.direction() {
            Direction::Up => OWNER_MAX.0,
            Direction::Down => OWNER_MAX.1,
        };
        alike.iter().any(|owner| {
            let numbers = whole.numbers_of(best.outcome, owner);
            let of_owner = outcome.observe(numbers, &expected.expectation).excess();
            most(numbers) <= most(best.numbers) * owner_max && of_owner / excess < KEPT_MIN
        })
    }
}

/// The values that nearly all of the events of a part have, and few of all others.
fn common_values(hits: &Counts, events: &Counts, best: &Candidate) -> Vec<FieldValue> {
    let mut found: Vec<(u64, FieldValue)> = Vec::new();
    for (field, counts) in hits.fields() {
        let greatest = counts
            .rows
            .iter()
            .max_by_key(|(value, rows)| (**rows, *value));
        let Some((value, rows)) = greatest else {
            continue;
        };
        let value = FieldValue {
            field: field.to_owned(),
            value: value.clone(),
        };
        let of_all = events.get(&value);
        let is_special = of_all * 100 < events.total * ALL_PERCENT;
        if rows * 100 >= hits.total * ALL_PERCENT && is_special && !best.part.has_field(field) {
            found.push((of_all, value));
        }
    }
    found.sort();
    found.truncate(ALIKE_MAX);
    found.into_iter().map(|(_, value)| value).collect()
}
