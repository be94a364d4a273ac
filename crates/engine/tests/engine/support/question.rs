//! Random queries, as text of the grammar.

use proptest::prelude::*;

const FIELDS: &[&str] = &[
    "message",
    "status",
    "count",
    "service",
    "user",
    "items",
    "user.name",
    "user.name.first",
    "items.name",
    "items.count",
    "user.count",
    "\"odd field\"",
    "x",
    "k1",
    "k99",
    "k255",
    "absent",
    "trace",
    "address",
];

const LITERALS: &[&str] = &[
    "alpha",
    "ALPHA",
    "beta",
    "beta-gamma",
    "delta",
    "500",
    "500.0",
    "5",
    "0.5",
    "-3",
    "true",
    "null",
    "strasse",
    "straße",
    "ÄRGER",
    "warn",
    "WARNING",
    "error",
    "odd",
    "10.0.0.5",
    "ログ",
    "K",
    "kelvin",
    "refused",
    "connection",
    "9007199254740993",
    "req-9e3779b97f4a7c15",
    "REQ-9E3779B97F4A7C15",
    "9e3779b97f4a7c15",
    "req-9e3779b97f4a7c1",
    "req",
    "10.16.2.3",
    "16.2.3",
    "0.16.2.3",
];

const PHRASES: &[&str] = &[
    "\"connection refused\"",
    "\"Connection Refused\"",
    "\"refused, alpha\"",
    "\"alpha beta\"",
    "\"\"",
    "\" \"",
    "\"one\\nline\"",
    "\"10.0.0.1:443\"",
    "\"a\"",
    "\".16.2.3\"",
    "\"10.0.2.\"",
    "\"-\"",
];

const TESTS: &[&str] = &[
    ":*",
    ":al*",
    ":*a",
    ":*fused*",
    ":?lpha",
    ":5*",
    ":/al[p]ha/",
    ":/ALPHA/i",
    "=~/^alpha$/",
    "!~/beta/",
    ":>4",
    ":>=4.5",
    ":<0",
    ":<=500",
    ">=5",
    ":[0 TO 5]",
    ":{0 TO 5}",
    ":[4 TO 500}",
    ":[* TO 5]",
    ":[alpha TO beta]",
    ":10.0.0.0/8",
    ":fe80::/16",
    ":in(500, alpha, true)",
    ":(alpha OR 500)",
    ":(error OR warn)",
    "=alpha",
    ":=alpha",
    "=500",
    "=true",
    "!=alpha",
    "!:alpha",
    "!=500",
    ":w*",
    "=req-9e3779b97f4a7c15",
    "=REQ-9e3779b97f4a7c15",
    "=10.0.2.4",
    ":10.16.0.0/16",
    ":10.0.2.4/31",
    ":req-9e*",
    ":(10.0.2.4 OR 10.16.2.3)",
];

const LEVEL_TESTS: &[&str] = &[
    ":*",
    ":w*",
    ":*d",
    ":/^w/",
    "=~/ARN/",
    "!~/err/",
    ":>=warn",
    ":<error",
    "=warn",
    "=WARNING",
    "=odd",
    "=ODD",
    ":(error OR warn)",
    ":(odd OR info)",
    ":in(error, odd)",
    ":[info TO error]",
    ":{info TO error}",
    "!=warn",
    ":30",
    "=30",
    ":err",
];

const OTHERS: &[&str] = &[
    "*",
    "*al*",
    "alpha",
    "500",
    "warn",
    "true",
    "\"connection refused\"",
    "ärger",
    "_source:first",
    "_source:1",
    "_source:2",
    "NOT _source:second",
];

fn clause() -> impl Strategy<Value = String> {
    let field = || proptest::sample::select(FIELDS);
    prop_oneof![
        3 => (field(), proptest::sample::select(LITERALS)).prop_map(|(field, word)| format!("{field}:{word}")),
        2 => (field(), proptest::sample::select(PHRASES)).prop_map(|(field, text)| format!("{field}:{text}")),
        4 => (field(), proptest::sample::select(TESTS)).prop_map(|(field, test)| format!("{field}{test}")),
        2 => proptest::sample::select(LEVEL_TESTS).prop_map(|test| format!("level{test}")),
        1 => proptest::sample::select(LITERALS).prop_map(|word| format!("level:{word}")),
        1 => proptest::sample::select(OTHERS).prop_map(str::to_owned),
        1 => proptest::sample::select(LITERALS).prop_map(str::to_owned),
        1 => (time_test(), 0i64..40).prop_map(|(test, nanos)| format!("dt:{test}\"{}\"", cordwood_event::Timestamp::from_nanos(nanos))),
    ]
}

fn time_test() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(&[">", ">=", "<", "<=", ""][..])
}

/// The text of a random filter.
pub(crate) fn question() -> impl Strategy<Value = String> {
    clause().prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            3 => proptest::collection::vec(inner.clone(), 2..4).prop_map(|terms| format!("({})", terms.join(" "))),
            2 => proptest::collection::vec(inner.clone(), 2..4).prop_map(|terms| format!("({})", terms.join(" OR "))),
            2 => inner.prop_map(|term| format!("NOT ({term})")),
        ]
    })
}
