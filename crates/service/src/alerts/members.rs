//! Members of the roster of an alert on absence: who is expected to send, and who was taken out of service on purpose.

use std::collections::BTreeMap;

use cordwood_alerts::{Effect, Group};
use cordwood_catalog::{self as catalog, ApiTokenId, Entry, EntryKind, RuleDeed, RuleStep};
use cordwood_event::Timestamp;
use cordwood_notify::NoticeKind;
use cordwood_query::near_names;

use super::evaluation::Evaluation;
use super::rules::invalid;
use super::watched::Watched;
use crate::{Access, Caller, Error, Incident, Service};

/// Characters in a reason at most: a sentence or two, for the timeline.
const REASON_LENGTH_MAX: usize = 1000;

/// A member of a roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertMember {
    /// The fields it is known by, and their values; `None` where its events do not have the field.
    pub group: Vec<(String, Option<String>)>,
    /// When it was heard from first.
    pub first_seen: Timestamp,
    /// When it was heard from last, or up to an hour before.
    pub last_seen: Timestamp,
    /// Since when it is silent, of one whose incident is open.
    pub silent_since: Option<Timestamp>,
}

/// A member that is expected no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetiredMember {
    /// What it was.
    pub member: AlertMember,
    /// The incident that this resolved.
    pub resolved: Option<u64>,
}

impl Service {
    /// The members of an alert's roster, by their groups.
    pub fn alert_members(&self, caller: &Caller, name: &str) -> Result<Vec<AlertMember>, Error> {
        caller.require(Access::Read)?;
        let rule = self.find_rule(caller, name)?;
        self.with_evaluation(|evaluation| {
            let watched = self.watched_roster(evaluation, &rule)?;
            let groups = watched.state.roster().members().keys();
            Ok(groups.filter_map(|group| member(watched, group)).collect())
        })
    }

    /// Takes a member off the roster of an alert: it is not missed until it is heard from again. Its incident is resolved, with the reason in its
    /// timeline, unless other groups are part of it.
    pub fn retire_member(
        &self,
        caller: &Caller,
        name: &str,
        group: &BTreeMap<String, Option<String>>,
        reason: &str,
    ) -> Result<RetiredMember, Error> {
        caller.require(Access::Write)?;
        let rule = self.find_rule(caller, name)?;
        let reason = reason.trim();
        if reason.chars().count() > REASON_LENGTH_MAX {
            let message = format!("is too long (maximum is {REASON_LENGTH_MAX} characters)");
            return Err(invalid("reason", message));
        }
        let retired = self.with_evaluation(|evaluation| {
            let watched = self.watched_roster(evaluation, &rule)?;
            let group = group_meant(watched, group)?;
            let member = member(watched, &group).ok_or_else(|| not_expected(watched, &group))?;
            let mut after = watched.clone();
            let effect = after.state.retire(&group, self.now());
            let (deeds, resolved) = match effect {
                Some(effect) => self.deeds_of_retiring(caller, watched, &effect, reason)?,
                None => (Vec::new(), None),
            };
            self.write_retired(evaluation, after, deeds)?;
            Ok(RetiredMember { member, resolved })
        })?;
        self.delivery.wake();
        Ok(retired)
    }

    /// The alert as the evaluation has it, if it keeps a roster.
    fn watched_roster<'e>(
        &self,
        evaluation: &'e mut Evaluation,
        rule: &catalog::Rule,
    ) -> Result<&'e Watched, Error> {
        evaluation.watch(self, &self.alerts.board, self.now());
        let watched = evaluation.watched.get(&rule.id);
        let watched = watched.ok_or_else(|| Error::NotFound {
            kind: "alert",
            name: rule.content.name.clone(),
            near: Vec::new(),
        })?;
        match watched.rule.keeps_roster() {
            true => Ok(watched),
            false => Err(Error::Conflict {
                message: format!("alert `{}` keeps no roster", rule.content.name),
                hint: Some("one whose condition is the absence of members does".to_owned()),
            }),
        }
    }

    /// What is to be written when a member is retired that was silent, and the incident that is resolved by it.
    fn deeds_of_retiring(
        &self,
        caller: &Caller,
        watched: &Watched,
        effect: &Effect,
        reason: &str,
    ) -> Result<(Vec<RuleDeed>, Option<u64>), Error> {
        let (closed, is_over) = match effect {
            Effect::Recovered(closed) => (closed, true),
            Effect::Left(closed) => (closed, false),
            _ => return Ok((Vec::new(), None)),
        };
        let group = watched.incident_group(&closed.group);
        let said = match reason {
            "" => format!("{} was taken out of service", closed.group),
            reason => format!("{} was taken out of service: {reason}", closed.group),
        };
        let mut deeds = vec![RuleDeed::Note {
            group: group.clone(),
            episode: closed.episode,
            entry: Entry {
                kind: EntryKind::Retired,
                author: caller.token_name().to_owned(),
                token: Some(ApiTokenId(caller.token_id())),
                text: said.clone(),
            },
        }];
        let open = self.catalog.open_incidents_of(watched.record.id);
        let open = open.map_err(|error| Error::internal("reading incidents", error))?;
        let incident = open.into_iter().find(|incident| {
            is_over && incident.episode == Some(closed.episode) && incident.group == group
        });
        let Some(incident) = incident else {
            return Ok((deeds, None));
        };
        let id = incident.id.0;
        let told = Incident {
            cause: format!("{said}."),
            ..incident
        };
        deeds.push(RuleDeed::Recover {
            group,
            episode: closed.episode,
            by: caller.token_name().to_owned(),
            notices: self.notices_of(&told, NoticeKind::Resolved, self.now())?,
        });
        Ok((deeds, Some(id)))
    }

    /// Writes what the alert knows now, and believes it then.
    fn write_retired(
        &self,
        evaluation: &mut Evaluation,
        mut after: Watched,
        deeds: Vec<RuleDeed>,
    ) -> Result<(), Error> {
        let memory = after.memory();
        let step = RuleStep {
            rule: after.record.id,
            at: self.now(),
            state: Some(memory.clone()),
            evaluation: None,
            deeds,
        };
        self.catalog
            .write_rule_steps(&[step], self.now())
            .map_err(|error| Error::internal("retiring a member", error))?;
        after.written = Some(memory);
        self.alerts.board.show_state(&after);
        evaluation.watched.insert(after.record.id, after);
        Ok(())
    }
}

fn member(watched: &Watched, group: &Group) -> Option<AlertMember> {
    let known = watched.state.roster().members().get(group)?;
    let state = watched.state.groups().get(group);
    let firing = state.filter(|state| state.phase.episode().is_some());
    Some(AlertMember {
        group: group.fields().to_vec(),
        first_seen: known.first_seen,
        last_seen: known.last_seen,
        silent_since: firing.and_then(|state| state.phase.since()),
    })
}

/// The group that these values are of: each field that the alert groups by, and no other.
fn group_meant(
    watched: &Watched,
    given: &BTreeMap<String, Option<String>>,
) -> Result<Group, Error> {
    let fields = watched.rule.group_by().iter().map(|field| field.as_str());
    let fields: Vec<&str> = fields.collect();
    let is_whole =
        fields.len() == given.len() && fields.iter().all(|field| given.contains_key(*field));
    if !is_whole {
        let message = format!("has to have the value of {}", fields.join(" and "));
        return Err(invalid("group", message));
    }
    let values = fields.iter().map(|field| {
        let value = given.get(*field).cloned().flatten();
        ((*field).to_owned(), value)
    });
    Ok(Group::new(values.collect()))
}

fn not_expected(watched: &Watched, group: &Group) -> Error {
    let name = group.name();
    let members = watched.state.roster().members().keys();
    let names: Vec<String> = members.map(Group::name).collect();
    let near = near_names(&name, names.iter().map(String::as_str));
    Error::NotFound {
        kind: "member",
        near: near.into_iter().map(str::to_owned).collect(),
        name,
    }
}
