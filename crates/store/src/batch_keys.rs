//! The batch keys of the last hour: what makes a retried batch be stored once.

use std::collections::HashMap;
use std::time::Duration;

use cordwood_event::{SourceId, Timestamp};
use sha2::{Digest, Sha256};

/// How many keys are remembered at most: 500 keyed batches a second for an hour, in about 70 MB.
pub(crate) const KEYS_MAX: usize = 1_800_000;

/// A source and a batch key, as the first half of their SHA-256: two that differ never meet, however they are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct KeyDigest(pub(crate) u128);

impl KeyDigest {
    pub(crate) fn of(source: SourceId, key: &str) -> KeyDigest {
        let digest = Sha256::new()
            .chain_update(source.0.to_le_bytes())
            .chain_update(key)
            .finalize();
        let half = digest.first_chunk().copied();
        KeyDigest(u128::from_le_bytes(
            half.expect("a SHA-256 digest has 32 bytes"),
        ))
    }
}

/// When a key came, and the first sequence number its batch got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyUse {
    pub(crate) received_at: Timestamp,
    pub(crate) first_sequence: u64,
}

/// The keys in use. Time is that of the requests.
#[derive(Clone, Debug)]
pub(crate) struct BatchKeys {
    uses: HashMap<KeyDigest, KeyUse>,
    validity_nanos: i64,
    latest: Timestamp,
    swept_at: Timestamp,
}

impl BatchKeys {
    pub(crate) fn new(validity: Duration) -> BatchKeys {
        BatchKeys {
            uses: HashMap::new(),
            validity_nanos: i64::try_from(validity.as_nanos()).unwrap_or(i64::MAX),
            latest: Timestamp::MIN,
            swept_at: Timestamp::MIN,
        }
    }

    /// The earlier use of the key, if it is still valid at `now`.
    pub(crate) fn find(&self, key: KeyDigest, now: Timestamp) -> Option<KeyUse> {
        self.uses
            .get(&key)
            .copied()
            .filter(|found| self.is_valid(found, now))
    }

    /// Remembers a key.
    pub(crate) fn insert(&mut self, key: KeyDigest, found: KeyUse) {
        self.latest = self.latest.max(found.received_at);
        self.uses.insert(key, found);
        self.sweep();
    }

    /// Forgets a key whose batch was not stored after all.
    pub(crate) fn remove(&mut self, key: KeyDigest) {
        self.uses.remove(&key);
    }

    pub(crate) fn is_full(&self) -> bool {
        self.uses.len() >= KEYS_MAX
    }

    /// The keys that are still valid, in order of their digests.
    pub(crate) fn valid(&self) -> Vec<(KeyDigest, KeyUse)> {
        let mut valid: Vec<_> = self
            .uses
            .iter()
            .filter(|(_, found)| self.is_valid(found, self.latest))
            .map(|(key, found)| (*key, *found))
            .collect();
        valid.sort_unstable_by_key(|(key, _)| *key);
        valid
    }

    /// Forgets what is no longer valid; seldom, because it looks at every key.
    fn sweep(&mut self) {
        let since = self
            .latest
            .as_nanos()
            .saturating_sub(self.swept_at.as_nanos());
        if since < self.validity_nanos / 16 {
            return;
        }
        self.swept_at = self.latest;
        let (latest, validity_nanos) = (self.latest, self.validity_nanos);
        self.uses
            .retain(|_, found| age_nanos(found, latest) <= validity_nanos);
    }

    fn is_valid(&self, found: &KeyUse, now: Timestamp) -> bool {
        age_nanos(found, now) <= self.validity_nanos
    }
}

fn age_nanos(found: &KeyUse, now: Timestamp) -> i64 {
    now.as_nanos().saturating_sub(found.received_at.as_nanos())
}
