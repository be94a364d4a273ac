//! Queries of what arrives against the naive evaluator: random events, random stages, batch after batch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cordwood_engine::{Clock, LiveQuery, LiveRow, SearchRequest};
use cordwood_event::{Event, Timestamp};
use cordwood_query::{Parsed, Stage, parse};
use cordwood_store::Feed;
use proptest::prelude::*;

use crate::oracle::{Step, steps, take};
use crate::support::document::Document;
use crate::support::fixture::{Fixture, newest, sorted, sources};
use crate::support::naive::{Circumstances, Rows, apply};
use crate::support::question::question;

const BLOCK_ROWS: usize = 8;

fn parsed(text: &str) -> Parsed {
    parse(text).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}"))
}

fn live(text: &str) -> LiveQuery {
    let now = Timestamp::from_nanos(40);
    LiveQuery::new(&parsed(text).query, Clock::new(Instant::now), now).expect("rows one by one")
}

fn later() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn named(source: cordwood_event::SourceId) -> cordwood_engine::SearchedSource {
    let mut sources = sources().into_iter();
    let found = sources.find(|other| other.id == source);
    found.expect("one of the two sources")
}

/// What a query finds of all that waits in a feed.
fn found(query: &mut LiveQuery, feed: &Feed) -> Vec<LiveRow> {
    let arrivals = feed.take(Duration::ZERO);
    let mut rows = Vec::new();
    for arrival in arrivals.batches {
        let examined = query.examine(&arrival.rows, &named(arrival.source), later());
        assert_eq!(examined.unexamined, 0);
        rows.extend(examined.rows);
    }
    rows
}

/// The same of the past, by a search and the stages.
fn searched(query: &mut LiveQuery, fixture: &Fixture) -> Vec<LiveRow> {
    let request = SearchRequest {
        filter: query.filter().clone(),
        ..newest("*", usize::MAX - 1)
    };
    let snapshot = fixture.store.snapshot();
    let answer = fixture
        .engine
        .search(&snapshot, &request)
        .expect("an answer");
    let mut events = answer.events;
    events.sort_by_key(|event| event.id.sequence);
    let rows = events.into_iter().filter_map(|event| {
        let source = named(event.source);
        query.pass(event, &source.name, later())
    });
    rows.collect()
}

/// What the naive evaluator makes of all events, in the order of arrival.
fn expected(text: &str, fixture: &Fixture) -> Rows {
    let query = parsed(text).query;
    let request = SearchRequest {
        filter: query.filter,
        ..newest("*", 0)
    };
    let mut events = fixture.expected(&request);
    events.sort_by_key(|event| event.id.sequence);
    let with_name = |event: Event| {
        let name = named(event.source).name;
        (event, name)
    };
    let around = Circumstances {
        now: Timestamp::from_nanos(40),
        range: None,
    };
    let rows = Rows::Events(events.into_iter().map(with_name).collect());
    apply(&query.stages, rows, around)
}

fn same(found: Vec<LiveRow>, expected: Rows) -> Result<(), TestCaseError> {
    match expected {
        Rows::Events(expected) => {
            let found: Option<Vec<Event>> = found
                .into_iter()
                .map(|row| match row {
                    LiveRow::Event(event) => Some(sorted(event)),
                    LiveRow::Columns(..) => None,
                })
                .collect();
            let expected = expected.into_iter().map(|(event, _)| sorted(event));
            prop_assert_eq!(found, Some(expected.collect()));
        }
        Rows::Table(expected) => {
            let found: Option<Vec<_>> = found
                .into_iter()
                .map(|row| match row {
                    LiveRow::Columns(_, cells) => Some(cells),
                    LiveRow::Event(_) => None,
                })
                .collect();
            prop_assert_eq!(found, Some(expected.rows));
        }
    }
    Ok(())
}

const ON_ROWS: &[&str] = &[
    "where message:timeout",
    "where NOT status:>=400",
    "parse \"<service> <x:word>\"",
    "parse \"re<x>ed\"",
    "parse \"<count:number>\" from status",
    "where x:*",
    "where count:>1",
];

const KEPT: &[&str] = &[
    "",
    " | fields message, x, count",
    " | fields message, x, count | where timeout",
    " | fields message, x, count | where x:* | fields x, message",
    " | fields dt, level, _source, user.name",
    " | fields dt, level, _source, user.name | where level:error OR _source:first",
    " | fields _id | where _id:*",
];

fn text() -> impl Strategy<Value = String> {
    let filter = prop_oneof![Just("*".to_owned()), question()];
    let on_rows = proptest::collection::vec(proptest::sample::select(ON_ROWS), 0..3);
    (filter, on_rows, proptest::sample::select(KEPT)).prop_map(|(filter, on_rows, kept)| {
        let stages: String = on_rows.iter().map(|stage| format!(" | {stage}")).collect();
        format!("{filter}{stages}{kept}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_arrives_and_what_is_searched_is_what_the_naive_evaluator_finds(
        steps in steps(),
        texts in proptest::collection::vec(text(), 12),
    ) {
        let mut fixture = Fixture::new(BLOCK_ROWS);
        let feeds: Vec<Feed> = texts.iter().map(|_| fixture.store.follow(1 << 20)).collect();
        let mut queries: Vec<LiveQuery> = texts.iter().map(|text| live(text)).collect();
        let mut seen: Vec<Vec<LiveRow>> = texts.iter().map(|_| Vec::new()).collect();
        for step in &steps {
            take(&mut fixture, std::slice::from_ref(step));
            for ((query, feed), seen) in queries.iter_mut().zip(&feeds).zip(&mut seen) {
                seen.extend(found(query, feed));
            }
        }
        for ((text, query), seen) in texts.iter().zip(&mut queries).zip(seen) {
            same(seen, expected(text, &fixture))?;
            same(searched(query, &fixture), expected(text, &fixture))?;
        }
    }
}

#[test]
fn stages_that_need_events_together_are_named() {
    let cases = [
        ("* | stats count()", Some((0, "stats"))),
        (
            "* | where a:1 | timechart 1m count()",
            Some((1, "timechart")),
        ),
        ("* | top 5 path", Some((0, "top"))),
        ("* | parse \"<a>\" | sort by a", Some((1, "sort"))),
        ("* | limit 5", Some((0, "limit"))),
        ("* | fields a | dedup a", Some((1, "dedup"))),
        (
            "* | where a:1 | parse \"<b>\" | fields a, b | where a:1",
            None,
        ),
    ];
    for (text, expected) in cases {
        let now = Timestamp::from_nanos(40);
        let query = LiveQuery::new(&parsed(text).query, Clock::new(Instant::now), now);
        let refused = query.err().map(|stage| (stage.index, stage.name));
        assert_eq!(refused, expected, "{text}");
    }
}

fn documents(message: &str, times: std::ops::Range<i64>) -> Vec<Document> {
    let fields = serde_json::Map::from_iter([("message".to_owned(), message.into())]);
    let document = |time| Document {
        time,
        fields: fields.clone(),
    };
    times.map(document).collect()
}

#[test]
fn relative_times_go_on_with_the_time() {
    let mut fixture = Fixture::new(BLOCK_ROWS);
    let feed = fixture.store.follow(1 << 20);
    let mut query = live("dt:<=now");
    fixture.append(&sources()[0], &documents("a", 35..45));
    assert_eq!(found(&mut query, &feed).len(), 6);
    query.set_now(Timestamp::from_nanos(50));
    fixture.append(&sources()[0], &documents("a", 45..55));
    assert_eq!(found(&mut query, &feed).len(), 6);
}

#[test]
fn expired_events_are_left_out() {
    let mut fixture = Fixture::new(BLOCK_ROWS);
    let feed = fixture.store.follow(1 << 20);
    fixture.append(&sources()[0], &documents("a", 0..10));
    let kept = cordwood_engine::SearchedSource {
        kept_from: Some(Timestamp::from_nanos(7)),
        ..sources()[0].clone()
    };
    for arrival in feed.take(Duration::ZERO).batches {
        let examined = live("*").examine(&arrival.rows, &kept, later());
        assert_eq!(examined.rows.len(), 3);
    }
}

/// Each look at the clock takes a millisecond.
fn ticking() -> (Clock, Instant) {
    let began = Instant::now();
    let looks = Arc::new(AtomicU64::new(0));
    let clock =
        Clock::new(move || began + Duration::from_millis(looks.fetch_add(1, Ordering::Relaxed)));
    (clock, began)
}

#[test]
fn past_its_deadline_a_query_says_what_it_has_not_looked_at() {
    let mut fixture = Fixture::new(10_000);
    let feed = fixture.store.follow(16 << 20);
    fixture.append(&sources()[0], &documents("plain", 0..1000));
    // A regular expression that looks at every byte of a text several times.
    let large = "ab".repeat(1 << 18);
    fixture.append(&sources()[0], &documents(&large, 0..4));
    let arrivals = feed.take(Duration::ZERO).batches;
    let now = Timestamp::from_nanos(40);

    let (clock, began) = ticking();
    let query = parsed("*").query;
    let mut query = LiveQuery::new(&query, clock, now).expect("rows one by one");
    let until = began + Duration::from_millis(6);
    let examined = query.examine(&arrivals[0].rows, &sources()[0], until);
    assert!(
        !examined.rows.is_empty() && examined.unexamined > 0,
        "some of them"
    );
    assert_eq!(examined.rows.len() as u64 + examined.unexamined, 1000);

    let (clock, began) = ticking();
    let query = parsed("message:/(a|b)*c$/").query;
    let mut query = LiveQuery::new(&query, clock, now).expect("rows one by one");
    let until = began + Duration::from_millis(5);
    let examined = query.examine(&arrivals[1].rows, &sources()[0], until);
    assert!(examined.unexamined > 0, "in the middle of a text");
    let until = began + Duration::from_secs(3600);
    let examined = query.examine(&arrivals[1].rows, &sources()[0], until);
    assert_eq!(examined.unexamined, 0, "it goes on with the next batch");
}

#[test]
fn a_source_that_the_query_does_not_admit_costs_nothing() {
    let mut fixture = Fixture::new(BLOCK_ROWS);
    let feed = fixture.store.follow(1 << 20);
    let mut query = live("_source:second");
    take(
        &mut fixture,
        &[
            Step::Append(0, documents("a", 0..3)),
            Step::Append(1, documents("b", 0..3)),
        ],
    );
    let past = Instant::now();
    for arrival in feed.take(Duration::ZERO).batches {
        let examined = query.examine(&arrival.rows, &named(arrival.source), past);
        let is_admitted = arrival.source == sources()[1].id;
        assert_eq!(examined.unexamined, if is_admitted { 3 } else { 0 });
    }
}

#[test]
fn a_row_knows_about_what_memory_it_takes() {
    let mut fixture = Fixture::new(BLOCK_ROWS);
    let feed = fixture.store.follow(1 << 20);
    fixture.append(&sources()[0], &documents(&"x".repeat(5000), 0..1));
    let mut query = live("*");
    let rows = found(&mut query, &feed);
    assert!(
        (5000..6000).contains(&rows[0].bytes()),
        "{}",
        rows[0].bytes()
    );
    assert!(!query.is_selective() && live("* | parse \"<a>\" | where a:1").is_selective());
    assert!(matches!(
        parsed("* | where a:1").query.stages[..],
        [Stage::Where(_)]
    ));
}
