//! When a notice that was not taken is tried again, and when it is given up.

use std::time::Duration;

use cordwood_catalog::{Settlement, WaitingNotice};
use cordwood_event::Timestamp;
use cordwood_notify::Verdict;

/// After the first attempts: a hiccup, a restart, an outage. Then every hour.
const DELAYS: [Duration; 4] = [
    Duration::from_secs(15),
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
];
const DELAY_AFTERWARDS: Duration = Duration::from_secs(60 * 60);
/// A notice that is older tells nobody anything.
const AGE_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// One that waited long behind others, or for a paused channel, is tried as often all the same.
const ATTEMPTS_MIN: u32 = 5;

/// What becomes of a notice after an attempt.
pub(super) fn settlement(notice: &WaitingNotice, verdict: Verdict, now: Timestamp) -> Settlement {
    let after = match verdict {
        Verdict::Delivered => return Settlement::Delivered,
        Verdict::Refused => return Settlement::Failed,
        Verdict::Retry { after } => after.unwrap_or_default(),
    };
    let tried = usize::try_from(notice.attempts).unwrap_or(usize::MAX);
    let delay = DELAYS.get(tried).copied().unwrap_or(DELAY_AFTERWARDS);
    let at = later(now, delay.max(after));
    let is_old = at > later(notice.created_at, AGE_MAX);
    match is_old && notice.attempts.saturating_add(1) >= ATTEMPTS_MIN {
        true => Settlement::Failed,
        false => Settlement::Retry { at },
    }
}

pub(super) fn later(time: Timestamp, by: Duration) -> Timestamp {
    let by = i64::try_from(by.as_nanos()).unwrap_or(i64::MAX);
    Timestamp::from_nanos(time.as_nanos().saturating_add(by))
}

#[cfg(test)]
mod tests {
    use cordwood_catalog::{ChannelId, NewNotice, OutboxId};

    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn waiting(attempts: u32) -> WaitingNotice {
        WaitingNotice {
            id: OutboxId(1),
            notice: NewNotice {
                channel: ChannelId(1),
                incident: None,
                rule: None,
                kind: String::new(),
                idempotency_key: String::new(),
                notice: String::new(),
            },
            created_at: Timestamp::from_nanos(0),
            due_at: Timestamp::from_nanos(0),
            attempts,
        }
    }

    #[test]
    fn delays_grow_until_it_is_given_up() {
        let retry = |seconds: i64| Settlement::Retry {
            at: Timestamp::from_nanos(seconds * SECOND),
        };
        let (passes, in_ten) = (None, Some(Duration::from_secs(600)));
        // Attempts before, the age in seconds, what the server asked for.
        let cases = [
            (0, 0, passes, retry(15)),
            (0, 0, in_ten, retry(600)),
            (1, 20, passes, retry(80)),
            (2, 80, passes, retry(380)),
            (3, 380, passes, retry(1280)),
            (3, 380, in_ten, retry(1280)),
            (4, 1280, passes, retry(4880)),
            (25, 82_000, passes, retry(85_600)),
            (26, 85_600, passes, Settlement::Failed),
            (0, 200_000, passes, retry(200_015)),
            (4, 200_000, passes, Settlement::Failed),
        ];
        for (attempts, age, after, expected) in cases {
            let now = Timestamp::from_nanos(age * SECOND);
            let found = settlement(&waiting(attempts), Verdict::Retry { after }, now);
            assert_eq!(found, expected, "{attempts} attempts, {age} s");
        }
        let now = Timestamp::from_nanos(0);
        assert_eq!(
            settlement(&waiting(0), Verdict::Refused, now),
            Settlement::Failed
        );
        assert_eq!(
            settlement(&waiting(0), Verdict::Delivered, now),
            Settlement::Delivered
        );
    }
}
