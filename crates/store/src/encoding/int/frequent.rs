//! The value that many of some integers are, and which of them are another.

use crate::encoding::Corrupt;
use crate::encoding::bitpack::{pack, packed_len, unpack};
use crate::encoding::cursor::{Cursor, push_count, push_signed};

/// Integers of which one in four or more is the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frequent {
    value: i64,
    count: usize,
    others: usize,
}

impl Frequent {
    /// `None` if no value is frequent, as far as a few of them tell.
    pub(super) fn of(values: &[i64]) -> Option<Frequent> {
        const LOOKED_AT: usize = 16;
        /// Among those looked at; of all it is counted.
        const ALIKE_MIN: usize = 4;
        let step = values.len() / LOOKED_AT;
        if step == 0 {
            return None;
        }
        let mut looked_at: Vec<i64> = values.iter().step_by(step).copied().collect();
        looked_at.sort_unstable();
        let runs = looked_at.chunk_by(|a, b| a == b);
        let longest = runs.max_by_key(|run| run.len())?;
        let value = *longest.first().filter(|_| longest.len() >= ALIKE_MIN)?;
        let others = values.iter().filter(|other| **other != value).count();
        Some(Frequent {
            value,
            count: values.len(),
            others,
        })
    }

    /// How many values are another.
    pub(super) fn others_count(&self) -> usize {
        self.others
    }

    /// What it takes besides the other values.
    pub(super) fn bytes(&self) -> usize {
        /// At its usual length.
        const HEADER_BYTES: usize = 4;
        HEADER_BYTES + packed_len(self.count, 1)
    }

    /// The values that are another, in order.
    pub(super) fn others(&self, values: &[i64]) -> Vec<i64> {
        let others = values.iter().filter(|other| **other != self.value);
        others.copied().collect()
    }

    /// Appends all but the other values.
    pub(super) fn encode(&self, values: &[i64], out: &mut Vec<u8>) {
        push_signed(out, self.value);
        push_count(out, self.others);
        let is_other = values.iter().map(|value| u64::from(*value != self.value));
        pack(is_other, 1, out);
    }
}

/// Reads `count` values; `read_others` gives so many that are not the frequent one.
pub(super) fn decode(
    cursor: &mut Cursor<'_>,
    count: usize,
    read_others: impl Fn(&mut Cursor<'_>, usize) -> Result<Vec<i64>, Corrupt>,
) -> Result<Vec<i64>, Corrupt> {
    const WRONG_COUNT: Corrupt =
        Corrupt("integers of which more or fewer are not the frequent one");
    let value = cursor.signed()?;
    let others = cursor.count(count)?;
    // One more than asked for, as of the other modes.
    let mut values = Vec::with_capacity(count + 1);
    unpack(cursor, count, 1, |group| {
        values.extend(group.iter().map(|bit| bit.cast_signed()))
    })?;
    let mut others = read_others(cursor, others)?.into_iter();
    for slot in &mut values {
        *slot = match *slot {
            0 => value,
            _ => others.next().ok_or(WRONG_COUNT)?,
        };
    }
    match others.next() {
        None => Ok(values),
        Some(_) => Err(WRONG_COUNT),
    }
}
