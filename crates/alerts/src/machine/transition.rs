//! How a group goes from one phase to the next.

use cordwood_event::Timestamp;

use super::verdict::Verdict;
use crate::window::{nanos, nanos_between, shifted};
use crate::{CheckedRule, Phase};

/// Where a group goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Turn {
    /// On in this phase, and nothing is to be told.
    Stays(Phase),
    /// It fires from now on.
    Fires { since: Timestamp },
    /// It does not any longer.
    Recovers {
        since: Timestamp,
        episode: u64,
        until: Timestamp,
    },
}

/// The turn that a verdict makes. `since` is when a breach that is seen now first began.
pub(super) fn turn(
    rule: &CheckedRule,
    phase: Phase,
    verdict: Verdict,
    at: Timestamp,
    since: Timestamp,
) -> Turn {
    match phase {
        Phase::Quiet {
            recovered_at,
            awaits_clear,
        } => {
            let cools = recovered_at
                .filter(|recovered| at < shifted(*recovered, nanos(rule.rule.cooldown_s)));
            let awaits_clear = awaits_clear && verdict != Verdict::Clear;
            match verdict {
                Verdict::Breached if cools.is_none() && !awaits_clear => {
                    confirmed(rule, since, at, at)
                }
                _ => Turn::Stays(Phase::Quiet {
                    recovered_at: cools,
                    awaits_clear,
                }),
            }
        }
        Phase::Pending {
            since,
            counted_from,
        } => match verdict {
            Verdict::Breached => confirmed(rule, since, counted_from, at),
            Verdict::Unknown => Turn::Stays(phase),
            Verdict::Between | Verdict::Clear => Turn::Stays(Phase::QUIET),
        },
        Phase::Firing { since, episode } => match verdict {
            Verdict::Clear => clear(rule, (since, episode), (at, at), at),
            Verdict::Breached | Verdict::Between | Verdict::Unknown => Turn::Stays(phase),
        },
        Phase::Recovering {
            since,
            episode,
            clear_since,
            counted_from,
        } => match verdict {
            Verdict::Clear => clear(rule, (since, episode), (clear_since, counted_from), at),
            Verdict::Unknown => Turn::Stays(phase),
            Verdict::Breached | Verdict::Between => Turn::Stays(Phase::Firing { since, episode }),
        },
    }
}

/// Breached: fires if it was for the whole confirmation.
fn confirmed(rule: &CheckedRule, since: Timestamp, counted_from: Timestamp, at: Timestamp) -> Turn {
    match nanos_between(counted_from, at) >= nanos(rule.rule.confirmation_s) {
        true => Turn::Fires { since },
        false => Turn::Stays(Phase::Pending {
            since,
            counted_from,
        }),
    }
}

/// Clear while it fires: recovers if it was for the whole recovery.
fn clear(
    rule: &CheckedRule,
    (since, episode): (Timestamp, u64),
    (clear_since, counted_from): (Timestamp, Timestamp),
    at: Timestamp,
) -> Turn {
    let Some(recovery_s) = rule.rule.recovery_s else {
        return Turn::Stays(Phase::Firing { since, episode });
    };
    match nanos_between(counted_from, at) >= nanos(recovery_s) {
        true => Turn::Recovers {
            since,
            episode,
            until: clear_since,
        },
        false => Turn::Stays(Phase::Recovering {
            since,
            episode,
            clear_since,
            counted_from,
        }),
    }
}

/// The phase when so much time counts neither for a confirmation nor for a recovery.
pub(super) fn left_out(phase: Phase, nanos: i64) -> Phase {
    let mut phase = phase;
    match &mut phase {
        Phase::Quiet { .. } | Phase::Firing { .. } => {}
        Phase::Pending { counted_from, .. } | Phase::Recovering { counted_from, .. } => {
            *counted_from = shifted(*counted_from, nanos);
        }
    }
    phase
}
