//! `top` of fields with many values, of which blocks leave most aside, and statistics by them, against the naive evaluator.

use cordwood_engine::Order;
use cordwood_query::TimeBounds;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::stages::{Asked, check};
use crate::support::document::Document;
use crate::support::fixture::{Fixture, sources};

/// A dictionary has at most a quarter as many values, of which nothing is left aside if they are fewer than 128.
const BLOCK_ROWS: usize = 1024;
const VALUES: u32 = 230;

const STAGES: &[&str] = &[
    " | top 1 path",
    " | top 3 path",
    " | top 16 path",
    " | top 40 path",
    " | top 300 path",
    " | top 5 path, shard",
    " | top 5 _source, path",
    " | top 9 size",
    " | stats count(), p50(size), max(size) by path | sort -count(), path | limit 20",
    " | stats p95(size), count(size) by shard",
    " | stats median(size) by path",
    " | top 5 address",
    " | top 200 address",
    " | stats count() by address | sort -count(), address | limit 50",
    " | stats count(), max(size) by address, shard",
];

const FILTERS: &[&str] = &[
    "*",
    "path:*",
    "level:error",
    "NOT path:/p/1*",
    "size:>20",
    "path:/p/2",
];

/// As likely as any other with a steepness of 0; the greater it is, the likelier are the first.
fn value(mix: &mut u32, steepness: i32) -> u32 {
    let mut next = || {
        *mix = mix.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(*mix >> 8) / f64::from(1 << 24)
    };
    let place = next().powi(steepness + 1) * f64::from(VALUES);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "below the number of values"
    )]
    let place = place as u32;
    place
}

fn document(time: i64, mix: &mut u32, steepness: i32) -> Document {
    let mut fields = Map::new();
    let path = match value(mix, steepness) {
        // Some are numbers, some are nothing.
        at @ (7 | 90) => json!(at),
        13 => Value::Null,
        at => json!(format!("/p/{at}")),
    };
    if value(mix, 0) > 20 {
        fields.insert("path".to_owned(), path);
    }
    if value(mix, 0) > 50 {
        let size = f64::from(value(mix, 1)) / 4.0;
        fields.insert("size".to_owned(), json!(size));
    }
    // More than a dictionary has, and few enough that each is listed once.
    if value(mix, 0) > 10 {
        let (subnet, host) = (value(mix, 0) % 4, value(mix, steepness));
        let address = format!("10.0.{subnet}.{host}");
        fields.insert("address".to_owned(), json!(address));
    }
    fields.insert("shard".to_owned(), json!(format!("s{}", value(mix, 0) % 3)));
    let level = if value(mix, 0).is_multiple_of(3) {
        "error"
    } else {
        "info"
    };
    fields.insert("level".to_owned(), json!(level));
    Document { time, fields }
}

/// Blocks of two sources, each with values spread more or less evenly.
fn fixture(blocks: &[(u32, i32)]) -> Fixture {
    let mut fixture = Fixture::new(BLOCK_ROWS);
    let mut time = 0;
    for (index, (seed, steepness)) in blocks.iter().enumerate() {
        let mut mix = *seed;
        let documents: Vec<Document> = (0..1024)
            .map(|_| {
                time += 1;
                document(time, &mut mix, *steepness)
            })
            .collect();
        fixture.append(&sources()[index % 2], &documents);
        if index == 2 {
            fixture.store.flush().expect("a flush");
        }
    }
    fixture
}

fn asking(filter: &str, stages: &str) -> Asked {
    Asked {
        filter: filter.to_owned(),
        stages: stages.to_owned(),
        order: Order::NewestFirst,
        range: TimeBounds::ALL,
        rows_max: 1000,
    }
}

fn question() -> impl Strategy<Value = Asked> {
    let filter = proptest::sample::select(FILTERS);
    (filter, proptest::sample::select(STAGES)).prop_map(|(filter, stages)| asking(filter, stages))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn the_greatest_groups_are_those_of_all_rows(
        blocks in proptest::collection::vec((any::<u32>(), 0i32..6), 1..12),
        questions in proptest::collection::vec(question(), 10),
    ) {
        let fixture = fixture(&blocks);
        for asked in &questions {
            check(&fixture, asked)?;
        }
    }
}

#[test]
fn values_of_few_rows_in_one_block_and_many_in_another_are_counted() {
    // What is rare in the first blocks is common in the last.
    let mut fixture = Fixture::new(BLOCK_ROWS);
    for block in 0..12i64 {
        let of_row = |row: i64| {
            let common = if block < 9 { "/often" } else { "/later" };
            let path = match row {
                0..400 => common.to_owned(),
                400 => "/later".to_owned(),
                row => format!("/p/{}", row % 200),
            };
            let fields = Map::from_iter([("path".to_owned(), json!(path))]);
            Document {
                time: block * 1024 + row,
                fields,
            }
        };
        let documents: Vec<Document> = (0..1024).map(of_row).collect();
        fixture.append(&sources()[0], &documents);
    }
    for limit in [1, 2, 3, 20] {
        let asked = asking("*", &format!(" | top {limit} path"));
        check(&fixture, &asked).expect("the naive answer");
    }
}
