//! Templates of alerts: what a provider gives to its clients, each client's own to change, with what it changed in view.
//!
//! A template belongs to the provider. Its rules belong to the clients: a change of the template is carried to those that are still as the
//! template has them, and leaves the others alone unless it is asked for.

mod carrying;
mod drift;
mod fitting;
mod giving;

use std::sync::Arc;

use cordwood_alerts::{Difference, Rule};
use cordwood_catalog::{self as catalog, ApiTokenId, RuleTemplateContent, RuleTemplateId};
use cordwood_event::Timestamp;

use super::rules::{invalid, mistakes_in, of_catalog, stored, written};
use crate::caller::the_one;
use crate::jobs::require_whole;
use crate::{Access, Caller, ClientId, Error, InvalidValue, Scope, Service};

/// Templates at most: more, and nobody knows what clients are given.
const TEMPLATES_MAX: usize = 500;
/// Sources that a template names at most, as many as a saved query.
const SOURCES_MAX: usize = 256;

/// A template of alerts.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleTemplate {
    /// Its number.
    pub id: u64,
    /// The name of its alerts; unique among templates.
    pub name: String,
    /// What they are for.
    pub description: String,
    /// What they watch and when they fire.
    pub rule: Rule,
    /// The names of the sources they look at; none for all of the client's.
    pub sources: Vec<String>,
    /// The provider's channels that they tell; none for the default ones.
    pub channels: Vec<u64>,
    /// Whether clients that are made later are given one.
    pub is_for_new_clients: bool,
    /// 1, and one more with each change of what its alerts have of it.
    pub version: u64,
    /// How many clients that the caller sees have an alert of it.
    pub alerts: usize,
    /// How many of these are not as the template has it.
    pub drifted: usize,
    /// The token that made it.
    pub created_by: Option<u64>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What a template is to be, or to be changed to; what is `None` stays, or is as by default.
#[derive(Clone, Debug, Default)]
pub struct RuleTemplateChanges {
    /// See [`RuleTemplate::name`]; needed for a new one.
    pub name: Option<String>,
    /// See [`RuleTemplate::description`].
    pub description: Option<String>,
    /// See [`RuleTemplate::rule`]; needed for a new one. The whole rule.
    pub rule: Option<Rule>,
    /// See [`RuleTemplate::sources`].
    pub sources: Option<Vec<String>>,
    /// See [`RuleTemplate::channels`].
    pub channels: Option<Vec<u64>>,
    /// See [`RuleTemplate::is_for_new_clients`].
    pub is_for_new_clients: Option<bool>,
}

/// Which rules a change of a template is carried to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CarriedTo {
    /// Those that are as the template had it.
    #[default]
    Undrifted,
    /// All, whatever their clients made of them.
    All,
}

/// For which clients something is done with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateClients {
    /// All that the caller sees.
    All,
    /// These.
    Named(Vec<ClientId>),
}

/// How a client stands to a template.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientOfTemplate {
    /// The client.
    pub client: ClientId,
    /// Its name.
    pub client_name: String,
    /// What was done just now; `None` where nothing was asked for.
    pub done: Option<TemplateDeed>,
    /// Its alert; `None` if it has none of this template.
    pub alert: Option<u64>,
    /// Which version of the template the alert has.
    pub version: Option<u64>,
    /// Whether the alert is paused.
    pub is_paused: bool,
    /// In what the alert is not as the template has it.
    pub differences: Vec<Difference>,
    /// Why the client cannot be given an alert as the template has it now; `None` if it can, or has one.
    pub obstacle: Option<String>,
}

/// What was done for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateDeed {
    /// It was given an alert.
    Applied,
    /// Nothing: it has one already, as it is to be.
    AlreadyThere,
    /// Its alert was changed as the template was.
    Carried,
    /// Its alert is its own by now, and was left alone.
    LeftAlone,
    /// Its alert was put back to what the template has.
    PutBack,
    /// Nothing could be: `obstacle` says why.
    Refused,
}

impl Service {
    /// The templates that the caller may know of, by name: all of them for those who see all clients, else those of its own alerts.
    pub fn list_rule_templates(&self, caller: &Caller) -> Result<Vec<RuleTemplate>, Error> {
        caller.require(Access::Read)?;
        let visible = self.visible_templates(caller);
        let mut templates = visible
            .iter()
            .map(|template| self.described_template(caller, template))
            .collect::<Result<Vec<RuleTemplate>, Error>>()?;
        templates.sort_by_cached_key(|template| (template.name.to_lowercase(), template.id));
        Ok(templates)
    }

    /// A template, by its id or name.
    pub fn rule_template(&self, caller: &Caller, name: &str) -> Result<RuleTemplate, Error> {
        caller.require(Access::Read)?;
        let template = self.find_template(caller, name)?;
        self.described_template(caller, &template)
    }

    /// Makes a template; for admins of all clients. No client is given an alert by that.
    pub fn create_rule_template(
        &self,
        caller: &Caller,
        new: &RuleTemplateChanges,
    ) -> Result<RuleTemplate, Error> {
        require_whole(caller)?;
        let content = self.changed_template(None, new)?;
        if self.catalog.rule_templates().len() >= TEMPLATES_MAX {
            let message = format!("are {TEMPLATES_MAX}, the most there may be");
            return Err(invalid("rule templates", message));
        }
        let by = ApiTokenId(caller.token_id());
        let made = self.catalog.create_rule_template(by, content, self.now());
        self.described_template(caller, &*made.map_err(of_catalog)?)
    }

    /// Changes a template, and the alerts it is carried to; for admins of all clients. Says what became of each alert of it.
    pub fn update_rule_template(
        &self,
        caller: &Caller,
        name: &str,
        changes: &RuleTemplateChanges,
        carried_to: CarriedTo,
    ) -> Result<(RuleTemplate, Vec<ClientOfTemplate>), Error> {
        require_whole(caller)?;
        let known = self.find_template(caller, name)?;
        let content = self.changed_template(Some(&known.content), changes)?;
        let (template, clients) = self.carry_template(&known, content, carried_to)?;
        Ok((self.described_template(caller, &template)?, clients))
    }

    /// Deletes a template; for admins of all clients. Its alerts stay, as their clients' own.
    pub fn delete_rule_template(&self, caller: &Caller, name: &str) -> Result<(), Error> {
        require_whole(caller)?;
        let known = self.find_template(caller, name)?;
        self.catalog
            .delete_rule_template(known.id)
            .map_err(of_catalog)
    }

    fn visible_templates(&self, caller: &Caller) -> Vec<Arc<catalog::RuleTemplate>> {
        let mut templates = self.catalog.rule_templates();
        if *caller.scope() != Scope::AllClients {
            let rules = self.visible_rules(caller);
            let is_of = |id: RuleTemplateId| {
                let mut templates = rules.iter().filter_map(|rule| rule.content.template);
                templates.any(|(template, _)| template == id)
            };
            templates.retain(|template| is_of(template.id));
        }
        templates
    }

    /// By id or name. One that the caller may not see is not found in the same words as one that never was.
    fn find_template(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<Arc<catalog::RuleTemplate>, Error> {
        let (visible, name) = (self.visible_templates(caller), name.trim());
        let by_id = name.parse().ok().map(RuleTemplateId);
        if let Some(template) = visible.iter().find(|template| Some(template.id) == by_id) {
            return Ok(Arc::clone(template));
        }
        let found = visible
            .iter()
            .filter(|template| template.content.name.eq_ignore_ascii_case(name));
        let found: Vec<&Arc<catalog::RuleTemplate>> = found.collect();
        let names = visible
            .iter()
            .map(|template| template.content.name.as_str());
        the_one(
            "rule template",
            name,
            &found,
            |template| template.id.0,
            names,
        )
    }

    /// The alerts that were made from a template, of clients that the caller sees.
    fn rules_of_template(
        &self,
        caller: &Caller,
        template: RuleTemplateId,
    ) -> Vec<Arc<catalog::Rule>> {
        let mut rules = self.visible_rules(caller);
        rules.retain(|rule| is_of(rule, template));
        rules
    }

    /// What a template is after changes, all mistakes told at once.
    fn changed_template(
        &self,
        known: Option<&RuleTemplateContent>,
        changes: &RuleTemplateChanges,
    ) -> Result<RuleTemplateContent, Error> {
        let mut content = known.cloned().unwrap_or_else(|| RuleTemplateContent {
            name: String::new(),
            description: String::new(),
            rule: String::new(),
            sources: Vec::new(),
            channels: Vec::new(),
            new_clients_after: None,
        });
        if let Some(name) = &changes.name {
            name.trim().clone_into(&mut content.name);
        }
        if let Some(description) = &changes.description {
            description.trim().clone_into(&mut content.description);
        }
        if let Some(sources) = &changes.sources {
            content.sources = sources.iter().map(|name| name.trim().to_owned()).collect();
        }
        if let Some(channels) = &changes.channels {
            content.channels.clone_from(channels);
        }
        match (changes.is_for_new_clients, content.new_clients_after) {
            (Some(true), None) => content.new_clients_after = self.last_client(),
            (Some(false), _) => content.new_clients_after = None,
            (Some(true), Some(_)) | (None, _) => {}
        }
        let rule = match (&changes.rule, known) {
            (Some(rule), _) => rule.clone(),
            (None, Some(known)) => stored(&known.rule)?,
            (None, None) => return Err(invalid("query", "can't be blank")),
        };
        self.check_template(&content, &rule)?;
        content.rule = written(&rule)?;
        Ok(content)
    }

    /// The client that was made last.
    fn last_client(&self) -> Option<ClientId> {
        let clients = self.catalog.clients();
        clients.iter().map(|client| client.id).max()
    }

    fn check_template(&self, content: &RuleTemplateContent, rule: &Rule) -> Result<(), Error> {
        let mut wrong = mistakes_in(&content.name, &content.description, &content.channels, rule);
        let mut refuse = |field: &'static str, message: String| {
            wrong.push(InvalidValue::new(field, message));
        };
        if content.sources.len() > SOURCES_MAX {
            refuse(
                "source_names",
                format!("are too many (maximum is {SOURCES_MAX})"),
            );
        }
        let is_name = |name: &str| {
            !name.is_empty()
                && !name.chars().any(char::is_control)
                && !name.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !content.sources.iter().all(|name| is_name(name)) {
            let message = "have to be names: an id is of one client's source alone";
            refuse("source_names", message.to_owned());
        }
        let channels = self.catalog.channels();
        for id in &content.channels {
            let known = channels.iter().find(|channel| channel.id.0 == *id);
            match known.map(|channel| channel.client) {
                Some(None) => {}
                Some(Some(_)) => refuse(
                    "channels",
                    format!("{id} is a client's; a template tells channels of the provider"),
                ),
                None => refuse("channels", format!("{id} does not exist")),
            }
        }
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(Error::InvalidValues(wrong)),
        }
    }

    fn described_template(
        &self,
        caller: &Caller,
        template: &catalog::RuleTemplate,
    ) -> Result<RuleTemplate, Error> {
        let content = &template.content;
        let rules = self.rules_of_template(caller, template.id);
        let mut drifted = 0;
        for rule in &rules {
            drifted += usize::from(!self.differences(content, &rule.content)?.is_empty());
        }
        Ok(RuleTemplate {
            id: template.id.0,
            name: content.name.clone(),
            description: content.description.clone(),
            rule: stored(&content.rule)?,
            sources: content.sources.clone(),
            channels: content.channels.clone(),
            is_for_new_clients: content.new_clients_after.is_some(),
            version: template.version,
            alerts: rules.len(),
            drifted,
            created_by: template.created_by.map(|token| token.0),
            created_at: template.created_at,
            updated_at: template.updated_at,
        })
    }
}

fn is_of(rule: &catalog::Rule, template: RuleTemplateId) -> bool {
    let of = rule.content.template;
    of.is_some_and(|(id, _)| id == template)
}
