//! Whether a client can be given an alert of a template, and what it would be.

use std::sync::Arc;

use cordwood_catalog::{self as catalog, RuleContent, RuleTemplate};
use cordwood_query::Target;

use super::super::rules::{PER_CLIENT_MAX, checked};
use super::is_of;
use crate::caller::pick_source;
use crate::{ClientId, Service};

/// Sources that are named where one is missing.
const SOURCES_TOLD_MAX: usize = 10;

impl Service {
    /// The alert that a client would have of a template, or why it cannot have one.
    pub(super) fn fitted(
        &self,
        template: &RuleTemplate,
        client: ClientId,
    ) -> Result<RuleContent, String> {
        let content = &template.content;
        let mut of_client = self.catalog.sources();
        of_client.retain(|source| source.client == client);
        let named = content
            .sources
            .iter()
            .map(|name| source_named(&of_client, name));
        let named = named.collect::<Result<Vec<Arc<catalog::Source>>, String>>()?;
        let looked_at = if named.is_empty() { &of_client } else { &named };
        self.has_what_is_asked_for(template, looked_at)?;
        self.has_room(template, client)?;
        let mut sources: Vec<_> = named.iter().map(|source| source.id).collect();
        sources.sort_unstable();
        sources.dedup();
        Ok(RuleContent {
            name: content.name.clone(),
            description: content.description.clone(),
            rule: content.rule.clone(),
            sources,
            channels: content.channels.clone(),
            paused: None,
            template: Some((template.id, template.version)),
            saved_query: None,
            kept: None,
        })
    }

    /// The same for an alert that is there: what its client alone says of it stays.
    pub(super) fn refitted(
        &self,
        template: &RuleTemplate,
        rule: &catalog::Rule,
    ) -> Result<RuleContent, String> {
        let known = &rule.content;
        Ok(RuleContent {
            paused: known.paused.clone(),
            saved_query: known.saved_query,
            kept: known.kept.clone(),
            ..self.fitted(template, rule.client)?
        })
    }

    /// A query that names sources must be able to find something in those there are.
    fn has_what_is_asked_for(
        &self,
        template: &RuleTemplate,
        sources: &[Arc<catalog::Source>],
    ) -> Result<(), String> {
        if sources.is_empty() {
            return Err("it has no source".to_owned());
        }
        let rule = checked(&template.content.rule).map_err(|error| error.to_string())?;
        let filter = rule.filter();
        let mut clauses = filter.clauses().into_iter();
        let names_sources = clauses.any(|clause| clause.target == Target::Source);
        let mut sources = sources.iter();
        let can_match = sources.any(|source| filter.admits_source(source.id, &source.name));
        match !names_sources || can_match {
            true => Ok(()),
            false => Err("the query names sources with `_source` of which it has none".to_owned()),
        }
    }

    /// No alert of its own has the name, and there is room for another.
    fn has_room(&self, template: &RuleTemplate, client: ClientId) -> Result<(), String> {
        let mut rules = self.catalog.rules();
        rules.retain(|rule| rule.client == client && !is_of(rule, template.id));
        let name = &template.content.name;
        let mut names = rules.iter().map(|rule| &rule.content.name);
        if names.any(|other| other.eq_ignore_ascii_case(name)) {
            return Err(format!("it has an alert of its own with the name `{name}`"));
        }
        match rules.len() < PER_CLIENT_MAX {
            true => Ok(()),
            false => Err(format!(
                "it has {PER_CLIENT_MAX} alerts, the most a client may have"
            )),
        }
    }
}

fn source_named(
    of_client: &[Arc<catalog::Source>],
    name: &str,
) -> Result<Arc<catalog::Source>, String> {
    pick_source(of_client, name).map_err(|_| {
        let names = of_client.iter().map(|source| source.name.as_str());
        let names: Vec<&str> = names.take(SOURCES_TOLD_MAX).collect();
        match names.is_empty() {
            true => format!("it has no source `{name}`, and no other"),
            false => format!("it has no source `{name}`; it has {}", names.join(", ")),
        }
    })
}
