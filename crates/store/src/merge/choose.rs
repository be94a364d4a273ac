//! Chooses which segments to merge next: pure, by size, day and what is dead in them.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use cordwood_event::Timestamp;

use crate::eviction::{Evictions, is_dead};
use crate::segment::Segment;
use crate::{Options, Retention};

const DAY_NANOS: i64 = 86_400_000_000_000;

/// A day that is over gets few new segments, if any: fewer of them make a merge than on the day itself.
const FAN_IN_PART_OF_PAST_DAY: usize = 4;

/// A day counts as over so long after it: events come late.
const LATENESS_NANOS: i64 = 3_600_000_000_000;

/// Segments of one tier have sizes within this factor: what is merged, by as many, goes up one tier.
const TIER_FACTOR: u64 = 16;

/// The same of a day that is over: were it more, the first segments of a tier would be written again with each few that come.
const TIER_FACTOR_OF_PAST_DAY: u64 = TIER_FACTOR / FAN_IN_PART_OF_PAST_DAY as u64;

/// How merges are bounded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) fan_in: usize,
    pub(super) event_bytes_max: u64,
    pub(super) blocks_max: usize,
    /// A whole flush, undisturbed by age, is in the middle of its tier.
    pub(super) flush_event_bytes: u64,
}

/// How much is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Eagerness {
    /// What pays: enough segments of a size, or one that is mostly dead.
    Tiered,
    /// Whatever can be merged, and all that is dead.
    Everything,
}

/// What a choice looks at of a segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct SegmentFacts {
    pub(super) event_bytes: u64,
    pub(super) blocks: usize,
    /// The UTC day all its blocks begin in, as days since 1970; `None` for one of several days.
    pub(super) day: Option<i64>,
    /// Bytes of blocks, and those of blocks that are dead.
    pub(super) block_bytes: u64,
    pub(super) dead_bytes: u64,
}

impl Limits {
    pub(super) fn of(options: &Options) -> Limits {
        Limits {
            fan_in: options.merge_fan_in.max(2),
            event_bytes_max: options.segment_event_bytes_max,
            blocks_max: options.segment_blocks_max,
            flush_event_bytes: options.flush_event_bytes,
        }
    }

    /// Whole flushes are in the middle of a tier. Below a sixteenth of that, all is one: what age flushed.
    fn tier(&self, event_bytes: u64, factor: u64) -> u32 {
        let mut tier = 0;
        let mut bound = (self.flush_event_bytes / (TIER_FACTOR * factor.isqrt())).max(1);
        while event_bytes >= bound {
            tier += 1;
            bound = bound.saturating_mul(factor);
            if bound == u64::MAX {
                break;
            }
        }
        tier
    }
}

/// The UTC day of a time, as days since 1970.
pub(super) fn day_of(time: Timestamp) -> i64 {
    time.as_nanos().div_euclid(DAY_NANOS)
}

impl SegmentFacts {
    /// Whether nothing of it is left to be kept.
    pub(super) fn is_dead(&self) -> bool {
        self.dead_bytes == self.block_bytes
    }

    pub(super) fn of(
        segment: &Segment,
        retention: &Retention,
        evictions: &Evictions,
    ) -> SegmentFacts {
        let mut facts = SegmentFacts {
            event_bytes: 0,
            blocks: segment.blocks.len(),
            day: None,
            block_bytes: 0,
            dead_bytes: 0,
        };
        let mut days = segment.blocks.iter().map(|block| day_of(block.start()));
        if let Some(first) = days.next() {
            facts.day = days.all(|day| day == first).then_some(first);
        }
        for block in &segment.blocks {
            let bytes = block.directory.encoded_bytes();
            facts.event_bytes += block.directory.source_bytes;
            facts.block_bytes += bytes;
            if is_dead(block, retention, evictions) {
                facts.dead_bytes += bytes;
            }
        }
        facts
    }
}

/// The indices of the segments to merge next, if any.
pub(super) fn choose(
    segments: &[SegmentFacts],
    limits: &Limits,
    retention: &Retention,
    eagerness: Eagerness,
) -> Option<Vec<usize>> {
    mostly_dead(segments, eagerness)
        .map(|index| vec![index])
        .or_else(|| match eagerness {
            Eagerness::Tiered => full_tier(segments, limits, retention.now),
            Eagerness::Everything => same_day(segments, limits),
        })
}

/// A segment more than half of whose bytes are dead; any with dead bytes if everything is to be done.
fn mostly_dead(segments: &[SegmentFacts], eagerness: Eagerness) -> Option<usize> {
    segments.iter().position(|segment| match eagerness {
        Eagerness::Tiered => segment.dead_bytes > segment.block_bytes / 2,
        Eagerness::Everything => segment.dead_bytes > 0,
    })
}

/// Enough segments of one day and one tier.
fn full_tier(segments: &[SegmentFacts], limits: &Limits, now: Timestamp) -> Option<Vec<usize>> {
    let today = day_of(Timestamp::from_nanos(
        now.as_nanos().saturating_sub(LATENESS_NANOS),
    ));
    let is_over = |day: Option<i64>| day.is_some_and(|day| day < today);
    let mut groups: BTreeMap<(Option<i64>, u32), Vec<usize>> = BTreeMap::new();
    for (index, segment) in segments.iter().enumerate() {
        let factor = match is_over(segment.day) {
            true => TIER_FACTOR_OF_PAST_DAY,
            false => TIER_FACTOR,
        };
        let key = (segment.day, limits.tier(segment.event_bytes, factor));
        groups.entry(key).or_default().push(index);
    }
    groups.into_iter().find_map(|((day, _), group)| {
        let fan_in = match is_over(day) {
            true => (limits.fan_in / FAN_IN_PART_OF_PAST_DAY).max(2),
            false => limits.fan_in,
        };
        let fitting = fitting(segments, group, limits);
        let is_worth_it = fitting.is_full || fitting.chosen.len() >= fan_in;
        (is_worth_it && fitting.chosen.len() > 1).then_some(fitting.chosen)
    })
}

/// All segments of several days; then all of one day, if there is more than one.
fn same_day(segments: &[SegmentFacts], limits: &Limits) -> Option<Vec<usize>> {
    let mut groups: BTreeMap<Option<i64>, Vec<usize>> = BTreeMap::new();
    for (index, segment) in segments.iter().enumerate() {
        groups.entry(segment.day).or_default().push(index);
    }
    groups.into_iter().find_map(|(day, mut group)| {
        group.sort_by_key(|index| segments.get(*index).map(|segment| segment.event_bytes));
        let chosen = fitting(segments, group, limits).chosen;
        (day.is_none() || chosen.len() > 1).then_some(chosen)
    })
}

struct Fitting {
    chosen: Vec<usize>,
    /// Whether the ceiling left some out that would have made the number full.
    is_full: bool,
}

/// Of a group, as many as fit one segment; at least the first.
fn fitting(segments: &[SegmentFacts], group: Vec<usize>, limits: &Limits) -> Fitting {
    let is_enough = group.len() >= limits.fan_in;
    let mut chosen = Vec::new();
    let (mut event_bytes, mut blocks) = (0u64, 0usize);
    let mut has_left_out = false;
    for index in group {
        let Some(segment) = segments.get(index) else {
            continue;
        };
        let fits = event_bytes + segment.event_bytes <= limits.event_bytes_max
            && blocks + segment.blocks <= limits.blocks_max;
        if chosen.is_empty() || fits {
            event_bytes += segment.event_bytes;
            blocks += segment.blocks;
            chosen.push(index);
        } else {
            has_left_out = true;
        }
    }
    Fitting {
        chosen,
        is_full: is_enough && has_left_out,
    }
}
