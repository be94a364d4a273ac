//! How fast the disk takes the log, which decides whether bodies are compressed first.
//!
//! Compressing a byte costs the processor something and spares the disk most of a byte; which of the two is short is a
//! property of the machine, so it is measured. `docs/decisions/0024-the-log-is-compressed-for-slow-disks.md` has the numbers.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Smaller groups say how long a sync takes, not how many bytes a second.
const GROUP_BYTES_MIN: usize = 512 << 10;

/// Of so many writes the fastest counts: what a busy processor or a burst of other writes adds is not the disk's. It is a second or so
/// of writes at the pace that matters.
const GROUPS_KEPT: usize = 64;

/// LZ4 takes 1.8 ns of the processor for a byte of JSON and leaves a quarter of it: from here on, the three quarters take the disk
/// longer.
const SLOW_NANOS_PER_KIB: u64 = 2_400;

/// The pace of the last large writes.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    recent: Mutex<Recent>,
}

#[derive(Debug)]
struct Recent {
    /// The greatest number where there was no group yet.
    nanos_per_kib: [u64; GROUPS_KEPT],
    next: usize,
}

impl Default for Recent {
    fn default() -> Recent {
        Recent {
            nanos_per_kib: [u64::MAX; GROUPS_KEPT],
            next: 0,
        }
    }
}

impl Pace {
    /// Takes note of a group that was written and synced.
    pub(crate) fn note(&self, bytes: usize, elapsed: Duration) {
        if bytes < GROUP_BYTES_MIN {
            return;
        }
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let place = recent.next % GROUPS_KEPT;
        recent.next = place + 1;
        if let Some(kept) = recent.nanos_per_kib.get_mut(place) {
            *kept = nanos / (bytes as u64 / 1024);
        }
    }

    /// Whether the disk takes longer for a byte than compressing it would. Until large groups were written it does not: as long
    /// as groups are small, their bytes are not what they wait for.
    pub(crate) fn is_slow(&self) -> bool {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let fastest = recent.nanos_per_kib.iter().min();
        fastest.is_some_and(|nanos| (SLOW_NANOS_PER_KIB..u64::MAX).contains(nanos))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    /// Groups as (bytes, milliseconds).
    fn check(groups: &[(usize, u64)], is_slow: bool) {
        let pace = Pace::default();
        for (bytes, milliseconds) in groups {
            pace.note(*bytes, Duration::from_millis(*milliseconds));
        }
        assert_eq!(pace.is_slow(), is_slow, "{groups:?}");
    }

    #[test]
    fn the_fastest_of_the_last_large_writes_counts() {
        check(&[], false);
        check(&[(4096, 5)], false);
        check(&[(MIB, 8)], true);
        check(&[(4 * MIB, 16)], true);
        check(&[(4 * MIB, 5)], false);
        check(&[(MIB, 8), (MIB, 2), (MIB, 20)], false);
        let became_slow = [[(MIB, 1)].as_slice(), &[(MIB, 8); GROUPS_KEPT]].concat();
        check(&became_slow, true);
        let was_slow = [[(MIB, 8); 20].as_slice(), &[(MIB, 1)]].concat();
        check(&was_slow, false);
    }
}
