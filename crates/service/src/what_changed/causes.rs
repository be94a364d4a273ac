//! The causes: the parts of the events that explain most of what changed, one after the other.
//!
//! Of all kinds of change, the value with the most evidence is taken, narrowed by a second value if that holds the change
//! more exactly. Its events are then taken out, and what is left is looked at again: whatever else showed the same change
//! shows none any more, and what changed by itself comes next. Taking the strongest out and scanning again is how several
//! clusters are told apart with a scan statistic (Z. Zhang, R. Assunção, M. Kulldorff, "Spatial scan statistics adjusted for
//! multiple clusters", 2010).

mod alike;

use std::collections::HashMap;

use cordwood_query::Filter;

use super::counts::Counts;
use super::evidence::{EVIDENCE_MIN, Observation, evidence_min};
use super::fields::ComparedField;
use super::outcome::{Expectation, Numbers, Outcome, float};
use super::part::{FieldValue, Part};
use super::reading::Reading;
use super::scene::{Expected, Scene};
use super::windows::seconds;
use crate::Error;

/// Causes that are told. The first is looked for; the others are what else happened.
const CAUSES_MAX: usize = 5;
/// Parts that are looked at: some were only replaced by others, and are no causes.
const PARTS_MAX: usize = 10;
/// Values that are narrowed by a second one.
const NARROWED_MAX: usize = 2;
/// With less evidence a value is not worth narrowing: twice as exact, it would still be no cause.
const NARROWED_MIN: f64 = EVIDENCE_MIN / 2.0;
/// A second value has to add so much of the evidence.
const NARROWER_BY: f64 = 1.05;

/// A part of the events that explains a change, with what is known of it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// An index into the outcomes.
    pub(super) outcome: usize,
    pub(super) part: Part,
    pub(super) numbers: Numbers,
    pub(super) observation: Observation,
    /// Of all that there is more, or less, of the kind: how much of it is here, 0 to 1.
    pub(super) explained: f64,
    /// Other values that all of its events of the kind have.
    pub(super) alike: Vec<FieldValue>,
}

/// A part that may be one.
#[derive(Clone, Debug)]
struct Candidate {
    outcome: usize,
    part: Part,
    numbers: Numbers,
    observation: Observation,
    evidence: f64,
}

/// What is left to explain.
struct Left {
    /// The counts of all events but those taken out.
    scene: Scene,
    /// What leaves these out.
    taken_out: Filter,
    /// Values whose events took the place of others, or others theirs.
    replaced: Vec<FieldValue>,
    /// The fields of which values may be causes still.
    fields: Vec<ComparedField>,
    /// The kinds, by index, of which events may have some still.
    outcomes: Vec<usize>,
    /// By kind, the values that may be causes of what is left.
    expected: Vec<Expected>,
    /// The least evidence of a cause.
    evidence_min: f64,
    /// By kind and part, the events that parts have of what is left.
    counted: HashMap<(usize, Part), Counts>,
}

/// What is compared.
pub(super) struct Search<'r, 'a> {
    pub(super) reading: &'r mut Reading<'a>,
    pub(super) outcomes: &'r [Outcome],
    pub(super) fields: &'r [ComparedField],
    /// The fields that say of events what they are: their level, their status.
    pub(super) telling: &'r [String],
}

impl Search<'_, '_> {
    /// The causes, given the counts of all events, and what is expected of their values.
    pub(super) fn causes(
        &mut self,
        whole: &Scene,
        expected: &[Expected],
    ) -> Result<Vec<Found>, Error> {
        let mut found: Vec<Found> = Vec::new();
        let parts = expected.iter().map(|of_kind| of_kind.values.len());
        let mut left = Left {
            evidence_min: evidence_min(parts.sum()),
            scene: whole.clone(),
            taken_out: Filter::All,
            replaced: Vec::new(),
            fields: self.fields.to_vec(),
            outcomes: (0..self.outcomes.len()).collect(),
            expected: expected.to_vec(),
            counted: HashMap::new(),
        };
        let mut singles = self.singles(&left);
        for _ in 0..PARTS_MAX {
            let Some(best) = self.best(&left, &singles)? else {
                break;
            };
            let alike = self.alike(whole, &mut left, (&best, &singles))?;
            if self.reading.is_cut() {
                break;
            }
            if self.is_replacement((whole, expected), &best, &alike) {
                left.replaced.extend(best.part.values().iter().cloned());
                singles.retain(|single| !self.is_replaced(&left, single));
                continue;
            }
            found.push(self.told(&left, best.clone(), alike));
            if found.len() == CAUSES_MAX || !self.take_out(&mut left, &best, &singles)? {
                break;
            }
            singles = self.singles(&left);
        }
        Ok(found)
    }

    /// Takes the events of a part out of what is left; `false` if nothing but them may be a cause.
    fn take_out(
        &mut self,
        left: &mut Left,
        taken: &Candidate,
        singles: &[Candidate],
    ) -> Result<bool, Error> {
        let is_taken = |single: &Candidate| {
            let mut values = taken.part.values().iter();
            single.outcome == taken.outcome
                && values.any(|value| single.part == Part::of(value.clone()))
                && taken.part.values().len() == 1
        };
        let open: Vec<&Candidate> = singles
            .iter()
            .filter(|single| single.evidence >= NARROWED_MIN && !is_taken(single))
            .collect();
        if open.is_empty() {
            return Ok(false);
        }
        let is_open =
            |field: &&ComparedField| open.iter().any(|single| single.part.has_field(&field.name));
        let fields: Vec<ComparedField> = self.fields.iter().filter(is_open).cloned().collect();
        let is_needed = |index: usize| open.iter().any(|single| single.outcome == index);
        let filter = Filter::and(vec![taken.part.filter(), left.taken_out.clone()]);
        let of_part = Scene::count_some(self.reading, &filter, self.outcomes, &fields, is_needed)?;
        left.scene.subtract(&of_part);
        left.counted.clear();
        left.taken_out = Filter::and(vec![left.taken_out.clone(), taken.part.filter().negated()]);
        left.fields = fields;
        left.outcomes.retain(|index| is_needed(*index));
        for index in &left.outcomes {
            if let Some(outcome) = self.outcomes.get(*index) {
                let kind = (outcome, *index);
                left.expected[*index] = left.scene.expected(kind, self.telling, self.reading);
            }
        }
        Ok(!self.reading.is_cut())
    }

    /// The single values whose events went another way than expected, those with the most evidence first.
    fn singles(&self, left: &Left) -> Vec<Candidate> {
        let mut singles: Vec<Candidate> = Vec::new();
        for index in &left.outcomes {
            let Some(expected) = left.expected.get(*index) else {
                continue;
            };
            let values = (&*expected.values, None);
            let of_kind = self.candidates((&left.scene, *index), values, &expected.expectation);
            let is_open = |candidate: &Candidate| {
                let mut fields = left.fields.iter();
                fields.any(|field| candidate.part.has_field(&field.name))
                    && !self.is_replaced(left, candidate)
            };
            singles.extend(of_kind.into_iter().filter(is_open));
        }
        singles.sort_by(order);
        singles
    }

    /// The part with the most evidence.
    fn best(&mut self, left: &Left, singles: &[Candidate]) -> Result<Option<Candidate>, Error> {
        let first = singles
            .first()
            .filter(|first| first.evidence >= NARROWED_MIN);
        let Some(first) = first.cloned() else {
            return Ok(None);
        };
        let of_kind = singles.iter().filter(|of| of.outcome == first.outcome);
        let mut pairs: Vec<Candidate> = Vec::new();
        for single in of_kind.clone().take(NARROWED_MAX) {
            let fields = self.fields_for(single, of_kind.clone());
            pairs.extend(self.narrower(left, single, &fields)?);
        }
        pairs.retain(|candidate| !self.is_replaced(left, candidate));
        pairs.sort_by(order);
        let pair = pairs.into_iter().next();
        let pair = pair.filter(|pair| pair.evidence >= first.evidence * NARROWER_BY);
        let best = pair.unwrap_or(first);
        Ok((best.evidence >= left.evidence_min).then_some(best))
    }

    /// The fields that may hold the change of a part more exactly: where a value has a good part of it too.
    fn fields_for<'c>(
        &self,
        single: &Candidate,
        of_kind: impl Iterator<Item = &'c Candidate> + Clone,
    ) -> Vec<ComparedField> {
        const SHARE_MIN: f64 = 0.4;
        let excess = single.observation.excess();
        let is_shared = |field: &&ComparedField| {
            let mut of_field = of_kind
                .clone()
                .filter(|other| other.part.has_field(&field.name));
            !single.part.has_field(&field.name)
                && of_field.any(|other| other.observation.excess() / excess >= SHARE_MIN)
        };
        self.fields.iter().filter(is_shared).cloned().collect()
    }

    /// The candidates that the counts of a scene make of its values for one kind of change: single values, or narrower parts
    /// of another one.
    fn candidates(
        &self,
        (scene, index): (&Scene, usize),
        (values, within): (&[FieldValue], Option<&Part>),
        expectation: &Expectation,
    ) -> Vec<Candidate> {
        let Some(outcome) = self.outcomes.get(index) else {
            return Vec::new();
        };
        let of_all = scene.direction(outcome, index, expectation.longer);
        let is_open = |value: &&FieldValue| within.is_none_or(|part| !part.has_field(&value.field));
        let candidates = values.iter().filter(is_open).map(|value| {
            let numbers = scene.numbers_of(index, value);
            let observation = outcome.observe(numbers, expectation);
            Candidate {
                outcome: index,
                part: within
                    .map_or_else(|| Part::of(value.clone()), |part| part.with(value.clone())),
                numbers,
                evidence: observation.evidence(),
                observation,
            }
        });
        let is_told = |candidate: &Candidate| {
            candidate.evidence > 0.0 && outcome.is_about(candidate.observation.direction(), of_all)
        };
        candidates.filter(is_told).collect()
    }

    /// The parts of a candidate with one more value.
    fn narrower(
        &mut self,
        left: &Left,
        single: &Candidate,
        fields: &[ComparedField],
    ) -> Result<Vec<Candidate>, Error> {
        let Some(expected) = left.expected.get(single.outcome) else {
            return Ok(Vec::new());
        };
        if fields.is_empty() {
            return Ok(Vec::new());
        }
        let filter = Filter::and(vec![single.part.filter(), left.taken_out.clone()]);
        let is_needed = |index: usize| index == single.outcome;
        let scene = Scene::count_some(self.reading, &filter, self.outcomes, fields, is_needed)?;
        if self.reading.is_cut() {
            return Ok(Vec::new());
        }
        let values = scene.values(single.outcome, self.telling);
        let values = (&*values, Some(&single.part));
        Ok(self.candidates((&scene, single.outcome), values, &expected.expectation))
    }

    /// Whether what a candidate tells of was found to be a replacement.
    fn is_replaced(&self, left: &Left, candidate: &Candidate) -> bool {
        let outcome = self.outcomes.get(candidate.outcome);
        let values = candidate.part.values();
        outcome.is_some_and(|outcome| outcome.kind.is_volume())
            && values.iter().any(|value| left.replaced.contains(value))
    }

    fn told(&self, left: &Left, best: Candidate, alike: Vec<FieldValue>) -> Found {
        let outcome = self.outcomes.get(best.outcome);
        let expected = outcome.zip(left.expected.get(best.outcome));
        let explained = expected.map_or(0.0, |(outcome, expected)| {
            let of_all = outcome.observe(left.scene.totals(best.outcome), &expected.expectation);
            let excess = best.observation.excess();
            (excess / of_all.excess()).clamp(0.0, 1.0)
        });
        Found {
            outcome: best.outcome,
            part: best.part,
            numbers: best.numbers,
            observation: best.observation,
            explained: if explained.is_finite() {
                explained
            } else {
                0.0
            },
            alike,
        }
    }
}

/// The most evidence first; of as much, what is said in fewer words, and of that what was not there before.
fn order(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    let newness = |candidate: &Candidate| candidate.numbers.events.baseline > 0;
    b.evidence
        .total_cmp(&a.evidence)
        .then_with(|| a.part.values().len().cmp(&b.part.values().len()))
        .then_with(|| newness(a).cmp(&newness(b)))
        .then_with(|| a.part.cmp(&b.part))
}

/// How many events of the kind there are: for each event, or for each second of its window.
pub(super) fn rates(
    outcome: &Outcome,
    numbers: Numbers,
    reading: &Reading<'_>,
) -> super::Both<f64> {
    let lengths = reading.windows.map(seconds);
    let all = numbers.hits.zip(numbers.events).zip(lengths);
    all.map(|((hits, events), seconds)| match outcome.kind.is_volume() {
        true => float(hits) / seconds,
        false => float(hits) / float(events.max(1)),
    })
}
