//! How much a channel was sent in the last minute.

use std::collections::VecDeque;

use cordwood_event::Timestamp;

const MINUTE_NANOS: i64 = 60_000_000_000;

/// What one channel was sent lately. Kept in memory: after a restart a channel may get its share once more.
#[derive(Debug, Default)]
pub(super) struct Budget {
    sent: VecDeque<Timestamp>,
    /// Whether something had to wait for want of budget.
    is_spent: bool,
}

impl Budget {
    /// Whether something may be sent now.
    pub(super) fn allows(&mut self, per_minute: u32, now: Timestamp) -> bool {
        let minute_ago = now.as_nanos().saturating_sub(MINUTE_NANOS);
        // A clock that was set back must not close a channel for long.
        self.sent
            .retain(|sent| sent.as_nanos() > minute_ago && *sent <= now);
        let is_left = self.sent.len() < usize::try_from(per_minute).unwrap_or(usize::MAX);
        self.is_spent |= !is_left;
        is_left
    }

    pub(super) fn spend(&mut self, now: Timestamp) {
        self.sent.push_back(now);
    }

    /// Whether something had to wait since this was last asked.
    pub(super) fn take_spent(&mut self) -> bool {
        std::mem::take(&mut self.is_spent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_slides() {
        let at = |seconds: i64| Timestamp::from_nanos(seconds * 1_000_000_000);
        let mut budget = Budget::default();
        // Seconds, and whether something may be sent; then it is.
        let steps = [
            (0, true),
            (1, true),
            (2, false),
            (59, false),
            (60, true),
            (60, false),
            (61, true),
            (0, true),
        ];
        for (seconds, expected) in steps {
            let is_allowed = budget.allows(2, at(seconds));
            assert_eq!(is_allowed, expected, "{seconds}");
            if is_allowed {
                budget.spend(at(seconds));
            }
        }
        assert!(budget.take_spent());
        assert!(!budget.take_spent());
    }
}
