//! TS: times as INT of their count of the largest common unit (s, ms, µs, ns).

use super::cursor::Cursor;
use super::int::IntView;
use super::{Corrupt, int};

/// Nanoseconds per unit, by the unit's code.
const UNITS: [i64; 4] = [1, 1_000, 1_000_000, 1_000_000_000];

const TOO_LATE: Corrupt = Corrupt("a time beyond 64 bits of nanoseconds");

/// Appends the times, in nanoseconds.
pub(crate) fn encode(nanos: &[i64], out: &mut Vec<u8>) {
    let is_common = |unit: i64| nanos.iter().all(|time| time % unit == 0);
    let units = (0u8..).zip(UNITS).take_while(|(_, unit)| is_common(*unit));
    let (code, unit) = units.last().unwrap_or((0, 1));
    out.push(code);
    let counts: Vec<i64> = nanos.iter().map(|time| time / unit).collect();
    int::encode(&counts, out);
}

/// Reads the times at some of `count` indexes, in the order asked for.
pub(crate) fn decode_few(
    cursor: &mut Cursor<'_>,
    count: usize,
    indexes: &[usize],
) -> Result<Vec<i64>, Corrupt> {
    let unit = decode_unit(cursor)?;
    let times = IntView::read(cursor, count)?;
    let time = |index: &usize| times.at(*index)?.checked_mul(unit).ok_or(TOO_LATE);
    indexes.iter().map(time).collect()
}

fn decode_unit(cursor: &mut Cursor<'_>) -> Result<i64, Corrupt> {
    let unit = UNITS.get(usize::from(cursor.byte()?));
    unit.copied().ok_or(Corrupt("an unknown unit of time"))
}

/// Reads `count` times.
pub(crate) fn decode(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<i64>, Corrupt> {
    let unit = decode_unit(cursor)?;
    let mut times = int::decode(cursor, count)?;
    let mut overflows = false;
    for time in &mut times {
        let (nanos, overflow) = time.overflowing_mul(unit);
        overflows |= overflow;
        *time = nanos;
    }
    if overflows {
        return Err(TOO_LATE);
    }
    Ok(times)
}
