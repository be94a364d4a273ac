//! The answer: what changed, line by line, each with the query that shows it.

use std::collections::BTreeMap;
use std::time::Duration;

use cordwood_engine::BlockCounts;
use cordwood_event::{SourceId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Both, ChangeKind, Direction, FieldValue, Usual, kept};
use crate::{PatternId, QueryProblem, nanos};

/// What changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WhatChanged {
    /// How many events of each kind there are.
    pub changes: Vec<Change>,
    /// The parts of the events that explain what changed, the strongest first.
    pub causes: Vec<Cause>,
    /// Services whose errors are not what they usually are.
    pub services: Vec<ServiceChange>,
    /// Services of which next to nothing came.
    pub quiet: Vec<QuietService>,
    /// Values that the baseline has none of.
    pub new_values: Vec<ValueChange>,
    /// Values that only the baseline has.
    pub vanished_values: Vec<ValueChange>,
    /// What messages say now and did not in the baseline, the strongest evidence first.
    pub new_patterns: Vec<PatternChange>,
    /// What they said in the baseline and do not now.
    pub vanished_patterns: Vec<PatternChange>,
    /// What they say much more or much less often.
    pub changed_patterns: Vec<PatternChange>,
    /// What was compared and read.
    pub account: WhatChangedAccount,
    /// Remarks on the query text.
    #[serde(skip)]
    pub hints: Vec<QueryProblem>,
}

/// A query and the range in which it shows what a line tells of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The query, as canonical text.
    pub query: String,
    /// From when.
    #[serde(with = "nanos")]
    pub from: Timestamp,
    /// Until when.
    #[serde(with = "nanos")]
    pub to: Timestamp,
}

/// How events of one kind went.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Change {
    /// The kind.
    pub kind: ChangeKind,
    /// How many times as many of them nearly every part of the events has: 1 when they changed in a few parts, or in none.
    pub everywhere: f64,
    /// All events compared.
    pub events: Both<u64>,
    /// Those of the kind.
    pub hits: Both<u64>,
    /// How many there are: for each event, or of volume for each second.
    pub rates: Both<f64>,
    /// The same as a sentence.
    pub sentence: String,
    /// What shows them.
    pub shown_by: Evidence,
}

/// A part of the events that explains a change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cause {
    /// Of which kind of events there are more, or fewer.
    pub kind: ChangeKind,
    /// Which.
    pub direction: Direction,
    /// The values that make the part.
    pub values: Vec<FieldValue>,
    /// Other values that all of its events of the kind have.
    pub alike: Vec<FieldValue>,
    /// The events of the part.
    pub events: Both<u64>,
    /// Those of the kind.
    pub hits: Both<u64>,
    /// How many there are: for each event, or of volume for each second.
    pub rates: Both<f64>,
    /// How many of the kind were to be expected in the current window.
    pub expected: f64,
    /// How much of the whole change is here, 0 to 1.
    pub explained: f64,
    /// The evidence, in nats: the logarithm of how much likelier the count is if its rate changed.
    pub score: f64,
    /// The same as a sentence.
    pub sentence: String,
    /// What shows them.
    pub shown_by: Evidence,
}

/// A service whose errors are not what they usually are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServiceChange {
    /// The service.
    pub service: FieldValue,
    /// Its events.
    pub events: Both<u64>,
    /// Its errors.
    pub errors: Both<u64>,
    /// How many of its events are errors.
    pub rate: f64,
    /// How many usually are.
    pub usual: Usual,
    /// The evidence, in nats.
    pub score: f64,
    /// The same as a sentence.
    pub sentence: String,
    /// What shows them.
    pub shown_by: Evidence,
}

/// A service of which next to nothing came.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QuietService {
    /// The service.
    pub service: FieldValue,
    /// Its events.
    pub events: Both<u64>,
    /// How many it usually has in as long a window.
    pub usual: Usual,
    /// When its last event was, if it is known.
    #[serde(with = "nanos::optional")]
    pub last_seen: Option<Timestamp>,
    /// The same as a sentence.
    pub sentence: String,
    /// What shows its events of the baseline.
    pub shown_by: Evidence,
}

/// A value of one window alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ValueChange {
    /// The value.
    pub value: FieldValue,
    /// How many events have it.
    pub events: Both<u64>,
    /// The same as a sentence.
    pub sentence: String,
    /// What shows them.
    pub shown_by: Evidence,
}

/// A pattern of messages of which there are more or fewer than expected.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PatternChange {
    /// Names it, for good.
    #[serde(with = "kept::pattern_id")]
    pub id: PatternId,
    /// What people read: `took <num>ms for <uuid>`.
    pub pattern: String,
    /// Whether there are more or fewer.
    pub direction: Direction,
    /// How many events have it.
    pub events: Both<u64>,
    /// How many of each level, by name, `none` for those without.
    #[serde(with = "kept::by_level")]
    pub levels: BTreeMap<&'static str, Both<u64>>,
    /// How many were to be expected in the current window.
    pub expected: f64,
    /// When any of the sources had it first, whatever is asked for and kept.
    #[serde(with = "nanos")]
    pub first_seen: Timestamp,
    /// Whether none of them had it before the current window.
    pub is_unseen: bool,
    /// The evidence, in nats.
    pub score: f64,
    /// The message of the latest event, the current window's if it has any; cut if it is long.
    pub example: Option<String>,
    /// The same as a sentence.
    pub sentence: String,
    /// What shows them, and a few events of other patterns perhaps.
    pub shown_by: Evidence,
}

/// What was compared, and whether that was everything.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WhatChangedAccount {
    /// The filter as understood.
    pub query: String,
    /// The windows.
    pub windows: Both<WindowAccount>,
    /// Whether every event in the windows was considered.
    pub complete: bool,
    /// Why not, if not.
    pub incomplete_reason: Option<String>,
    /// What there is to know before the answer is believed, such as that the baseline has no events.
    pub notes: Vec<String>,
    /// The sources compared.
    #[serde(with = "kept::source_ids")]
    pub sources: Vec<SourceId>,
    /// Events looked at, those looked at for several counts as often.
    pub rows_scanned: u64,
    /// Bytes read and decoded.
    pub bytes_scanned: u64,
    /// How often the events were counted.
    pub counts: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// One of the windows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WindowAccount {
    /// From when, inclusive.
    #[serde(with = "nanos")]
    pub from: Timestamp,
    /// Until when, inclusive.
    #[serde(with = "nanos")]
    pub to: Timestamp,
    /// How many events it has.
    pub events: u64,
    /// The sources whose retention or size cuts off its start: from when on their events are kept.
    #[serde(with = "kept::times_by_source")]
    pub kept_from: BTreeMap<SourceId, Timestamp>,
    /// What became of the blocks when all its events were counted.
    #[serde(with = "kept::BlockCountsKept")]
    pub blocks: BlockCounts,
}
