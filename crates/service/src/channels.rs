//! Channels: where notices go, and how they get there.
//!
//! A channel of a client is for what happens to that client; one of the provider is for all, and clients may name it without seeing
//! what it is made of. Secrets go in and never come out, not even to somewhere else: who changes where a channel leads has to know
//! them.

mod acknowledging;
mod addressing;
mod backoff;
mod budget;
mod content;
mod delivery;
mod digest;
mod log;
mod outward;
mod record;
mod task;

use std::sync::Arc;

use cordwood_catalog::{self as catalog, ChannelId};
use cordwood_notify::{Attempt, Notice, NoticeKind, Severity, Verdict};

use crate::caller::the_one;
use crate::jobs::require_whole;
use crate::{Access, Caller, ClientId, Error, InvalidValue, Scope, Service};

pub use cordwood_notify::{ChannelKind, Notice as ToldNotice, Outbound};
pub use log::{
    DELIVERIES_DEFAULT, DELIVERIES_MAX, DeliveryPage, DeliveryState, LoggedDelivery, LoggedNotice,
};
pub use record::{Channel, ChannelChanges, ChannelHealth, ChannelOwner};

pub(crate) use delivery::{Counters, Delivery, Means};
pub(crate) use outward::Outward;

/// Channels of one client, or of the provider, at most: more, and nobody knows who is told.
const PER_OWNER_MAX: usize = 100;

/// What came of trying a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelTrial {
    /// Whether the provider took it.
    pub is_delivered: bool,
    /// The status of HTTP or SMTP; `None` if nobody answered.
    pub status: Option<u16>,
    /// The beginning of what was answered, or why nobody did.
    pub response: String,
    /// How long it took.
    pub took: std::time::Duration,
}

impl Service {
    /// The channels that the caller may name, by name.
    pub fn list_channels(&self, caller: &Caller) -> Result<Vec<Channel>, Error> {
        caller.require(Access::Read)?;
        let visible = self.visible_channels(caller);
        let channels = visible
            .iter()
            .map(|channel| self.described(caller, channel));
        let mut channels = channels.collect::<Result<Vec<Channel>, Error>>()?;
        channels.sort_by_cached_key(|channel| (channel.name.to_lowercase(), channel.id));
        Ok(channels)
    }

    /// A channel, by its id or name.
    pub fn channel(&self, caller: &Caller, name: &str) -> Result<Channel, Error> {
        caller.require(Access::Read)?;
        let channel = self.find_channel(caller, name)?;
        self.described(caller, &channel)
    }

    /// Makes a channel. One of the provider needs an admin of all clients.
    pub fn create_channel(
        &self,
        caller: &Caller,
        owner: ChannelOwner,
        kind: ChannelKind,
        new: &ChannelChanges,
    ) -> Result<Channel, Error> {
        let client = self.client_of_channel(caller, owner)?;
        let content = content::new(kind, new)?;
        let own = self.catalog.channels();
        if own
            .iter()
            .filter(|channel| channel.client == client)
            .count()
            >= PER_OWNER_MAX
        {
            let message = format!("are {PER_OWNER_MAX}, the most there may be");
            return Err(invalid("channels", message));
        }
        let made = self.catalog.create_channel(client, content, self.now());
        self.described(caller, &*made.map_err(of_catalog)?)
    }

    /// Changes a channel. Settings and secrets that are not named stay.
    pub fn update_channel(
        &self,
        caller: &Caller,
        name: &str,
        changes: &ChannelChanges,
    ) -> Result<Channel, Error> {
        let known = self.find_channel_to_change(caller, name)?;
        let content = content::changed(&known.content, changes)?;
        let changed = self.catalog.update_channel(known.id, content, self.now());
        // What waits may go out again, or has a new address.
        self.delivery.wake();
        self.described(caller, &*changed.map_err(of_catalog)?)
    }

    /// Deletes a channel, what waits for it, and its log.
    pub fn delete_channel(&self, caller: &Caller, name: &str) -> Result<(), Error> {
        let known = self.find_channel_to_change(caller, name)?;
        self.catalog.delete_channel(known.id).map_err(of_catalog)
    }

    /// Sends a notice to a channel now, paused or not, and says what was answered.
    pub fn test_channel(&self, caller: &Caller, name: &str) -> Result<ChannelTrial, Error> {
        let channel = self.find_channel_to_change(caller, name)?;
        let (now, client) = (self.now(), self.client_name(channel.client));
        let notice = Notice {
            kind: NoticeKind::Test,
            title: format!("A test of {}", channel.content.name),
            cause: format!(
                "{} tries whether notices arrive here. They do.",
                caller.token_name()
            ),
            severity: Severity::Info,
            client,
            rule: None,
            group: Vec::new(),
            since: now,
            until: None,
            value: None,
            threshold: None,
            samples: Vec::new(),
            sample_link: None,
            incident: None,
            labels: Default::default(),
            runbook: None,
        };
        let written = self.trial_of(&channel, &notice);
        let sending = self.outward.sending(&written, now, now);
        let attempt = task::attempt(&self.outward, &channel, &notice, &sending);
        let delivery = task::delivery(&attempt, now);
        self.catalog
            .log_trial(&written, &delivery, self.now())
            .map_err(|error| Error::internal("logging a notice", error))?;
        Ok(trial(attempt))
    }

    fn trial_of(&self, channel: &catalog::Channel, notice: &Notice) -> catalog::NewNotice {
        let mut nonce = [0; 8];
        self.options.random.fill(&mut nonce);
        catalog::NewNotice {
            channel: channel.id,
            incident: None,
            rule: None,
            kind: notice.kind.name().to_owned(),
            idempotency_key: format!("test/{:016x}", u64::from_be_bytes(nonce)),
            notice: serde_json::to_string(notice).expect("a notice is JSON"),
        }
    }

    fn client_name(&self, client: Option<ClientId>) -> String {
        let clients = self.catalog.clients();
        let named = clients.into_iter().find(|known| Some(known.id) == client);
        named.map_or_else(|| self.catalog.organisation().name, |client| client.name)
    }

    fn visible_channels(&self, caller: &Caller) -> Vec<Arc<catalog::Channel>> {
        let mut channels = self.catalog.channels();
        channels.retain(|channel| channel.client.is_none_or(|client| caller.sees(client)));
        channels
    }

    fn find_channel(&self, caller: &Caller, name: &str) -> Result<Arc<catalog::Channel>, Error> {
        let (visible, name) = (self.visible_channels(caller), name.trim());
        let by_id = name.parse().ok().map(ChannelId);
        if let Some(channel) = visible.iter().find(|channel| Some(channel.id) == by_id) {
            return Ok(Arc::clone(channel));
        }
        let found = visible
            .iter()
            .filter(|channel| channel.content.name.eq_ignore_ascii_case(name));
        let found: Vec<&Arc<catalog::Channel>> = found.collect();
        let names = visible.iter().map(|channel| channel.content.name.as_str());
        the_one("channel", name, &found, |channel| channel.id.0, names)
    }

    fn find_channel_to_change(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<Arc<catalog::Channel>, Error> {
        caller.require(Access::Write)?;
        let channel = self.find_channel(caller, name)?;
        match channel.client {
            Some(_) => Ok(channel),
            None => require_whole(caller).map(|()| channel),
        }
    }

    fn client_of_channel(
        &self,
        caller: &Caller,
        owner: ChannelOwner,
    ) -> Result<Option<ClientId>, Error> {
        caller.require(Access::Write)?;
        let named = match owner {
            ChannelOwner::Provider => return require_whole(caller).map(|()| None),
            ChannelOwner::Client(named) => named,
        };
        self.client_meant(caller, named).map(Some)
    }

    /// What of a channel the caller may know: of one of the provider, a client knows no more than that it is there.
    fn described(&self, caller: &Caller, channel: &catalog::Channel) -> Result<Channel, Error> {
        if channel.client.is_none() && *caller.scope() != Scope::AllClients {
            return Ok(record::without_content(channel));
        }
        let health = self.catalog.channel_health(channel.id);
        let health =
            health.map_err(|error| Error::internal("reading how a channel does", error))?;
        Ok(record::described(channel, health))
    }
}

fn trial(attempt: Attempt) -> ChannelTrial {
    ChannelTrial {
        is_delivered: attempt.verdict == Verdict::Delivered,
        status: attempt.status,
        response: attempt.response,
        took: attempt.took,
    }
}

fn invalid(field: &'static str, message: impl Into<String>) -> Error {
    Error::InvalidValues(vec![InvalidValue::new(field, message)])
}

fn of_catalog(error: catalog::Error) -> Error {
    match error {
        catalog::Error::NameTaken => invalid("name", "has already been taken"),
        catalog::Error::NotFound { kind } => Error::NotFound {
            kind,
            name: "it".to_owned(),
            near: Vec::new(),
        },
        error => Error::internal("keeping a channel", error),
    }
}
