//! What checks of rules did: state, incidents and notices, in one transaction, so that a crash leaves either all of a check or nothing.

use std::collections::BTreeMap;

use cordwood_event::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::database::{id_from, id_to};
use crate::incidents::{self, IncidentChange, Opened, changes};
use crate::{
    Author, Catalog, Entry, EntryKind, Error, IncidentId, NewIncident, NewNotice, RuleId, outbox,
};

/// Evaluations kept of each rule: an hour of one that is checked every minute and fires all the while.
const EVALUATIONS_KEPT: u32 = 60;

/// What a check of a rule did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleStep {
    /// The rule.
    pub rule: RuleId,
    /// When it was checked.
    pub at: Timestamp,
    /// What it is remembered by; `None` if that is what it was.
    pub state: Option<RuleMemory>,
    /// What is to be kept of the check; `None` if nothing.
    pub evaluation: Option<String>,
    /// What happened, in order.
    pub deeds: Vec<RuleDeed>,
}

/// What the machine of a rule knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleMemory {
    /// What the rule asked, by which one sees that it asks something else now.
    pub question: String,
    /// The state, as its owner writes it.
    pub state: String,
}

/// Something that a check did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleDeed {
    /// An episode began. Nothing is written if it has its incident already.
    Open {
        /// Its incident.
        incident: Box<NewIncident>,
        /// Who is told.
        notices: Vec<NewNotice>,
    },
    /// Something happened within an episode.
    Note {
        /// The group that the incident is about.
        group: Option<String>,
        /// The episode.
        episode: u64,
        /// What happened.
        entry: Entry,
    },
    /// An episode ended: its incident is resolved if nobody did that, and whoever was told that it opened is told.
    Recover {
        /// The group that the incident is about.
        group: Option<String>,
        /// The episode.
        episode: u64,
        /// Who says so.
        by: String,
        /// Who is told.
        notices: Vec<NewNotice>,
    },
    /// Something is told that is about no incident.
    Tell(Vec<NewNotice>),
}

/// A check that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptEvaluation {
    /// Its number: a later one has a higher one.
    pub id: u64,
    /// When it was.
    pub at: Timestamp,
    /// What was kept of it.
    pub evaluation: String,
}

impl Catalog {
    /// What the machines of rules know.
    pub fn rule_memories(&self) -> Result<BTreeMap<RuleId, RuleMemory>, Error> {
        let reading = || Error::database("reading the states of rules");
        let connection = self.connection();
        let mut statement = connection
            .prepare("SELECT rule_id, question, state FROM rule_states")
            .map_err(reading())?;
        let rows = statement
            .query_map([], |row| {
                let memory = RuleMemory {
                    question: row.get(1)?,
                    state: row.get(2)?,
                };
                Ok((RuleId(id_from(row.get(0)?)), memory))
            })
            .map_err(reading())?;
        rows.collect::<rusqlite::Result<_>>().map_err(reading())
    }

    /// Writes what checks did, those of rules that are gone left out. Returns the incidents that were opened.
    pub fn write_rule_steps(
        &self,
        steps: &[RuleStep],
        now: Timestamp,
    ) -> Result<Vec<IncidentId>, Error> {
        self.change(
            "writing the checks of rules",
            |transaction| {
                let mut opened = Vec::new();
                for step in steps {
                    if exists(transaction, step.rule)? {
                        write(transaction, step, now, &mut opened)?;
                    }
                }
                Ok(opened)
            },
            |_, opened| opened,
        )
    }

    /// The checks of a rule that were kept, the newest first: at most `limit`, with numbers below `before` if that is given.
    pub fn rule_evaluations(
        &self,
        rule: RuleId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<KeptEvaluation>, Error> {
        let reading = || Error::database("reading the checks of a rule");
        let connection = self.connection();
        let mut statement = connection
            .prepare(
                "SELECT id, at, summary FROM rule_evaluations WHERE rule_id = ?1 AND (?2 IS NULL OR id < ?2)
                 ORDER BY id DESC LIMIT ?3",
            )
            .map_err(reading())?;
        let rows = statement
            .query_map(params![id_to(rule.0), before.map(id_to), limit], |row| {
                Ok(KeptEvaluation {
                    id: id_from(row.get(0)?),
                    at: Timestamp::from_nanos(row.get(1)?),
                    evaluation: row.get(2)?,
                })
            })
            .map_err(reading())?;
        rows.collect::<rusqlite::Result<_>>().map_err(reading())
    }
}

fn exists(connection: &Connection, rule: RuleId) -> Result<bool, Error> {
    connection
        .prepare_cached("SELECT 1 FROM rules WHERE id = ?1")
        .and_then(|mut statement| statement.exists([id_to(rule.0)]))
        .map_err(Error::database("looking for a rule"))
}

fn write(
    connection: &Connection,
    step: &RuleStep,
    now: Timestamp,
    opened: &mut Vec<IncidentId>,
) -> Result<(), Error> {
    if let Some(memory) = &step.state {
        write_memory(connection, step, memory)?;
    }
    if let Some(evaluation) = &step.evaluation {
        write_evaluation(connection, step, evaluation)?;
    }
    for deed in &step.deeds {
        do_deed(connection, step.rule, deed, now, opened)?;
    }
    Ok(())
}

fn write_memory(
    connection: &Connection,
    step: &RuleStep,
    memory: &RuleMemory,
) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT INTO rule_states (rule_id, question, state, evaluated_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (rule_id) DO UPDATE SET question = excluded.question, state = excluded.state,
                evaluated_at = excluded.evaluated_at",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                id_to(step.rule.0),
                memory.question,
                memory.state,
                step.at.as_nanos()
            ])
        })
        .map(drop)
        .map_err(Error::database("writing the state of a rule"))
}

fn write_evaluation(
    connection: &Connection,
    step: &RuleStep,
    evaluation: &str,
) -> Result<(), Error> {
    let writing = || Error::database("keeping the check of a rule");
    connection
        .prepare_cached("INSERT INTO rule_evaluations (rule_id, at, summary) VALUES (?1, ?2, ?3)")
        .and_then(|mut statement| {
            statement.execute(params![id_to(step.rule.0), step.at.as_nanos(), evaluation])
        })
        .map_err(writing())?;
    connection
        .prepare_cached(
            "DELETE FROM rule_evaluations WHERE rule_id = ?1 AND id <= (
                SELECT id FROM rule_evaluations WHERE rule_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        )
        .and_then(|mut statement| statement.execute(params![id_to(step.rule.0), EVALUATIONS_KEPT]))
        .map(drop)
        .map_err(writing())
}

fn do_deed(
    connection: &Connection,
    rule: RuleId,
    deed: &RuleDeed,
    now: Timestamp,
    opened: &mut Vec<IncidentId>,
) -> Result<(), Error> {
    match deed {
        RuleDeed::Open { incident, notices } => {
            if let Opened::New(id) = incidents::open(connection, incident, now)? {
                incidents::write_notices(connection, id, notices, now)?;
                opened.push(id);
            }
        }
        RuleDeed::Note {
            group,
            episode,
            entry,
        } => {
            if let Some(id) = of_episode(connection, rule, group.as_deref(), *episode)? {
                incidents::add_to_timeline(connection, id, entry, now)?;
            }
        }
        RuleDeed::Recover {
            group,
            episode,
            by,
            notices,
        } => {
            if let Some(id) = of_episode(connection, rule, group.as_deref(), *episode)? {
                recover(connection, id, by, notices, now)?;
            }
        }
        RuleDeed::Tell(notices) => {
            for notice in notices {
                outbox::insert(connection, notice, now)?;
            }
        }
    }
    Ok(())
}

/// Resolves an incident. Of one that was muted all the while nobody hears that it is over; of one that is a part of another, who reads that one's timeline.
fn recover(
    connection: &Connection,
    id: IncidentId,
    by: &str,
    notices: &[NewNotice],
    now: Timestamp,
) -> Result<(), Error> {
    let Some(incident) = incidents::find(connection, id)? else {
        return Ok(());
    };
    if let Some(whole) = incident.merged_into {
        let author = Author::named(by);
        let entry = Entry::of(&author, EntryKind::Left, incident.name);
        return incidents::add_to_timeline(connection, whole, &entry, now).map(drop);
    }
    let resolve = IncidentChange::Resolve;
    let is_resolved = changes::change(connection, id, &resolve, &Author::named(by), now)?;
    if is_resolved && incident.is_told {
        incidents::write_notices(connection, id, notices, now)?;
    }
    Ok(())
}

/// The incident of an episode of a rule; `None` if somebody deleted it.
fn of_episode(
    connection: &Connection,
    rule: RuleId,
    group: Option<&str>,
    episode: u64,
) -> Result<Option<IncidentId>, Error> {
    connection
        .prepare_cached(
            "SELECT id FROM incidents
             WHERE rule_id = ?1 AND coalesce(rule_group, '') = coalesce(?2, '') AND episode = ?3",
        )
        .and_then(|mut statement| {
            statement
                .query_row(params![id_to(rule.0), group, id_to(episode)], |row| {
                    Ok(IncidentId(id_from(row.get(0)?)))
                })
                .optional()
        })
        .map_err(Error::database("looking for an incident"))
}
