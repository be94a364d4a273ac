//! What the channels are told of an incident.

use std::collections::BTreeMap;

use cordwood_catalog::{self as catalog, NewNotice};
use cordwood_event::Timestamp;
use cordwood_notify::{self as notify, Notice, NoticeKind, SAMPLES_MAX, Sample};

use super::{Incident, IncidentEvidence, IncidentId, KeptEvent, Severity, of_catalog};
use crate::silences::group_of;
use crate::{ClientId, Error, Service};

/// What of an incident is told, whether it is open already or about to be.
struct Told<'a> {
    client: ClientId,
    group: Option<&'a str>,
    rule: Option<catalog::RuleId>,
    name: &'a str,
    cause: &'a str,
    severity: Severity,
    since: Timestamp,
    until: Option<Timestamp>,
    labels: &'a BTreeMap<String, String>,
    channels: &'a [u64],
    evidence: IncidentEvidence,
    events: &'a [KeptEvent],
}

impl Service {
    /// The notices of a change to an incident. Of one of which nobody was told that it opened, or that is a part of another, nothing is
    /// told. The key says which change it is.
    pub(crate) fn notices_of(
        &self,
        incident: &Incident,
        kind: NoticeKind,
        now: Timestamp,
    ) -> Result<Vec<NewNotice>, Error> {
        if !incident.is_told || incident.merged_into.is_some() {
            return Ok(Vec::new());
        }
        let events = self.catalog.kept_events(&[incident.id]);
        let events = events.map_err(of_catalog)?;
        let told = Told {
            client: incident.client,
            group: incident.group.as_deref(),
            rule: incident.rule,
            name: &incident.name,
            cause: &incident.cause,
            severity: incident.severity,
            since: incident.started_at,
            until: (kind == NoticeKind::Resolved).then_some(now),
            labels: &incident.labels,
            channels: &incident.channels,
            evidence: IncidentEvidence::of(incident),
            events: &events,
        };
        let key = format!(
            "incident/{}/{}/{}",
            incident.id.0,
            kind.name(),
            now.as_nanos()
        );
        Ok(self.notices(&told, incident.id, kind, &key))
    }

    /// The notices of an incident that is about to be opened; none if it is muted.
    pub(super) fn opening_notices(
        &self,
        new: &catalog::NewIncident,
        id: IncidentId,
        kind: NoticeKind,
        key: &str,
    ) -> Vec<NewNotice> {
        if !new.is_told {
            return Vec::new();
        }
        let told = Told {
            client: new.client,
            group: new.group.as_deref(),
            rule: new.rule,
            name: &new.name,
            cause: &new.cause,
            severity: new.severity,
            since: new.started_at,
            until: None,
            labels: &new.labels,
            channels: &new.channels,
            evidence: serde_json::from_str(&new.evidence).unwrap_or_default(),
            events: &new.events,
        };
        self.notices(&told, id, kind, key)
    }

    fn notices(
        &self,
        told: &Told<'_>,
        id: IncidentId,
        kind: NoticeKind,
        key: &str,
    ) -> Vec<NewNotice> {
        let clients = self.catalog.clients();
        let client = clients.into_iter().find(|client| client.id == told.client);
        let rule = told.rule.and_then(|rule| self.catalog.rule(rule));
        let notice = Notice {
            kind,
            title: told.name.to_owned(),
            cause: told.cause.to_owned(),
            severity: severity_told(told.severity),
            client: client.map_or_else(String::new, |client| client.name),
            rule: rule.map(|rule| rule.content.name.clone()),
            group: values(told.group),
            since: told.since,
            until: told.until,
            value: told.evidence.value.clone(),
            threshold: told.evidence.threshold.clone(),
            samples: told.events.iter().take(SAMPLES_MAX).map(sample).collect(),
            sample_link: told.evidence.link(),
            incident: Some(id.0),
            labels: told.labels.clone(),
            runbook: told.evidence.runbook.clone(),
        };
        let (channels, rule) = (told.channels, told.rule);
        self.notices_for(told.client, channels, &notice, Some(id), rule, key)
    }
}

/// The fields of a group that events have, and their values.
fn values(group: Option<&str>) -> Vec<(String, String)> {
    let group = group_of(group);
    let fields = group.fields().iter();
    fields
        .filter_map(|(name, value)| Some((name.clone(), value.clone()?)))
        .collect()
}

/// How bad it is, as notices have it.
pub(crate) fn severity_told(severity: Severity) -> notify::Severity {
    match severity {
        Severity::Info => notify::Severity::Info,
        Severity::Warning => notify::Severity::Warning,
        Severity::Error => notify::Severity::Error,
        Severity::Critical => notify::Severity::Critical,
    }
}

/// A kept event as the line that a notice has of it.
pub(crate) fn sample(event: &KeptEvent) -> Sample {
    let sent: serde_json::Value = serde_json::from_str(&event.event).unwrap_or_default();
    let text = |name: &str| sent[name].as_str().map(str::to_owned);
    Sample {
        dt: event.dt,
        source: event.source_name.clone(),
        level: text("level"),
        message: text("message").unwrap_or_else(|| event.event.clone()),
    }
}
