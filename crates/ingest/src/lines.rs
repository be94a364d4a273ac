//! Plain text: every line an event, with the whole line as its `message`, and a time and level read from the
//! formats that programs usually write.
//!
//! A line without a time of its own takes that of the line before it, so that a stack trace stays with what threw it;
//! before the first time it is the reception. A time without a year is in the latest year that does not put it in the
//! future. A time without an offset is UTC. Empty lines are no events.

mod access;
mod apache;
mod epoch;
mod health_app;
mod hpc;
mod inside;
mod klog;
mod level;
mod logcat;
mod logfmt;
mod proxifier;
mod short_date;
mod stamped;
mod supercomputer;
mod syslog;

use cordwood_event::{Level, Timestamp};

use crate::events::Events;
use crate::{Refusal, text};

/// What is read from a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Head {
    timestamp: Option<Timestamp>,
    level: Option<Level>,
}

impl Head {
    fn new(timestamp: Timestamp, level: Option<Level>) -> Head {
        Head {
            timestamp: Some(timestamp),
            level,
        }
    }
}

/// Reads a line of one family of formats; `None` when the line is of another. The second argument is the time of
/// reception.
type Reader = fn(&[u8], Timestamp) -> Option<Head>;

/// The strictest first: what a reader takes, those after it do not see.
const READERS: [Reader; 14] = [
    syslog::read,
    stamped::read,
    logcat::read,
    klog::read,
    apache::read,
    proxifier::read,
    short_date::read,
    health_app::read,
    supercomputer::read,
    epoch::read,
    hpc::read,
    access::read,
    logfmt::read,
    inside::read,
];

/// Puts the lines of `body` into `events`.
pub(crate) fn decode(body: &[u8], events: &mut Events) -> Result<(), Refusal> {
    let text = text::utf8(body, events.limits.decompressed_bytes_max)?;
    let received_at = events.received_at();
    let mut timestamp = received_at;
    for line in text::without_byte_order_mark(&text).lines() {
        let line = line.trim_end_matches('\r');
        if line.trim_ascii().is_empty() {
            continue;
        }
        if let Some(reason) = events.full() {
            events.reject(reason);
            continue;
        }
        let head = read(line.as_bytes(), received_at);
        timestamp = head.timestamp.unwrap_or(timestamp);
        events.add_line(line, timestamp, head.level);
    }
    Ok(())
}

fn read(line: &[u8], received_at: Timestamp) -> Head {
    READERS
        .iter()
        .find_map(|read| read(line, received_at))
        .unwrap_or_default()
}
