//! Aggregates come to the same whether the engine computes them or DataFusion does.
//!
//! DataFusion computes them by itself over rows that are chosen by a condition no engine knows.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::Fixture;

/// Holds for every row.
const UNKNOWN: &str = "length(_id) > 0";

fn explained(fixture: &Fixture, statement: &str) -> String {
    fixture.rows(&format!("EXPLAIN {statement}")).join("\n")
}

#[track_caller]
fn check_pushed(fixture: &Fixture, statement: &str, stats: &str) {
    let plan = explained(fixture, statement);
    assert!(plan.contains(stats), "{statement}: {plan}");
}

#[test]
fn plans_say_what_the_engine_computes() {
    let fixture = Fixture::usual();
    let check = |statement: &str, stats: &str| check_pushed(&fixture, statement, stats);
    check(
        "SELECT count() FROM web",
        "LogStats: stats count(), filter=*",
    );
    check(
        "SELECT level, count(*), max(http.status) FROM web WHERE cached GROUP BY level",
        "LogStats: stats count(), max(http.status) by level, filter=cached=true",
    );
    check(
        "SELECT toStartOfInterval(dt, INTERVAL 5 MINUTE) AS time, countIf(level = 'error'), min(dt) FROM logs GROUP BY time",
        "LogStats: stats count() if (level=error), min(dt) by dt:5m, filter=*",
    );
    check(
        "SELECT date_trunc('hour', dt) AS hour, count(user) FILTER (WHERE http.status < 205) FROM web GROUP BY hour",
        "LogStats: stats count(user) if (http.status:<205) by dt:1h, filter=*",
    );
    check(
        "SELECT uniqExact(user), sum(http.status), avg(http.status) FROM web",
        "LogStats: stats count_distinct(user), sum(http.status), avg(http.status), filter=*",
    );
    check(
        "SELECT sum(duration_ms) FROM web",
        "LogStats: stats sum(duration_ms), filter=*",
    );
    check(
        "SELECT DISTINCT user FROM web",
        "LogStats: stats by user, filter=*",
    );
    check(
        "WITH requests AS (SELECT http.status AS status, user AS who FROM web WHERE http.status > 200) SELECT who, max(status) FROM requests AS r GROUP BY who",
        "LogStats: stats max(http.status) by user, filter=http.status:>200",
    );
    check(
        "SELECT n FROM (SELECT user, count() AS n FROM web GROUP BY user) ORDER BY n DESC LIMIT 1",
        "LogStats: stats count() by user, filter=*",
    );
}

#[test]
fn what_the_engine_computes_otherwise_is_left_to_datafusion() {
    let fixture = Fixture::usual();
    for statement in [
        "SELECT odd, count() FROM web GROUP BY odd",
        "SELECT count(odd) FROM web",
        "SELECT min(user) FROM web",
        "SELECT max(cached) FROM web",
        "SELECT sum(http.status + 1) FROM web",
        "SELECT http.status % 2 AS rest, count() FROM web GROUP BY rest",
        "SELECT uniqExact(duration_ms) FILTER (WHERE cached), count() FROM web",
        "SELECT quantile(0.5)(duration_ms) FROM web",
        "SELECT uniq(user) FROM web",
        "SELECT any(user) FROM web",
        "SELECT toMonday(dt) AS week, count() FROM web GROUP BY week",
        "SELECT countIf(length(user) > 1) FROM web",
        "SELECT count() FROM web WHERE message ILIKE 'get%'",
        "SELECT count() FROM (SELECT * FROM web LIMIT 3)",
        "SELECT user, level, count() FROM web GROUP BY ROLLUP (user, level)",
        "SELECT count() FROM web AS a JOIN web AS b ON a._id = b._id",
    ] {
        let plan = explained(&fixture, statement);
        assert!(!plan.contains("LogStats"), "{statement}: {plan}");
    }
}

#[test]
fn nothing_has_a_row_only_where_nothing_is_grouped() {
    let fixture = Fixture::usual();
    fixture.check(
        "SELECT count(), count(user), sum(http.status), avg(duration_ms), min(dt), uniqExact(user) FROM web WHERE http.status > 900",
        &["0,0,,,,0"],
    );
    fixture.check(
        "SELECT user, count() FROM web WHERE http.status > 900 GROUP BY user",
        &[],
    );
}

#[test]
fn levels_that_are_no_text_are_one_column_all_the_same() {
    let mut fixture = Fixture::new();
    fixture.append(
        0,
        &[
            json!({"level": "3.5"}),
            json!({"level": 3.5}),
            json!({"level": ["a", "b"]}),
            json!({"level": "WARNING"}),
            json!({}),
        ],
    );
    fixture.check(
        "SELECT level, count() FROM web GROUP BY level ORDER BY level",
        &["3.5,2", "\"[\"\"a\"\",\"\"b\"\"]\",1", "warn,1", ",1"],
    );
    check_pushed(&fixture, "SELECT count(level) FROM web", "LogStats");
    fixture.check("SELECT count(level) FROM web", &["4"]);
}

#[test]
fn sums_are_as_large_as_those_of_datafusion() {
    let mut fixture = Fixture::new();
    fixture.append(
        0,
        &[
            json!({"n": i64::MAX, "x": 1e308, "k": 9_007_199_254_740_993i64}),
            json!({"n": 1, "x": 1e308, "k": 9_007_199_254_740_992i64}),
            json!({"n": 1, "x": 0.5, "k": 0.5}),
        ],
    );
    fixture.check("SELECT sum(n) FROM web", &["-9223372036854775807"]);
    fixture.check("SELECT sum(x), avg(x) FROM web", &["inf,inf"]);
    // Two integers are one float.
    fixture.check(
        "SELECT k, count() FROM web GROUP BY k ORDER BY k",
        &["0.5,1", "9007199254740992.0,2"],
    );
}

#[test]
fn sources_of_one_name_are_one_group() {
    let mut fixture = Fixture::usual();
    fixture.append(0, &[json!({"message": "m"})]);
    let mut request = fixture.request("SELECT _source, count() FROM logs GROUP BY _source");
    for source in &mut request.sources {
        source.name = "same".to_owned();
    }
    let answer = fixture.run(&request).expect("an answer");
    assert_eq!(answer.rows(), 1);
}

fn event() -> impl Strategy<Value = Value> {
    let numbers = prop_oneof![
        Just(json!(0.5)),
        Just(json!(-0.0)),
        Just(json!(-2.25)),
        Just(json!(3)),
        Just(json!(1e308)),
    ];
    let integers = proptest::sample::select(&[i64::MIN, i64::MAX, -1, 0, 1, 7][..]);
    let keys = prop_oneof![
        Just(json!(0.0)),
        Just(json!(1)),
        Just(json!(1.5)),
        Just(json!(9_007_199_254_740_992i64)),
        Just(json!(9_007_199_254_740_993i64)),
    ];
    let member = |value: BoxedStrategy<Value>| proptest::option::weighted(0.7, value);
    (
        crate::pushed::event(),
        member(numbers.boxed()),
        member(integers.prop_map(|integer| json!(integer)).boxed()),
        member(keys.boxed()),
    )
        .prop_map(|(mut event, number, integer, key)| {
            for (name, value) in [("y", number), ("i", integer), ("k", key)] {
                if let Some(value) = value {
                    event[name] = value;
                }
            }
            event
        })
}

fn keys() -> impl Strategy<Value = Vec<String>> {
    let keys = [
        "message",
        "level",
        "n",
        "k",
        "b",
        "_source",
        "toStartOfInterval(dt, INTERVAL 3 SECOND)",
        "toStartOfMinute(dt)",
        "date_trunc('second', dt)",
    ];
    proptest::sample::subsequence(keys.map(str::to_owned).to_vec(), 0..3)
}

fn computed() -> impl Strategy<Value = String> {
    let functions = [
        "count(*)",
        "count(message)",
        "count(level)",
        "count(x)",
        "count(b)",
        "count(_id)",
        "sum(n)",
        "sum(i)",
        "sum(y)",
        "avg(n)",
        "avg(y)",
        "min(n)",
        "max(i)",
        "min(x)",
        "max(x)",
        "max(k)",
        "min(dt)",
        "max(dt)",
        "count(DISTINCT message)",
        "count(DISTINCT n)",
        "count(DISTINCT level)",
        "count(DISTINCT b)",
    ];
    let function = proptest::sample::select(functions.to_vec());
    let condition = proptest::option::weighted(0.4, crate::pushed::condition());
    (function, condition).prop_map(|(function, condition)| match condition {
        Some(condition) => format!("{function} FILTER (WHERE {condition})"),
        None => function.to_owned(),
    })
}

/// What is selected, and what it is grouped by.
fn grouping() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    (keys(), proptest::collection::vec(computed(), 1..4))
}

fn statement((keys, computed): &(Vec<String>, Vec<String>), condition: &str) -> String {
    let named = computed.iter().enumerate();
    let named = named.map(|(index, computed)| format!("{computed} AS c{index}"));
    let selected: Vec<String> = keys.iter().cloned().chain(named).collect();
    let selected = selected.join(", ");
    match keys.as_slice() {
        [] => format!("SELECT {selected} FROM logs WHERE {condition}"),
        keys => format!(
            "SELECT {selected} FROM logs WHERE {condition} GROUP BY {}",
            keys.join(", ")
        ),
    }
}

fn sorted(mut rows: Vec<String>) -> Vec<String> {
    rows.sort();
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn aggregates_come_to_the_same(
        first in proptest::collection::vec(event(), 1..14),
        second in proptest::collection::vec(event(), 0..6),
        asked in proptest::collection::vec((grouping(), crate::pushed::condition()), 10),
    ) {
        let mut every_field = crate::pushed::every_field();
        for (name, value) in [("y", json!(1.5)), ("i", json!(1)), ("k", json!(2.5))] {
            every_field[name] = value;
        }
        let mut fixture = Fixture::new();
        fixture.append(0, std::slice::from_ref(&every_field));
        fixture.append(0, &first);
        fixture.store.flush().expect("a flush");
        fixture.append(1, &[every_field]);
        fixture.append(1, &second);
        for (grouping, condition) in asked {
            let pushed = sorted(fixture.rows(&statement(&grouping, &condition)));
            let unpushed = statement(&grouping, &format!("({condition}) AND {UNKNOWN}"));
            prop_assert!(!explained(&fixture, &unpushed).contains("LogStats"));
            prop_assert_eq!(pushed, sorted(fixture.rows(&unpushed)), "{}", unpushed);
        }
    }
}
