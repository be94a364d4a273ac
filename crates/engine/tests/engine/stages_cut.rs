//! Stages cut short, and stages that remember much: what is missing is said.

use std::time::{Duration, Instant};

use cordwood_engine::{
    Cancel, Cell, Clock, Incomplete, Method, SearchRequest, Staged, StagedAnswer, StagedRequest,
    Table,
};
use cordwood_query::parse;
use cordwood_store::MemoryBudget;
use proptest::prelude::*;
use serde_json::json;

use crate::cut::{filled, ticking};
use crate::oracle::blocks_add_up;
use crate::support::document::{Document, document};
use crate::support::fixture::{Fixture, engine, newest, sources};

fn request(text: &str) -> StagedRequest {
    let query = parse(text).expect("a query").query;
    StagedRequest {
        search: SearchRequest {
            filter: query.filter,
            ..newest("*", 0)
        },
        stages: query.stages,
        rows_max: 1_000,
    }
}

fn table(answer: &StagedAnswer) -> &Table {
    match &answer.result {
        Staged::Table(table) => table,
        Staged::Events { .. } => panic!("a table was asked for"),
    }
}

fn ask(fixture: &Fixture, text: &str) -> StagedAnswer {
    let snapshot = fixture.store.snapshot();
    fixture
        .engine
        .run_stages(&snapshot, &request(text))
        .expect("an answer")
}

fn many(events: i64) -> Vec<Document> {
    let event = |index: i64| Document {
        time: index,
        fields: [
            ("id".to_owned(), json!(format!("id {index}"))),
            ("number".to_owned(), json!(index)),
        ]
        .into_iter()
        .collect(),
    };
    (0..events).map(event).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn counts_that_are_cut_are_no_more_than_the_whole(
        documents in proptest::collection::vec(document(), 1..60),
        ticks in 0u64..60,
        text in proptest::sample::select(&[
            "* | stats count()",
            "* | dedup x | stats count()",
            "* | where service:* | limit 1000 | stats count()",
        ][..]),
    ) {
        let mut fixture = filled(&documents);
        let whole = ask(&fixture, text);
        let start = Instant::now();
        fixture.engine = engine(MemoryBudget::default(), ticking(start));
        let mut request = request(text);
        request.search.deadline = Some(start + Duration::from_millis(ticks));
        let answer = fixture.engine.run_stages(&fixture.store.snapshot(), &request).expect("an answer");
        prop_assert!(blocks_add_up(&answer.account));
        let count = |answer: &StagedAnswer| match table(answer).rows.first().and_then(|row| row.first()) {
            Some(Cell::Int(count)) => *count,
            _ => 0,
        };
        prop_assert!(count(&answer) <= count(&whole));
        if answer.account.is_complete() {
            prop_assert_eq!(answer.result, whole.result);
        } else {
            prop_assert!(answer.account.incomplete.iter().all(|why| *why == Incomplete::Deadline));
        }
    }
}

#[test]
fn a_caller_who_gave_up_is_told_so() {
    let fixture = filled(&many(400));
    for text in [
        "* | stats count()",
        "* | dedup id",
        "* | sort by number | fields id",
    ] {
        let cancel = Cancel::default();
        cancel.cancel();
        let mut request = request(text);
        request.search.cancel = cancel;
        let answer = fixture
            .engine
            .run_stages(&fixture.store.snapshot(), &request)
            .expect("an answer");
        assert!(
            answer.account.incomplete.contains(&Incomplete::Cancelled),
            "{text}"
        );
        assert_eq!(answer.account.blocks.read, 0, "{text}");
    }
}

/// Rows that are looked at without a reservation, so that only what is kept counts.
fn open_rows(events: i64) -> Fixture {
    let mut fixture = Fixture::new(1 << 16);
    fixture.append(&sources()[0], &many(events));
    fixture
}

#[test]
fn groups_stop_at_the_memory_for_one_question() {
    let mut fixture = open_rows(5_000);
    let memory = MemoryBudget::new(1 << 20);
    fixture.engine = engine(memory.clone(), Clock::new(Instant::now));
    let answer = ask(&fixture, "* | stats count() by id");
    let [Incomplete::Groups { groups, bytes_max }] = answer.account.incomplete[..] else {
        panic!("{:?}", answer.account.incomplete);
    };
    assert_eq!(bytes_max, 1 << 18);
    assert!(groups > 100 && groups < 5_000, "{groups}");
    assert_eq!(memory.used_bytes(), answer.memory.bytes());
    drop(answer);
    assert_eq!(memory.used_bytes(), 0, "what was reserved is given back");
}

#[test]
fn rows_that_a_stage_remembers_stop_there_too() {
    let mut fixture = open_rows(5_000);
    fixture.engine = engine(MemoryBudget::new(1 << 18), Clock::new(Instant::now));
    for text in [
        "* | dedup id",
        "* | dedup id | sort by number | stats count()",
    ] {
        let answer = ask(&fixture, text);
        let bytes_max = 1 << 16;
        assert_eq!(
            answer.account.incomplete,
            [Incomplete::Kept { bytes_max }],
            "{text}"
        );
    }
}

#[test]
fn without_memory_for_blocks_nothing_is_counted_and_that_is_said() {
    let mut fixture = filled(&many(400));
    // Open rows take no memory for blocks.
    fixture.store.flush().expect("a flush");
    fixture.engine = engine(MemoryBudget::new(1), Clock::new(Instant::now));
    let answer = ask(&fixture, "* | stats sum(number)");
    assert_eq!(answer.account.incomplete, [Incomplete::Memory]);
    assert!(answer.account.blocks.unreached > 0);
}

#[test]
fn a_timechart_says_when_it_is_cut() {
    let mut fixture = open_rows(10);
    let mut late = many(1);
    late[0].time = 200_000_000_000;
    fixture.append(&sources()[0], &late);
    let answer = ask(&fixture, "* | timechart 1ms count()");
    assert_eq!(
        answer.account.incomplete,
        [Incomplete::Rows { rows_max: 100_000 }]
    );
    assert!(table(&answer).more);
}

#[test]
fn beyond_the_exact_limits_columns_are_named_as_approximate() {
    let fixture = open_rows(120_000);
    let text = "* | stats count_distinct(id) as ids, median(number) as middle, max(number)";
    let answer = ask(&fixture, text);
    let methods: Vec<(&str, bool)> = answer
        .approximate
        .iter()
        .map(|column| {
            (
                &*column.column,
                matches!(column.method, Method::HyperLogLog { .. }),
            )
        })
        .collect();
    assert_eq!(methods, [("ids", true), ("middle", false)]);
    let [Cell::Int(ids), Cell::Float(middle), Cell::Int(119_999)] = &table(&answer).rows[0][..]
    else {
        panic!("{:?}", table(&answer).rows);
    };
    assert!(ids.abs_diff(120_000) < 4_000, "{ids}");
    assert!((middle - 59_999.0).abs() < 59_999.0 * 0.004, "{middle}");
}

#[test]
fn few_values_are_exact() {
    let fixture = filled(&many(400));
    let answer = ask(&fixture, "* | stats count_distinct(id), median(number)");
    assert_eq!(answer.approximate, []);
    assert_eq!(table(&answer).rows, [[Cell::Int(400), Cell::Int(199)]]);
}

#[test]
fn a_limit_stops_before_the_last_block() {
    let fixture = filled(&many(400));
    let answer = ask(&fixture, "* | parse \"<number>\" from id | limit 3");
    assert!(
        answer.account.blocks.beyond_limit > 0,
        "{:?}",
        answer.account.blocks
    );
}

#[test]
fn what_the_directory_knows_is_not_read() {
    let mut fixture = filled(&many(400));
    fixture.store.flush().expect("a flush");
    let answer = ask(&fixture, "* | stats count(), rate() by level, dt:1h");
    let blocks = answer.account.blocks;
    assert_eq!(
        (blocks.counted_whole, answer.account.bytes_scanned),
        (blocks.total, 0)
    );
    assert_eq!(table(&answer).rows[0][2], Cell::Int(400));
    fixture = fixture.reopened();
    assert_eq!(ask(&fixture, "* | stats count()").account.blocks.read, 0);
}

/// One event with two arrays of so many elements, numbers that are the same every so often.
fn of_arrays(elements: usize) -> Fixture {
    let array = |prefix: &str| {
        let names = (0..elements).map(|index| format!("{prefix}{}", index % (elements / 2)));
        json!(names.collect::<Vec<_>>())
    };
    let fields = [("a".to_owned(), array("a")), ("b".to_owned(), array("b"))];
    filled(&[Document {
        time: 1,
        fields: fields.into_iter().collect(),
    }])
}

#[test]
fn an_event_in_many_groups_is_in_each_once() {
    let fixture = of_arrays(200);
    for (by, groups) in [("a", 100), ("a, b", 10_000)] {
        let mut request = request(&format!("* | stats count() by {by}"));
        request.rows_max = 20_000;
        let answer = fixture
            .engine
            .run_stages(&fixture.store.snapshot(), &request)
            .expect("an answer");
        assert!(answer.account.is_complete(), "{:?}", answer.account);
        let rows = &table(&answer).rows;
        assert_eq!(rows.len(), groups);
        assert!(rows.iter().all(|row| row.last() == Some(&Cell::Int(1))));
    }
}

/// All combinations of two large arrays would fill the memory of any machine.
#[test]
fn an_event_in_too_many_groups_is_refused() {
    let fixture = of_arrays(40_000);
    for text in [
        "* | stats count() by a, b",
        "* | fields a, b | limit 1 | stats count() by a, b",
        "* | limit 1 | stats count() by a, b",
    ] {
        let answer = ask(&fixture, text);
        assert_eq!(
            answer.account.incomplete,
            [Incomplete::Combinations],
            "{text}"
        );
    }
    assert!(
        ask(&fixture, "* | stats count() by a")
            .account
            .is_complete()
    );
}
