//! Conditions count the same rows whether the engine tests them or DataFusion does.
//!
//! DataFusion tests a condition by itself when it is wrapped in something no engine knows: here in a CASE that gives
//! back what it was given.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::Fixture;

pub(crate) fn event() -> impl Strategy<Value = Value> {
    let text =
        proptest::sample::select(&["alpha", "Alpha", "alpha beta", "", "5", "%", "a_b", "ä"][..]);
    let level = proptest::sample::select(&["error", "WARN", "odd", "info"][..]);
    let float = prop_oneof![
        Just(json!(0.5)),
        Just(json!(-0.0)),
        Just(json!(0)),
        Just(json!(3)),
        Just(json!(9_007_199_254_740_993i64)),
    ];
    let mixed = prop_oneof![
        Just(json!("x")),
        Just(json!(5)),
        Just(json!([5, "x"])),
        Just(json!({"in": 1}))
    ];
    let member = |value: BoxedStrategy<Value>| proptest::option::weighted(0.8, value);
    (
        member(text.prop_map(|text| json!(text)).boxed()),
        member(level.prop_map(|level| json!(level)).boxed()),
        member(
            prop_oneof![
                (-2i64..4).prop_map(|number| json!(number)),
                Just(Value::Null)
            ]
            .boxed(),
        ),
        member(float.boxed()),
        member(any::<bool>().prop_map(|boolean| json!(boolean)).boxed()),
        member(mixed.boxed()),
    )
        .prop_map(|(text, level, int, float, boolean, mixed)| {
            let members = [
                ("message", text),
                ("level", level),
                ("n", int),
                ("x", float),
                ("b", boolean),
                ("m", mixed),
            ];
            let members = members
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?)));
            Value::Object(members.collect())
        })
}

fn leaf() -> impl Strategy<Value = String> {
    let operator = || proptest::sample::select(&["=", "<>", "<", "<=", ">", ">="][..]);
    let texts = || proptest::sample::select(&["alpha", "Alpha", "5", "", "b", "ä"][..]);
    let patterns =
        proptest::sample::select(&["alpha%", "%a", "a_b", "a\\\\_b", "%", "\\\\%", "%ä%", "_"][..]);
    prop_oneof![
        (operator(), texts()).prop_map(|(op, text)| format!("message {op} '{text}'")),
        (operator(), -2i64..4).prop_map(|(op, number)| format!("n {op} {number}")),
        (
            operator(),
            proptest::sample::select(&["0.5", "0", "3", "-1.5", "9007199254740992"][..])
        )
            .prop_map(|(op, number)| format!("x {op} {number}")),
        (
            operator(),
            proptest::sample::select(&["error", "warn", "WARN", "odd"][..])
        )
            .prop_map(|(op, level)| format!("level {op} '{level}'")),
        (operator(), 0i64..12)
            .prop_map(|(op, second)| format!("dt {op} '2026-03-27T10:00:{second:02}Z'")),
        (operator(), texts()).prop_map(|(op, text)| format!("m {op} '{text}'")),
        proptest::sample::select(
            &[
                "b",
                "b = false",
                "b IS TRUE",
                "b IS NOT TRUE",
                "b IS NOT FALSE"
            ][..]
        )
        .prop_map(str::to_owned),
        proptest::sample::select(&["message", "level", "n", "x", "b", "m", "dt", "_source"][..])
            .prop_flat_map(|name| proptest::sample::select(vec![
                format!("{name} IS NULL"),
                format!("{name} IS NOT NULL")
            ])),
        (
            patterns,
            proptest::sample::select(&["LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE"][..])
        )
            .prop_map(|(pattern, like)| format!("message {like} '{pattern}'")),
        Just("n IN (1, 2, 3)".to_owned()),
        Just("n NOT IN (1, 2)".to_owned()),
        Just("message IN ('alpha', '5')".to_owned()),
        Just("n BETWEEN 0 AND 2".to_owned()),
        Just("x NOT BETWEEN 0 AND 1".to_owned()),
        Just("_source = 'web'".to_owned()),
        Just("_source <> 'web'".to_owned()),
        Just("_source = '1'".to_owned()),
        Just("match(message, '^al.*a$')".to_owned()),
    ]
}

pub(crate) fn condition() -> impl Strategy<Value = String> {
    leaf().prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} AND {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} OR {b})")),
            inner.prop_map(|a| format!("NOT ({a})")),
        ]
    })
}

/// Every field is there, so that it is a column whatever the events are.
pub(crate) fn every_field() -> Value {
    json!({"message": "m", "level": "info", "n": 1, "x": 1.5, "b": true, "m": "x"})
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn conditions_mean_the_same(
        first in proptest::collection::vec(event(), 1..10),
        second in proptest::collection::vec(event(), 0..6),
        conditions in proptest::collection::vec(condition(), 10),
    ) {
        let mut fixture = Fixture::new();
        fixture.append(0, &[every_field()]);
        fixture.append(0, &first);
        fixture.store.flush().expect("a flush");
        fixture.append(1, &[every_field()]);
        fixture.append(1, &second);
        for condition in conditions {
            let pushed = format!("SELECT _id FROM logs WHERE {condition} ORDER BY _id");
            let kept = format!(
                "SELECT _id FROM (SELECT _id, CASE WHEN {condition} THEN 1 ELSE 0 END AS held FROM logs) WHERE held + length(_id) * 0 = 1 ORDER BY _id"
            );
            prop_assert_eq!(fixture.rows(&pushed), fixture.rows(&kept), "{}", condition);
        }
    }
}
