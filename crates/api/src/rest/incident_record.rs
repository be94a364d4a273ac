//! Records of incidents, of what is in their timelines and of the events kept with them.

use std::collections::BTreeMap;

use cordwood_service::{
    Deed, Incident, IncidentEvidence, IncidentStatus, KeptEvent, RelatedIncident, TimelineEntry,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::rest::envelope::{Attributes, Record, record};
use crate::rest::times::{EventTime, RecordTime};

/// An incident.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentAttributes {
    name: String,
    cause: String,
    /// `info`, `warning`, `error` or `critical`.
    severity: &'static str,
    /// `started`, `acknowledged` or `resolved`.
    status: &'static str,
    started_at: RecordTime,
    opened_by: String,
    acknowledged_at: Option<RecordTime>,
    acknowledged_by: Option<String>,
    resolved_at: Option<RecordTime>,
    resolved_by: Option<String>,
    assignee: Option<String>,
    client_id: String,
    /// The rule that fired; null for one that somebody opened, or whose rule is gone.
    rule_id: Option<String>,
    /// The group of the rule that fired.
    group: Option<String>,
    /// What its opener calls it.
    key: Option<String>,
    /// The incident it was merged into.
    merged_into: Option<String>,
    /// The silence that held its notices back when it opened.
    silence_id: Option<String>,
    /// Whether the channels were told that it opened; false for one that is muted.
    told: bool,
    labels: BTreeMap<String, String>,
    links: Vec<LinkRecord>,
    /// The channels that are told of it; empty for the default ones.
    channels: Vec<String>,
    /// What shows it.
    query: Option<String>,
    /// Empty for all sources of the client.
    source_id: Vec<String>,
    from: Option<EventTime>,
    to: Option<EventTime>,
    value: Option<String>,
    threshold: Option<String>,
    runbook: Option<String>,
    updated_at: RecordTime,
}

/// A page that has more about an incident.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LinkRecord {
    title: String,
    url: String,
}

impl Attributes for IncidentAttributes {
    const TYPE: &'static str = "incident";
}

pub(crate) type IncidentRecord = Record<IncidentAttributes>;

pub(crate) fn incident_record(incident: &Incident) -> IncidentRecord {
    record(incident.id.0, incident_attributes(incident))
}

fn incident_attributes(incident: &Incident) -> IncidentAttributes {
    let evidence = IncidentEvidence::of(incident);
    let at = |deed: &Option<Deed>| deed.as_ref().map(|deed| RecordTime(deed.at));
    let by = |deed: &Option<Deed>| deed.as_ref().map(|deed| deed.by.clone());
    let links = incident.links.iter().map(|link| LinkRecord {
        title: link.title.clone(),
        url: link.url.clone(),
    });
    IncidentAttributes {
        name: incident.name.clone(),
        cause: incident.cause.clone(),
        severity: incident.severity.name(),
        status: match incident.status() {
            IncidentStatus::Started => "started",
            IncidentStatus::Acknowledged => "acknowledged",
            IncidentStatus::Resolved => "resolved",
        },
        started_at: RecordTime(incident.started_at),
        opened_by: incident.opened_by.clone(),
        acknowledged_at: at(&incident.acknowledged),
        acknowledged_by: by(&incident.acknowledged),
        resolved_at: at(&incident.resolved),
        resolved_by: by(&incident.resolved),
        assignee: incident.assignee.clone(),
        client_id: incident.client.to_string(),
        rule_id: incident.rule.map(|rule| rule.0.to_string()),
        group: incident.group.clone(),
        key: incident.key.clone(),
        merged_into: incident.merged_into.map(|into| into.0.to_string()),
        silence_id: incident.muted_by.map(|silence| silence.0.to_string()),
        told: incident.is_told,
        labels: incident.labels.clone(),
        links: links.collect(),
        channels: texts(&incident.channels),
        query: evidence.query,
        source_id: texts(&evidence.sources),
        from: evidence.from.map(EventTime),
        to: evidence.to.map(EventTime),
        value: evidence.value,
        threshold: evidence.threshold,
        runbook: evidence.runbook,
        updated_at: RecordTime(incident.updated_at),
    }
}

fn texts(ids: &[u64]) -> Vec<String> {
    ids.iter().map(u64::to_string).collect()
}

/// Another incident, and why it may have to do with one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RelatedAttributes {
    /// Why, the strongest reason first.
    reasons: Vec<String>,
    /// How much that says; more is stronger.
    weight: u32,
    #[serde(flatten)]
    incident: IncidentAttributes,
}

impl Attributes for RelatedAttributes {
    const TYPE: &'static str = "related_incident";
}

pub(crate) fn related_record(related: &RelatedIncident) -> Record<RelatedAttributes> {
    let attributes = RelatedAttributes {
        reasons: related.reasons.clone(),
        weight: related.weight,
        incident: incident_attributes(&related.incident),
    };
    record(related.incident.id.0, attributes)
}

/// What happened to an incident, or was said of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TimelineAttributes {
    at: RecordTime,
    /// `opened`, `acknowledged`, `resolved`, `reopened`, `escalated`, `assigned`, `severity_changed`, `changed`, `merged`,
    /// `events_kept`, `events_deleted`, `told`, `comment` or `comment_deleted`.
    kind: &'static str,
    /// The name of the API token, or of the rule.
    author: String,
    text: String,
    /// When its text was last changed.
    edited_at: Option<RecordTime>,
    /// The incident it was written to, where others were merged into this one.
    incident_id: String,
}

impl Attributes for TimelineAttributes {
    const TYPE: &'static str = "incident_timeline_entry";
}

pub(crate) fn timeline_record(entry: &TimelineEntry) -> Record<TimelineAttributes> {
    let attributes = TimelineAttributes {
        at: RecordTime(entry.at),
        kind: entry.entry.kind.name(),
        author: entry.entry.author.clone(),
        text: entry.entry.text.clone(),
        edited_at: entry.edited_at.map(RecordTime),
        incident_id: entry.incident.0.to_string(),
    };
    record(entry.id.0, attributes)
}

/// An event that is kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeptEventAttributes {
    dt: EventTime,
    source_id: String,
    /// The name the source had.
    source_name: String,
    /// As it was sent.
    event: Value,
}

impl Attributes for KeptEventAttributes {
    const TYPE: &'static str = "kept_event";
}

pub(crate) fn kept_event_record(event: &KeptEvent) -> Record<KeptEventAttributes> {
    let attributes = KeptEventAttributes {
        dt: EventTime(event.dt),
        source_id: event.source.to_string(),
        source_name: event.source_name.clone(),
        event: serde_json::from_str(&event.event).unwrap_or(Value::Null),
    };
    record(&event.event_id, attributes)
}
