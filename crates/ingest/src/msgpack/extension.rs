//! Extensions of MessagePack as text: the timestamp as ISO 8601, what we do not know as hex.

use std::fmt::Write;

use crate::time::from_parts;

/// The one extension that the specification defines.
const TIMESTAMP: i8 = -1;

/// Appends the meaning of an extension to `out`.
pub(crate) fn write_text(out: &mut String, kind: i8, bytes: &[u8]) {
    if kind == TIMESTAMP
        && let Some((seconds, nanos)) = timestamp_parts(bytes)
        && write_timestamp(out, seconds, nanos).is_some()
    {
        return;
    }
    let _ = write!(out, "ext({kind}):");
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
}

/// Seconds since the epoch and nanoseconds after them, from the three lengths of the format.
fn timestamp_parts(bytes: &[u8]) -> Option<(i64, u32)> {
    /// Timestamp 64: 30 bits of nanoseconds above 34 bits of seconds.
    const SECONDS_BITS: u32 = 34;
    let (seconds, nanos) = match bytes.len() {
        4 => (i64::from(u32::from_be_bytes(*bytes.first_chunk()?)), 0),
        8 => {
            let packed = u64::from_be_bytes(*bytes.first_chunk()?);
            let seconds = packed & ((1 << SECONDS_BITS) - 1);
            let nanos = packed >> SECONDS_BITS;
            (i64::try_from(seconds).ok()?, u32::try_from(nanos).ok()?)
        }
        12 => (
            i64::from_be_bytes(*bytes.last_chunk()?),
            u32::from_be_bytes(*bytes.first_chunk()?),
        ),
        _ => return None,
    };
    (nanos < 1_000_000_000).then_some((seconds, nanos))
}

/// Writes the time, if it lies within the years that ISO 8601 can write.
fn write_timestamp(out: &mut String, seconds: i64, nanos: u32) -> Option<()> {
    let _ = match from_parts(seconds, i64::from(nanos)) {
        Some(timestamp) => write!(out, "{timestamp}"),
        None => {
            let nanos = i32::try_from(nanos).ok()?;
            write!(out, "{}", jiff::Timestamp::new(seconds, nanos).ok()?)
        }
    };
    Some(())
}
