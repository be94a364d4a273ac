//! Which of some integers are the same as the one before: what lines of a log say of their time and place seldom changes.

use crate::encoding::Corrupt;
use crate::encoding::bitpack::{pack, packed_len, unpack};
use crate::encoding::cursor::{Cursor, push_count};

/// Integers of which one in four or more is the same as that before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Repeated {
    count: usize,
    others: usize,
}

impl Repeated {
    /// `None` if too few are.
    pub(super) fn of(values: &[i64]) -> Option<Repeated> {
        const ONE_IN: usize = 4;
        let next = values.iter().skip(1);
        let repeated: usize = values
            .iter()
            .zip(next)
            .map(|(a, b)| usize::from(a == b))
            .sum();
        (repeated * ONE_IN >= values.len().max(1)).then_some(Repeated {
            count: values.len(),
            others: values.len() - repeated,
        })
    }

    /// How many values are another than that before, the first included.
    pub(super) fn others_count(&self) -> usize {
        self.others
    }

    /// What it takes besides the other values.
    pub(super) fn bytes(&self) -> usize {
        /// At its usual length.
        const COUNT_BYTES: usize = 2;
        COUNT_BYTES + packed_len(self.count, 1)
    }

    /// The values that are another than that before, in order.
    pub(super) fn others(&self, values: &[i64]) -> Vec<i64> {
        let mut others = Vec::with_capacity(self.others);
        others.extend(values.chunk_by(|a, b| a == b).filter_map(|run| run.first()));
        others
    }

    /// Appends all but the other values.
    pub(super) fn encode(&self, values: &[i64], out: &mut Vec<u8>) {
        push_count(out, self.others);
        let next = values.iter().skip(1);
        let is_other = values.iter().zip(next).map(|(a, b)| u64::from(a != b));
        pack([1].into_iter().chain(is_other), 1, out);
    }
}

/// Reads `count` values; `read_others` gives so many that are another than that before.
pub(super) fn decode(
    cursor: &mut Cursor<'_>,
    count: usize,
    read_others: impl Fn(&mut Cursor<'_>, usize) -> Result<Vec<i64>, Corrupt>,
) -> Result<Vec<i64>, Corrupt> {
    const WRONG_COUNT: Corrupt = Corrupt("integers that repeat more or less often than they do");
    let others = cursor.count(count)?;
    // One more than asked for, as of the other modes.
    let mut values = Vec::with_capacity(count + 1);
    unpack(cursor, count, 1, |group| {
        values.extend(group.iter().map(|bit| bit.cast_signed()))
    })?;
    let mut others = read_others(cursor, others)?.into_iter();
    let mut before = None;
    for slot in &mut values {
        let value = match *slot {
            0 => before,
            _ => others.next(),
        };
        *slot = value.ok_or(WRONG_COUNT)?;
        before = value;
    }
    match others.next() {
        None => Ok(values),
        Some(_) => Err(WRONG_COUNT),
    }
}
