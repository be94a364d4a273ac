//! A channel: which provider, and what is sent to it of a notice. One file for each.

mod discord;
mod email;
mod ntfy;
mod opsgenie;
mod pagerduty;
mod slack;
mod teams;
mod telegram;
mod webhook;

use cordwood_event::Timestamp;
use serde_json::{Map, Value};

use crate::reader::{Mistake, Reader};
use crate::{Links, Notice, Outgoing};

pub use email::{MailSecurity, MailServer};

/// The kinds of channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChannelKind {
    /// Mail by SMTP.
    Email,
    /// Slack, by an incoming webhook.
    Slack,
    /// Microsoft Teams, by a webhook of Workflows.
    Teams,
    /// Discord, by a webhook.
    Discord,
    /// PagerDuty, by its events API, version 2.
    Pagerduty,
    /// Opsgenie, by its alert API.
    Opsgenie,
    /// ntfy.
    Ntfy,
    /// A bot of Telegram.
    Telegram,
    /// Whatever takes requests of HTTP.
    Webhook,
}

impl ChannelKind {
    /// All of them.
    pub const ALL: [ChannelKind; 9] = [
        ChannelKind::Email,
        ChannelKind::Slack,
        ChannelKind::Teams,
        ChannelKind::Discord,
        ChannelKind::Pagerduty,
        ChannelKind::Opsgenie,
        ChannelKind::Ntfy,
        ChannelKind::Telegram,
        ChannelKind::Webhook,
    ];

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            ChannelKind::Email => "email",
            ChannelKind::Slack => "slack",
            ChannelKind::Teams => "teams",
            ChannelKind::Discord => "discord",
            ChannelKind::Pagerduty => "pagerduty",
            ChannelKind::Opsgenie => "opsgenie",
            ChannelKind::Ntfy => "ntfy",
            ChannelKind::Telegram => "telegram",
            ChannelKind::Webhook => "webhook",
        }
    }

    /// The inverse of [`ChannelKind::name`].
    pub fn parse(name: &str) -> Option<ChannelKind> {
        ChannelKind::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    /// Whether the provider keeps incidents of its own, which open and close with what it is sent: then every notice has to come to it,
    /// and several cannot be put together.
    pub fn keeps_incidents(self) -> bool {
        matches!(self, ChannelKind::Pagerduty | ChannelKind::Opsgenie)
    }
}

/// A channel that can be sent to.
#[derive(Clone, Debug)]
pub struct Channel(Provider);

#[derive(Clone, Debug)]
enum Provider {
    Email(email::Email),
    Slack(slack::Slack),
    Teams(teams::Teams),
    Discord(discord::Discord),
    Pagerduty(pagerduty::Pagerduty),
    Opsgenie(opsgenie::Opsgenie),
    Ntfy(ntfy::Ntfy),
    Telegram(telegram::Telegram),
    Webhook(Box<webhook::Webhook>),
}

/// What names a notice on its way, whatever the attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sending {
    /// The same for every attempt to send one notice to one channel, and for no other: letters, digits and `-`.
    pub id: String,
    /// When the notice was written.
    pub written_at: Timestamp,
    /// The time now, for signatures.
    pub now: Timestamp,
}

impl Channel {
    /// The channel that settings and secrets describe, or all that is wrong with them.
    pub fn read(
        kind: ChannelKind,
        settings: &Map<String, Value>,
        secrets: &Map<String, Value>,
    ) -> Result<Channel, Vec<Mistake>> {
        let mut reader = Reader::new(settings, secrets);
        let provider = match kind {
            ChannelKind::Email => Provider::Email(email::Email::read(&mut reader)),
            ChannelKind::Slack => Provider::Slack(slack::Slack::read(&mut reader)),
            ChannelKind::Teams => Provider::Teams(teams::Teams::read(&mut reader)),
            ChannelKind::Discord => Provider::Discord(discord::Discord::read(&mut reader)),
            ChannelKind::Pagerduty => Provider::Pagerduty(pagerduty::Pagerduty::read(&mut reader)),
            ChannelKind::Opsgenie => Provider::Opsgenie(opsgenie::Opsgenie::read(&mut reader)),
            ChannelKind::Ntfy => Provider::Ntfy(ntfy::Ntfy::read(&mut reader)),
            ChannelKind::Telegram => Provider::Telegram(telegram::Telegram::read(&mut reader)),
            ChannelKind::Webhook => {
                Provider::Webhook(Box::new(webhook::Webhook::read(&mut reader)))
            }
        };
        let mistakes = reader.finish();
        match mistakes.is_empty() {
            true => Ok(Channel(provider)),
            false => Err(mistakes),
        }
    }

    /// What to send to have people told of a notice.
    pub fn request(&self, notice: &Notice, links: &Links, sending: &Sending) -> Outgoing {
        let notice = &notice.bounded();
        let request = match &self.0 {
            Provider::Email(email) => return email.request(notice, links, sending),
            Provider::Slack(slack) => slack.request(notice, links),
            Provider::Teams(teams) => teams.request(notice, links),
            Provider::Discord(discord) => discord.request(notice, links),
            Provider::Pagerduty(pagerduty) => pagerduty.request(notice, links),
            Provider::Opsgenie(opsgenie) => opsgenie.request(notice, links),
            Provider::Ntfy(ntfy) => ntfy.request(notice, links),
            Provider::Telegram(telegram) => telegram.request(notice, links),
            Provider::Webhook(webhook) => webhook.request(notice, links, sending),
        };
        Outgoing::Http(request.header("idempotency-key", &sending.id))
    }
}
