//! All that is counted of the events compared, or of a part of them: how many there are, and how many of each kind.

use std::collections::BTreeMap;

use cordwood_query::Filter;

use super::counts::{Counts, FieldCounts};
use super::evidence::{Direction, Observation, drift};
use super::fields::ComparedField;
use super::outcome::{Expectation, Numbers, Outcome, float};
use super::part::FieldValue;
use super::reading::Reading;
use super::windows::{Both, seconds};
use crate::Error;

/// Of a hundred events with a symptom, so many are of the kind it is one of.
const SYMPTOM_MIN: u64 = 80;
/// A kind that most events are of has no symptoms: of a hundred, fewer than these have to be.
const OF_ALL_MAX: u64 = 40;

/// The counts of both windows.
#[derive(Clone, Debug, Default)]
pub(super) struct Scene {
    pub(super) events: Both<Counts>,
    /// For each outcome in turn, those that are of the kind.
    pub(super) hits: Vec<Both<Counts>>,
}

/// Of one kind, the values that may explain how many events there are, and what is expected of a part of the events.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) values: Vec<FieldValue>,
    pub(super) expectation: Expectation,
}

impl Scene {
    /// Counts the events that match a filter.
    pub(super) fn count(
        reading: &mut Reading<'_>,
        filter: &Filter,
        outcomes: &[Outcome],
        fields: &[ComparedField],
    ) -> Result<Scene, Error> {
        Scene::count_some(reading, filter, outcomes, fields, |_| true)
    }

    /// The same, of some kinds alone, which are needed by their index.
    pub(super) fn count_some(
        reading: &mut Reading<'_>,
        filter: &Filter,
        outcomes: &[Outcome],
        fields: &[ComparedField],
        is_needed: impl Fn(usize) -> bool,
    ) -> Result<Scene, Error> {
        let mut kinds = outcomes.iter().enumerate();
        let is_of_volume = kinds.any(|(index, other)| other.kind.is_volume() && is_needed(index));
        let is_counted = |(index, outcome): (usize, &Outcome)| {
            is_needed(index) || (is_of_volume && outcome.kind.is_no_volume())
        };
        let of_kind = |outcome: &Outcome| Filter::and(vec![filter.clone(), outcome.filter.clone()]);
        let plain_kinds = || {
            let kinds = outcomes.iter().enumerate();
            kinds.filter(|(_, outcome)| !outcome.kind.is_volume())
        };
        let counted = plain_kinds().filter(|kind| is_counted(*kind));
        let mut filters = vec![filter.clone()];
        filters.extend(counted.map(|(_, outcome)| of_kind(outcome)));
        let mut counts = reading.count_both(&filters, fields)?.into_iter();
        let mut scene = Scene {
            events: counts.next().unwrap_or_default(),
            hits: Vec::with_capacity(outcomes.len()),
        };
        for kind in plain_kinds() {
            let hits = is_counted(kind).then(|| counts.next()).flatten();
            scene.hits.push(hits.unwrap_or_default());
        }
        if outcomes.iter().any(|outcome| outcome.kind.is_volume()) {
            scene.hits.push(scene.plain(outcomes));
        }
        Ok(scene)
    }

    /// The events that are neither errors nor warnings.
    fn plain(&self, outcomes: &[Outcome]) -> Both<Counts> {
        let mut plain = self.events.clone();
        for (outcome, hits) in outcomes.iter().zip(&self.hits) {
            if outcome.kind.is_no_volume() {
                plain.current.subtract(&hits.current);
                plain.baseline.subtract(&hits.baseline);
            }
        }
        plain
    }

    /// Takes a part of the events out.
    pub(super) fn subtract(&mut self, part: &Scene) {
        self.events.current.subtract(&part.events.current);
        self.events.baseline.subtract(&part.events.baseline);
        for (hits, of_part) in self.hits.iter_mut().zip(&part.hits) {
            hits.current.subtract(&of_part.current);
            hits.baseline.subtract(&of_part.baseline);
        }
    }

    /// The numbers of all events.
    pub(super) fn totals(&self, outcome: usize) -> Numbers {
        self.numbers(outcome, |counts| counts.total)
    }

    /// The numbers of the events with a value.
    pub(super) fn numbers_of(&self, outcome: usize, value: &FieldValue) -> Numbers {
        self.numbers(outcome, |counts| counts.get(value))
    }

    fn numbers(&self, outcome: usize, count: impl Fn(&Counts) -> u64) -> Numbers {
        let hits = self.hits.get(outcome);
        Numbers {
            events: self.events.as_ref().map(&count),
            hits: hits.map_or(Both::default(), |hits| hits.as_ref().map(&count)),
        }
    }

    /// The values that events of a kind have in either window, of the fields that may explain how many there are: not those
    /// that say of events what they are.
    pub(super) fn values(&self, outcome: usize, telling: &[String]) -> Vec<FieldValue> {
        let Some(hits) = self.hits.get(outcome) else {
            return Vec::new();
        };
        let mut values = Vec::new();
        for (field, current) in hits.current.fields() {
            if telling.iter().any(|name| name == field) || self.is_symptom(outcome, field) {
                continue;
            }
            let is_cause =
                |value: &FieldValue| !self.always_was(outcome, value) && !self.is_everywhere(value);
            let baseline = hits.baseline.field(field);
            let of_baseline = baseline.into_iter().flat_map(|counts| counts.rows.keys());
            let mut texts: Vec<&String> = current.rows.keys().chain(of_baseline).collect();
            texts.sort_unstable();
            texts.dedup();
            let of_field = texts.into_iter().map(|value| FieldValue {
                field: field.to_owned(),
                value: value.clone(),
            });
            values.extend(of_field.filter(is_cause));
        }
        values
    }

    /// Whether next to all events of both windows have a value, which then tells none apart.
    fn is_everywhere(&self, value: &FieldValue) -> bool {
        const SHARE_MIN: u64 = 95;
        let of_window = |counts: &Counts| counts.get(value) * 100 >= counts.total * SHARE_MIN;
        let of_windows = self.events.as_ref().map(of_window);
        of_windows.current && of_windows.baseline
    }

    /// Whether next to all events with a value were of a kind before, of which few others are.
    fn always_was(&self, outcome: usize, value: &FieldValue) -> bool {
        let (numbers, totals) = (self.numbers_of(outcome, value), self.totals(outcome));
        let (hits, events) = (numbers.hits.baseline, numbers.events.baseline);
        let is_rare = totals.hits.baseline * 100 < totals.events.baseline * OF_ALL_MAX;
        is_rare && events > 0 && hits * 100 >= events * SYMPTOM_MIN
    }

    /// Whether a field is there in next to no other events than those of the kind: it says what they are, not where they
    /// come from.
    fn is_symptom(&self, outcome: usize, field: &str) -> bool {
        let Some(hits) = self.hits.get(outcome) else {
            return false;
        };
        let is_rare = |hits: &Counts, events: &Counts| hits.total * 100 < events.total * OF_ALL_MAX;
        let is_confined = |hits: &Counts, events: &Counts| {
            let present = |counts: &Counts| counts.field(field).map_or(0, |field| field.present());
            let (of_kind, all) = (present(hits), present(events));
            all > 0 && of_kind * 100 >= all * SYMPTOM_MIN && is_rare(hits, events)
        };
        let of_windows = hits.as_ref().zip(self.events.as_ref());
        let confined = of_windows.map(|(hits, events)| is_confined(hits, events));
        confined.current || confined.baseline
    }

    /// The values of a kind, and what is expected of parts, given how those with each value went.
    pub(super) fn expected(
        &self,
        (outcome, index): (&Outcome, usize),
        telling: &[String],
        reading: &Reading<'_>,
    ) -> Expected {
        let values = self.values(index, telling);
        let expectation = self.expectation((outcome, index), &values, reading);
        Expected {
            values,
            expectation,
        }
    }

    fn expectation(
        &self,
        (outcome, index): (&Outcome, usize),
        values: &[FieldValue],
        reading: &Reading<'_>,
    ) -> Expectation {
        let longer = seconds(reading.windows.current) / seconds(reading.windows.baseline);
        let totals = self.totals(index);
        let undrifted = Expectation {
            // As if there had been half an event: nothing is impossible.
            rate: (float(totals.hits.baseline) + 0.5) / (float(totals.events.baseline) + 1.0),
            longer,
            drift: 1.0,
        };
        let mut fields: BTreeMap<&str, Vec<Observation>> = BTreeMap::new();
        for value in values {
            let hits = self.hits.get(index);
            let counts = hits.and_then(|hits| hits.baseline.field(&value.field));
            if counts.is_some_and(FieldCounts::is_whole) {
                let numbers = self.numbers_of(index, value);
                let of_field = fields.entry(&value.field).or_default();
                of_field.push(plainly(outcome, numbers, &undrifted));
            }
        }
        Expectation {
            drift: drift(fields.into_values()),
            ..undrifted
        }
    }

    /// Which way all of them went.
    pub(super) fn direction(&self, outcome: &Outcome, index: usize, longer: f64) -> Direction {
        let totals = self.totals(index);
        let expectation = Expectation {
            rate: (float(totals.hits.baseline) + 0.5) / (float(totals.events.baseline) + 1.0),
            longer,
            drift: 1.0,
        };
        outcome.observe(totals, &expectation).direction()
    }
}

/// Without what chance may add to an expectation: ratios are to be those of what was seen.
fn plainly(outcome: &Outcome, numbers: Numbers, expectation: &Expectation) -> Observation {
    let observation = outcome.observe(numbers, expectation);
    match outcome.kind.is_volume() {
        true => Observation {
            expected: float(numbers.hits.baseline) * expectation.longer,
            ..observation
        },
        false => observation,
    }
}
