//! The event log of Los Alamos' HPC cluster: number, node, component, state, seconds since the epoch, flag, message.
//!
//! ```text
//! 134681 node-246 unix.hw state_change.unavailable 1077804742 1 Component State Change: …
//! ```

use cordwood_event::Timestamp;

use super::{Head, epoch};
use crate::time::cursor::Cursor;

pub(super) fn read(line: &[u8], _received_at: Timestamp) -> Option<Head> {
    let mut words = line.split(|byte| *byte == b' ');
    let number = words.next()?;
    if number.is_empty() || !number.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut time = Cursor::new(words.nth(3)?);
    let timestamp = epoch::time(&mut time)?;
    let flag = words.next()?;
    let flag = flag.strip_prefix(b"-").unwrap_or(flag);
    let is_flag = !flag.is_empty() && flag.iter().all(u8::is_ascii_digit);
    is_flag.then_some(Head::new(timestamp, None))
}
