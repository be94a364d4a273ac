//! Templates of rules: what a provider gives to its clients.

use std::sync::Arc;

use cordwood_event::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::database::{id_from, id_to};
use crate::{Catalog, Error};

/// The number of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleTemplateId(pub u64);

/// A template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleTemplate {
    /// Its number.
    pub id: RuleTemplateId,
    /// Unique, whatever the case of ASCII letters.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What its rules watch and when they fire.
    pub rule: String,
    /// 1, and one more with each change of `rule`.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What of a template can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRuleTemplate {
    /// See [`RuleTemplate::name`].
    pub name: String,
    /// See [`RuleTemplate::description`].
    pub description: String,
    /// See [`RuleTemplate::rule`].
    pub rule: String,
}

impl Catalog {
    /// All templates, by id.
    pub fn rule_templates(&self) -> Vec<Arc<RuleTemplate>> {
        self.read().rule_templates.values().cloned().collect()
    }

    /// Makes a template.
    pub fn create_rule_template(
        &self,
        new: NewRuleTemplate,
        now: Timestamp,
    ) -> Result<Arc<RuleTemplate>, Error> {
        let organisation = self.read().organisation.id;
        self.change(
            "making a template",
            |transaction| {
                transaction
                    .execute(
                        "INSERT INTO rule_templates (organisation_id, name, description, rule, version, created_at, updated_at)
                         VALUES (?1, ?2, ?3, ?4, 1, ?5, ?5)",
                        params![id_to(organisation), new.name, new.description, new.rule, now.as_nanos()],
                    )
                    .map_err(Error::unless_taken("making a template"))?;
                Ok(RuleTemplate {
                    id: RuleTemplateId(id_from(transaction.last_insert_rowid())),
                    name: new.name,
                    description: new.description,
                    rule: new.rule,
                    version: 1,
                    created_at: now,
                    updated_at: now,
                })
            },
            |memory, template| memory.show_rule_template(template),
        )
    }

    /// Changes a template. Rules that were made from it stay as they are.
    pub fn update_rule_template(
        &self,
        id: RuleTemplateId,
        new: NewRuleTemplate,
        now: Timestamp,
    ) -> Result<Arc<RuleTemplate>, Error> {
        let known = self.read().rule_templates.get(&id).cloned();
        let known = known.ok_or(Error::NotFound { kind: "template" })?;
        let changed = u64::from(known.rule != new.rule);
        let template = RuleTemplate {
            name: new.name,
            description: new.description,
            rule: new.rule,
            version: known.version + changed,
            updated_at: now,
            ..(*known).clone()
        };
        self.change(
            "changing a template",
            |transaction| {
                transaction
                    .execute(
                        "UPDATE rule_templates SET name = ?2, description = ?3, rule = ?4, version = ?5, updated_at = ?6
                         WHERE id = ?1",
                        params![
                            id_to(id.0),
                            template.name,
                            template.description,
                            template.rule,
                            id_to(template.version),
                            now.as_nanos()
                        ],
                    )
                    .map_err(Error::unless_taken("changing a template"))?;
                Ok(template)
            },
            |memory, template| memory.show_rule_template(template),
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

pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Vec<RuleTemplate>> {
    let mut statement = connection.prepare(
        "SELECT id, name, description, rule, version, created_at, updated_at FROM rule_templates ORDER BY id",
    )?;
    let rows = statement.query_map([], from_row)?;
    rows.collect()
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<RuleTemplate> {
    Ok(RuleTemplate {
        id: RuleTemplateId(id_from(row.get(0)?)),
        name: row.get(1)?,
        description: row.get(2)?,
        rule: row.get(3)?,
        version: id_from(row.get(4)?),
        created_at: Timestamp::from_nanos(row.get(5)?),
        updated_at: Timestamp::from_nanos(row.get(6)?),
    })
}
