//! logfmt, as Go programs and Heroku write it: pairs of key and value in any order.
//!
//! ```text
//! time="2026-03-27T10:15:30Z" level=warning msg="…"
//! ts=1700000000.123 caller=main.go:7 level=info …
//! ```

use cordwood_event::{Level, Scalar, Timestamp};

use super::Head;
use crate::time::dt;

/// How many pairs are looked at.
const PAIRS_MAX: usize = 12;
/// 2000-01-01: `t=12` is a duration or a count.
const EARLIEST: Timestamp = Timestamp::from_nanos(946_684_800_000_000_000);
const TIME_KEYS: [&str; 5] = ["time", "ts", "timestamp", "t", "dt"];
const LEVEL_KEYS: [&str; 4] = ["level", "lvl", "severity", "log.level"];

pub(super) fn read(line: &[u8], _received_at: Timestamp) -> Option<Head> {
    let mut rest = std::str::from_utf8(line).ok()?;
    let mut head = Head::default();
    for _ in 0..PAIRS_MAX {
        let Some((key, value, tail)) = pair(rest) else {
            break;
        };
        if TIME_KEYS.contains(&key) && head.timestamp.is_none() {
            head.timestamp = dt::parse(Scalar::Str(value)).filter(|time| *time > EARLIEST);
        } else if LEVEL_KEYS.contains(&key) && head.level.is_none() {
            head.level = Level::parse(value);
        }
        rest = tail;
    }
    (head != Head::default()).then_some(head)
}

/// The pair that opens the text, and what follows it.
fn pair(text: &str) -> Option<(&str, &str, &str)> {
    let (key, rest) = text.trim_start().split_once('=')?;
    let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if key.is_empty() || !key.chars().all(is_key) {
        return None;
    }
    let (value, tail) = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => rest.split_once(' ').unwrap_or((rest, "")),
    };
    Some((key, value, tail))
}
