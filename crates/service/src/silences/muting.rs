//! Whether an incident is muted, and by what.

use cordwood_alerts::{self as alerts, Group, Subject};
use cordwood_catalog::{self as catalog, RuleId, Severity, SilenceId};
use cordwood_event::Timestamp;

use super::{checked, of_catalog};
use crate::{ClientId, Error, Incident, Service};

impl Service {
    /// The silence that mutes something of a client now, and until when: of several the one that lasts longest.
    pub(crate) fn muted_by(
        &self,
        client: ClientId,
        subject: &Subject<'_>,
        now: Timestamp,
    ) -> Result<Option<(SilenceId, Timestamp)>, Error> {
        let standing = self.catalog.standing_silences(now).map_err(of_catalog)?;
        let muting = standing.iter().filter_map(|silence| {
            let is_of_client = silence.content.client.is_none_or(|own| own == client);
            let until = checked(silence)
                .filter(|_| is_of_client)?
                .mutes(subject, now)?;
            Some((silence.id, until))
        });
        Ok(muting.max_by_key(|(_, until)| *until))
    }

    /// The silence that mutes an incident that is about to be opened.
    pub(crate) fn muted_when_opened(
        &self,
        new: &catalog::NewIncident,
        now: Timestamp,
    ) -> Result<Option<SilenceId>, Error> {
        let about = About {
            rule: new.rule,
            group: new.group.as_deref(),
            severity: new.severity,
            labels: &new.labels,
        };
        self.mutes(new.client, &about, now)
    }

    /// Whether an incident is muted.
    pub(crate) fn is_muted(&self, incident: &Incident, now: Timestamp) -> Result<bool, Error> {
        let about = About {
            rule: incident.rule,
            group: incident.group.as_deref(),
            severity: incident.severity,
            labels: &incident.labels,
        };
        let muted = self.mutes(incident.client, &about, now)?;
        Ok(muted.is_some())
    }

    fn mutes(
        &self,
        client: ClientId,
        about: &About<'_>,
        now: Timestamp,
    ) -> Result<Option<SilenceId>, Error> {
        let rule = about.rule.and_then(|rule| self.catalog.rule(rule));
        let subject = Subject {
            rule_id: about.rule.map(|rule| rule.0),
            rule_name: rule.as_ref().map(|rule| rule.content.name.as_str()),
            severity: severity(about.severity),
            labels: about.labels,
            group: &group_of(about.group),
        };
        let muted = self.muted_by(client, &subject, now)?;
        Ok(muted.map(|(silence, _)| silence))
    }
}

/// What of an incident a silence may be about.
struct About<'a> {
    rule: Option<RuleId>,
    group: Option<&'a str>,
    severity: Severity,
    labels: &'a std::collections::BTreeMap<String, String>,
}

/// The group that an incident names; the whole if it names none.
pub(crate) fn group_of(key: Option<&str>) -> Group {
    key.and_then(Group::from_key).unwrap_or_else(Group::whole)
}

fn severity(severity: Severity) -> alerts::Severity {
    match severity {
        Severity::Info => alerts::Severity::Info,
        Severity::Warning => alerts::Severity::Warning,
        Severity::Error => alerts::Severity::Error,
        Severity::Critical => alerts::Severity::Critical,
    }
}
