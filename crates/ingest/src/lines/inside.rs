//! The last resort: a full date and clock that begins a word near the start of the line, behind a file name as in
//! OpenStack's logs, a host or the level; and a level even where there is no time.
//!
//! ```text
//! nova-api.log.1.2017-05-16_13:53:08 2017-05-16 00:00:00.008 25746 INFO nova.osapi_compute.wsgi.server …
//! INFO  [2026-03-27 10:15:30] …
//! ```

use cordwood_event::Timestamp;

use super::{Head, level};
use crate::time::iso;

/// How far into a line its time may stand.
const START_MAX: usize = 128;

pub(super) fn read(line: &[u8], _received_at: Timestamp) -> Option<Head> {
    let Some((start, timestamp, end)) = find_time(line) else {
        let level = level::at_start(line)?;
        let timestamp = None;
        return Some(Head {
            timestamp,
            level: Some(level),
        });
    };
    let after = line.get(end..).and_then(level::in_words);
    let level = after.or_else(|| line.get(..start).and_then(level::in_words));
    Some(Head::new(timestamp, level))
}

fn find_time(line: &[u8]) -> Option<(usize, Timestamp, usize)> {
    let starts_word = |pair: &[u8]| match pair {
        [before, digit] => {
            matches!(
                before,
                b' ' | b'\t' | b'[' | b'(' | b'|' | b'=' | b'"' | b','
            ) && digit.is_ascii_digit()
        }
        _ => false,
    };
    let candidates = line.windows(2).take(START_MAX).enumerate();
    candidates
        .filter(|(_, pair)| starts_word(pair))
        .find_map(|(before, _)| {
            let start = before + 1;
            let reading = iso::read(line.get(start..)?)?;
            Some((start, reading.timestamp, start + reading.length))
        })
}
