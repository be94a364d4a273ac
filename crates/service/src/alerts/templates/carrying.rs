//! A change of a template, carried to the alerts that are still as it had them.

use std::sync::Arc;

use cordwood_catalog::{
    self as catalog, CarriedRule, RuleContent, RuleId, RuleTemplate, RuleTemplateContent,
};

use super::super::rules::of_catalog;
use super::{CarriedTo, ClientOfTemplate, TemplateDeed, is_of};
use crate::{Error, Service};

/// An alert of the template, and what is to become of it.
struct Fate {
    rule: Arc<catalog::Rule>,
    /// What it is to be; `None` if it is left alone.
    content: Option<RuleContent>,
    /// Why it cannot be what the template has.
    obstacle: Option<String>,
}

impl Service {
    /// Changes a template and its alerts in one transaction. Says of each alert what became of it.
    pub(super) fn carry_template(
        &self,
        known: &RuleTemplate,
        content: RuleTemplateContent,
        carried_to: CarriedTo,
    ) -> Result<(Arc<RuleTemplate>, Vec<ClientOfTemplate>), Error> {
        let after = RuleTemplate {
            content: content.clone(),
            ..known.clone()
        };
        let mut rules = self.catalog.rules();
        rules.retain(|rule| is_of(rule, known.id));
        let fates = rules
            .into_iter()
            .map(|rule| self.fate(known, &after, rule, carried_to))
            .collect::<Result<Vec<Fate>, Error>>()?;
        let carried = fates.iter().filter_map(|fate| {
            Some(CarriedRule {
                known: Arc::clone(&fate.rule),
                content: fate.content.clone()?,
            })
        });
        let now = self.marked_now()?;
        let changed = self
            .catalog
            .update_rule_template(known.id, content, carried.collect(), now);
        let (template, changed) = changed.map_err(of_catalog)?;
        let changed: Vec<RuleId> = changed.iter().map(|rule| rule.id).collect();
        let clients = self.catalog.clients();
        let mut told = Vec::new();
        for fate in fates {
            let Some(client) = clients.iter().find(|client| client.id == fate.rule.client) else {
                continue;
            };
            let standing = self.standing(&template, client)?;
            let done = match (changed.contains(&fate.rule.id), &fate.obstacle) {
                (true, _) => TemplateDeed::Carried,
                (false, Some(_)) => TemplateDeed::Refused,
                (false, None) if standing.differences.is_empty() => TemplateDeed::AlreadyThere,
                (false, None) => TemplateDeed::LeftAlone,
            };
            told.push(ClientOfTemplate {
                done: Some(done),
                obstacle: fate.obstacle,
                ..standing
            });
        }
        Ok((template, told))
    }

    fn fate(
        &self,
        known: &RuleTemplate,
        after: &RuleTemplate,
        rule: Arc<catalog::Rule>,
        carried_to: CarriedTo,
    ) -> Result<Fate, Error> {
        let is_carried = match carried_to {
            CarriedTo::All => true,
            CarriedTo::Undrifted => self.differences(&known.content, &rule.content)?.is_empty(),
        };
        let fitted = is_carried.then(|| self.refitted(after, &rule)).transpose();
        let (content, obstacle) = match fitted {
            Ok(content) => (content, None),
            Err(obstacle) => (None, Some(obstacle)),
        };
        Ok(Fate {
            rule,
            content,
            obstacle,
        })
    }
}
