//! What a window is held against: which earlier windows a relative condition or an anomaly needs, and what they let expect.

mod baseline;

use std::collections::{BTreeMap, BTreeSet};

use crate::{Against, CheckedRule, Condition, Group, Reading, Reference, Relative, Value, Window};
use baseline::Baseline;

const DAY_S: i64 = 86_400;

/// So many windows right before say what such windows vary by: enough for a median, and soon over.
const PREVIOUS_WINDOWS: i64 = 12;

/// So many days before do.
const EARLIER_DAYS: i64 = 7;

/// So many weeks before do: what is kept for a month has them.
const EARLIER_WEEKS: i64 = 4;

/// Of fewer windows nobody can say what they vary by.
const SAMPLES_MIN: usize = 3;

/// What was read of an earlier window by group; `None` if that is not known: it is older than what is kept, or the server was down.
pub type Earlier = Option<BTreeMap<Group, Reading>>;

impl CheckedRule {
    /// The earlier windows that one has to be held against, the one compared with first; none for conditions that look at one window only.
    pub fn references(&self, window: Window) -> Vec<Window> {
        let seconds = i64::from(self.rule.window_s);
        let (apart, count) = match &self.rule.condition {
            Condition::Anomaly(anomaly) => (DAY_S, i64::from(anomaly.training_days)),
            Condition::Relative(relative) => {
                let (apart, count) = match relative.against {
                    Against::Previous => (seconds, PREVIOUS_WINDOWS),
                    Against::Yesterday => (DAY_S, EARLIER_DAYS),
                    Against::LastWeek => (7 * DAY_S, EARLIER_WEEKS),
                };
                (
                    apart,
                    if relative.by_spread.is_some() {
                        count
                    } else {
                        1
                    },
                )
            }
            Condition::Threshold(_)
            | Condition::Matches {}
            | Condition::NewPattern(_)
            | Condition::Absence(_) => return Vec::new(),
        };
        (1..=count)
            .map(|step| window.earlier(step * apart))
            .collect()
    }

    /// Notes in the readings of a window what the earlier ones, in the order of [`CheckedRule::references`], let expect. Groups that were there then and are not now get a reading
    /// without a value.
    pub fn hold_against(&self, readings: &mut BTreeMap<Group, Reading>, earlier: &[Earlier]) {
        let known = earlier.iter().flatten().flat_map(BTreeMap::keys);
        let known: BTreeSet<Group> = known.cloned().collect();
        let whole = self.is_one_group().then(Group::whole);
        for group in known.into_iter().chain(whole) {
            readings.entry(group).or_default();
        }
        for (group, reading) in readings {
            reading.reference = match &self.rule.condition {
                Condition::Relative(relative) => self.compared(relative, group, earlier),
                Condition::Anomaly(anomaly) => {
                    let days = usize::try_from(anomaly.training_days).unwrap_or(usize::MAX);
                    self.usual(group, earlier, days.min(SAMPLES_MIN))
                }
                Condition::Threshold(_)
                | Condition::Matches {}
                | Condition::NewPattern(_)
                | Condition::Absence(_) => None,
            };
        }
    }

    /// The one window compared with, and by how much it and those before it vary.
    fn compared(
        &self,
        relative: &Relative,
        group: &Group,
        earlier: &[Earlier],
    ) -> Option<Reference> {
        let compared = earlier.first()?.as_ref()?;
        let center = self.sample(compared, group)?;
        let reading = compared.get(group);
        let spread = match relative.by_spread {
            Some(_) => self.baseline(group, earlier, SAMPLES_MIN)?.spread,
            None => 0.0,
        };
        Some(Reference {
            center,
            spread,
            events: reading
                .and_then(|reading| reading.events)
                .unwrap_or_default(),
        })
    }

    /// What is usual, by so many windows at least. Of a group, those before the first in which it was there say nothing: it was not silent but not there
    /// yet, and what is new has nothing that is usual.
    fn usual(&self, group: &Group, earlier: &[Earlier], samples_min: usize) -> Option<Reference> {
        let was_there = |window: &Earlier| {
            let readings = window.as_ref();
            readings.is_some_and(|readings| readings.contains_key(group))
        };
        let since = match self.is_one_group() {
            true => earlier,
            false => earlier.get(..=earlier.iter().rposition(was_there)?)?,
        };
        let Baseline { center, spread } = self.baseline(group, since, samples_min)?;
        Some(Reference {
            center,
            spread,
            events: 0.0,
        })
    }

    fn baseline(&self, group: &Group, earlier: &[Earlier], samples_min: usize) -> Option<Baseline> {
        let windows = earlier.iter().flatten();
        let samples: Vec<f64> = windows
            .filter_map(|window| self.sample(window, group))
            .collect();
        if samples.len() < samples_min {
            return None;
        }
        Baseline::of(samples, &self.measure, self.rule.window_s)
    }

    /// What the group read in an earlier window. Where a measure adds up, one without events reads zero.
    fn sample(&self, window: &BTreeMap<Group, Reading>, group: &Group) -> Option<f64> {
        let value = window.get(group).and_then(|reading| reading.value.as_ref());
        match value.and_then(Value::number) {
            Some(number) => Some(number),
            None => self.measure.adds_up_events().then_some(0.0),
        }
    }
}
