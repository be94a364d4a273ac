//! Rules: made, changed, paused and deleted, each for a client.

use std::sync::Arc;

use cordwood_alerts::{CheckedRule, Rule};
use cordwood_catalog::{self as catalog, ApiTokenId, RuleContent, RuleId, SavedQueryId};
use cordwood_event::SourceId;
use serde_json::{Map, Value};

use super::alert::{Alert, AlertChanges};
use crate::caller::the_one;
use crate::search::chosen_sources;
use crate::{Access, Caller, ClientId, Error, InvalidValue, Service};

/// Rules of one client at most: what one machine is meant to check each minute.
pub(super) const PER_CLIENT_MAX: usize = 5000;
/// Characters in a name at most, as in those of saved queries.
const NAME_LENGTH_MAX: usize = 200;
/// Characters in a description at most: a paragraph.
const DESCRIPTION_LENGTH_MAX: usize = 2000;
/// Channels of one rule at most.
const CHANNELS_MAX: usize = 20;
/// Bytes of what is kept of an alert and given back at most: as much as labels have room for.
const KEPT_BYTES_MAX: usize = 64 << 10;
/// Why a rule is not evaluated that somebody paused.
pub(super) const PAUSED_BY_HAND: &str = "manual";

impl Service {
    /// The alerts that the caller sees, by name.
    pub fn list_alerts(&self, caller: &Caller) -> Result<Vec<Alert>, Error> {
        caller.require(Access::Read)?;
        let mut alerts: Vec<Alert> = self
            .visible_rules(caller)
            .iter()
            .map(|rule| self.described_rule(rule))
            .collect::<Result<_, Error>>()?;
        alerts.sort_by_cached_key(|alert| (alert.name.to_lowercase(), alert.id));
        Ok(alerts)
    }

    /// An alert, by its id or name.
    pub fn alert(&self, caller: &Caller, name: &str) -> Result<Alert, Error> {
        caller.require(Access::Read)?;
        let rule = self.find_rule(caller, name)?;
        self.described_rule(&rule)
    }

    /// Makes an alert for a client, the only one the caller sees unless it is named. It is checked from now on.
    pub fn create_alert(
        &self,
        caller: &Caller,
        client: Option<ClientId>,
        new: &AlertChanges,
    ) -> Result<Alert, Error> {
        caller.require(Access::Write)?;
        let client = self.client_meant(caller, client)?;
        let content = self.changed_rule(caller, client, None, new)?;
        let of_client = self.catalog.rules();
        let of_client = of_client.iter().filter(|rule| rule.client == client);
        if of_client.count() >= PER_CLIENT_MAX {
            let message = format!("are {PER_CLIENT_MAX}, the most a client may have");
            return Err(invalid("alerts", message));
        }
        let by = ApiTokenId(caller.token_id());
        let made = self
            .catalog
            .create_rule(client, by, content, self.marked_now()?)
            .map_err(of_catalog)?;
        self.described_rule(&made)
    }

    /// Changes an alert. One that asks something else from now on forgets what it knew: who was silent, which groups fired. What is open of it stays
    /// open until somebody resolves it.
    pub fn update_alert(
        &self,
        caller: &Caller,
        name: &str,
        changes: &AlertChanges,
    ) -> Result<Alert, Error> {
        caller.require(Access::Write)?;
        let known = self.find_rule(caller, name)?;
        let content = self.changed_rule(caller, known.client, Some(&known.content), changes)?;
        let rule = self
            .catalog
            .update_rule(known.id, content, self.marked_now()?)
            .map_err(of_catalog)?;
        self.described_rule(&rule)
    }

    /// Deletes an alert. Its incidents stay.
    pub fn delete_alert(&self, caller: &Caller, name: &str) -> Result<(), Error> {
        caller.require(Access::Write)?;
        let known = self.find_rule(caller, name)?;
        self.catalog.delete_rule(known.id).map_err(of_catalog)
    }

    pub(super) fn visible_rules(&self, caller: &Caller) -> Vec<Arc<catalog::Rule>> {
        let mut rules = self.catalog.rules();
        rules.retain(|rule| caller.sees(rule.client));
        rules
    }

    /// By id or name. One that the caller may not see is not found in the same words as one that never was.
    pub(super) fn find_rule(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<Arc<catalog::Rule>, Error> {
        let (visible, name) = (self.visible_rules(caller), name.trim());
        let by_id = name.parse().ok().map(RuleId);
        if let Some(rule) = visible.iter().find(|rule| Some(rule.id) == by_id) {
            return Ok(Arc::clone(rule));
        }
        let is_named = |rule: &&Arc<catalog::Rule>| rule.content.name.eq_ignore_ascii_case(name);
        let found: Vec<&Arc<catalog::Rule>> = visible.iter().filter(is_named).collect();
        let names = visible.iter().map(|rule| rule.content.name.as_str());
        the_one("alert", name, &found, |rule| rule.id.0, names)
    }

    /// What a rule is after changes, all mistakes told at once.
    pub(super) fn changed_rule(
        &self,
        caller: &Caller,
        client: ClientId,
        known: Option<&RuleContent>,
        changes: &AlertChanges,
    ) -> Result<RuleContent, Error> {
        let mut content = known.cloned().unwrap_or_else(|| RuleContent {
            name: String::new(),
            description: String::new(),
            rule: String::new(),
            sources: Vec::new(),
            channels: Vec::new(),
            paused: None,
            template: None,
            saved_query: None,
            kept: None,
        });
        if let Some(name) = &changes.name {
            name.trim().clone_into(&mut content.name);
        }
        if let Some(description) = &changes.description {
            description.trim().clone_into(&mut content.description);
        }
        if let Some(is_paused) = changes.is_paused {
            content.paused = is_paused.then(|| PAUSED_BY_HAND.to_owned());
        }
        if let Some(channels) = &changes.channels {
            content.channels.clone_from(channels);
        }
        if let Some(names) = &changes.sources {
            content.sources = self.sources_of_client(caller, client, names)?;
        }
        if let Some(saved) = changes.saved_query {
            let saved = self.saved_query(caller, &saved.to_string())?;
            if saved.client != client {
                return Err(invalid("saved_query_id", "is another client's"));
            }
            content.saved_query = Some(SavedQueryId(saved.id));
        }
        if let Some(kept) = &changes.kept {
            content.kept = Some(text_of(kept)?);
        }
        let rule = match (&changes.rule, known) {
            (Some(rule), _) => rule.clone(),
            (None, Some(known)) => stored(&known.rule)?,
            (None, None) => return Err(invalid("query", "can't be blank")),
        };
        check(&content, &rule)?;
        content.rule = written(&rule)?;
        Ok(content)
    }

    /// Sources by name, of one client alone: a rule never looks at what another client has.
    fn sources_of_client(
        &self,
        caller: &Caller,
        client: ClientId,
        names: &[String],
    ) -> Result<Vec<SourceId>, Error> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let mut visible = self.visible_sources(caller);
        visible.retain(|source| source.client == client);
        let chosen = chosen_sources(&visible, names)?;
        Ok(chosen.iter().map(|source| source.id).collect())
    }
}

/// A rule as the catalog keeps it.
pub(super) fn stored(document: &str) -> Result<Rule, Error> {
    serde_json::from_str(document).map_err(|error| Error::internal("reading a rule", error))
}

/// What is kept of an alert and given back.
pub(super) fn kept(content: &RuleContent) -> Map<String, Value> {
    let kept = content.kept.as_deref();
    let kept = kept.and_then(|kept| serde_json::from_str(kept).ok());
    kept.unwrap_or_default()
}

fn text_of(kept: &Map<String, Value>) -> Result<String, Error> {
    let text = serde_json::to_string(kept)
        .map_err(|error| Error::internal("writing what is kept of an alert", error))?;
    match text.len() <= KEPT_BYTES_MAX {
        true => Ok(text),
        false => Err(invalid(
            "metadata",
            format!("is too long (maximum is {KEPT_BYTES_MAX} bytes)"),
        )),
    }
}

/// A rule that can be evaluated, as the catalog keeps it.
pub(super) fn checked(document: &str) -> Result<CheckedRule, Error> {
    stored(document)?.check().map_err(of_mistakes)
}

pub(super) fn written(rule: &Rule) -> Result<String, Error> {
    serde_json::to_string(rule).map_err(|error| Error::internal("writing a rule", error))
}

pub(super) fn of_mistakes(mistakes: Vec<cordwood_alerts::Invalid>) -> Error {
    let values = mistakes
        .into_iter()
        .map(|mistake| InvalidValue::new(mistake.attribute, mistake.message));
    Error::InvalidValues(values.collect())
}

fn check(content: &RuleContent, rule: &Rule) -> Result<(), Error> {
    let RuleContent {
        name,
        description,
        channels,
        ..
    } = content;
    let wrong = mistakes_in(name, description, channels, rule);
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(Error::InvalidValues(wrong)),
    }
}

/// What is wrong with an alert, or with a template of alerts.
pub(super) fn mistakes_in(
    name: &str,
    description: &str,
    channels: &[u64],
    rule: &Rule,
) -> Vec<InvalidValue> {
    let mut wrong = named_rightly(name, description);
    if channels.len() > CHANNELS_MAX {
        wrong.push(InvalidValue::new(
            "channels",
            "are too many (maximum is 20)",
        ));
    }
    if let Err(mistakes) = rule.check() {
        let values = mistakes
            .into_iter()
            .map(|mistake| InvalidValue::new(mistake.attribute, mistake.message));
        wrong.extend(values);
    }
    wrong
}

/// What is wrong with a name and a description.
pub(super) fn named_rightly(name: &str, description: &str) -> Vec<InvalidValue> {
    let mut wrong = Vec::new();
    let mut refuse = |field: &'static str, message: &str| {
        wrong.push(InvalidValue::new(field, message));
    };
    match name.chars().count() {
        0 => refuse("name", "can't be blank"),
        1..=NAME_LENGTH_MAX if name.chars().any(char::is_control) => {
            refuse("name", "has to be one line");
        }
        1..=NAME_LENGTH_MAX if name.bytes().all(|byte| byte.is_ascii_digit()) => {
            refuse("name", "can't be a number, which would be taken for an id");
        }
        1..=NAME_LENGTH_MAX => {}
        _ => refuse("name", "is too long (maximum is 200 characters)"),
    }
    if description.chars().count() > DESCRIPTION_LENGTH_MAX {
        refuse("description", "is too long (maximum is 2000 characters)");
    }
    wrong
}

pub(super) fn invalid(field: &'static str, message: impl Into<String>) -> Error {
    Error::InvalidValues(vec![InvalidValue::new(field, message)])
}

pub(super) fn of_catalog(error: catalog::Error) -> Error {
    match error {
        catalog::Error::NameTaken => invalid("name", "has already been taken"),
        catalog::Error::NotFound { kind } => Error::NotFound {
            kind,
            name: "it".to_owned(),
            near: Vec::new(),
        },
        error => Error::internal("keeping an alert", error),
    }
}
