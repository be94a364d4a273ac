//! The `meta` of an answer to a query: whether it is complete and why not, what was read, and why nothing was found.

use std::collections::BTreeMap;

use cordwood_event::{EventId, SourceId, Timestamp};
use cordwood_service::{
    Account, Approximation, BlockCounts, ClauseCount, Count, Explanation, Method, NearFields,
    QueryProblem, SearchAnswer,
};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::failure::Diagnostic;
use crate::rest::times::{EventTime, Millis};

/// The account of an answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueryMeta {
    /// Whether every event in the range was considered.
    complete: bool,
    /// Why not, if not.
    incomplete_reason: Option<String>,
    /// The query as understood.
    query: String,
    range: RangeRecord,
    /// Ids of the sources searched.
    sources: Vec<String>,
    /// Events looked at.
    rows_scanned: u64,
    /// Bytes read and decoded.
    bytes_scanned: u64,
    /// Blocks of the sources searched.
    blocks_total: u64,
    /// Of these, left out without being read.
    blocks_pruned: u64,
    blocks_pruned_by: PrunedBy,
    /// Of these, counted by their directories alone.
    blocks_counted: u64,
    blocks_read: u64,
    took_ms: Millis,
    /// What else keeps events from an answer that is not full, a sentence each: sources that refuse what is sent to them, a token
    /// that does not read everything, events with a time in the future.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    /// Remarks on the query text.
    hints: Vec<Diagnostic>,
    /// By the ids of sources whose retention or size cuts off the start of the range: from when on their events are kept.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    kept_from: BTreeMap<String, EventTime>,
    /// Whether there are more events or rows than these, to which no cursor leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<bool>,
    /// The columns of a table, in order.
    #[serde(skip_serializing_if = "Option::is_none")]
    columns: Option<Vec<String>>,
    /// The columns of a table that are not exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    approximate: Option<Vec<ApproximationRecord>>,
    /// All matches, if they were to be counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// When nothing was found: why, in a sentence or two.
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
    /// When nothing was found: how many events lie in the range at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    events_in_range: Option<CountRecord>,
    /// When nothing was found: what each clause matches by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    clauses: Option<Vec<ClauseRecord>>,
    /// When nothing was found: the nearest event before the range that the query matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    nearest_before: Option<Option<EventTime>>,
    /// The nearest such event after the range.
    #[serde(skip_serializing_if = "Option::is_none")]
    nearest_after: Option<Option<EventTime>>,
}

/// A range of time, inclusive; null where it is open.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RangeRecord {
    pub(crate) from: Option<EventTime>,
    pub(crate) to: Option<EventTime>,
}

/// What blocks were left out by.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PrunedBy {
    time: u64,
    snapshot: u64,
    token_map: u64,
    deletions: u64,
    min_max: u64,
    fields: u64,
    dictionaries: u64,
}

/// A column that is not exact.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApproximationRecord {
    column: String,
    /// `hyperloglog` or `histogram`.
    method: &'static str,
    /// Of `hyperloglog`, as a share of the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    standard_error: Option<f64>,
    /// Of `histogram`: how far off it is at most, as a share of the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    relative_error: Option<f64>,
}

/// What a clause of a query matches by itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClauseRecord {
    clause: String,
    matches: CountRecord,
    /// Fields no event in the range has, with names near theirs.
    unknown_fields: Vec<UnknownField>,
}

/// A field no event in the range has.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UnknownField {
    field: String,
    near: Vec<String>,
}

/// A number, or a text such as `at least 10000` when counting was cut short.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(value_type = serde_json::Value)]
pub(crate) struct CountRecord(pub(crate) Count);

impl Serialize for CountRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Count::Exactly(number) => serializer.serialize_u64(number),
            Count::AtLeast(number) => serializer.collect_str(&format_args!("at least {number}")),
        }
    }
}

impl QueryMeta {
    /// The account of an answer.
    pub(crate) fn of(answer: &SearchAnswer) -> QueryMeta {
        let table = answer.table.as_ref();
        let explanation = answer.explanation.as_ref();
        let nearest = |id: Option<EventId>| id.map(|id| EventTime(id.timestamp));
        QueryMeta {
            columns: table.map(|table| table.columns.clone()),
            more: match table {
                Some(table) => Some(table.more),
                None => answer.has_more.then_some(true),
            },
            approximate: table.map(|_| answer.approximate.iter().map(approximation).collect()),
            total: answer.total,
            explanation: explanation.map(sentence),
            events_in_range: explanation.map(|found| CountRecord(found.events_in_range)),
            clauses: explanation.map(|found| found.clauses.iter().map(clause).collect()),
            nearest_before: explanation.map(|found| nearest(found.nearest_before)),
            nearest_after: explanation.map(|found| nearest(found.nearest_after)),
            hints: answer.hints.iter().map(Diagnostic::of).collect(),
            ..QueryMeta::of_account(&answer.account)
        }
    }

    /// The same, with remarks on the query text.
    pub(crate) fn with_hints(self, hints: &[QueryProblem]) -> QueryMeta {
        QueryMeta {
            hints: hints.iter().map(Diagnostic::of).collect(),
            ..self
        }
    }

    /// That of an answer that is neither events nor a table.
    pub(crate) fn of_account(account: &Account) -> QueryMeta {
        QueryMeta {
            complete: account.complete,
            incomplete_reason: account.incomplete_reason.clone(),
            query: account.query.clone(),
            range: range(account.from, account.to),
            sources: ids(&account.sources),
            rows_scanned: account.rows_scanned,
            bytes_scanned: account.bytes_scanned,
            blocks_total: account.blocks.total,
            blocks_pruned: account.blocks.pruned(),
            blocks_pruned_by: pruned_by(&account.blocks),
            blocks_counted: account.blocks.counted_whole,
            blocks_read: account.blocks.read,
            took_ms: Millis(account.elapsed),
            notes: account.notes.clone(),
            hints: Vec::new(),
            kept_from: kept_from(&account.kept_from),
            more: None,
            columns: None,
            approximate: None,
            total: None,
            explanation: None,
            events_in_range: None,
            clauses: None,
            nearest_before: None,
            nearest_after: None,
        }
    }
}

pub(crate) fn range(from: Option<Timestamp>, to: Option<Timestamp>) -> RangeRecord {
    RangeRecord {
        from: from.map(EventTime),
        to: to.map(EventTime),
    }
}

pub(crate) fn ids(sources: &[SourceId]) -> Vec<String> {
    sources.iter().map(ToString::to_string).collect()
}

pub(crate) fn kept_from(cuts: &BTreeMap<SourceId, Timestamp>) -> BTreeMap<String, EventTime> {
    let cuts = cuts.iter();
    cuts.map(|(source, from)| (source.to_string(), EventTime(*from)))
        .collect()
}

/// The steps of pruning by the names a plan has for them.
fn pruned_by(blocks: &BlockCounts) -> PrunedBy {
    PrunedBy {
        time: blocks.pruned_by_time,
        snapshot: blocks.pruned_by_sequence,
        token_map: blocks.pruned_by_tokens,
        deletions: blocks.pruned_by_deletion,
        min_max: blocks.pruned_by_statistics,
        fields: blocks.pruned_by_absent_column,
        dictionaries: blocks.pruned_by_dictionary,
    }
}

fn approximation(approximation: &Approximation) -> ApproximationRecord {
    let (method, standard_error, relative_error) = match approximation.method {
        Method::HyperLogLog { standard_error } => ("hyperloglog", Some(standard_error), None),
        Method::Histogram { relative_error } => ("histogram", None, Some(relative_error)),
    };
    ApproximationRecord {
        column: approximation.column.clone(),
        method,
        standard_error,
        relative_error,
    }
}

fn clause(clause: &ClauseCount) -> ClauseRecord {
    ClauseRecord {
        clause: clause.clause.clone(),
        matches: CountRecord(clause.matches),
        unknown_fields: clause.near_fields.iter().map(unknown_field).collect(),
    }
}

fn unknown_field(near: &NearFields) -> UnknownField {
    UnknownField {
        field: near.missing.clone(),
        near: near.near.clone(),
    }
}

/// Why nothing was found, in a sentence or two.
fn sentence(explanation: &Explanation) -> String {
    if explanation.events_in_range.is_none() {
        return "There are no events in the range.".into();
    }
    let emptied_by = explanation
        .emptied_by
        .and_then(|index| explanation.clauses.get(index));
    let Some(clause) = emptied_by else {
        return "No event in the range matches all clauses together.".into();
    };
    if !clause.matches.is_none() {
        let text = &clause.clause;
        return format!(
            "Events in the range match `{text}`, but none that the clauses before it match."
        );
    }
    let near = clause.near_fields.iter().flat_map(|field| &field.near);
    let near: Vec<String> = near.map(|name| format!("`{name}`")).collect();
    let hint = match near.is_empty() {
        true => String::new(),
        false => format!(" Did you mean {}?", near.join(" or ")),
    };
    format!("No event in the range matches `{}`.{hint}", clause.clause)
}
