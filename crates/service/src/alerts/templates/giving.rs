//! Alerts made from a template, and put back to what it has.

use cordwood_catalog::{self as catalog, ApiTokenId};

use super::super::rules::of_catalog;
use super::{ClientOfTemplate, TemplateClients, TemplateDeed};
use crate::clients::Client;
use crate::{Access, Caller, Error, InvalidValue, Service};

impl Service {
    /// Gives clients an alert of a template each, those that can have one and have none. Says of every one what was done.
    pub fn apply_rule_template(
        &self,
        caller: &Caller,
        name: &str,
        clients: &TemplateClients,
    ) -> Result<Vec<ClientOfTemplate>, Error> {
        caller.require(Access::Write)?;
        let template = self.find_template(caller, name)?;
        let by = Some(ApiTokenId(caller.token_id()));
        let clients = self.clients_named(caller, clients)?;
        let applied = clients
            .iter()
            .map(|client| self.apply_to(&template, client, by));
        applied.collect()
    }

    /// Puts the alerts of clients back to what the template has, whatever was changed. One that is paused stays paused.
    pub fn put_back_rule_template(
        &self,
        caller: &Caller,
        name: &str,
        clients: &TemplateClients,
    ) -> Result<Vec<ClientOfTemplate>, Error> {
        caller.require(Access::Write)?;
        let template = self.find_template(caller, name)?;
        let mut done = Vec::new();
        for client in self.clients_named(caller, clients)? {
            match self.rule_of_template(template.id, client.id) {
                Some(rule) => done.push(self.put_back(&template, &client, &rule)?),
                None if *clients == TemplateClients::All => {}
                None => {
                    let refused = self.standing(&template, &client)?;
                    let none = "it has no alert of this template".to_owned();
                    done.push(ClientOfTemplate {
                        done: Some(TemplateDeed::Refused),
                        obstacle: Some(refused.obstacle.clone().unwrap_or(none)),
                        ..refused
                    });
                }
            }
        }
        Ok(done)
    }

    /// Gives their alerts to clients that were made since templates say that new clients get them. One that has no fitting source yet gets it when it
    /// has; one that deleted its alert does not get it again.
    pub(in super::super) fn give_to_new_clients(&self) -> Result<(), Error> {
        let clients = self.catalog.clients();
        for template in self.catalog.rule_templates() {
            let Some(after) = template.content.new_clients_after else {
                continue;
            };
            let waits =
                |client: &&Client| client.id > after && !template.given_to.contains(&client.id);
            for client in clients.iter().filter(waits) {
                let given = self.apply_to(&template, client, template.created_by)?;
                if given.done == Some(TemplateDeed::Applied) {
                    let (template, client) = (template.id.0, client.id.0);
                    tracing::info!(template, client, "a new client was given an alert");
                }
            }
        }
        Ok(())
    }

    fn apply_to(
        &self,
        template: &catalog::RuleTemplate,
        client: &Client,
        by: Option<ApiTokenId>,
    ) -> Result<ClientOfTemplate, Error> {
        let is_there = self.rule_of_template(template.id, client.id).is_some();
        let done = match (is_there, self.fitted(template, client.id)) {
            (true, _) => TemplateDeed::AlreadyThere,
            (false, Err(_)) => TemplateDeed::Refused,
            (false, Ok(content)) => {
                let now = self.marked_now()?;
                let given = self
                    .catalog
                    .give_rule(template.id, client.id, by, content, now);
                given.map_err(of_catalog)?;
                TemplateDeed::Applied
            }
        };
        Ok(ClientOfTemplate {
            done: Some(done),
            ..self.standing(template, client)?
        })
    }

    fn put_back(
        &self,
        template: &catalog::RuleTemplate,
        client: &Client,
        rule: &catalog::Rule,
    ) -> Result<ClientOfTemplate, Error> {
        let is_as_template = self
            .differences(&template.content, &rule.content)?
            .is_empty();
        let (done, obstacle) = match self.refitted(template, rule) {
            Ok(_) if is_as_template => (TemplateDeed::AlreadyThere, None),
            Err(obstacle) => (TemplateDeed::Refused, Some(obstacle)),
            Ok(content) => {
                let now = self.marked_now()?;
                let changed = self.catalog.update_rule(rule.id, content, now);
                changed.map_err(of_catalog)?;
                (TemplateDeed::PutBack, None)
            }
        };
        Ok(ClientOfTemplate {
            done: Some(done),
            obstacle,
            ..self.standing(template, client)?
        })
    }

    /// The clients that are meant, by id. One that the caller does not see is as one that never was.
    fn clients_named(
        &self,
        caller: &Caller,
        clients: &TemplateClients,
    ) -> Result<Vec<Client>, Error> {
        let mut visible = self.visible_clients(caller);
        let TemplateClients::Named(ids) = clients else {
            return Ok(visible);
        };
        let wrong = |message: String| {
            Err(Error::InvalidValues(vec![InvalidValue::new(
                "client_id",
                message,
            )]))
        };
        if ids.is_empty() {
            return wrong("can't be blank".to_owned());
        }
        let is_visible = |id| visible.iter().any(|client| client.id == id);
        if let Some(unknown) = ids.iter().find(|id| !is_visible(**id)) {
            return wrong(format!("{unknown} does not exist"));
        }
        visible.retain(|client| ids.contains(&client.id));
        Ok(visible)
    }
}
