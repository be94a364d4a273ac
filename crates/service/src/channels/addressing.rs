//! To whom a notice goes.

use std::sync::Arc;

use cordwood_catalog::{Channel, IncidentId, NewNotice, RuleId};
use cordwood_notify::Notice;

use crate::{ClientId, Service};

impl Service {
    /// A notice for each channel that is meant: those named, if there is one of them; else the default ones of the client and of the
    /// provider. Paused ones are left out. The keys are `key` and the channel's number, so that what is written again for the same
    /// reason is told once.
    pub(crate) fn notices_for(
        &self,
        client: ClientId,
        channels: &[u64],
        of: &Notice,
        incident: Option<IncidentId>,
        rule: Option<RuleId>,
        key: &str,
    ) -> Vec<NewNotice> {
        let text = serde_json::to_string(&of.bounded()).expect("a notice is JSON");
        let meant = meant(self.catalog.channels(), client, channels);
        let notices = meant.iter().map(|channel| NewNotice {
            channel: channel.id,
            incident,
            rule,
            kind: of.kind.name().to_owned(),
            idempotency_key: format!("{key}/{}", channel.id.0),
            notice: text.clone(),
        });
        notices.collect()
    }
}

/// The channels among `all` that a notice of `client` goes to. Named ones that are gone are as if they had not been named: better that
/// the default ones are told than nobody.
fn meant(all: Vec<Arc<Channel>>, client: ClientId, named: &[u64]) -> Vec<Arc<Channel>> {
    let mut usable = all;
    usable.retain(|channel| channel.client.is_none_or(|own| own == client));
    let is_named = |channel: &Channel| named.contains(&channel.id.0);
    match usable.iter().any(|channel| is_named(channel)) {
        true => usable.retain(|channel| is_named(channel)),
        false => usable.retain(|channel| channel.content.is_default),
    }
    usable.retain(|channel| !channel.content.is_paused);
    usable
}

#[cfg(test)]
mod tests {
    use cordwood_catalog::{ChannelContent, ChannelId, Secret};
    use cordwood_event::Timestamp;

    use super::*;

    /// `12dp`: channel 1 of client 2, a default one, paused; client 0 is the provider.
    fn channel(text: &str) -> Arc<Channel> {
        let digit = |index: usize| u64::from(text.as_bytes()[index] - b'0');
        let client = digit(1);
        Arc::new(Channel {
            id: ChannelId(digit(0)),
            client: (client > 0).then_some(ClientId(client)),
            content: ChannelContent {
                name: text.to_owned(),
                kind: "slack".to_owned(),
                settings: String::new(),
                secrets: Secret::new(""),
                per_minute: 20,
                is_default: text.contains('d'),
                is_paused: text.contains('p'),
            },
            created_at: Timestamp::MIN,
            updated_at: Timestamp::MIN,
        })
    }

    #[test]
    fn who_is_meant() {
        let all = ["11d", "21", "32d", "40d", "50", "61dp", "71p"].map(channel);
        let cases: [(u64, &[u64], &[u64]); 9] = [
            (1, &[], &[1, 4]),
            (2, &[], &[3, 4]),
            (9, &[], &[4]),
            (1, &[2], &[2]),
            (1, &[2, 5], &[2, 5]),
            (1, &[5, 99], &[5]),
            // Of another client, or gone.
            (1, &[3, 99], &[1, 4]),
            (1, &[7], &[]),
            (1, &[1, 6], &[1]),
        ];
        for (client, named, expected) in cases {
            let found = meant(all.to_vec(), ClientId(client), named);
            let found: Vec<u64> = found.iter().map(|channel| channel.id.0).collect();
            assert_eq!(found, expected, "client {client}, {named:?}");
        }
    }
}
