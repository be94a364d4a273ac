//! INT: integers as bit-packed offsets from the least, or as deltas, with the few that need more bits patched; a value that many
//! are takes a bit, and so does one that is the same as that before.
//!
//! Layout, for a count the reader knows: mode byte, signed first value when deltas,
//! signed base, width byte, exception count; the low `width` bits of each offset; and if there are
//! exceptions, their positions and their bits above `width`, each packed. Where a value is frequent: that, the count of
//! others, a bit for each value, and the others in one of the first two modes; where values repeat, the same without a value.

mod frequent;
mod repeated;
mod view;

use super::Corrupt;
use super::bitpack::{bit_width, mask, pack, packed_len, unpack};
use super::cursor::{Cursor, push_count, push_signed};
use frequent::Frequent;
use repeated::Repeated;
pub(crate) use view::IntView;

const MODE_OFFSETS: u8 = 0;
const MODE_DELTAS: u8 = 1;
const MODE_FREQUENT: u8 = 2;
const MODE_REPEATED: u8 = 3;

/// It takes a second pass over the values to decode, which must save a quarter.
const USUAL_GAIN: (usize, usize) = (3, 4);

/// How integers will be encoded, and how many bytes that takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IntPlan {
    usual: Option<Usual>,
    /// Of all values, or of those that are not the usual one.
    run: RunPlan,
}

/// What a bit says of a value.
#[derive(Clone, Copy, Debug)]
enum Usual {
    Frequent(Frequent),
    Repeated(Repeated),
}

impl Usual {
    /// The one that leaves the fewest others.
    fn of(values: &[i64]) -> Option<Usual> {
        let frequent = Frequent::of(values).map(Usual::Frequent);
        let repeated = Repeated::of(values).map(Usual::Repeated);
        let both = [frequent, repeated].into_iter().flatten();
        both.min_by_key(Usual::others_count)
    }

    fn others_count(&self) -> usize {
        match self {
            Usual::Frequent(frequent) => frequent.others_count(),
            Usual::Repeated(repeated) => repeated.others_count(),
        }
    }

    /// What it takes besides the other values.
    fn bytes(&self) -> usize {
        match self {
            Usual::Frequent(frequent) => frequent.bytes(),
            Usual::Repeated(repeated) => repeated.bytes(),
        }
    }

    /// The values that are another, in order.
    fn others(&self, values: &[i64]) -> Vec<i64> {
        match self {
            Usual::Frequent(frequent) => frequent.others(values),
            Usual::Repeated(repeated) => repeated.others(values),
        }
    }

    /// Appends the mode and all but the other values.
    fn encode(&self, values: &[i64], out: &mut Vec<u8>) {
        match self {
            Usual::Frequent(frequent) => {
                out.push(MODE_FREQUENT);
                frequent.encode(values, out);
            }
            Usual::Repeated(repeated) => {
                out.push(MODE_REPEATED);
                repeated.encode(values, out);
            }
        }
    }
}

/// How a run of integers will be packed.
#[derive(Clone, Copy, Debug)]
struct RunPlan {
    is_delta: bool,
    /// The least value, or the least delta.
    base: i64,
    packing: Packing,
}

/// Low bits for all, high bits for exceptions.
#[derive(Clone, Copy, Debug)]
struct Packing {
    width: u32,
    /// Of the widest offset.
    width_max: u32,
    exceptions: usize,
    bytes: usize,
}

impl IntPlan {
    /// The shortest of the modes for these values.
    pub(crate) fn of(values: &[i64]) -> IntPlan {
        let all = IntPlan {
            usual: None,
            run: RunPlan::of(values),
        };
        let Some(usual) = Usual::of(values) else {
            return all;
        };
        let with_usual = IntPlan {
            usual: Some(usual),
            run: RunPlan::of(&usual.others(values)),
        };
        let (numerator, denominator) = USUAL_GAIN;
        match with_usual.bytes() * denominator <= all.bytes() * numerator {
            true => with_usual,
            false => all,
        }
    }

    /// About how many bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        /// The header at its usual length.
        const HEADER_BYTES: usize = 8;
        let usual_bytes = self.usual.map_or(0, |usual| usual.bytes());
        HEADER_BYTES + usual_bytes + self.run.packing.bytes
    }
}

impl RunPlan {
    /// The shorter of offsets and deltas.
    fn of(values: &[i64]) -> RunPlan {
        let offsets = RunPlan::for_run(values.len(), || values.iter().copied());
        let deltas = RunPlan::for_run(values.len().saturating_sub(1), || deltas(values));
        if deltas.packing.bytes < offsets.packing.bytes {
            RunPlan {
                is_delta: true,
                ..deltas
            }
        } else {
            offsets
        }
    }

    fn for_run<I: Iterator<Item = i64>>(count: usize, run: impl Fn() -> I) -> RunPlan {
        let base = run().min().unwrap_or(0);
        let mut widths = [0usize; 65];
        for value in run() {
            if let Some(count) = widths.get_mut(bit_width(offset(value, base)) as usize) {
                *count += 1;
            }
        }
        RunPlan {
            is_delta: false,
            base,
            packing: Packing::of(count, &widths),
        }
    }
}

impl Packing {
    /// The width that takes the fewest bytes, given how many offsets have each bit width.
    fn of(count: usize, widths: &[usize; 65]) -> Packing {
        let used = widths.iter().rposition(|count| *count > 0).unwrap_or(0);
        let width_max = u32::try_from(used).unwrap_or(u64::BITS);
        let position_width = position_width(count);
        let mut best = Packing {
            width: width_max,
            width_max,
            exceptions: 0,
            bytes: packed_len(count, width_max),
        };
        let mut exceptions = 0;
        for width in (0..width_max).rev() {
            exceptions += widths.get(width as usize + 1).copied().unwrap_or(0);
            let bytes = packed_len(count, width)
                + packed_len(exceptions, position_width)
                + packed_len(exceptions, width_max - width);
            if bytes < best.bytes {
                best = Packing {
                    width,
                    width_max,
                    exceptions,
                    bytes,
                };
            }
        }
        best
    }
}

/// Appends the values.
pub(crate) fn encode(values: &[i64], out: &mut Vec<u8>) {
    encode_as(values, &IntPlan::of(values), out);
}

/// Appends the values as planned for them.
pub(crate) fn encode_as(values: &[i64], plan: &IntPlan, out: &mut Vec<u8>) {
    match plan.usual {
        Some(usual) => {
            usual.encode(values, out);
            push_run(&usual.others(values), &plan.run, out);
        }
        None => push_run(values, &plan.run, out),
    }
}

fn push_run(values: &[i64], plan: &RunPlan, out: &mut Vec<u8>) {
    let base = plan.base;
    if plan.is_delta {
        out.push(MODE_DELTAS);
        push_signed(out, values.first().copied().unwrap_or(0));
        push_packed(
            plan,
            || deltas(values).map(|delta| offset(delta, base)),
            out,
        );
    } else {
        out.push(MODE_OFFSETS);
        push_packed(
            plan,
            || values.iter().map(|value| offset(*value, base)),
            out,
        );
    }
}

fn push_packed<I: Iterator<Item = u64>>(
    plan: &RunPlan,
    offsets: impl Fn() -> I,
    out: &mut Vec<u8>,
) {
    let packing = &plan.packing;
    push_signed(out, plan.base);
    out.push(packing.width.to_le_bytes()[0]);
    push_count(out, packing.exceptions);
    pack(offsets(), packing.width, out);
    if packing.exceptions == 0 {
        return;
    }
    let low = mask(packing.width);
    let exceptions = || {
        let all = (0u64..).zip(offsets());
        all.filter(|(_, offset)| *offset > low)
    };
    let count = offsets().count();
    pack(
        exceptions().map(|(position, _)| position),
        position_width(count),
        out,
    );
    let high_width = packing.width_max - packing.width;
    out.push(high_width.to_le_bytes()[0]);
    pack(
        exceptions().map(|(_, offset)| offset >> packing.width),
        high_width,
        out,
    );
}

/// Reads `count` values.
pub(crate) fn decode(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<i64>, Corrupt> {
    let read_others = |cursor: &mut Cursor<'_>, others: usize| {
        let mode = cursor.byte()?;
        decode_run(cursor, mode, others)
    };
    match cursor.byte()? {
        MODE_FREQUENT => frequent::decode(cursor, count, read_others),
        MODE_REPEATED => repeated::decode(cursor, count, read_others),
        mode => decode_run(cursor, mode, count),
    }
}

fn decode_run(cursor: &mut Cursor<'_>, mode: u8, count: usize) -> Result<Vec<i64>, Corrupt> {
    match mode {
        MODE_OFFSETS => decode_packed(cursor, count),
        MODE_DELTAS => {
            let mut value = cursor.signed()?;
            let deltas = count.checked_sub(1).ok_or(Corrupt("deltas of no values"))?;
            let mut deltas = decode_packed(cursor, deltas)?;
            for delta in &mut deltas {
                let next = value.wrapping_add(*delta);
                *delta = value;
                value = next;
            }
            deltas.push(value);
            Ok(deltas)
        }
        _ => Err(Corrupt("an unknown mode of integers")),
    }
}

fn decode_packed(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<i64>, Corrupt> {
    let base = cursor.signed()?;
    let width = u32::from(cursor.byte()?);
    let exceptions = cursor.count(count)?;
    // One more than asked for: the delta mode appends the last value.
    let mut values = Vec::with_capacity(count + 1);
    unpack(cursor, count, width, |group| {
        values.extend(
            group
                .iter()
                .map(|offset| base.wrapping_add(offset.cast_signed())),
        );
    })?;
    if exceptions > 0 {
        patch(cursor, &mut values, width, exceptions)?;
    }
    Ok(values)
}

fn patch(
    cursor: &mut Cursor<'_>,
    values: &mut [i64],
    width: u32,
    exceptions: usize,
) -> Result<(), Corrupt> {
    let mut positions = Vec::with_capacity(exceptions);
    unpack(cursor, exceptions, position_width(values.len()), |group| {
        positions.extend_from_slice(group);
    })?;
    let high_width = u32::from(cursor.byte()?);
    if width + high_width > u64::BITS {
        return Err(Corrupt("an exception of more than 64 bits"));
    }
    let mut positions = positions.into_iter();
    let mut is_within = true;
    unpack(cursor, exceptions, high_width, |group| {
        for (high, position) in group.iter().zip(&mut positions) {
            let value = usize::try_from(position).ok();
            match value.and_then(|position| values.get_mut(position)) {
                Some(value) => {
                    let high = high.checked_shl(width).unwrap_or(0);
                    *value = value.wrapping_add(high.cast_signed());
                }
                None => is_within = false,
            }
        }
    })?;
    if is_within {
        Ok(())
    } else {
        Err(Corrupt("an exception past the last value"))
    }
}

fn position_width(count: usize) -> u32 {
    bit_width(count.saturating_sub(1) as u64)
}

fn deltas(values: &[i64]) -> impl Iterator<Item = i64> {
    let next = values.iter().skip(1);
    values.iter().zip(next).map(|(a, b)| b.wrapping_sub(*a))
}

/// Exact for any two integers, because the least is `base`.
fn offset(value: i64, base: i64) -> u64 {
    value.wrapping_sub(base).cast_unsigned()
}
