//! What changed, as JSON: lines with their counts, a sentence and the query that shows them, and the account.

use std::collections::BTreeMap;

use cordwood_service::{
    Both, Cause, Change, ChangeKind, Direction, Evidence, FieldValue, QuietService, ServiceChange,
    Usual, ValueChange, WhatChanged, WhatChangedAccount, WindowAccount,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::failure::Diagnostic;
use crate::rest::pattern_changes::{PatternChangeRecord, patterns};
use crate::rest::query_meta::{ids, kept_from};
use crate::rest::times::{EventTime, Millis};

/// What changed, and the account of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WhatChangedAnswer {
    data: WhatChangedRecord,
    meta: WhatChangedMeta,
}

/// What changed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WhatChangedRecord {
    /// The parts of the events that explain what changed, the strongest first.
    causes: Vec<CauseRecord>,
    /// How events of each kind went.
    changes: Vec<ChangeRecord>,
    /// Services whose errors are not what they usually are.
    services: Vec<ServiceChangeRecord>,
    /// Services of which next to nothing came.
    quiet_services: Vec<QuietServiceRecord>,
    /// Values that the baseline has none of.
    new_values: Vec<ValueChangeRecord>,
    /// Values that only the baseline has.
    vanished_values: Vec<ValueChangeRecord>,
    /// What messages say now and did not in the baseline, the strongest evidence first.
    new_patterns: Vec<PatternChangeRecord>,
    /// What they said in the baseline and do not now.
    vanished_patterns: Vec<PatternChangeRecord>,
    /// What they say much more or much less often.
    changed_patterns: Vec<PatternChangeRecord>,
}

/// A number of each window.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Counted {
    current: u64,
    baseline: u64,
}

/// A rate of each window: for each event, or of volume for each second.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rates {
    current: f64,
    baseline: f64,
}

/// The query and the range that show a line.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownBy {
    query: String,
    from: EventTime,
    to: EventTime,
}

/// A field and a value of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldValueRecord {
    field: String,
    value: String,
}

/// A part of the events that explains a change.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CauseRecord {
    /// The line in plain words.
    sentence: String,
    /// Of which kind of events there are more or fewer: `errors`, `warnings`, `slowness`, `volume` or `asked`.
    change: &'static str,
    /// `up` or `down`.
    direction: &'static str,
    /// The values that make the part.
    values: Vec<FieldValueRecord>,
    /// Other values that all of its events of the kind have.
    alike: Vec<FieldValueRecord>,
    /// The events of the part.
    events: Counted,
    /// Those of the kind.
    hits: Counted,
    rates: Rates,
    /// How many of the kind were to be expected in the current window.
    expected: f64,
    /// How much of the whole change is here, 0 to 1.
    explained: f64,
    /// The evidence: the logarithm of how much likelier the count is if its rate changed.
    score: f64,
    shown_by: ShownBy,
}

/// How events of one kind went.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangeRecord {
    sentence: String,
    /// `errors`, `warnings`, `slowness`, `volume` or `asked`.
    change: &'static str,
    /// Of `slowness`: the field with the duration.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// Of `slowness`: what nineteen of twenty durations of the baseline stay below.
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<f64>,
    /// How many times as many of them nearly every part of the events has: 1 when they changed in a few parts, or in none.
    everywhere: f64,
    events: Counted,
    hits: Counted,
    rates: Rates,
    shown_by: ShownBy,
}

/// What is usual.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UsualRecord {
    mean: f64,
    /// The standard deviation.
    spread: f64,
    /// Over how many windows.
    windows: usize,
}

/// A service whose errors are not what they usually are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServiceChangeRecord {
    sentence: String,
    service: FieldValueRecord,
    events: Counted,
    errors: Counted,
    /// How many of its events are errors.
    rate: f64,
    usual: UsualRecord,
    score: f64,
    shown_by: ShownBy,
}

/// A service of which next to nothing came.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuietServiceRecord {
    sentence: String,
    service: FieldValueRecord,
    events: Counted,
    usual: UsualRecord,
    /// When its last event was.
    last_seen: Option<EventTime>,
    /// What shows its events of the baseline.
    shown_by: ShownBy,
}

/// A value of one window alone.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ValueChangeRecord {
    sentence: String,
    value: FieldValueRecord,
    events: Counted,
    shown_by: ShownBy,
}

/// The account of a comparison.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WhatChangedMeta {
    /// Whether every event in both windows was considered.
    complete: bool,
    /// Why not, if not.
    incomplete_reason: Option<String>,
    /// What there is to know before the answer is believed, such as that the baseline has no events.
    notes: Vec<String>,
    /// The query as understood.
    query: String,
    /// The window asked about.
    current: WindowRecord,
    /// The one it is compared with.
    baseline: WindowRecord,
    /// Ids of the sources compared.
    sources: Vec<String>,
    /// Events looked at, those looked at for several counts as often.
    rows_scanned: u64,
    /// Bytes read and decoded.
    bytes_scanned: u64,
    /// How often events were counted.
    counts: u64,
    took_ms: Millis,
    /// Remarks on the query text.
    hints: Vec<Diagnostic>,
}

/// A window of time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WindowRecord {
    from: EventTime,
    to: EventTime,
    events: u64,
    /// By the ids of sources whose retention or size cuts off its start: from when on their events are kept.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    kept_from: BTreeMap<String, EventTime>,
    /// Blocks of the sources compared.
    blocks_total: u64,
    /// Of these, left out when its events were counted.
    blocks_pruned: u64,
    /// Of these, counted by their directories alone.
    blocks_counted: u64,
    blocks_read: u64,
}

impl WhatChangedAnswer {
    /// The answer as JSON has it.
    pub(crate) fn of(answer: &WhatChanged) -> WhatChangedAnswer {
        WhatChangedAnswer {
            data: WhatChangedRecord {
                causes: answer.causes.iter().map(cause).collect(),
                changes: answer.changes.iter().map(change).collect(),
                services: answer.services.iter().map(service).collect(),
                quiet_services: answer.quiet.iter().map(quiet).collect(),
                new_values: answer.new_values.iter().map(lone).collect(),
                vanished_values: answer.vanished_values.iter().map(lone).collect(),
                new_patterns: patterns(&answer.new_patterns),
                vanished_patterns: patterns(&answer.vanished_patterns),
                changed_patterns: patterns(&answer.changed_patterns),
            },
            meta: WhatChangedMeta {
                hints: answer.hints.iter().map(Diagnostic::of).collect(),
                ..meta(&answer.account)
            },
        }
    }
}

fn meta(account: &WhatChangedAccount) -> WhatChangedMeta {
    WhatChangedMeta {
        complete: account.complete,
        incomplete_reason: account.incomplete_reason.clone(),
        notes: account.notes.clone(),
        query: account.query.clone(),
        current: window(&account.windows.current),
        baseline: window(&account.windows.baseline),
        sources: ids(&account.sources),
        rows_scanned: account.rows_scanned,
        bytes_scanned: account.bytes_scanned,
        counts: account.counts,
        took_ms: Millis(account.elapsed),
        hints: Vec::new(),
    }
}

fn window(window: &WindowAccount) -> WindowRecord {
    WindowRecord {
        from: EventTime(window.from),
        to: EventTime(window.to),
        events: window.events,
        kept_from: kept_from(&window.kept_from),
        blocks_total: window.blocks.total,
        blocks_pruned: window.blocks.pruned(),
        blocks_counted: window.blocks.counted_whole,
        blocks_read: window.blocks.read,
    }
}

fn cause(cause: &Cause) -> CauseRecord {
    CauseRecord {
        sentence: cause.sentence.clone(),
        change: cause.kind.name(),
        direction: match cause.direction {
            Direction::Up => "up",
            Direction::Down => "down",
        },
        values: cause.values.iter().map(value).collect(),
        alike: cause.alike.iter().map(value).collect(),
        events: counted(cause.events),
        hits: counted(cause.hits),
        rates: rates(cause.rates),
        expected: cause.expected,
        explained: cause.explained,
        score: cause.score,
        shown_by: shown_by(&cause.shown_by),
    }
}

fn change(change: &Change) -> ChangeRecord {
    let (field, threshold) = match &change.kind {
        ChangeKind::Slowness { field, threshold } => (Some(field.clone()), Some(*threshold)),
        ChangeKind::Errors | ChangeKind::Warnings | ChangeKind::Asked | ChangeKind::Volume => {
            (None, None)
        }
    };
    ChangeRecord {
        sentence: change.sentence.clone(),
        change: change.kind.name(),
        field,
        threshold,
        everywhere: change.everywhere,
        events: counted(change.events),
        hits: counted(change.hits),
        rates: rates(change.rates),
        shown_by: shown_by(&change.shown_by),
    }
}

fn service(service: &ServiceChange) -> ServiceChangeRecord {
    ServiceChangeRecord {
        sentence: service.sentence.clone(),
        service: value(&service.service),
        events: counted(service.events),
        errors: counted(service.errors),
        rate: service.rate,
        usual: usual(service.usual),
        score: service.score,
        shown_by: shown_by(&service.shown_by),
    }
}

fn quiet(service: &QuietService) -> QuietServiceRecord {
    QuietServiceRecord {
        sentence: service.sentence.clone(),
        service: value(&service.service),
        events: counted(service.events),
        usual: usual(service.usual),
        last_seen: service.last_seen.map(EventTime),
        shown_by: shown_by(&service.shown_by),
    }
}

fn lone(lone: &ValueChange) -> ValueChangeRecord {
    ValueChangeRecord {
        sentence: lone.sentence.clone(),
        value: value(&lone.value),
        events: counted(lone.events),
        shown_by: shown_by(&lone.shown_by),
    }
}

fn value(value: &FieldValue) -> FieldValueRecord {
    FieldValueRecord {
        field: value.field.clone(),
        value: value.value.clone(),
    }
}

fn usual(usual: Usual) -> UsualRecord {
    UsualRecord {
        mean: usual.mean,
        spread: usual.spread,
        windows: usual.windows,
    }
}

pub(crate) fn counted(count: Both<u64>) -> Counted {
    Counted {
        current: count.current,
        baseline: count.baseline,
    }
}

fn rates(rates: Both<f64>) -> Rates {
    Rates {
        current: rates.current,
        baseline: rates.baseline,
    }
}

pub(crate) fn shown_by(evidence: &Evidence) -> ShownBy {
    ShownBy {
        query: evidence.query.clone(),
        from: EventTime(evidence.from),
        to: EventTime(evidence.to),
    }
}
