//! Templates of rules: what a provider gives to its clients.

use std::collections::BTreeSet;
use std::sync::Arc;

use cordwood_event::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};

use crate::database::{id_from, id_to};
use crate::lines::{lines_of, numbers_of};
use crate::rules::{self, Rule, RuleContent, RuleId};
use crate::{ApiTokenId, Catalog, ClientId, Error};

/// The number of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleTemplateId(pub u64);

/// A template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleTemplate {
    /// Its number.
    pub id: RuleTemplateId,
    /// What of it can be chosen.
    pub content: RuleTemplateContent,
    /// 1, and one more with each change of what its rules have of it.
    pub version: u64,
    /// The clients that were given a rule of it, even if they have deleted it since.
    pub given_to: BTreeSet<ClientId>,
    /// The token that made it; `None` if that is not known.
    pub created_by: Option<ApiTokenId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What of a template can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleTemplateContent {
    /// Unique, whatever the case of ASCII letters.
    pub name: String,
    /// What its rules are for.
    pub description: String,
    /// What its rules watch and when they fire.
    pub rule: String,
    /// The names of the sources that its rules look at; none for all of the client's.
    pub sources: Vec<String>,
    /// The channels that its rules tell; none for the default ones.
    pub channels: Vec<u64>,
    /// Clients with higher numbers than this are to be given a rule too; `None`: only who is named.
    pub new_clients_after: Option<ClientId>,
}

/// A rule that a change of its template is carried to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarriedRule {
    /// The rule as it was known when that was decided: one that was changed since is left alone.
    pub known: Arc<Rule>,
    /// What it is to be, of the version that the template had before.
    pub content: RuleContent,
}

impl Catalog {
    /// All templates, by id.
    pub fn rule_templates(&self) -> Vec<Arc<RuleTemplate>> {
        self.read().rule_templates.values().cloned().collect()
    }

    /// Makes a template.
    pub fn create_rule_template(
        &self,
        created_by: ApiTokenId,
        content: RuleTemplateContent,
        now: Timestamp,
    ) -> Result<Arc<RuleTemplate>, Error> {
        let organisation = self.read().organisation.id;
        self.change(
            "making a template",
            |transaction| insert(transaction, organisation, created_by, content, now),
            |memory, template| memory.show_rule_template(template),
        )
    }

    /// Changes a template, and with it the rules that it is carried to: all of it, or nothing. Returns the rules that were changed.
    pub fn update_rule_template(
        &self,
        id: RuleTemplateId,
        content: RuleTemplateContent,
        carried: Vec<CarriedRule>,
        now: Timestamp,
    ) -> Result<(Arc<RuleTemplate>, Vec<Arc<Rule>>), Error> {
        let known = self.read().rule_templates.get(&id).cloned();
        let known = known.ok_or(Error::NotFound { kind: "template" })?;
        let template = RuleTemplate {
            version: known.version + u64::from(is_another(&known.content, &content)),
            content,
            updated_at: now,
            ..(*known).clone()
        };
        self.change(
            "changing a template",
            |transaction| {
                update(transaction, &template)?;
                let rules = carry(transaction, &template, carried, now)?;
                Ok((template, rules))
            },
            |memory, (template, rules)| {
                let rules = rules.into_iter().map(|rule| memory.show_rule(rule));
                let rules = rules.collect();
                (memory.show_rule_template(template), rules)
            },
        )
    }

    /// Makes a rule of a template for a client, and notes that it was given one.
    pub fn give_rule(
        &self,
        template: RuleTemplateId,
        client: ClientId,
        created_by: Option<ApiTokenId>,
        content: RuleContent,
        now: Timestamp,
    ) -> Result<Arc<Rule>, Error> {
        self.change(
            "giving a rule",
            |transaction| {
                let rule = rules::insert(transaction, client, created_by, content, now)?;
                transaction
                    .execute(
                        "INSERT OR IGNORE INTO rule_template_clients (template_id, client_id) VALUES (?1, ?2)",
                        params![id_to(template.0), id_to(client.0)],
                    )
                    .map_err(Error::database("giving a rule"))?;
                Ok(rule)
            },
            |memory, rule| {
                memory.note_given(template, client);
                memory.show_rule(rule)
            },
        )
    }

    /// Deletes a template. Rules that were made from it stay, as rules of their own.
    pub fn delete_rule_template(&self, id: RuleTemplateId) -> Result<(), Error> {
        self.change(
            "deleting a template",
            |transaction| {
                let deleted = transaction
                    .execute("DELETE FROM rule_templates WHERE id = ?1", [id_to(id.0)])
                    .map_err(Error::database("deleting a template"))?;
                match deleted {
                    0 => Err(Error::NotFound { kind: "template" }),
                    _ => Ok(()),
                }
            },
            |memory, ()| memory.forget_rule_template(id),
        )
    }
}

/// Whether rules have something else of the one than of the other.
fn is_another(content: &RuleTemplateContent, other: &RuleTemplateContent) -> bool {
    let of_rules = |content: &RuleTemplateContent| RuleTemplateContent {
        new_clients_after: None,
        ..content.clone()
    };
    of_rules(content) != of_rules(other)
}

fn insert(
    connection: &Connection,
    organisation: u64,
    created_by: ApiTokenId,
    content: RuleTemplateContent,
    now: Timestamp,
) -> Result<RuleTemplate, Error> {
    connection
        .execute(
            "INSERT INTO rule_templates (organisation_id, name, description, rule, sources, channels, new_clients_after,
                version, created_by, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, ?9, ?9)",
            params![
                id_to(organisation),
                content.name,
                content.description,
                content.rule,
                content.sources.join("\n"),
                lines_of(content.channels.iter().copied()),
                content.new_clients_after.map(|client| id_to(client.0)),
                id_to(created_by.0),
                now.as_nanos(),
            ],
        )
        .map_err(Error::unless_taken("making a template"))?;
    Ok(RuleTemplate {
        id: RuleTemplateId(id_from(connection.last_insert_rowid())),
        content,
        version: 1,
        given_to: BTreeSet::new(),
        created_by: Some(created_by),
        created_at: now,
        updated_at: now,
    })
}

fn update(connection: &Connection, template: &RuleTemplate) -> Result<(), Error> {
    let content = &template.content;
    let updated = connection
        .execute(
            "UPDATE rule_templates SET name = ?2, description = ?3, rule = ?4, sources = ?5, channels = ?6,
                new_clients_after = ?7, version = ?8, updated_at = ?9
             WHERE id = ?1",
            params![
                id_to(template.id.0),
                content.name,
                content.description,
                content.rule,
                content.sources.join("\n"),
                lines_of(content.channels.iter().copied()),
                content.new_clients_after.map(|client| id_to(client.0)),
                id_to(template.version),
                template.updated_at.as_nanos(),
            ],
        )
        .map_err(Error::unless_taken("changing a template"))?;
    match updated {
        0 => Err(Error::NotFound { kind: "template" }),
        _ => Ok(()),
    }
}

/// Changes the rules that nobody changed meanwhile.
fn carry(
    transaction: &Transaction<'_>,
    template: &RuleTemplate,
    carried: Vec<CarriedRule>,
    now: Timestamp,
) -> Result<Vec<Rule>, Error> {
    let mut changed = Vec::new();
    for CarriedRule { known, content } in carried {
        let content = RuleContent {
            template: Some((template.id, template.version)),
            ..content
        };
        if content == known.content || !is_unchanged(transaction, &known)? {
            continue;
        }
        let rule = Rule {
            content,
            updated_at: now,
            ..(*known).clone()
        };
        rules::update(transaction, &rule)?;
        changed.push(rule);
    }
    Ok(changed)
}

fn is_unchanged(connection: &Connection, known: &Rule) -> Result<bool, Error> {
    let (id, since): (RuleId, Timestamp) = (known.id, known.updated_at);
    connection
        .prepare_cached("SELECT 1 FROM rules WHERE id = ?1 AND updated_at = ?2")
        .and_then(|mut statement| statement.exists(params![id_to(id.0), since.as_nanos()]))
        .map_err(Error::database("looking for a rule"))
}

pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Vec<RuleTemplate>> {
    let mut statement = connection.prepare(
        "SELECT id, name, description, rule, sources, channels, new_clients_after, version, created_by, created_at,
            updated_at
         FROM rule_templates ORDER BY id",
    )?;
    let rows = statement.query_map([], from_row)?;
    let mut templates = rows.collect::<rusqlite::Result<Vec<RuleTemplate>>>()?;
    let mut statement =
        connection.prepare("SELECT client_id FROM rule_template_clients WHERE template_id = ?1")?;
    for template in &mut templates {
        let clients = statement.query_map([id_to(template.id.0)], |row| {
            Ok(ClientId(id_from(row.get(0)?)))
        })?;
        template.given_to = clients.collect::<rusqlite::Result<_>>()?;
    }
    Ok(templates)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<RuleTemplate> {
    let sources: String = row.get(4)?;
    let channels: String = row.get(5)?;
    let new_clients_after: Option<i64> = row.get(6)?;
    let created_by: Option<i64> = row.get(8)?;
    Ok(RuleTemplate {
        id: RuleTemplateId(id_from(row.get(0)?)),
        content: RuleTemplateContent {
            name: row.get(1)?,
            description: row.get(2)?,
            rule: row.get(3)?,
            sources: sources.lines().map(str::to_owned).collect(),
            channels: numbers_of(&channels).collect(),
            new_clients_after: new_clients_after.map(|client| ClientId(id_from(client))),
        },
        version: id_from(row.get(7)?),
        given_to: BTreeSet::new(),
        created_by: created_by.map(|token| ApiTokenId(id_from(token))),
        created_at: Timestamp::from_nanos(row.get(9)?),
        updated_at: Timestamp::from_nanos(row.get(10)?),
    })
}
