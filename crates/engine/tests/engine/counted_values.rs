//! Questions about fields of few values, which directories answer, against the matcher and the naive evaluator.

use cordwood_engine::{Order, SearchRequest, Total};
use cordwood_query::TimeBounds;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::stages::{Asked, check};
use crate::support::document::Document;
use crate::support::fixture::{Fixture, newest, sources};

/// A value is counted where 32 rows have each.
const BLOCK_ROWS: usize = 512;

const FILTERS: &[&str] = &[
    "*",
    "host:web*",
    "host:web-1",
    "NOT host:web-1",
    "host:* NOT host:db",
    "NOT host:*",
    "host:(web-1 OR db)",
    "host:/b$/",
    "status:200",
    "status:>=200",
    "status:200..299 OR status:missing",
    "status:>200 NOT status:500",
    "kind:only",
    "NOT kind:only",
    "kind:x",
    "web",
    "only",
    "nowhere",
    "host:web-1 status:500",
    "host:web-1 OR kind:only",
    "NOT (host:web-1 AND host:db)",
    "tags:red",
    "level:error host:db",
    "host:web-2 kind:only",
];

const COLUMNS: &[&str] = &[
    "count()",
    "count(), rate()",
    "count() if (host:web*) as web, count()",
    "count() if (NOT status:>=500), count() if (kind:only) as kinds",
    "count(host)",
    "count_distinct(status), avg(status), max(host)",
    "p50(status), sum(status), count() if (status:200)",
    "first(host), last(status)",
];

const KEYS: &[&str] = &[
    "",
    "host",
    "status",
    "kind",
    "tags",
    "none",
    "host, kind",
    "kind, none",
    "host, status",
    "_source, host",
    "dt:1h, host",
    "level",
];

fn document(number: i64, values: &[i64; 4]) -> Document {
    let [host, status, kind, tags] = *values;
    let mut fields = Map::new();
    let hosts = ["web-1", "web-2", "db", "Web-3"];
    if let Some(host) = usize::try_from(host).ok().and_then(|host| hosts.get(host)) {
        fields.insert("host".to_owned(), Value::from(*host));
    }
    let statuses = [
        json!(200),
        json!(200.0),
        json!("200"),
        json!(500),
        Value::Null,
        json!(200.5),
        json!(true),
    ];
    let status = usize::try_from(status)
        .ok()
        .and_then(|status| statuses.get(status));
    fields.extend(status.map(|status| ("status".to_owned(), status.clone())));
    if kind > 0 {
        fields.insert("kind".to_owned(), json!("only"));
    }
    let tags = match tags {
        0 => json!("red"),
        1 => json!(["red", "blue"]),
        _ => json!("blue"),
    };
    fields.insert("tags".to_owned(), tags);
    Document {
        time: number,
        fields,
    }
}

/// Events of two sources, each with so many values of each field.
fn events() -> impl Strategy<Value = Vec<Vec<Document>>> {
    let kinds = (1i64..6, 1i64..9, 1i64..3, 0i64..3);
    let source = (kinds, 0i64..3, 60i64..900, any::<u32>());
    proptest::collection::vec(source, 2).prop_map(|sources| {
        let of_source = |((hosts, statuses, kinds, tags), first, count, seed)| {
            let mut mix: u32 = seed;
            let mut next = |end: i64| {
                mix = mix.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (i64::from(mix >> 8) * end) >> 24
            };
            let mut of = |number: i64| {
                let values = [
                    first + next(hosts),
                    first + next(statuses),
                    next(kinds) + first,
                    2 - next(tags + 1),
                ];
                document(number, &values)
            };
            (0..count).map(&mut of).collect()
        };
        sources.into_iter().map(of_source).collect()
    })
}

fn fixture(events: &[Vec<Document>]) -> Fixture {
    let mut fixture = Fixture::new(BLOCK_ROWS);
    for (index, (source, documents)) in sources().iter().zip(events).enumerate() {
        // Lists of values of several segments, and of blocks in memory.
        let (first, second) = documents.split_at(documents.len() / 2);
        fixture.append(source, first);
        if index == 0 {
            fixture.store.flush().expect("a flush");
        }
        fixture.append(source, second);
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

fn stages() -> impl Strategy<Value = String> {
    let pick = |all: &'static [&'static str]| proptest::sample::select(all);
    prop_oneof![
        4 => (pick(COLUMNS), pick(KEYS)).prop_map(|(columns, keys)| {
            let by = if keys.is_empty() { "" } else { " by " };
            format!(" | stats {columns}{by}{keys}")
        }),
        1 => pick(&["host", "status, kind", "tags", "none", "kind, host"]).prop_map(|fields| format!(" | dedup {fields}")),
        1 => pick(&["host", "status", "kind, host"]).prop_map(|fields| format!(" | top 3 {fields}")),
    ]
}

fn counting(filter: &str) -> SearchRequest {
    SearchRequest {
        total: Total::Count,
        ..newest(filter, 0)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn directories_count_the_values_that_rows_have(
        events in events(),
        questions in proptest::collection::vec((proptest::sample::select(FILTERS), stages()), 40),
    ) {
        let fixture = fixture(&events);
        let snapshot = fixture.store.snapshot();
        for (filter, stages) in &questions {
            check(&fixture, &asking(filter, stages))?;
            let request = counting(filter);
            let answer = fixture.engine.search(&snapshot, &request).expect("an answer");
            let expected = fixture.expected(&request).len() as u64;
            prop_assert_eq!(answer.total, Some(expected), "{}", filter);
        }
    }
}

/// One source with three hosts, the third of which is in a tenth of the rows, and a field that is in half.
fn of_three_hosts() -> Fixture {
    let documents = (0..1500).map(|number| {
        let host = if number % 10 == 0 { 2 } else { number % 2 };
        document(number, &[host, 0, number / 2 % 2, 2])
    });
    let mut fixture = Fixture::new(BLOCK_ROWS);
    fixture.append(&sources()[0], &documents.collect::<Vec<_>>());
    fixture.store.flush().expect("a flush");
    fixture
}

#[test]
fn questions_about_one_field_read_nothing() {
    let fixture = of_three_hosts();
    let snapshot = fixture.store.snapshot();
    for (filter, expected) in [
        ("host:web*", 1350),
        ("NOT host:db", 1350),
        ("host:db OR host:*-2", 900),
        ("NOT kind:only", 750),
        ("host:(db OR none) status:200", 150),
    ] {
        let answer = fixture
            .engine
            .search(&snapshot, &counting(filter))
            .expect("an answer");
        assert_eq!(answer.total, Some(expected), "{filter}");
        assert_eq!(
            (answer.account.blocks.read, answer.account.bytes_scanned),
            (0, 0),
            "{filter}"
        );
    }
    for (filter, stages) in [
        ("*", " | stats count() by host"),
        ("*", " | top 2 host"),
        ("host:web*", " | stats count(), rate() by host, _source"),
        (
            "*",
            " | stats count() if (host:db) as db, count() by host, status",
        ),
        ("NOT kind:only", " | stats count()"),
        ("*", " | stats count() by kind, none, dt:1h"),
    ] {
        let answer = check(&fixture, &asking(filter, stages)).expect("the naive answer");
        let account = answer.account;
        assert_eq!(
            (account.blocks.read, account.bytes_scanned),
            (0, 0),
            "{filter}{stages}"
        );
    }
}

#[test]
fn blocks_without_the_value_are_not_read() {
    let fixture = of_three_hosts();
    let snapshot = fixture.store.snapshot();
    for filter in ["host:/^x/", "host:web-1 status:>300"] {
        let answer = fixture
            .engine
            .search(&snapshot, &newest(filter, 10))
            .expect("an answer");
        let blocks = answer.account.blocks;
        assert_eq!(
            (blocks.pruned(), answer.account.bytes_scanned),
            (blocks.total, 0),
            "{filter}"
        );
    }
}

#[test]
fn what_is_about_two_fields_is_read() {
    let fixture = of_three_hosts();
    for (filter, stages) in [
        ("kind:only", " | stats count() by host"),
        ("*", " | stats count() by host, kind"),
        ("*", " | stats count(kind) by host"),
    ] {
        let answer = check(&fixture, &asking(filter, stages)).expect("the naive answer");
        assert!(answer.account.blocks.read > 0, "{filter}{stages}");
    }
}
