//! What is to be thought of a group: by what was found of it, or by what it counts as when nothing was.

use super::Machine;
use super::finding::{self, Listening};
use super::verdict::Verdict;
use crate::check::CheckedFurther;
use crate::{CheckedRule, Condition, Group, NewPattern, OnMissingData, Reading, Reference, Value};

impl Machine<'_> {
    pub(super) fn judge(
        &self,
        group: &Group,
        reading: Option<&Reading>,
        listening: Listening,
    ) -> Verdict {
        if !self.rule.is_about(group) {
            return Verdict::Clear;
        }
        if let Condition::NewPattern(pattern) = &self.rule.rule.condition {
            return self.judge_pattern(pattern, group, reading, listening);
        }
        match reading {
            Some(reading) if reading.value.is_some() => judged(self.rule, reading, listening),
            missing => self.judge_missing(group, missing, listening),
        }
    }

    /// A pattern is breached in the window in which it is news.
    fn judge_pattern(
        &self,
        pattern: &NewPattern,
        group: &Group,
        reading: Option<&Reading>,
        listening: Listening,
    ) -> Verdict {
        let is_news = reading.is_some_and(|reading| {
            let count = reading.value.as_ref().and_then(Value::number);
            count.is_some_and(|count| count >= f64::from(pattern.events))
                && self.is_new_pattern(group, reading)
        });
        match (is_news, listening) {
            (true, _) => Verdict::Breached,
            (false, Listening::ToAll) => Verdict::Clear,
            (false, Listening::ToSome) => Verdict::Unknown,
        }
    }

    /// Whether a pattern was never seen before: neither told of, nor there before the rule.
    fn is_new_pattern(&self, group: &Group, reading: &Reading) -> bool {
        let patterns = &self.state.patterns;
        !patterns.knows(group)
            && match reading.first_seen {
                Some(first_seen) => first_seen >= self.state.listens_since,
                None => patterns.is_taught(),
            }
    }

    /// Of a group of which nothing was found there may be a reading all the same, with what it is held against.
    fn judge_missing(
        &self,
        group: &Group,
        reading: Option<&Reading>,
        listening: Listening,
    ) -> Verdict {
        if listening == Listening::ToSome {
            return Verdict::Unknown;
        }
        match self.rule.on_missing {
            OnMissingData::Fire => Verdict::Breached,
            OnMissingData::DontFire => Verdict::Clear,
            OnMissingData::TreatAsZero => {
                let reference = reading.and_then(|reading| reading.reference);
                let reference = reference.or(self.reference_of_none);
                judged(self.rule, &zero(self.rule, reference), listening)
            }
            OnMissingData::TreatAsPrevious => {
                let state = self.state.groups.get(group);
                let last = state.and_then(|state| state.last.as_ref());
                last.map_or(Verdict::Unknown, |last| judged(self.rule, last, listening))
            }
        }
    }
}

/// What a group reads that has no events.
pub(super) fn zero(rule: &CheckedRule, reference: Option<Reference>) -> Reading {
    Reading {
        value: Some(Value::Number(0.0)),
        further: rule.further.iter().map(value_of_none).collect(),
        events: Some(0.0),
        reference,
        ..Reading::default()
    }
}

/// What a further condition measures where there are no events for it.
fn value_of_none(further: &CheckedFurther) -> Option<Value> {
    let adds_up = further.measure.adds_up_events();
    adds_up.then_some(Value::Number(0.0))
}

/// The verdict on a reading that has a value: all conditions must hold.
pub(super) fn judged(rule: &CheckedRule, reading: &Reading, listening: Listening) -> Verdict {
    let mut verdict = finding::of_condition(&rule.rule.condition, reading).heard(listening);
    for (index, further) in rule.further.iter().enumerate() {
        let value = reading.further.get(index).cloned().flatten();
        let value = value.or_else(|| value_of_none(further));
        let finding = finding::by_threshold(&further.threshold, value.as_ref());
        verdict = verdict.and(finding.heard(listening));
    }
    verdict
}
