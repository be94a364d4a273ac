//! What everything that is sent has in common: the way out, where the server is found, and the key its links are signed with.

use std::time::Duration;

use cordwood_catalog::{Catalog, NewNotice, Random, SERVER_KEY_BYTES};
use cordwood_event::Timestamp;
use cordwood_notify::{Links, Notice, Sending, Transport};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::acknowledging;
use super::backoff::later;
use crate::{Error, Options};

/// The name of the key in the catalog.
const KEY_NAME: &str = "notices";
/// How long an acknowledge link is good: an incident that nobody saw for a week is seen otherwise.
const LINK_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Bytes of a hash that make a name: nobody has so many notices that two are alike.
const NAME_BYTES: usize = 16;
/// Bytes that tell one server from another.
const ORIGIN_BYTES: usize = 4;

/// The way out of the server.
#[derive(Debug)]
pub(crate) struct Outward {
    pub(super) transport: Transport,
    public_url: String,
    key: Key,
}

impl Outward {
    pub(crate) fn new(options: &Options, catalog: &Catalog) -> Result<Outward, Error> {
        let random: &dyn Random = &*options.random;
        let key = catalog.server_key(KEY_NAME, random);
        let key = key.map_err(|error| Error::internal("reading the key of links", error))?;
        Ok(Outward {
            transport: Transport::new(options.outbound.clone()),
            public_url: options.public_url.trim_end_matches('/').to_owned(),
            key: Key(key),
        })
    }

    /// The links that go with a notice.
    pub(super) fn links(&self, notice: &Notice, now: Timestamp) -> Links {
        let acknowledge = notice.incident.map(|incident| {
            let token = acknowledging::token(&self.key, incident, later(now, LINK_LIFE));
            format!("{}/acknowledge/{token}", self.public_url)
        });
        Links {
            server: self.public_url.clone(),
            origin: format!(
                "cordwood-{}",
                hex(self.key.sign(b"origin").get(..ORIGIN_BYTES))
            ),
            incident: None,
            acknowledge,
        }
    }

    /// What names a notice on its way: made of its key, which may hold what nobody else should read.
    pub(super) fn sending(
        &self,
        notice: &NewNotice,
        written_at: Timestamp,
        now: Timestamp,
    ) -> Sending {
        let named = self
            .key
            .sign(format!("notice {}", notice.idempotency_key).as_bytes());
        Sending {
            id: format!("msg-{}", hex(named.get(..NAME_BYTES))),
            written_at,
            now,
        }
    }

    /// The incident of an acknowledge link, if the link is ours and not too old.
    pub(crate) fn incident_of(&self, token: &str, now: Timestamp) -> Option<u64> {
        acknowledging::incident(&self.key, token, now)
    }
}

/// The key that links are signed with; printed by no `Debug`.
pub(super) struct Key([u8; SERVER_KEY_BYTES]);

impl Key {
    #[cfg(test)]
    pub(super) fn new(key: [u8; SERVER_KEY_BYTES]) -> Key {
        Key(key)
    }

    /// HMAC-SHA256.
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.mac(message).finalize().into_bytes().to_vec()
    }

    /// Compares in a time that does not tell how much of it was right.
    pub(super) fn verify(&self, message: &[u8], beginning: &[u8]) -> bool {
        self.mac(message).verify_truncated_left(beginning).is_ok()
    }

    fn mac(&self, message: &[u8]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(message);
        mac
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

fn hex(bytes: Option<&[u8]>) -> String {
    let bytes = bytes.unwrap_or_default();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
