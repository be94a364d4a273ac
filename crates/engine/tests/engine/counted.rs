//! Counts by time and level, which directories answer, against the naive evaluator.

use cordwood_engine::{Order, StagedAnswer};
use cordwood_event::Timestamp;
use cordwood_query::TimeBounds;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::stages::{Asked, check};
use crate::support::document::Document;
use crate::support::fixture::{Fixture, sources};

const BLOCK_ROWS: usize = 256;
const MINUTE: i64 = 60_000_000_000;

/// `Warning` is normalised, and stays beside that as it was sent.
const LEVELS: &[Option<&str>] = &[None, Some("info"), Some("error"), Some("Warning")];

const FILTERS: &[&str] = &[
    "*",
    "level:error",
    "NOT level:error",
    "level:(error OR info)",
    "level>=warn",
    "level:warning",
    "level:error OR NOT level:info",
    "NOT (level:error level:info)",
    "_source:first level:error",
    "level:error service:a",
    // Of so few rows, codes are looked up one by one.
    "few:x",
    "few:x NOT service:a level:(error OR info)",
    "dt:>=1970-01-01T00:02:00Z",
];

const COLUMNS: &[&str] = &[
    "count()",
    "rate()",
    "count(), count() if (level:error) as errors",
    "count() if (NOT level:info AND level<error), rate() if (_source:second)",
    "count() if (service:a) as a, count()",
    "count(service)",
];

const KEYS: &[&str] = &[
    "",
    "dt:1m",
    "dt:3m, level",
    "level, dt:2m",
    "dt:1h",
    "dt:90s",
    "dt:1m, _source",
    "_source, dt:2m, level",
    "level",
    "dt:1m, service",
    "seen",
    "seen, dt:2m, level",
    "service, few",
];

/// Events of two sources over a few minutes around 1970, of which one source has only so many levels.
fn events() -> impl Strategy<Value = Vec<Vec<Document>>> {
    let source = (1i64..9, 1usize..=LEVELS.len(), 30usize..600, any::<u32>());
    proptest::collection::vec(source, 2).prop_map(|sources| {
        let of_source = |(minutes, levels, count, seed): (i64, usize, usize, u32)| {
            let mut mix = seed | 1;
            let mut next = |end: i64| {
                mix = mix.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (i64::from(mix >> 8) * end) >> 24
            };
            let document = |_| {
                let level = usize::try_from(next(2) * next(2) * next(8)).unwrap_or(0);
                let level = LEVELS[level % levels];
                let mut fields = Map::new();
                fields.extend(level.map(|level| ("level".to_owned(), json!(level))));
                let service = if next(2) == 0 { "a" } else { "b" };
                fields.insert("service".to_owned(), Value::from(service));
                if next(40) == 0 {
                    fields.insert("few".to_owned(), Value::from("x"));
                }
                if next(2) == 0 {
                    fields.insert("seen".to_owned(), Value::from(next(3)));
                }
                Document {
                    time: next(minutes * 1000) * (MINUTE / 1000) - 2 * MINUTE,
                    fields,
                }
            };
            (0..count).map(document).collect()
        };
        sources.into_iter().map(of_source).collect()
    })
}

fn asked() -> impl Strategy<Value = Asked> {
    let range = prop_oneof![
        2 => Just(TimeBounds::ALL),
        1 => (-3i64..8, 0i64..6).prop_map(|(first, length)| TimeBounds {
            first: Timestamp::from_nanos(first * MINUTE),
            last: Timestamp::from_nanos((first + length) * MINUTE - 1),
        }),
    ];
    let pick = |all: &'static [&'static str]| proptest::sample::select(all);
    (pick(FILTERS), pick(COLUMNS), pick(KEYS), range).prop_map(|(filter, columns, keys, range)| {
        let by = if keys.is_empty() { "" } else { " by " };
        asking(filter, &format!(" | stats {columns}{by}{keys}"), range)
    })
}

fn asking(filter: &str, stages: &str, range: TimeBounds) -> Asked {
    Asked {
        filter: filter.to_owned(),
        stages: stages.to_owned(),
        order: Order::NewestFirst,
        range,
        rows_max: 1000,
    }
}

fn fixture(events: &[Vec<Document>]) -> Fixture {
    let mut fixture = Fixture::new(BLOCK_ROWS);
    for (source, documents) in sources().iter().zip(events) {
        fixture.append(source, documents);
    }
    fixture.store.flush().expect("a flush");
    fixture
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn directories_count_what_the_naive_evaluator_counts(
        events in events(),
        questions in proptest::collection::vec(asked(), 60),
    ) {
        let fixture = fixture(&events);
        for asked in &questions {
            check(&fixture, asked)?;
        }
    }
}

/// A deletion of what a filter means in a range, while it stands.
fn deletion() -> impl Strategy<Value = (&'static str, Option<usize>, TimeBounds)> {
    let range = prop_oneof![
        Just(TimeBounds::ALL),
        (-3i64..8, 0i64..6).prop_map(|(first, length)| TimeBounds {
            first: Timestamp::from_nanos(first * MINUTE),
            last: Timestamp::from_nanos((first + length) * MINUTE + MINUTE / 3),
        }),
    ];
    let source = proptest::option::of(0usize..2);
    (proptest::sample::select(FILTERS), source, range)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// No count of a directory is of an event that is deleted, and none of one that came after.
    #[test]
    fn directories_do_not_count_what_is_deleted(
        before in events(),
        after in events(),
        deletions in proptest::collection::vec(deletion(), 1..3),
        questions in proptest::collection::vec(asked(), 40),
    ) {
        let mut fixture = fixture(&before);
        for (text, source, range) in &deletions {
            let all = sources();
            let deleted = source.map_or(&*all, |source| &all[source..=source]);
            fixture.delete(text, deleted, *range);
        }
        for (source, documents) in sources().iter().zip(&after) {
            fixture.append(source, documents);
        }
        for asked in &questions {
            check(&fixture, asked)?;
        }
        fixture.purge();
        for asked in &questions {
            check(&fixture, asked)?;
        }
    }
}

/// Blocks that a deletion cannot touch are counted as ever.
#[test]
fn other_blocks_keep_their_counts() {
    let documents = |level: &'static str, from: i64| {
        (0..256).map(move |number| Document {
            time: from + number * MINUTE / 64,
            fields: Map::from_iter([("level".to_owned(), json!(level))]),
        })
    };
    let of_block = |level, from| documents(level, from).collect::<Vec<_>>();
    let mut fixture = Fixture::new(BLOCK_ROWS);
    for (level, from) in [("debug", 0), ("info", 10 * MINUTE), ("error", 20 * MINUTE)] {
        fixture.append(&sources()[0], &of_block(level, from));
        fixture.store.flush().expect("a flush");
    }
    let mixed = documents("debug", 30 * MINUTE).chain(documents("info", 34 * MINUTE));
    let mixed: Vec<Document> = mixed.step_by(2).collect();
    fixture.append(&sources()[0], &mixed);
    fixture.store.flush().expect("a flush");
    fixture.delete("level:debug", &sources(), TimeBounds::ALL);
    for stages in [" | stats count() by dt:1m", " | stats count() by level"] {
        let answer = check(&fixture, &asking("*", stages, TimeBounds::ALL)).expect("the same");
        let blocks = answer.account.blocks;
        assert_eq!(
            (blocks.pruned_by_deletion, blocks.counted_whole, blocks.read),
            (1, 2, 1),
            "{blocks:?}"
        );
    }
}

fn blocks_read(filter: &str, stages: &str, range: TimeBounds) -> u64 {
    let documents = (0..500i64).map(|number| Document {
        time: number * MINUTE / 100,
        fields: Map::from_iter([(
            "level".to_owned(),
            json!(if number % 3 == 0 { "error" } else { "info" }),
        )]),
    });
    let fixture = fixture(&[documents.collect()]);
    let answer: StagedAnswer =
        check(&fixture, &asking(filter, stages, range)).expect("the naive answer");
    let blocks = answer.account.blocks;
    assert_eq!(
        blocks.total,
        blocks.read + blocks.counted_whole,
        "{blocks:?}"
    );
    assert_eq!(answer.account.bytes_scanned == 0, blocks.read == 0);
    blocks.read
}

#[test]
fn whole_minutes_are_counted_without_reading() {
    for (filter, stages) in [
        ("*", " | stats count() by dt:1m"),
        ("*", " | stats count(), rate() by level, dt:2m"),
        ("level:error", " | stats count() by dt:1m, _source"),
        ("*", " | stats count() if (level:error) by dt:3m"),
        ("*", " | timechart 1m count() by level"),
    ] {
        assert_eq!(
            blocks_read(filter, stages, TimeBounds::ALL),
            0,
            "{filter}{stages}"
        );
    }
}

#[test]
fn what_directories_do_not_count_is_read() {
    let partly = TimeBounds {
        first: Timestamp::from_nanos(MINUTE / 2),
        last: Timestamp::MAX,
    };
    for (filter, stages, range) in [
        ("*", " | stats count() by dt:30s", TimeBounds::ALL),
        ("*", " | stats count(level) by dt:1m", TimeBounds::ALL),
        ("*", " | stats count() by dt:1m", partly),
    ] {
        assert!(blocks_read(filter, stages, range) > 0, "{filter}{stages}");
    }
}
