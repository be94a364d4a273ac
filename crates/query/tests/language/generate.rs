//! Random texts, filters and events, of an alphabet small enough that they meet.

mod stages;

use std::ops::Bound;

use cordwood_event::{EventId, Timestamp};
use cordwood_query::{
    Cidr, Clause, Filter, GlobToken, Range, RegexTest, Target, Test, TimePoint, TimeTest, TimeUnit,
    Wildcard,
};
use proptest::prelude::*;
use proptest::sample::select;

pub(crate) use stages::{pattern, query};

/// Pieces of which texts are made: letters that fold and that do not, digits, everything the grammar gives a
/// meaning to.
const PIECES: &[&str] = &[
    "a",
    "B",
    "b",
    "ab",
    "aB",
    "_",
    "1",
    "5",
    "-5",
    "1.0",
    "true",
    " ",
    "\t",
    "é",
    "É",
    "\u{212a}",
    "k",
    "İ",
    "ß",
    "ẞ",
    "Ⱥ",
    "ⱥ",
    "日本",
    "Σ",
    "σ",
    "ς",
    "\u{fffd}",
    "\0",
    "\n",
    "-",
    ".",
    "@",
    ":",
    "/",
    "\\",
    "\"",
    "*",
    "?",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "|",
    "||",
    "&",
    "&&",
    "!",
    "=",
    "<",
    ">",
    "~",
    ",",
    "AND",
    "OR",
    "NOT",
    "TO",
    "and",
    "in",
    "in(",
    "now",
    "warn",
    "10.0.0.0/8",
    "10.1.2.3",
    "#",
    "2026-03-27",
    "🦀",
];

const WORDS: &[&str] = &[
    "a", "b", "ab", "aB", "b1", "warn", "5", "true", "é", "10.1.2.3", "_",
];

pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => select(WORDS).prop_map(str::to_owned),
        2 => prop::collection::vec(select(PIECES), 0..6).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
    ]
}

/// Texts that look like queries more often than chance would have it.
pub(crate) fn query_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => select(PIECES).prop_map(str::to_owned),
        2 => select(&["a:", "dt:", "level:", "_id:", "_source:", "b>=", "a=~/", "x!=", "/i", " OR ", " AND ", "a:[1 TO 5]", "in(1, 2)", "(", ")", "\"a b\"", " | stats ", " | where ",
            " | sort by ", " | limit 5", " | fields ", " | dedup ", " | top ", " | timechart 1m ", " | parse ", "count()", "p95(a)", "sum(b)", " if (",
            " as ", " by ", "dt:5m", ", ", " desc", "\"<a> b\"", " from ", "<a:number>"][..])
            .prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(&["a", "b", "a.b", "list", "list.k", "n", "message"][..]).prop_map(str::to_owned),
        1 => text(),
    ]
}

fn bound<T: std::fmt::Debug + Clone + 'static>(
    end: impl Strategy<Value = T> + Clone + 'static,
) -> impl Strategy<Value = Bound<T>> {
    prop_oneof![
        1 => Just(Bound::Unbounded),
        2 => end.clone().prop_map(Bound::Included),
        2 => end.prop_map(Bound::Excluded),
    ]
}

/// Ranges that end before they begin are refused.
fn is_in_order(clause: &Clause) -> bool {
    match cordwood_query::parse(&clause.to_string()) {
        Ok(_) => true,
        Err(said) => !said
            .0
            .iter()
            .any(|said| said.message == "The range ends before it begins."),
    }
}

fn range() -> impl Strategy<Value = Range> {
    let end = prop_oneof![
        (-9_i64..9).prop_map(|number| number.to_string()),
        (-9.0_f64..9.0).prop_map(|number| number.to_string()),
        text(),
    ]
    .boxed();
    (bound(end.clone()), bound(end)).prop_filter_map("a range has an end", |(lower, upper)| {
        Range::new(lower, upper)
    })
}

fn wildcard() -> impl Strategy<Value = Wildcard> {
    let token = prop_oneof![
        3 => text().prop_map(|text| text.chars().take(2).map(GlobToken::Char).collect()),
        1 => Just(vec![GlobToken::AnyChar]),
        2 => Just(vec![GlobToken::AnyRun]),
    ];
    prop::collection::vec(token, 1..6)
        .prop_filter_map("has a wildcard", |tokens| Wildcard::new(tokens.concat()))
}

fn regex() -> impl Strategy<Value = RegexTest> {
    let source = prop_oneof![
        select(
            &[
                "a",
                "^a",
                "b$",
                "[ab]+",
                "a/b",
                r"\/",
                r"\d+",
                "(a|b) ",
                ".",
                "é",
                "took [0-9]{4,}"
            ][..]
        )
        .prop_map(str::to_owned),
        text().prop_map(|text| regex::escape(&text)),
    ];
    (source, any::<bool>()).prop_filter_map("not empty", |(source, is_case_ignored)| {
        (!source.is_empty()).then(|| RegexTest::new(&source, is_case_ignored).unwrap())
    })
}

fn field_test() -> impl Strategy<Value = Test> {
    let single = prop_oneof![
        1 => Just(Test::Present),
        4 => text().prop_filter("not empty", |text| !text.is_empty()).prop_map(Test::Contains),
        3 => text().prop_map(Test::Equals),
        3 => wildcard().prop_map(Test::Wildcard),
        2 => regex().prop_map(Test::Regex),
        3 => range().prop_map(Test::Range),
        1 => (any::<std::net::IpAddr>(), 0_u8..=32)
            .prop_map(|(address, bits)| Test::Cidr(Cidr::new(address, bits).unwrap())),
        1 => Just(Test::Cidr(Cidr::parse("10.0.0.0/8").unwrap())),
    ]
    .boxed();
    let literal = prop_oneof![
        text()
            .prop_filter("not empty", |text| !text.is_empty())
            .prop_map(Test::Contains),
        text().prop_map(Test::Equals),
    ];
    // Enough that they are looked for together.
    let many = prop::collection::vec(literal, 32..40).prop_map(Test::any_of);
    prop_oneof![9 => alternatives(single), 1 => many]
}

fn alternatives(single: BoxedStrategy<Test>) -> impl Strategy<Value = Test> {
    prop_oneof![
        4 => single.clone(),
        1 => prop::collection::vec(single, 2..4).prop_map(Test::any_of),
    ]
}

fn level_test() -> impl Strategy<Value = Test> {
    let name = select(&["warn", "ERROR", "info", "50", "3", "odd", "odd one"][..])
        .prop_map(str::to_owned)
        .boxed();
    let level = select(&["warn", "error", "info", "FATAL"][..])
        .prop_map(str::to_owned)
        .boxed();
    let single = prop_oneof![
        Just(Test::Present),
        name.clone().prop_map(Test::Contains),
        name.prop_map(Test::Equals),
        wildcard().prop_map(Test::Wildcard),
        regex().prop_map(Test::Regex),
        (bound(level.clone()), bound(level))
            .prop_filter_map("a range has an end", |(lower, upper)| {
                Range::new(lower, upper).map(Test::Range)
            }),
    ]
    .boxed();
    alternatives(single)
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    // The second half of an hour around now.
    (0_i64..3600).prop_map(|second| {
        Timestamp::from_nanos((1_774_609_200 + second) * 1_000_000_000 + second % 7 * 1_001_000)
    })
}

fn time_point() -> impl Strategy<Value = TimePoint> {
    let day_nanos = 86_400_000_000_000;
    let offset = (-9_000_i64..9_000).prop_map(|seconds| TimePoint::Now(seconds * 1_000_000_000));
    let instant = (timestamp(), 0_u8..=10).prop_map(|(timestamp, unit)| {
        let (unit, nanos) = match unit {
            0 => (TimeUnit::Second, 1_000_000_000),
            10 => (TimeUnit::Minute, 60_000_000_000),
            decimals => (
                TimeUnit::Decimals(decimals),
                10_i64.pow(9 - u32::from(decimals)),
            ),
        };
        let nanos = timestamp.as_nanos() / nanos * nanos;
        TimePoint::Instant(Timestamp::from_nanos(nanos), unit)
    });
    let date = (-2_i64..2).prop_map(move |days| {
        TimePoint::Date(Timestamp::from_nanos(
            1_774_569_600_000_000_000 + days * day_nanos,
        ))
    });
    prop_oneof![offset, instant, date]
}

fn time_test() -> impl Strategy<Value = Test> {
    let during = time_point()
        .prop_filter("an instant from now is no span", |point| {
            !matches!(point, TimePoint::Now(_))
        })
        .prop_map(TimeTest::During);
    let between = (bound(time_point().boxed()), bound(time_point().boxed()))
        .prop_filter("has an end", |ends| {
            !matches!(ends, (Bound::Unbounded, Bound::Unbounded))
        })
        .prop_map(|(lower, upper)| TimeTest::Between(lower, upper));
    let single = prop_oneof![
        1 => Just(Test::Present),
        3 => during.prop_map(Test::Time),
        3 => between.prop_map(Test::Time),
    ]
    .boxed();
    alternatives(single)
}

fn id_test() -> impl Strategy<Value = Test> {
    let id = (timestamp(), 30_u64..33).prop_map(|(timestamp, sequence)| {
        Test::Id(EventId {
            timestamp,
            sequence,
        })
    });
    alternatives(prop_oneof![Just(Test::Present), id].boxed())
}

fn source_test() -> impl Strategy<Value = Test> {
    let name = select(&["7", "src-7", "8", "Checkout api", "checkout API", "api"][..])
        .prop_map(str::to_owned)
        .boxed();
    let single = prop_oneof![
        name.clone().prop_map(Test::Contains),
        name.prop_map(Test::Equals),
        wildcard().prop_map(Test::Wildcard),
    ]
    .boxed();
    alternatives(single)
}

fn clause() -> impl Strategy<Value = Clause> {
    let of = |target: Target| {
        move |test: Test| Clause {
            target: target.clone(),
            test,
        }
    };
    let clause = prop_oneof![
        2 => field_test()
            .prop_filter("presence of any field is every event", |test| {
                !test.alternatives().contains(&Test::Present)
            })
            .prop_map(of(Target::AnyField)),
        8 => (name(), field_test()).prop_filter_map("the name is not reserved", |(name, test)| {
            let target = Target::named(&name);
            matches!(target, Target::Field(_)).then_some(Clause { target, test })
        }),
        2 => level_test().prop_map(of(Target::Level)),
        2 => time_test().prop_map(of(Target::Time)),
        1 => source_test().prop_map(of(Target::Source)),
        1 => id_test().prop_map(of(Target::Id)),
    ];
    clause.prop_filter("is in order", is_in_order)
}

/// Filters as the parser would make them.
pub(crate) fn filter() -> impl Strategy<Value = Filter> {
    let leaf = prop_oneof![
        1 => Just(Filter::All),
        9 => clause().prop_map(Filter::Clause),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Filter::and),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Filter::or),
            inner.prop_map(Filter::negated),
        ]
    })
}

fn leaf() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::json;
    prop_oneof![
        1 => Just(json!(null)),
        1 => any::<bool>().prop_map(|boolean| json!(boolean)),
        2 => (-9_i64..9).prop_map(|number| json!(number)),
        1 => (-9.0_f64..9.0).prop_map(|number| json!((number * 2.0).round() / 2.0)),
        1 => Just(json!(u64::MAX)),
        6 => text().prop_map(|text| json!(text)),
    ]
}

/// Events as JSON.
pub(crate) fn event() -> impl Strategy<Value = String> {
    let list = prop::collection::vec(
        prop_oneof![
            leaf(),
            leaf().prop_map(|value| serde_json::json!({ "k": value })),
            leaf().prop_map(|value| serde_json::json!([value])),
        ],
        0..3,
    );
    let members = (
        prop::option::of(leaf()),
        prop::option::of(leaf()),
        prop::option::of(leaf()),
        prop::option::of(list),
        prop::option::of(select(&["warn", "Warning", "error", "odd", "60"][..])),
        prop::option::of(timestamp()),
    );
    members.prop_map(|(a, b, inner, list, level, dt)| {
        let mut event = serde_json::Map::new();
        let mut put = |key: &str, value: Option<serde_json::Value>| {
            if let Some(value) = value {
                event.insert(key.to_owned(), value);
            }
        };
        put("a", a);
        put("n", b);
        put(
            "b",
            inner.map(|value| serde_json::json!({ "b": value, "a.b": "ab" })),
        );
        put("list", list.map(serde_json::Value::Array));
        put("level", level.map(serde_json::Value::from));
        put("dt", dt.map(|dt| serde_json::Value::from(dt.to_string())));
        serde_json::Value::Object(event).to_string()
    })
}
