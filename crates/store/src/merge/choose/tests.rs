//! Choices, as tables.

use std::ops::Range;

use cordwood_event::Timestamp;
use proptest::prelude::*;

use super::{DAY_NANOS, Eagerness, Limits, SegmentFacts, choose};
use crate::Retention;

const LIMITS: Limits = Limits {
    fan_in: 16,
    event_bytes_max: 16 << 30,
    blocks_max: 4096,
    flush_event_bytes: 1 << 30,
};

const MB: u64 = 1 << 20;

fn segment(day: Option<i64>, event_bytes: u64) -> SegmentFacts {
    SegmentFacts {
        event_bytes,
        blocks: usize::try_from(event_bytes >> 22).unwrap().max(1),
        day,
        block_bytes: event_bytes / 10,
        dead_bytes: 0,
    }
}

fn at_noon_of(day: i64) -> Retention {
    Retention {
        now: Timestamp::from_nanos(day * DAY_NANOS + DAY_NANOS / 2),
        ..Retention::default()
    }
}

#[track_caller]
fn check(segments: &[SegmentFacts], eagerness: Eagerness, expected: Option<Range<usize>>) {
    let chosen = choose(segments, &LIMITS, &at_noon_of(5), eagerness);
    assert_eq!(chosen, expected.map(Iterator::collect));
}

#[test]
fn enough_of_a_size_and_a_day_are_merged() {
    use Eagerness::Tiered;
    let many = |count, day, bytes| vec![segment(day, bytes); count];
    check(&[], Tiered, None);
    check(&many(15, Some(5), 1024 * MB), Tiered, None);
    check(&many(16, Some(5), 1024 * MB), Tiered, Some(0..16));
    check(&many(16, Some(5), MB), Tiered, Some(0..16));
    check(&many(16, None, MB), Tiered, Some(0..16));
    // More than fit into one segment: as many as do.
    check(&many(16, Some(5), 3000 * MB), Tiered, Some(0..5));
    // Too large already.
    check(&many(16, Some(5), 9 << 30), Tiered, None);
    // A day that is over gets few new ones.
    check(&many(3, Some(4), MB), Tiered, None);
    check(&many(4, Some(4), MB), Tiered, Some(0..4));
    // What they became is left alone until there are as many of its size.
    let mut grown = many(3, Some(4), 500 * MB);
    grown.push(segment(Some(4), 2000 * MB));
    check(&grown, Tiered, None);
    // Days and sizes are kept apart.
    let apart = [
        many(15, Some(5), MB),
        many(3, Some(4), MB),
        many(15, Some(5), 20 * MB),
    ];
    check(&apart.concat(), Tiered, None);
}

#[test]
fn a_segment_that_is_mostly_dead_goes_first() {
    let mut segments = vec![segment(Some(5), 100 * MB); 3];
    segments[1].dead_bytes = 5 * MB;
    check(&segments, Eagerness::Tiered, None);
    check(&segments, Eagerness::Everything, Some(1..2));
    segments[1].dead_bytes = 6 * MB;
    check(&segments, Eagerness::Tiered, Some(1..2));
}

#[test]
fn a_compaction_splits_by_day_and_joins_days() {
    use Eagerness::Everything;
    let of = |day| segment(day, MB);
    check(&[of(Some(1))], Everything, None);
    check(&[of(Some(1)), of(Some(2))], Everything, None);
    check(
        &[of(Some(1)), of(Some(2)), of(Some(2))],
        Everything,
        Some(1..3),
    );
    check(
        &[of(None), of(Some(2)), of(Some(2))],
        Everything,
        Some(0..1),
    );
    check(
        &[segment(Some(1), 9 << 30), segment(Some(1), 9 << 30)],
        Everything,
        None,
    );
}

proptest! {
    /// Merged again and again, segments become few, and each byte is written few times.
    #[test]
    fn merging_ends_and_costs_little(
        day in 4i64..=5, sizes in prop::collection::vec(1u64..(1100 * MB), 0..300),
    ) {
        // At most one less than make a merge in each of the tiers below the largest, and how often a byte is written.
        let (left, times) = if day < 5 { (3 * 5, 6) } else { (15 * 3, 4) };
        let total: u64 = sizes.iter().sum();
        let mut segments: Vec<SegmentFacts> = Vec::new();
        let mut written = 0;
        for size in sizes {
            segments.push(segment(Some(day), size));
            while let Some(chosen) = choose(&segments, &LIMITS, &at_noon_of(5), Eagerness::Tiered) {
                prop_assert!(chosen.len() > 1);
                let bytes = chosen.iter().map(|index| segments[*index].event_bytes).sum();
                prop_assert!(bytes <= LIMITS.event_bytes_max);
                for index in chosen.iter().rev() {
                    segments.remove(*index);
                }
                segments.push(segment(Some(day), bytes));
                written += bytes;
            }
        }
        let whole = usize::try_from(total / (4 << 30)).unwrap();
        prop_assert!(segments.len() <= left + whole, "{} segments", segments.len());
        prop_assert!(written <= times * total, "{written} of {total}");
    }
}
