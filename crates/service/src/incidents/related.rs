//! Which other incidents may have to do with one, and why.

use std::collections::BTreeSet;

use cordwood_catalog::IncidentFilter;
use cordwood_event::Timestamp;

use super::{Incident, IncidentExplanation, of_catalog};
use crate::silences::group_of;
use crate::{Access, Caller, Error, FieldValue, Service};

/// How far apart two incidents begin that may have one cause.
const NEAR_NANOS: i64 = 30 * 60 * 1_000_000_000;
/// How far back and ahead is looked for those that share something else.
const FAR_NANOS: i64 = 30 * 24 * 3_600 * 1_000_000_000;
/// Incidents looked at, the latest of that time: so many are read and compared in a fraction of a second.
const LOOKED_AT_MAX: usize = 500;
/// Incidents that are told at most.
const TOLD_MAX: usize = 10;

/// What each reason is worth. A shared cause says most; that two began together says little where there are many.
const WEIGHT_CAUSE: u32 = 8;
const WEIGHT_GROUP: u32 = 6;
const WEIGHT_RULE: u32 = 4;
const WEIGHT_NEAR: u32 = 3;
const WEIGHT_LABEL: u32 = 1;

/// Another incident, and why it may have to do with one.
#[derive(Clone, Debug)]
pub struct RelatedIncident {
    /// The other incident.
    pub incident: Incident,
    /// Why, in words, the strongest reason first.
    pub reasons: Vec<String>,
    /// How much that says; more is stronger.
    pub weight: u32,
}

impl Service {
    /// Incidents of the same client that may have to do with this one, the strongest reasons first.
    pub fn related_incidents(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<Vec<RelatedIncident>, Error> {
        caller.require(Access::Read)?;
        let incident = self.find_incident(caller, id)?;
        self.related_to(&incident)
    }

    pub(super) fn related_to(&self, incident: &Incident) -> Result<Vec<RelatedIncident>, Error> {
        let started_at = incident.started_at.as_nanos();
        let filter = IncidentFilter {
            clients: Some(vec![incident.client]),
            from: Some(Timestamp::from_nanos(started_at.saturating_sub(FAR_NANOS))),
            to: Some(Timestamp::from_nanos(started_at.saturating_add(FAR_NANOS))),
            ..IncidentFilter::default()
        };
        let others = self.catalog.incidents(&filter, 0, LOOKED_AT_MAX);
        let mut others = others.map_err(of_catalog)?;
        // Those that are a part of it are read with it.
        others.retain(|other| {
            other.id != incident.id
                && other.merged_into != Some(incident.id)
                && incident.merged_into != Some(other.id)
        });
        let causes = causes(incident);
        let related = others.into_iter().map(|other| {
            let reasons = reasons(incident, &causes, &other);
            RelatedIncident {
                weight: reasons.iter().map(|(weight, _)| weight).sum(),
                reasons: reasons.into_iter().map(|(_, reason)| reason).collect(),
                incident: other,
            }
        });
        let mut related: Vec<RelatedIncident> =
            related.filter(|related| related.weight > 0).collect();
        related.sort_by_key(|related| {
            let apart = related.incident.started_at.as_nanos().abs_diff(started_at);
            (
                std::cmp::Reverse(related.weight),
                apart,
                related.incident.id,
            )
        });
        related.truncate(TOLD_MAX);
        Ok(related)
    }
}

/// The values that explain what changed when it began.
fn causes(incident: &Incident) -> BTreeSet<FieldValue> {
    match IncidentExplanation::of(incident) {
        IncidentExplanation::Known(answer) => {
            let causes = answer.causes.into_iter();
            causes.flat_map(|cause| cause.values).collect()
        }
        IncidentExplanation::NotYet | IncidentExplanation::Failed(_) => BTreeSet::new(),
    }
}

fn reasons(
    incident: &Incident,
    own_causes: &BTreeSet<FieldValue>,
    other: &Incident,
) -> Vec<(u32, String)> {
    let mut reasons = Vec::new();
    if !own_causes.is_empty() {
        let shared = own_causes
            .intersection(&causes(other))
            .cloned()
            .collect::<Vec<_>>();
        let shared = shared.iter().map(|cause| {
            let reason = format!("what changed has {}={} in both", cause.field, cause.value);
            (WEIGHT_CAUSE, reason)
        });
        reasons.extend(shared);
    }
    if let Some(group) = &incident.group
        && other.group.as_ref() == Some(group)
    {
        reasons.push((
            WEIGHT_GROUP,
            format!("the same group, {}", group_of(Some(group))),
        ));
    }
    if incident.rule.is_some() && other.rule == incident.rule {
        reasons.push((WEIGHT_RULE, "the same rule".to_owned()));
    }
    let (own, others) = (incident.started_at.as_nanos(), other.started_at.as_nanos());
    let apart = own.abs_diff(others);
    if apart <= NEAR_NANOS.unsigned_abs() {
        let minutes = apart / 60_000_000_000;
        let reason = match (minutes, others < own) {
            (0, _) => "it began at the same time".to_owned(),
            (minutes, true) => format!("it began {minutes} min before"),
            (minutes, false) => format!("it began {minutes} min after"),
        };
        reasons.push((WEIGHT_NEAR, reason));
    }
    for (name, value) in &incident.labels {
        if other.labels.get(name) == Some(value) {
            reasons.push((WEIGHT_LABEL, format!("the same label, {name}={value}")));
        }
    }
    reasons
}
