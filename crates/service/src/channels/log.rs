//! The delivery log of a channel: what became of each notice, with what was answered.

use cordwood_catalog::{self as catalog, OutboxId};
use cordwood_event::Timestamp;
use cordwood_notify::Notice;

use super::digest;
use crate::jobs::require_whole;
use crate::{Access, Caller, Error, Service};

pub use cordwood_catalog::{Delivery as LoggedDelivery, DeliveryState};

/// Notices on a page unless told otherwise, and at most.
pub const DELIVERIES_DEFAULT: u32 = 50;
/// See [`DELIVERIES_DEFAULT`].
pub const DELIVERIES_MAX: u32 = 500;

/// A page of the log, the newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliveryPage {
    /// The notices.
    pub notices: Vec<LoggedNotice>,
    /// From where the next page goes on; `None` on the last.
    pub next: Option<u64>,
}

/// A notice to one channel, and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedNotice {
    /// Its number.
    pub id: u64,
    /// What was told; `None` if it cannot be read any more.
    pub notice: Option<Notice>,
    /// The incident it tells of.
    pub incident: Option<u64>,
    /// The rule it tells of.
    pub rule: Option<u64>,
    /// The name that receivers see with every attempt.
    pub idempotency_key: String,
    /// Where it is.
    pub state: DeliveryState,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it is tried next; `None` if it is not.
    pub due_at: Option<Timestamp>,
    /// When it arrived, was given up or put into a digest.
    pub settled_at: Option<Timestamp>,
    /// The digest that told of it.
    pub digest: Option<u64>,
    /// The attempts, the oldest first.
    pub deliveries: Vec<LoggedDelivery>,
}

impl Service {
    /// The log of a channel, from below `before`. That of a channel of the provider tells of all clients, and is for those who see all.
    pub fn deliveries(
        &self,
        caller: &Caller,
        name: &str,
        before: Option<u64>,
        limit: Option<u32>,
    ) -> Result<DeliveryPage, Error> {
        caller.require(Access::Read)?;
        let channel = self.find_channel(caller, name)?;
        if channel.client.is_none() {
            require_whole(caller)?;
        }
        let limit = limit.unwrap_or(DELIVERIES_DEFAULT);
        if !(1..=DELIVERIES_MAX).contains(&limit) {
            return Err(Error::InvalidParameter {
                parameter: "limit",
                message: format!("limit is {limit}, it has to be 1 to {DELIVERIES_MAX}"),
                hint: None,
            });
        }
        let mut log = self
            .catalog
            .delivery_log(channel.id, before.map(OutboxId), limit + 1)
            .map_err(|error| Error::internal("reading the delivery log", error))?;
        let page = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = log.len() > page;
        log.truncate(page);
        Ok(DeliveryPage {
            next: log.last().filter(|_| has_more).map(|last| last.id.0),
            notices: log.into_iter().map(|logged| self.logged(logged)).collect(),
        })
    }

    fn logged(&self, logged: catalog::LoggedNotice) -> LoggedNotice {
        let written = catalog::NewNotice {
            channel: logged.channel,
            incident: logged.incident,
            rule: logged.rule,
            kind: logged.kind,
            idempotency_key: logged.idempotency_key,
            notice: logged.notice,
        };
        let is_waiting = logged.state == DeliveryState::Waiting;
        LoggedNotice {
            id: logged.id.0,
            notice: digest::read(&written),
            incident: logged.incident.map(|incident| incident.0),
            rule: logged.rule.map(|rule| rule.0),
            idempotency_key: self
                .outward
                .sending(&written, logged.created_at, logged.created_at)
                .id,
            state: logged.state,
            created_at: logged.created_at,
            due_at: is_waiting.then_some(logged.due_at),
            settled_at: logged.settled_at,
            digest: logged.digest.map(|digest| digest.0),
            deliveries: logged.deliveries,
        }
    }
}
