//! The picture in memory of what is asked on the way of every request.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use cordwood_event::{SourceId, Timestamp};
use rusqlite::Connection;

use crate::api_tokens::{self, LiveApiToken};
use crate::channels;
use crate::deleted_sources;
use crate::rule_templates;
use crate::rules;
use crate::saved_queries;
use crate::source_tokens::{self, LiveSourceToken};
use crate::sources;
use crate::usage;
use crate::{
    ApiTokenId, Channel, ChannelId, Client, ClientId, DeletedSource, Error, Organisation, Rule,
    RuleId, RuleTemplate, RuleTemplateId, SavedQuery, SavedQueryId, Source, SourceUsage, TokenHash,
};

/// Everything but past months of usage. A source takes about a kilobyte.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) organisation: Organisation,
    pub(crate) clients: Vec<Client>,
    pub(crate) sources: BTreeMap<SourceId, LiveSource>,
    pub(crate) deleted_sources: BTreeMap<SourceId, Arc<DeletedSource>>,
    pub(crate) source_tokens: HashMap<TokenHash, Arc<LiveSourceToken>>,
    pub(crate) api_tokens: BTreeMap<ApiTokenId, Arc<LiveApiToken>>,
    pub(crate) api_token_hashes: HashMap<TokenHash, ApiTokenId>,
    pub(crate) saved_queries: BTreeMap<SavedQueryId, Arc<SavedQuery>>,
    pub(crate) channels: BTreeMap<ChannelId, Arc<Channel>>,
    pub(crate) rules: BTreeMap<RuleId, Arc<Rule>>,
    pub(crate) rule_templates: BTreeMap<RuleTemplateId, Arc<RuleTemplate>>,
    pub(crate) has_made_sources: bool,
}

/// A source and what belongs to it.
#[derive(Clone, Debug)]
pub(crate) struct LiveSource {
    pub(crate) source: Arc<Source>,
    pub(crate) usage: Arc<SourceUsage>,
    /// Oldest first.
    pub(crate) tokens: Vec<Arc<LiveSourceToken>>,
}

impl Memory {
    pub(crate) fn load(
        connection: &Connection,
        organisation: Organisation,
        clients: Vec<Client>,
    ) -> Result<Memory, Error> {
        let reading = "reading the catalog";
        let mut memory = Memory {
            organisation,
            clients,
            sources: BTreeMap::new(),
            deleted_sources: BTreeMap::new(),
            source_tokens: HashMap::new(),
            api_tokens: BTreeMap::new(),
            api_token_hashes: HashMap::new(),
            saved_queries: BTreeMap::new(),
            channels: BTreeMap::new(),
            rules: BTreeMap::new(),
            rule_templates: BTreeMap::new(),
            has_made_sources: sources::has_made_any(connection)
                .map_err(Error::database(reading))?,
        };
        for source in sources::load(connection).map_err(Error::database(reading))? {
            memory.show_source(source, SourceUsage::default());
        }
        for deleted in deleted_sources::load(connection).map_err(Error::database(reading))? {
            memory.show_deleted_source(deleted);
        }
        for token in source_tokens::load(connection).map_err(Error::database(reading))? {
            memory.show_source_token(token);
        }
        for token in api_tokens::load(connection)? {
            memory.show_api_token(token);
        }
        for saved in saved_queries::load(connection).map_err(Error::database(reading))? {
            memory.show_saved_query(saved);
        }
        for channel in channels::load(connection).map_err(Error::database(reading))? {
            memory.show_channel(channel);
        }
        for rule in rules::load(connection).map_err(Error::database(reading))? {
            memory.show_rule(rule);
        }
        for template in rule_templates::load(connection).map_err(Error::database(reading))? {
            memory.show_rule_template(template);
        }
        usage::load(connection, &memory.sources).map_err(Error::database(reading))?;
        Ok(memory)
    }

    pub(crate) fn show_source(&mut self, source: Source, usage: SourceUsage) {
        let live = LiveSource {
            source: Arc::new(source),
            usage: Arc::new(usage),
            tokens: Vec::new(),
        };
        self.has_made_sources = true;
        self.sources.insert(live.source.id, live);
    }

    pub(crate) fn show_deleted_source(&mut self, deleted: DeletedSource) {
        self.deleted_sources.insert(deleted.id, Arc::new(deleted));
    }

    pub(crate) fn show_source_token(&mut self, token: LiveSourceToken) {
        let token = Arc::new(token);
        if let Some(live) = self.sources.get_mut(&token.source) {
            live.tokens.push(Arc::clone(&token));
        }
        self.source_tokens.insert(token.hash, token);
    }

    pub(crate) fn show_saved_query(&mut self, saved: SavedQuery) -> Arc<SavedQuery> {
        let saved = Arc::new(saved);
        self.saved_queries.insert(saved.id, Arc::clone(&saved));
        saved
    }

    /// What SQLite does by itself on disk, done in memory: rules that were made for a query that is gone are of none.
    pub(crate) fn forget_saved_query(&mut self, id: SavedQueryId) {
        self.saved_queries.remove(&id);
        for rule in self.rules.values_mut() {
            if rule.content.saved_query == Some(id) {
                Arc::make_mut(rule).content.saved_query = None;
            }
        }
    }

    pub(crate) fn show_rule(&mut self, rule: Rule) -> Arc<Rule> {
        let rule = Arc::new(rule);
        self.rules.insert(rule.id, Arc::clone(&rule));
        rule
    }

    pub(crate) fn show_rule_template(&mut self, template: RuleTemplate) -> Arc<RuleTemplate> {
        let template = Arc::new(template);
        self.rule_templates
            .insert(template.id, Arc::clone(&template));
        template
    }

    /// Notes that a client was given a rule of a template.
    pub(crate) fn note_given(&mut self, template: RuleTemplateId, client: ClientId) {
        if let Some(template) = self.rule_templates.get_mut(&template) {
            Arc::make_mut(template).given_to.insert(client);
        }
    }

    /// What SQLite does by itself on disk, done in memory: rules of a template that is gone have none.
    pub(crate) fn forget_rule_template(&mut self, id: RuleTemplateId) {
        self.rule_templates.remove(&id);
        for rule in self.rules.values_mut() {
            if rule
                .content
                .template
                .is_some_and(|(template, _)| template == id)
            {
                Arc::make_mut(rule).content.template = None;
            }
        }
    }

    pub(crate) fn show_channel(&mut self, channel: Channel) -> Arc<Channel> {
        let channel = Arc::new(channel);
        self.channels.insert(channel.id, Arc::clone(&channel));
        channel
    }

    pub(crate) fn show_api_token(&mut self, token: LiveApiToken) {
        self.api_token_hashes.insert(token.hash, token.record.id);
        self.api_tokens.insert(token.record.id, Arc::new(token));
    }
}

/// When a token was last used: noted at once in memory, now and then on disk.
#[derive(Debug)]
pub(crate) struct LastUse {
    at: AtomicI64,
    written: AtomicI64,
}

/// No token was used in 1677.
const NEVER: i64 = i64::MIN;

impl LastUse {
    pub(crate) fn new(at: Option<Timestamp>) -> LastUse {
        let nanos = at.map_or(NEVER, Timestamp::as_nanos);
        LastUse {
            at: AtomicI64::new(nanos),
            written: AtomicI64::new(nanos),
        }
    }

    pub(crate) fn note(&self, now: Timestamp) {
        self.at.fetch_max(now.as_nanos(), Ordering::Relaxed);
    }

    pub(crate) fn at(&self) -> Option<Timestamp> {
        match self.at.load(Ordering::Relaxed) {
            NEVER => None,
            nanos => Some(Timestamp::from_nanos(nanos)),
        }
    }

    /// The time to write, if the disk does not have it.
    pub(crate) fn unwritten(&self) -> Option<Timestamp> {
        let at = self.at()?;
        (at.as_nanos() > self.written.load(Ordering::Relaxed)).then_some(at)
    }

    pub(crate) fn wrote(&self, at: Timestamp) {
        self.written.store(at.as_nanos(), Ordering::Relaxed);
    }
}
