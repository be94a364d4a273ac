//! Sorting of which only the first rows are asked for: most blocks, and most rows of the others, are never looked at.

use cordwood_engine::Order;
use cordwood_query::TimeBounds;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::oracle::{Step, take};
use crate::stages::{Asked, check};
use crate::support::document::Document;
use crate::support::fixture::Fixture;

const BLOCK_ROWS: usize = 32;

/// `size` is a number of many values as a rule, `code` one of few, `level` and `name` are text, `rare` is seldom there.
fn document() -> impl Strategy<Value = Document> {
    let size = prop_oneof![
        20 => (0i64..100_000).prop_map(|size| Some(json!(size))),
        2 => (0u8..9).prop_map(|size| Some(json!(f64::from(size) / 2.0))),
        2 => Just(None),
        1 => Just(Some(json!("70000"))),
        1 => Just(Some(json!("large"))),
        1 => Just(Some(json!([9, 8]))),
        1 => Just(Some(Value::Null)),
    ];
    let code = proptest::sample::select(&[200, 200, 404, 500, 503][..]);
    let name = proptest::sample::select(&["a", "b", "7", ""][..]);
    let rare = proptest::option::weighted(0.1, -5i64..5);
    (0i64..60, size, code, name, rare).prop_map(|(time, size, code, name, rare)| {
        let mut fields = Map::new();
        fields.insert("code".to_owned(), json!(code));
        fields.insert("name".to_owned(), json!(name));
        let optional = [("size", size), ("rare", rare.map(|rare| json!(rare)))];
        for (key, value) in optional {
            fields.extend(value.map(|value| (key.to_owned(), value)));
        }
        Document { time, fields }
    })
}

/// Events whose sizes are all numbers are usual: there a column tells.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let plain = document().prop_map(|mut document| {
        let is_number = document.fields.get("size").is_some_and(Value::is_i64);
        if !is_number {
            document.fields.insert("size".to_owned(), json!(50_000));
        }
        document
    });
    let documents = prop_oneof![
        3 => proptest::collection::vec(plain, 20..120),
        1 => proptest::collection::vec(document(), 20..60),
    ];
    let step = prop_oneof![
        4 => (0usize..2, documents).prop_map(|(source, documents)| Step::Append(source, documents)),
        1 => Just(Step::Flush),
    ];
    proptest::collection::vec(step, 1..9)
}

fn asked() -> impl Strategy<Value = Asked> {
    let fields = vec!["size", "code", "name", "rare", "dt", "nothing"];
    let keys = proptest::sample::subsequence(fields, 1..3).prop_shuffle();
    let keys = (keys, any::<[bool; 2]>()).prop_map(|(keys, falls)| {
        let keys = keys.into_iter().zip(falls);
        let keys = keys.map(|(key, falls)| {
            if falls {
                format!("-{key}")
            } else {
                key.to_owned()
            }
        });
        keys.collect::<Vec<_>>().join(", ")
    });
    let filter = proptest::sample::select(&["*", "code:>=500", "size:<90000", "name:a"][..]);
    let order = proptest::sample::select(&[Order::NewestFirst, Order::OldestFirst][..]);
    let then = proptest::sample::select(&["", " | where code:200", " | dedup name"][..]);
    (filter, keys, 1usize..12, then, order).prop_map(|(filter, keys, limit, then, order)| Asked {
        filter: filter.to_owned(),
        stages: format!(" | sort {keys} | limit {limit}{then}"),
        order,
        range: TimeBounds::ALL,
        rows_max: 40,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_first_rows_are_those_of_sorting_all(
        steps in steps(),
        questions in proptest::collection::vec(asked(), 40),
    ) {
        let mut fixture = Fixture::new(BLOCK_ROWS);
        take(&mut fixture, &steps);
        for asked in &questions {
            check(&fixture, asked)?;
        }
    }
}

fn sizes_in_blocks(blocks: usize) -> Fixture {
    let mut fixture = Fixture::new(BLOCK_ROWS);
    let documents = (0..blocks * BLOCK_ROWS).map(|row| {
        let time = i64::try_from(row).expect("a small number");
        let fields = json!({"size": row, "code": 200 + row % 3});
        let Value::Object(fields) = fields else {
            unreachable!("it is an object");
        };
        Document { time, fields }
    });
    let documents: Vec<Document> = documents.collect();
    fixture.append(&crate::support::fixture::sources()[0], &documents);
    fixture.store.flush().expect("a flush");
    fixture
}

/// Of a hundred blocks, each with sizes and times above those of the one before, the newest first: how many are read.
#[test]
fn blocks_behind_the_bound_are_not_read() {
    let fixture = sizes_in_blocks(100);
    let read = |sort: &str| {
        let asked = Asked {
            filter: "*".to_owned(),
            stages: format!(" | sort {sort} | limit 3"),
            order: Order::NewestFirst,
            range: TimeBounds::ALL,
            rows_max: 10,
        };
        let answer = check(&fixture, &asked).expect("the naive answer");
        answer.account.blocks.read
    };
    // Some are under way before the rows of the first are there to tell the bound, more on a busy machine.
    let before_the_bound = 50;
    for sort in ["-size", "-dt", "-code", "nothing", "-size, code"] {
        let read = read(sort);
        assert!(read <= before_the_bound, "{sort} read {read} blocks");
    }
    // Each block stands before all that were read till then.
    assert_eq!(read("size"), 100);
    assert_eq!(read("dt, size"), 100);
}
