//! Rules of alerts as records: who they belong to, what they look at and whom they tell. What a rule says is one document that the crate must
//! not know.

use std::sync::Arc;

use cordwood_event::{SourceId, Timestamp};
use rusqlite::{Connection, Row, params};

use crate::database::{id_from, id_to};
use crate::lines::{lines_of, numbers_of};
use crate::{ApiTokenId, Catalog, ClientId, Error, RuleTemplateId, SavedQueryId};

/// The number of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub u64);

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its number.
    pub id: RuleId,
    /// The client it belongs to.
    pub client: ClientId,
    /// What of it can be chosen.
    pub content: RuleContent,
    /// The token that made it; `None` if that is not known.
    pub created_by: Option<ApiTokenId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it last went on after a pause; `None` if it never did.
    pub resumed_at: Option<Timestamp>,
}

/// What of a rule can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleContent {
    /// Unique among those of its client, whatever the case of ASCII letters.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it watches and when it fires.
    pub rule: String,
    /// The sources it looks at; none for all of the client's.
    pub sources: Vec<SourceId>,
    /// The channels it tells; none for the default ones.
    pub channels: Vec<u64>,
    /// Why it is not evaluated; `None` if it is.
    pub paused: Option<String>,
    /// The template it was made from, and which version of it.
    pub template: Option<(RuleTemplateId, u64)>,
    /// The saved query it was made for.
    pub saved_query: Option<SavedQueryId>,
    /// What its maker said of it that means nothing here, and is given back; `None` if nothing.
    pub kept: Option<String>,
}

impl Catalog {
    /// All rules, by id.
    pub fn rules(&self) -> Vec<Arc<Rule>> {
        self.read().rules.values().cloned().collect()
    }

    /// Whether there are any.
    pub fn has_rules(&self) -> bool {
        !self.read().rules.is_empty()
    }

    /// The rule with this id.
    pub fn rule(&self, id: RuleId) -> Option<Arc<Rule>> {
        self.read().rules.get(&id).cloned()
    }

    /// Makes a rule.
    pub fn create_rule(
        &self,
        client: ClientId,
        created_by: ApiTokenId,
        content: RuleContent,
        now: Timestamp,
    ) -> Result<Arc<Rule>, Error> {
        self.change(
            "making a rule",
            |transaction| insert(transaction, client, Some(created_by), content, now),
            |memory, rule| memory.show_rule(rule),
        )
    }

    /// Changes a rule.
    pub fn update_rule(
        &self,
        id: RuleId,
        content: RuleContent,
        now: Timestamp,
    ) -> Result<Arc<Rule>, Error> {
        let known = self.rule(id).ok_or(Error::NotFound { kind: "rule" })?;
        let is_resumed = known.content.paused.is_some() && content.paused.is_none();
        let rule = Rule {
            content,
            updated_at: now,
            resumed_at: is_resumed.then_some(now).or(known.resumed_at),
            ..(*known).clone()
        };
        self.change(
            "changing a rule",
            |transaction| update(transaction, &rule).map(|()| rule),
            |memory, rule| memory.show_rule(rule),
        )
    }

    /// Deletes a rule, with its state. Its incidents stay.
    pub fn delete_rule(&self, id: RuleId) -> Result<(), Error> {
        self.change(
            "deleting a rule",
            |transaction| {
                let deleted = transaction
                    .execute("DELETE FROM rules WHERE id = ?1", [id_to(id.0)])
                    .map_err(Error::database("deleting a rule"))?;
                match deleted {
                    0 => Err(Error::NotFound { kind: "rule" }),
                    _ => Ok(()),
                }
            },
            |memory, ()| drop(memory.rules.remove(&id)),
        )
    }
}

pub(crate) fn insert(
    connection: &Connection,
    client: ClientId,
    created_by: Option<ApiTokenId>,
    content: RuleContent,
    now: Timestamp,
) -> Result<Rule, Error> {
    connection
        .execute(
            "INSERT INTO rules (client_id, name, description, rule, sources, channels, paused, template_id,
                template_version, saved_query_id, kept, created_by, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13)",
            params![
                id_to(client.0),
                content.name,
                content.description,
                content.rule,
                lines_of(content.sources.iter().map(|source| source.0)),
                lines_of(content.channels.iter().copied()),
                content.paused,
                content.template.map(|(template, _)| id_to(template.0)),
                content.template.map(|(_, version)| id_to(version)),
                content.saved_query.map(|saved| id_to(saved.0)),
                content.kept,
                created_by.map(|token| id_to(token.0)),
                now.as_nanos(),
            ],
        )
        .map_err(Error::unless_taken("making a rule"))?;
    Ok(Rule {
        id: RuleId(id_from(connection.last_insert_rowid())),
        client,
        content,
        created_by,
        created_at: now,
        updated_at: now,
        resumed_at: None,
    })
}

pub(crate) fn update(connection: &Connection, rule: &Rule) -> Result<(), Error> {
    let content = &rule.content;
    let updated = connection
        .execute(
            "UPDATE rules SET name = ?2, description = ?3, rule = ?4, sources = ?5, channels = ?6, paused = ?7,
                template_id = ?8, template_version = ?9, saved_query_id = ?10, kept = ?11, updated_at = ?12,
                resumed_at = ?13
             WHERE id = ?1",
            params![
                id_to(rule.id.0),
                content.name,
                content.description,
                content.rule,
                lines_of(content.sources.iter().map(|source| source.0)),
                lines_of(content.channels.iter().copied()),
                content.paused,
                content.template.map(|(template, _)| id_to(template.0)),
                content.template.map(|(_, version)| id_to(version)),
                content.saved_query.map(|saved| id_to(saved.0)),
                content.kept,
                rule.updated_at.as_nanos(),
                rule.resumed_at.map(Timestamp::as_nanos),
            ],
        )
        .map_err(Error::unless_taken("changing a rule"))?;
    match updated {
        0 => Err(Error::NotFound { kind: "rule" }),
        _ => Ok(()),
    }
}

pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Vec<Rule>> {
    let mut statement = connection.prepare(
        "SELECT id, client_id, name, description, rule, sources, channels, paused, template_id, template_version,
            created_by, created_at, updated_at, saved_query_id, kept, resumed_at
         FROM rules ORDER BY id",
    )?;
    let rows = statement.query_map([], from_row)?;
    rows.collect()
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Rule> {
    let template: Option<i64> = row.get(8)?;
    let version: Option<i64> = row.get(9)?;
    let created_by: Option<i64> = row.get(10)?;
    let saved_query: Option<i64> = row.get(13)?;
    let resumed_at: Option<i64> = row.get(15)?;
    Ok(Rule {
        id: RuleId(id_from(row.get(0)?)),
        client: ClientId(id_from(row.get(1)?)),
        content: RuleContent {
            name: row.get(2)?,
            description: row.get(3)?,
            rule: row.get(4)?,
            sources: numbers_of(&row.get::<_, String>(5)?)
                .map(SourceId)
                .collect(),
            channels: numbers_of(&row.get::<_, String>(6)?).collect(),
            paused: row.get(7)?,
            template: template
                .zip(version)
                .map(|(id, version)| (RuleTemplateId(id_from(id)), id_from(version))),
            saved_query: saved_query.map(|saved| SavedQueryId(id_from(saved))),
            kept: row.get(14)?,
        },
        created_by: created_by.map(|token| ApiTokenId(id_from(token))),
        created_at: Timestamp::from_nanos(row.get(11)?),
        updated_at: Timestamp::from_nanos(row.get(12)?),
        resumed_at: resumed_at.map(Timestamp::from_nanos),
    })
}
