//! How many events of a block have each level in each minute: all that counts by time need of it.

use super::{BlockDirectory, LevelCounts, MISSING};
use crate::block::ROWS_MAX;
use crate::encoding::cursor::Cursor;
use crate::encoding::{Corrupt, int};

const NANOS_PER_MINUTE: i64 = 60_000_000_000;

/// Most minutes a block with counts by minute lies in. A longer one has so few events in a minute that counting them by
/// their times costs a question less than such counts would cost every directory.
const MINUTES_MAX: usize = 64;

/// Fewest rows there are for each count that is written. A count takes a byte or so, and never more than 17 bits, so that
/// this keeps what is written at about 0.03 bytes per event.
const ROWS_PER_COUNT_MIN: usize = 32;

/// Counts of the events of a block by minute and level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinuteCounts {
    /// In minutes since 1970; the others follow.
    first: i64,
    counts: Box<[LevelCounts]>,
}

impl MinuteCounts {
    /// The counts of rows of these times, which rise, and codes of levels, if they are few for so many rows.
    pub(crate) fn of(times: &[i64], levels: impl Iterator<Item = usize>) -> Option<MinuteCounts> {
        MinuteCounts::count(times, levels).filter(MinuteCounts::is_small)
    }

    /// The counts of rows of these times, which rise, and codes of levels; `None` if they lie in too many minutes.
    pub(crate) fn count(
        times: &[i64],
        levels: impl Iterator<Item = usize>,
    ) -> Option<MinuteCounts> {
        let first = minute_of(*times.first()?);
        let span = span(first, minute_of(*times.last()?))?;
        let mut counts = vec![LevelCounts::default(); span];
        for (time, level) in times.iter().zip(levels) {
            let minute = usize::try_from(minute_of(*time) - first).ok()?;
            *counts.get_mut(minute)?.0.get_mut(level)? += 1;
        }
        Some(MinuteCounts {
            first,
            counts: counts.into(),
        })
    }

    fn is_small(&self) -> bool {
        let rows: usize = self.iter().map(|(_, counts)| counts.total()).sum();
        let has_level = |level: &usize| self.of_level(*level).any(|count| count > 0);
        let levels = (0..LevelCounts::KINDS).filter(has_level).count();
        (self.counts.len() - 1) * levels * ROWS_PER_COUNT_MIN <= rows
    }

    /// Every minute from that of the first event to that of the last: its number since 1970, counted down before, and the
    /// events that lie in it.
    pub fn iter(&self) -> impl Iterator<Item = (i64, LevelCounts)> {
        (self.first..).zip(self.counts.iter().copied())
    }

    /// The memory it takes besides itself, in bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.counts)
    }

    /// How many events have the level of a code, by minute.
    fn of_level(&self, level: usize) -> impl Iterator<Item = u32> {
        let counts = self.counts.iter();
        counts.map(move |counts| counts.0.get(level).copied().unwrap_or(0))
    }
}

/// The minute a time in nanoseconds lies in, since 1970.
fn minute_of(nanos: i64) -> i64 {
    nanos.div_euclid(NANOS_PER_MINUTE)
}

/// How many minutes there are from `first` to `last`, both inclusive, if they are not too many.
fn span(first: i64, last: i64) -> Option<usize> {
    let span = usize::try_from(last - first).ok()? + 1;
    (span <= MINUTES_MAX).then_some(span)
}

/// Appends level by level the counts of the blocks that have such events. The last minute of a block is left out: it
/// has what the others lack of the total.
pub(super) fn push(blocks: &[&BlockDirectory], out: &mut Vec<u8>) {
    for level in 0..LevelCounts::KINDS {
        let counted = blocks.iter().filter(|block| has_level(block, level));
        let minutes = counted.filter_map(|block| block.minutes.as_ref());
        let counts = minutes.flat_map(|minutes| {
            let written = minutes.counts.len() - 1;
            minutes.of_level(level).take(written).map(i64::from)
        });
        let counts: Vec<i64> = counts.collect();
        if !counts.is_empty() {
            int::encode(&counts, out);
        }
    }
}

/// Gives their counts to those `blocks` that have them; they have their totals already.
pub(super) fn decode<'b>(
    cursor: &mut Cursor<'_>,
    blocks: impl Iterator<Item = &'b mut BlockDirectory>,
) -> Result<(), Corrupt> {
    let mut blocks: Vec<&mut BlockDirectory> = blocks.collect();
    for block in &mut blocks {
        let (first, last) = block.timestamps;
        let first = minute_of(first.as_nanos());
        let span = span(first, minute_of(last.as_nanos())).ok_or(MISSING)?;
        block.minutes = Some(MinuteCounts {
            first,
            counts: vec![LevelCounts::default(); span].into(),
        });
    }
    for level in 0..LevelCounts::KINDS {
        decode_level(cursor, &mut blocks, level)?;
    }
    Ok(())
}

fn decode_level(
    cursor: &mut Cursor<'_>,
    blocks: &mut [&mut BlockDirectory],
    level: usize,
) -> Result<(), Corrupt> {
    let counted = || blocks.iter().filter(|block| has_level(block, level));
    let minutes = counted().filter_map(|block| block.minutes.as_ref());
    let mut written = match minutes.map(|minutes| minutes.counts.len() - 1).sum() {
        0 => Vec::new(),
        count => int::decode(cursor, count)?,
    }
    .into_iter();
    for block in blocks.iter_mut().filter(|block| has_level(block, level)) {
        let mut rest = block.levels.0.get(level).copied().unwrap_or(0);
        let counts = block.minutes.iter_mut().flat_map(|m| m.counts.iter_mut());
        let mut counts: Vec<&mut u32> = counts.filter_map(|c| c.0.get_mut(level)).collect();
        let (last, others) = counts.split_last_mut().ok_or(MISSING)?;
        for count in others {
            **count = super::serial::narrow(written.next().ok_or(MISSING)?, 0, ROWS_MAX)?;
            rest = rest.checked_sub(**count).ok_or(MISSING)?;
        }
        **last = rest;
    }
    Ok(())
}

fn has_level(block: &BlockDirectory, level: usize) -> bool {
    block.levels.0.get(level).is_some_and(|count| *count > 0)
}
