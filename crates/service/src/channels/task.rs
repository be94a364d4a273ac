//! One attempt to deliver one notice.

use cordwood_catalog::{self as catalog, Catalog, WaitingNotice};
use cordwood_event::Timestamp;
use cordwood_notify::{self as notify, Attempt, Notice, Sending, Verdict};

use super::backoff::settlement;
use super::record::{kind, members};
use super::{Outward, digest};
use crate::Clock;

/// Sends a notice that waits and writes what came of it.
pub(super) fn deliver(
    outward: &Outward,
    catalog: &Catalog,
    clock: &dyn Clock,
    channel: &catalog::Channel,
    waiting: &WaitingNotice,
) -> Result<catalog::Settlement, catalog::Error> {
    let began_at = clock.now();
    let attempt = match digest::read(&waiting.notice) {
        Some(notice) => {
            let sending = outward.sending(&waiting.notice, waiting.created_at, began_at);
            let sent = || attempt(outward, channel, &notice, &sending);
            // What is wrong with one notice must not keep the others.
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(sent)).unwrap_or_else(|_| {
                never_sent("sending it panicked", Verdict::Retry { after: None })
            })
        }
        None => never_sent("the notice cannot be read", Verdict::Refused),
    };
    let now = clock.now();
    let settled = settlement(waiting, attempt.verdict, now);
    catalog.settle_notice(waiting.id, &delivery(&attempt, began_at), settled, now)?;
    tell(channel, waiting, &attempt, settled);
    Ok(settled)
}

/// Sends a notice now, whatever waits.
pub(super) fn attempt(
    outward: &Outward,
    channel: &catalog::Channel,
    notice: &Notice,
    sending: &Sending,
) -> Attempt {
    let settings = members(&channel.content.settings);
    let secrets = members(channel.content.secrets.reveal());
    match notify::Channel::read(kind(&channel.content), &settings, &secrets) {
        Ok(sendable) => {
            let outgoing = sendable.request(notice, &outward.links(notice, sending.now), sending);
            outward.transport.send(&outgoing, sending)
        }
        Err(_) => never_sent("the channel cannot be read", Verdict::Refused),
    }
}

fn never_sent(why: &str, verdict: Verdict) -> Attempt {
    Attempt {
        status: None,
        response: why.to_owned(),
        took: std::time::Duration::ZERO,
        verdict,
    }
}

/// An attempt as the log has it.
pub(super) fn delivery(attempt: &Attempt, began_at: Timestamp) -> catalog::Delivery {
    catalog::Delivery {
        at: began_at,
        took_ms: u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX),
        status: attempt.status,
        response: attempt.response.clone(),
        is_delivered: attempt.verdict == Verdict::Delivered,
    }
}

fn tell(
    channel: &catalog::Channel,
    waiting: &WaitingNotice,
    attempt: &Attempt,
    settled: catalog::Settlement,
) {
    let (id, notice) = (channel.id.0, waiting.id.0);
    let response = attempt.response.as_str();
    match settled {
        catalog::Settlement::Delivered => {}
        catalog::Settlement::Retry { .. } => {
            tracing::debug!(
                channel = id,
                notice,
                response,
                "a notice was not taken, will try again"
            );
        }
        catalog::Settlement::Failed => {
            tracing::warn!(channel = id, notice, response, "a notice was given up");
        }
    }
}
