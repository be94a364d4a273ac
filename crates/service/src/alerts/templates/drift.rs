//! In what alerts are not as their template has them.

use cordwood_alerts::{Difference, drift};
use cordwood_catalog::{self as catalog, RuleContent, RuleTemplateContent};
use cordwood_event::SourceId;
use serde_json::json;

use super::super::rules::stored;
use super::{ClientOfTemplate, is_of};
use crate::clients::Client;
use crate::{Access, Caller, Error, Service};

impl Service {
    /// How each client that the caller sees stands to a template, by name.
    pub fn rule_template_clients(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<Vec<ClientOfTemplate>, Error> {
        caller.require(Access::Read)?;
        let template = self.find_template(caller, name)?;
        let mut clients = self.visible_clients(caller);
        clients.sort_by_cached_key(|client| client.name.to_lowercase());
        let standings = clients
            .iter()
            .map(|client| self.standing(&template, client));
        standings.collect()
    }

    /// How a client stands to a template.
    pub(super) fn standing(
        &self,
        template: &catalog::RuleTemplate,
        client: &Client,
    ) -> Result<ClientOfTemplate, Error> {
        let rule = self.rule_of_template(template.id, client.id);
        let content = &template.content;
        let (differences, obstacle) = match &rule {
            Some(rule) => (self.differences(content, &rule.content)?, None),
            None => (Vec::new(), self.fitted(template, client.id).err()),
        };
        Ok(ClientOfTemplate {
            client: client.id,
            client_name: client.name.clone(),
            done: None,
            alert: rule.as_ref().map(|rule| rule.id.0),
            version: rule
                .as_ref()
                .and_then(|rule| rule.content.template)
                .map(|(_, version)| version),
            is_paused: rule.is_some_and(|rule| rule.content.paused.is_some()),
            differences,
            obstacle,
        })
    }

    /// The alert of a client that was made from a template.
    pub(super) fn rule_of_template(
        &self,
        template: catalog::RuleTemplateId,
        client: catalog::ClientId,
    ) -> Option<std::sync::Arc<catalog::Rule>> {
        let rules = self.catalog.rules();
        let mut rules = rules.into_iter();
        rules.find(|rule| rule.client == client && is_of(rule, template))
    }

    /// In what a rule is not as the template has it: what is said of the alert first, then the members of its rule. That it is paused is none:
    /// whoever paused it knows why.
    pub(super) fn differences(
        &self,
        template: &RuleTemplateContent,
        rule: &RuleContent,
    ) -> Result<Vec<Difference>, Error> {
        let sources = self.names_of(&rule.sources);
        let mut differences = Vec::new();
        let mut compare =
            |attribute: &str, template: serde_json::Value, rule: serde_json::Value| {
                if template != rule {
                    differences.push(Difference {
                        attribute: attribute.to_owned(),
                        template,
                        rule,
                    });
                }
            };
        compare("name", json!(template.name), json!(rule.name));
        compare(
            "description",
            json!(template.description),
            json!(rule.description),
        );
        if !are_alike(&template.sources, &sources) {
            compare("source_names", json!(template.sources), json!(sources));
        }
        compare("channels", ids(&template.channels), ids(&rule.channels));
        if template.rule != rule.rule {
            differences.extend(drift(&stored(&template.rule)?, &stored(&rule.rule)?));
        }
        Ok(differences)
    }

    fn names_of(&self, sources: &[SourceId]) -> Vec<String> {
        let named = sources.iter().map(|id| match self.catalog.source(*id) {
            Some(source) => source.name.clone(),
            None => format!("source {id}, which is gone"),
        });
        named.collect()
    }
}

/// Ids as records show them.
fn ids(channels: &[u64]) -> serde_json::Value {
    let mut channels = channels.to_vec();
    channels.sort_unstable();
    json!(channels.iter().map(u64::to_string).collect::<Vec<_>>())
}

/// The same names in any order and case.
fn are_alike(names: &[String], others: &[String]) -> bool {
    let sorted = |names: &[String]| {
        let mut names: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        names.sort();
        names.dedup();
        names
    };
    sorted(names) == sorted(others)
}
