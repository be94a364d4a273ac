//! Patterns as records.

use std::collections::{BTreeMap, HashMap};

use cordwood_event::{Event, SourceId, json};
use cordwood_service::{PatternFound, PatternsAnswer};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::rest::query_meta::QueryMeta;
use crate::rest::times::EventTime;

/// `{"data": […], "meta": {…}}`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PatternsBody {
    /// The commonest first.
    data: Vec<PatternRecord>,
    meta: PatternsMeta,
}

/// What many events say alike.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PatternRecord {
    /// Sixteen hexadecimal digits: the same in every answer.
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    attributes: PatternAttributes,
}

/// How often it was said, and when.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PatternAttributes {
    /// What people read: `took <num>ms for <uuid>`.
    pattern: String,
    /// A query for its events.
    query: String,
    /// Whether the query may find events of other patterns besides: whatever stands in the places of the pattern, it finds.
    query_may_find_more: bool,
    /// How many of the events that match have it.
    count: u64,
    /// Which share that is of all that match, from 0 to 1.
    share: f64,
    /// How many of each level that occurs; `none` for those without.
    levels: BTreeMap<&'static str, u64>,
    /// How many in each bucket of `meta.buckets`.
    trend: Vec<u64>,
    /// How many in each source, by its id.
    sources: BTreeMap<String, u64>,
    /// The time of the earliest of the events that match.
    first: EventTime,
    /// The time of the latest.
    last: EventTime,
    /// When any of the sources searched had it first, whatever is asked for and kept.
    first_seen_at: EventTime,
    /// When one of them had it last.
    last_seen_at: EventTime,
    /// How many events of these sources have had it.
    seen: u64,
    /// The latest event, as it was sent.
    #[schema(value_type = Option<serde_json::Value>)]
    example: Option<Box<RawValue>>,
}

/// The account of the answer, and what it counts besides.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PatternsMeta {
    #[schema(inline)]
    #[serde(flatten)]
    account: QueryMeta,
    /// How many events match.
    events: u64,
    /// How many of these do not have the field.
    events_without_field: u64,
    /// How many say things of too many kinds to be told apart.
    events_other: u64,
    /// How many patterns there are, of which `data` has the commonest.
    patterns_total: u64,
    /// How many patterns of these sources were forgotten, because there were too many: they may seem to be new.
    patterns_forgotten: u64,
    /// When each bucket of the trend begins.
    buckets: Vec<EventTime>,
    /// How long a bucket is, such as `5m`; null when there are none.
    bucket_length: Option<String>,
}

impl PatternsBody {
    pub(crate) fn of(answer: PatternsAnswer) -> PatternsBody {
        let names = &answer.source_names;
        let patterns = answer.patterns.into_iter();
        PatternsBody {
            data: patterns.map(|pattern| record(pattern, names)).collect(),
            meta: PatternsMeta {
                account: QueryMeta::of_account(&answer.account).with_hints(&answer.hints),
                events: answer.events,
                events_without_field: answer.without_field,
                events_other: answer.other,
                patterns_total: answer.patterns_total,
                patterns_forgotten: answer.forgotten,
                buckets: answer.buckets.into_iter().map(EventTime).collect(),
                bucket_length: answer.interval.map(|interval| interval.to_string()),
            },
        }
    }
}

fn record(pattern: PatternFound, names: &HashMap<SourceId, String>) -> PatternRecord {
    let sources = pattern.sources.into_iter();
    PatternRecord {
        id: pattern.id.to_string(),
        kind: "pattern",
        attributes: PatternAttributes {
            pattern: pattern.text,
            query: pattern.query,
            query_may_find_more: true,
            count: pattern.count,
            share: pattern.share,
            levels: pattern.levels.into_iter().collect(),
            trend: pattern.trend,
            sources: sources
                .map(|(source, count)| (source.to_string(), count))
                .collect(),
            first: EventTime(pattern.first),
            last: EventTime(pattern.last),
            first_seen_at: EventTime(pattern.first_seen),
            last_seen_at: EventTime(pattern.last_seen),
            seen: pattern.seen,
            example: pattern.example.and_then(|event| {
                let name = names.get(&event.source).map_or("", String::as_str);
                as_sent(&event, name)
            }),
        },
    }
}

/// An event as it was sent, with the name of its source.
pub(crate) fn as_sent(event: &Event, source_name: &str) -> Option<Box<RawValue>> {
    let mut text = String::new();
    json::write_event(&mut text, event, source_name);
    RawValue::from_string(text).ok()
}
