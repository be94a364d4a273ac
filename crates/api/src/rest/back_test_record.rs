//! The record of a back-test.

use std::collections::BTreeMap;

use cordwood_service::BackTestAnswer;
use cordwood_service::rules::Episode;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::rest::alert_checks::{fields, measured};
use crate::rest::envelope::Attributes;
use crate::rest::patterns_answer::as_sent;
use crate::rest::times::{Millis, RecordTime};

/// What an alert would have done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BackTestAttributes {
    from: RecordTime,
    to: RecordTime,
    /// When it would have fired, the first first.
    episodes: Vec<EpisodeRecord>,
    /// Episodes beyond those.
    episodes_left_out: u64,
    checks: u64,
    checks_failed: u64,
    /// For how long it would have fired.
    firing_s: f64,
    /// How many notices each of its channels would have got.
    notices: u64,
    groups_left_out: usize,
    /// Whether all days were looked at.
    complete: bool,
    incomplete_reason: Option<String>,
    elapsed_ms: Millis,
}

/// A stretch in which a group would have fired.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EpisodeRecord {
    group: BTreeMap<String, Option<String>>,
    /// Since when it was breached.
    since: RecordTime,
    opened_at: RecordTime,
    /// Null if it still fired at the end.
    recovered_at: Option<RecordTime>,
    firing_s: f64,
    /// What was read when it was worst.
    peak: Option<Value>,
    /// What that was held against: `above 5`.
    limit: String,
    /// Of the first twenty episodes, three events that show each.
    #[schema(value_type = Vec<Object>)]
    events: Vec<Box<RawValue>>,
}

impl Attributes for BackTestAttributes {
    const TYPE: &'static str = "back_test";
}

pub(crate) fn back_test_record(answer: &BackTestAnswer) -> BackTestAttributes {
    let outcome = &answer.outcome;
    let episodes = outcome.episodes.iter().enumerate().map(|(index, episode)| {
        let events = answer.events.get(index).map_or(&[][..], Vec::as_slice);
        let events = events
            .iter()
            .filter_map(|(event, source)| as_sent(event, source));
        episode_record(episode, events.collect())
    });
    BackTestAttributes {
        from: RecordTime(answer.from),
        to: RecordTime(answer.to),
        episodes: episodes.collect(),
        episodes_left_out: outcome.episodes_left_out,
        checks: outcome.checks,
        checks_failed: outcome.checks_failed,
        firing_s: outcome.firing_s,
        notices: outcome.notices,
        groups_left_out: outcome.groups_left_out,
        complete: answer.complete,
        incomplete_reason: answer.incomplete_reason.clone(),
        elapsed_ms: Millis(answer.elapsed),
    }
}

fn episode_record(episode: &Episode, events: Vec<Box<RawValue>>) -> EpisodeRecord {
    EpisodeRecord {
        group: fields(&episode.group),
        since: RecordTime(episode.since),
        opened_at: RecordTime(episode.opened_at),
        recovered_at: episode.recovered_at.map(RecordTime),
        firing_s: episode.firing_s,
        peak: episode.peak.value.as_ref().map(measured),
        limit: episode.limit.clone(),
        events,
    }
}
