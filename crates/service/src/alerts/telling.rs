//! What the effects of a step come to: incidents with the events that show them, entries in their timelines, notices.

use std::collections::BTreeMap;
use std::sync::Arc;

use cordwood_alerts::{
    CheckedRule, Closed, Condition, Effect, Group, IncidentPer, Opened, Severity, Telling, Window,
};
use cordwood_catalog::{self as catalog, Entry, EntryKind, KeptEvent, NewIncident, RuleDeed};
use cordwood_engine::SearchRequest;
use cordwood_event::{Timestamp, json};
use cordwood_notify::{Notice, NoticeKind, SAMPLES_MAX};
use cordwood_query::Filter;

use super::asking::{Asking, Span};
use super::groups::filter_of;
use super::watched::Watched;
use crate::incidents::{sample, severity_told};
use crate::{IncidentEvidence, Service};

/// Events kept with an incident when it opens: the newest, enough to see what they have in common.
const EVENTS_KEPT: usize = 20;

/// A check whose effects are to be told.
#[derive(Debug)]
pub(super) struct Checked<'a> {
    pub(super) watched: &'a Watched,
    pub(super) sources: &'a [Arc<catalog::Source>],
    pub(super) span: Span,
    pub(super) window: Window,
    /// Queries for the events of patterns, where these are the groups.
    pub(super) of_patterns: &'a BTreeMap<Group, String>,
}

impl Service {
    /// What is to be written for an effect.
    pub(super) fn deed(
        &self,
        asking: &Asking<'_>,
        checked: &Checked<'_>,
        effect: &Effect,
    ) -> RuleDeed {
        match effect {
            Effect::Opened(opened) => self.opening(asking, checked, opened),
            Effect::Joined(opened) => RuleDeed::Note {
                group: None,
                episode: opened.episode,
                entry: entry(
                    checked,
                    EntryKind::Joined,
                    checked.cause(&opened.group, opened),
                ),
            },
            Effect::Left(closed) => RuleDeed::Note {
                group: None,
                episode: closed.episode,
                entry: entry(checked, EntryKind::Left, closed.group.to_string()),
            },
            Effect::Recovered(closed) => self.recovery(checked, closed),
            Effect::Failing { reason, since } => {
                let cause = format!("It cannot be checked: {reason}.");
                self.tell(checked, NoticeKind::Failing, *since, cause)
            }
            Effect::Working { since } => {
                let cause = format!("It is checked again, after it could not be since {since}.");
                self.tell(checked, NoticeKind::Working, *since, cause)
            }
        }
    }

    fn opening(&self, asking: &Asking<'_>, checked: &Checked<'_>, opened: &Opened) -> RuleDeed {
        let record = &checked.watched.record;
        let rule = checked.rule();
        let filter = filter_of(
            rule,
            &opened.group,
            checked.of_patterns.get(&opened.group).map(String::as_str),
        );
        let evidence = checked.evidence(&filter, opened);
        let events = self.kept_events_of(asking, checked, filter);
        let cause = checked.cause(&opened.group, opened);
        let notice = Notice {
            value: evidence.value.clone(),
            threshold: evidence.threshold.clone(),
            samples: events.iter().take(SAMPLES_MAX).map(sample).collect(),
            sample_link: evidence.link(),
            ..self.notice(
                checked,
                NoticeKind::Opened,
                &opened.group,
                opened.since,
                cause.clone(),
            )
        };
        let key = checked.key(&opened.group, opened.episode, NoticeKind::Opened);
        let mut incident = NewIncident {
            client: record.client,
            rule: Some(record.id),
            group: checked.incident_group(&opened.group),
            episode: Some(opened.episode),
            key: None,
            name: checked.title(&opened.group),
            cause,
            severity: severity_kept(rule.rule().severity),
            started_at: opened.since,
            opened_by: checked.author(),
            opened_with: None,
            assignee: None,
            muted_by: None,
            is_told: true,
            labels: rule.rule().labels.clone(),
            links: Vec::new(),
            channels: record.content.channels.clone(),
            evidence: evidence.to_json(),
            events,
        };
        // What cannot be known of silences must not keep anybody from being told.
        let muted = self.muted_when_opened(&incident, checked.window.end);
        incident.muted_by = muted.ok().flatten();
        incident.is_told = incident.muted_by.is_none();
        let notices = match incident.is_told {
            true => self.notices_for(
                record.client,
                &record.content.channels,
                &notice,
                None,
                Some(record.id),
                &key,
            ),
            false => Vec::new(),
        };
        RuleDeed::Open {
            incident: Box::new(incident),
            notices,
        }
    }

    fn recovery(&self, checked: &Checked<'_>, closed: &Closed) -> RuleDeed {
        let record = &checked.watched.record;
        let cause = format!("{} is as it should be again.", checked.title(&closed.group));
        let notice = Notice {
            until: Some(closed.until),
            ..self.notice(
                checked,
                NoticeKind::Resolved,
                &closed.group,
                closed.since,
                cause,
            )
        };
        let key = checked.key(&closed.group, closed.episode, NoticeKind::Resolved);
        let channels = &record.content.channels;
        RuleDeed::Recover {
            group: checked.incident_group(&closed.group),
            episode: closed.episode,
            by: checked.author(),
            notices: self.notices_for(
                record.client,
                channels,
                &notice,
                None,
                Some(record.id),
                &key,
            ),
        }
    }

    /// Something about the rule itself.
    fn tell(
        &self,
        checked: &Checked<'_>,
        kind: NoticeKind,
        since: Timestamp,
        cause: String,
    ) -> RuleDeed {
        let record = &checked.watched.record;
        let notice = self.notice(checked, kind, &Group::whole(), since, cause);
        let key = format!("rule/{}/{}/{}", record.id.0, kind.name(), since.as_nanos());
        let channels = &record.content.channels;
        RuleDeed::Tell(self.notices_for(
            record.client,
            channels,
            &notice,
            None,
            Some(record.id),
            &key,
        ))
    }

    fn notice(
        &self,
        checked: &Checked<'_>,
        kind: NoticeKind,
        group: &Group,
        since: Timestamp,
        cause: String,
    ) -> Notice {
        let record = &checked.watched.record;
        let rule = checked.rule().rule();
        let clients = self.catalog.clients();
        let client = clients
            .into_iter()
            .find(|client| client.id == record.client);
        let fields = group.fields().iter();
        let fields = fields.map(|(name, value)| (name.clone(), value.clone().unwrap_or_default()));
        Notice {
            kind,
            title: checked.title(group),
            cause,
            severity: severity_told(severity_kept(rule.severity)),
            client: client.map_or_else(String::new, |client| client.name),
            rule: Some(record.content.name.clone()),
            group: fields.collect(),
            since,
            until: None,
            value: None,
            threshold: None,
            samples: Vec::new(),
            sample_link: None,
            incident: None,
            labels: rule.labels.clone(),
            runbook: rule.runbook.clone(),
        }
    }

    /// The newest events of a group that show what is wrong; of one that is silent, the last before that.
    fn kept_events_of(
        &self,
        asking: &Asking<'_>,
        checked: &Checked<'_>,
        filter: Filter,
    ) -> Vec<KeptEvent> {
        let (sources, span) = (checked.sources, checked.span);
        if let Condition::Absence(_) = checked.rule().rule().condition {
            let search = asking.search_before(filter, sources, span);
            return self.newest_events(asking, checked, search);
        }
        if let Some(shown_by) = checked.rule().shown_by() {
            let shown = Filter::and(vec![filter.clone(), shown_by.clone()]);
            let search = asking.search(shown, sources, span);
            let events = self.newest_events(asking, checked, search);
            if !events.is_empty() {
                return events;
            }
        }
        self.newest_events(asking, checked, asking.search(filter, sources, span))
    }

    /// Events as they were sent. That they cannot be read keeps nobody from being told.
    fn newest_events(
        &self,
        asking: &Asking<'_>,
        checked: &Checked<'_>,
        mut search: SearchRequest,
    ) -> Vec<KeptEvent> {
        search.limit = EVENTS_KEPT;
        let Ok(found) = self.engine.search(&asking.snapshot, &search) else {
            return Vec::new();
        };
        let name_of = |event: &cordwood_event::Event| {
            let source = checked
                .sources
                .iter()
                .find(|source| source.id == event.source);
            source.map_or_else(String::new, |source| source.name.clone())
        };
        let kept = found.events.iter().map(|event| {
            let source_name = name_of(event);
            let mut text = String::new();
            json::write_event(&mut text, event, &source_name);
            KeptEvent {
                event_id: event.id.to_string(),
                dt: event.id.timestamp,
                source: event.source,
                source_name,
                event: text,
            }
        });
        kept.filter(|event| event.event.len() <= catalog::KEPT_EVENT_BYTES_MAX)
            .collect()
    }
}

impl Checked<'_> {
    fn rule(&self) -> &CheckedRule {
        &self.watched.rule
    }

    fn name(&self) -> &str {
        &self.watched.record.content.name
    }

    fn author(&self) -> String {
        format!("alert {}", self.name())
    }

    /// A line: the rule, and the group where each has its own incident.
    fn title(&self, group: &Group) -> String {
        let is_by_group = self.rule().rule().incident_per == IncidentPer::Group;
        match is_by_group && !group.fields().is_empty() {
            true => format!("{}: {}", self.name(), group.name()),
            false => self.name().to_owned(),
        }
    }

    fn incident_group(&self, group: &Group) -> Option<String> {
        self.watched.incident_group(group)
    }

    /// Names a notice, so that it exists once.
    fn key(&self, group: &Group, episode: u64, kind: NoticeKind) -> String {
        let (rule, group) = (self.watched.record.id.0, self.incident_group(group));
        let group = group.unwrap_or_default();
        format!("rule/{rule}/{episode}/{}/{group}", kind.name())
    }

    fn cause(&self, group: &Group, opened: &Opened) -> String {
        self.rule().cause(&Telling {
            rule_name: self.name(),
            group,
            reading: &opened.reading,
            since: opened.since,
            at: self.window.end,
        })
    }

    fn evidence(&self, filter: &Filter, opened: &Opened) -> IncidentEvidence {
        let rule = self.rule().rule();
        let lateness = match self.span {
            Span::Arrived { lateness_s, .. } => i64::from(lateness_s) * 1_000_000_000,
            Span::Happened(_) => 0,
        };
        let from = self.window.start.as_nanos().saturating_sub(lateness);
        IncidentEvidence {
            query: Some(filter.to_string()),
            sources: self
                .watched
                .record
                .content
                .sources
                .iter()
                .map(|source| source.0)
                .collect(),
            from: Some(Timestamp::from_nanos(from)),
            to: Some(self.window.end),
            value: self.rule().value_text(&opened.reading),
            threshold: Some(opened.limit.clone()),
            runbook: rule.runbook.clone(),
        }
    }
}

fn entry(checked: &Checked<'_>, kind: EntryKind, text: String) -> Entry {
    Entry {
        kind,
        author: checked.author(),
        token: None,
        text,
    }
}

fn severity_kept(severity: Severity) -> catalog::Severity {
    match severity {
        Severity::Info => catalog::Severity::Info,
        Severity::Warning => catalog::Severity::Warning,
        Severity::Error => catalog::Severity::Error,
        Severity::Critical => catalog::Severity::Critical,
    }
}
