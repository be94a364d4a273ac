//! Patterns that are new, gone, or much commoner or rarer than they were, as JSON.

use std::collections::BTreeMap;

use cordwood_service::{Direction, PatternChange};
use serde::Serialize;
use utoipa::ToSchema;

use crate::rest::times::EventTime;
use crate::rest::what_changed_answer::{Counted, ShownBy, counted, shown_by};

/// A pattern of messages of which there are more or fewer than expected.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PatternChangeRecord {
    /// The line in plain words.
    sentence: String,
    /// Sixteen hexadecimal digits: the same in every answer, and at `/api/v1/patterns`.
    id: String,
    /// What people read: `took <num>ms for <uuid>`.
    pattern: String,
    /// `up` or `down`.
    direction: &'static str,
    events: Counted,
    /// How many of each level that occurs; `none` for those without.
    levels: BTreeMap<&'static str, Counted>,
    /// How many were to be expected in the current window.
    expected: f64,
    /// When any of the sources compared had it first, whatever is asked for and kept.
    first_seen_at: EventTime,
    /// Whether none of them had it before the current window.
    never_seen_before: bool,
    /// The evidence: the logarithm of how much likelier the count is if its rate changed.
    score: f64,
    /// The message of its latest event, cut if it is long.
    example: Option<String>,
    /// What shows its events, and a few of other patterns perhaps.
    shown_by: ShownBy,
}

/// A list of them.
pub(crate) fn patterns(changes: &[PatternChange]) -> Vec<PatternChangeRecord> {
    changes.iter().map(pattern).collect()
}

fn pattern(change: &PatternChange) -> PatternChangeRecord {
    let levels = change.levels.iter();
    PatternChangeRecord {
        sentence: change.sentence.clone(),
        id: change.id.to_string(),
        pattern: change.pattern.clone(),
        direction: match change.direction {
            Direction::Up => "up",
            Direction::Down => "down",
        },
        events: counted(change.events),
        levels: levels
            .map(|(level, events)| (*level, counted(*events)))
            .collect(),
        expected: change.expected,
        first_seen_at: EventTime(change.first_seen),
        never_seen_before: change.is_unseen,
        score: change.score,
        example: change.example.clone(),
        shown_by: shown_by(&change.shown_by),
    }
}
