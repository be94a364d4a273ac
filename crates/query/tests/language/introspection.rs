//! What a filter and its clauses tell the evaluator.

use cordwood_event::{Level, SourceId, Timestamp};
use cordwood_query::{CompiledClause, FieldName, Predicate, Reach, Target, TextTest, TimeBounds};

use crate::event::{filter, now};

fn bounds(query: &str) -> (String, String) {
    let TimeBounds { first, last } = filter(query).time_bounds(now());
    let text = |timestamp: Timestamp| match timestamp {
        Timestamp::MIN => "-".to_owned(),
        Timestamp::MAX => "-".to_owned(),
        other => other.to_string(),
    };
    (text(first), text(last))
}

#[test]
fn time_clauses_narrow_the_scan() {
    for (query, first, last) in [
        ("a", "-", "-"),
        (
            "dt:2026-03-27 a:b",
            "2026-03-27T00:00:00.000Z",
            "2026-03-27T23:59:59.999999999Z",
        ),
        ("dt:>now-1h", "2026-03-27T11:00:00.000000001Z", "-"),
        (
            "dt:>=now-1h dt:<now",
            "2026-03-27T11:00:00.000Z",
            "2026-03-27T11:59:59.999999999Z",
        ),
        (
            "(dt:2026-03-27 OR dt:2026-03-25) a",
            "2026-03-25T00:00:00.000Z",
            "2026-03-27T23:59:59.999999999Z",
        ),
        (
            "dt:in(2026-03-27, 2026-03-25)",
            "2026-03-25T00:00:00.000Z",
            "2026-03-27T23:59:59.999999999Z",
        ),
        ("dt:2026-03-27 OR a", "-", "-"),
        ("NOT dt:2026-03-27", "-", "-"),
        (
            "_id:0000000000000000-1",
            "1970-01-01T00:00:00.000Z",
            "1970-01-01T00:00:00.000Z",
        ),
        ("level:(warn OR error) dt:*", "-", "-"),
    ] {
        assert_eq!(
            bounds(query),
            (first.to_owned(), last.to_owned()),
            "{query}"
        );
    }
    assert!(
        filter("dt:2026-03-27 dt:2026-03-25")
            .time_bounds(now())
            .is_empty()
    );
    assert!(!filter("dt:2026-03-27").time_bounds(now()).is_empty());
}

#[test]
fn source_clauses_narrow_the_sources() {
    let admits = |query: &str| filter(query).admits_source(SourceId(7), "api");
    for query in [
        "a",
        "_source:api",
        "_source:7 a",
        "_source:web OR a",
        "NOT _source:web",
        "_source:in(web, api)",
    ] {
        assert!(admits(query), "{query}");
    }
    for query in [
        "_source:web a",
        "NOT _source:api",
        "_source:8 OR _source:web",
        "_source!=api",
        "NOT (a OR _source:7)",
    ] {
        assert!(!admits(query), "{query}");
    }
}

#[test]
fn clauses_come_in_the_order_of_the_text() {
    let filter = filter("a (b:c OR NOT level:in(warn, error)) d=\"e f\"");
    let clauses: Vec<String> = filter.clauses().iter().map(ToString::to_string).collect();
    assert_eq!(clauses, ["a", "b:c", "level:(warn OR error)", "d=\"e f\""]);
}

fn predicate(query: &str) -> Predicate {
    let filter = filter(query);
    Predicate::new(&filter.clauses()[0].test, now())
}

#[test]
fn a_predicate_tells_what_it_asks_of_numbers() {
    let integers = |query: &str| -> Option<Vec<_>> {
        let predicate = predicate(query);
        let intervals = predicate.number_intervals()?;
        Some(
            intervals
                .iter()
                .map(|interval| interval.integers())
                .collect(),
        )
    };
    assert_eq!(integers("a:500"), Some(vec![Some((500, 500))]));
    assert_eq!(integers("a=500.0"), Some(vec![Some((500, 500))]));
    assert_eq!(integers("a=500.5"), Some(vec![None]));
    assert_eq!(integers("a:>5"), Some(vec![Some((6, i64::MAX))]));
    assert_eq!(integers("a:>5.5"), Some(vec![Some((6, i64::MAX))]));
    assert_eq!(integers("a:>=5.5"), Some(vec![Some((6, i64::MAX))]));
    assert_eq!(integers("a:<-5.5"), Some(vec![Some((i64::MIN, -6))]));
    assert_eq!(integers("a:<=-5"), Some(vec![Some((i64::MIN, -5))]));
    assert_eq!(integers("a:{1 TO 2}"), Some(vec![None]));
    assert_eq!(integers("a:>1e300"), Some(vec![None]));
    assert_eq!(integers("a:<1e300"), Some(vec![Some((i64::MIN, i64::MAX))]));
    assert_eq!(integers("a:>9223372036854775807"), Some(vec![None]));
    assert_eq!(
        integers("a:(1 OR >=5)"),
        Some(vec![Some((1, 1)), Some((5, i64::MAX))])
    );
    assert_eq!(integers("a:word"), Some(vec![]));
    assert_eq!(integers("a:*"), Some(vec![Some((i64::MIN, i64::MAX))]));
    assert_eq!(integers("a:5*"), None);
    assert_eq!(integers("a:/5/"), None);
    assert_eq!(integers("a:(5 OR 6*)"), None);
}

#[test]
fn a_predicate_tells_what_it_asks_of_text() {
    let name = |query: &str| match predicate(query).text_test() {
        TextTest::Never => "never".to_owned(),
        TextTest::Always => "always".to_owned(),
        TextTest::Exact(text) => format!("exact {text}"),
        TextTest::Contains(_) => "contains".to_owned(),
        TextTest::Wildcard(_) => "wildcard".to_owned(),
        TextTest::Regex(regex) => format!("regex {}", regex.source()),
        _ => "other".to_owned(),
    };
    assert_eq!(name("a:b"), "contains");
    assert_eq!(name("a=b"), "exact b");
    assert_eq!(name("a:b*"), "wildcard");
    assert_eq!(name("a:/b/"), "regex b");
    assert_eq!(name("a:*"), "always");
    assert_eq!(name("a:>5"), "other");
    assert_eq!(name("a:in(b, c)"), "other");
}

#[test]
fn a_level_clause_tells_which_levels_it_holds_for() {
    let levels = |query: &str| {
        let filter = filter(query);
        let CompiledClause::Level(level) = filter.clauses()[0].compile(now()) else {
            panic!("{query} is not of the level");
        };
        let held: Vec<_> = Level::ALL
            .into_iter()
            .filter(|other| level.holds(*other))
            .collect();
        (held, level.raw().is_some())
    };
    assert_eq!(levels("level:WARNING"), (vec![Level::Warn], false));
    assert_eq!(
        levels("level:>warn"),
        (vec![Level::Error, Level::Fatal], false)
    );
    assert_eq!(levels("level:odd"), (vec![], true));
    assert_eq!(
        levels("level:*r*"),
        (vec![Level::Trace, Level::Warn, Level::Error], true)
    );
    assert_eq!(levels("level:*"), (Level::ALL.to_vec(), true));
}

#[test]
fn a_name_reaches_paths() {
    let reach = |name: &str, path: &str| match FieldName::new(name).reach(path) {
        Some(Reach::Whole) => "whole".to_owned(),
        Some(Reach::Inside(name)) => format!("inside {name}"),
        None => "no".to_owned(),
    };
    assert_eq!(reach("a.b", "a.b"), "whole");
    assert_eq!(reach("a.b", r"a\.b"), "whole");
    assert_eq!(reach("a.b", "a"), "inside b");
    assert_eq!(reach("a.b.c", r"a\.b"), "inside c");
    assert_eq!(reach("a.b", "a.b.c"), "no");
    assert_eq!(reach("ab", "a"), "no");
    assert_eq!(reach("a", "b"), "no");
    assert_eq!(reach(r"a\b", r"a\\b"), "whole");
}

#[test]
fn names_stand_for_targets() {
    assert_eq!(Target::named("dt"), Target::Time);
    assert_eq!(
        Target::named("message"),
        Target::Field(FieldName::new("message"))
    );
    for target in [Target::Level, Target::Source, Target::Id, Target::AnyField] {
        assert_eq!(Target::named(target.name()), target);
    }
}

#[test]
fn numbers_in_arrays_keep_their_digits() {
    use cordwood_event::Scalar;
    let check = |query: &str, json: &str, expected: bool| {
        assert_eq!(
            predicate(query).matches(Scalar::Json(json)),
            expected,
            "{query} on {json}"
        );
    };
    check("a:18446744073709551617", "[18446744073709551617]", true);
    check("a:18446744073709551617", "[18446744073709551616]", false);
    check("a:>1e308", "[1, 1e999]", true);
    check("a:5", "[1e999, 5]", true);
    check("a:5", "[[5.0e0]]", true);
    check("a:b", "[ \"b\" , null ]", true);
    check("a:b", "[\"\\u0062\"]", true);
    check("a:b", "not json", false);
    check("a:b", "[\"b\"", false);
}

#[test]
fn a_regular_expression_tells_what_every_match_contains() {
    let check = |source: &str, expected: Option<&str>| {
        let regex = cordwood_query::RegexTest::new(source, false).unwrap();
        assert_eq!(regex.literal(), expected.map(str::as_bytes), "{source}");
    };
    check(r"took [0-9]{4,}\.[0-9]+ms", Some("took "));
    check("^a(bcd)+e", Some("bcd"));
    check("(abc)?de", Some("de"));
    check("(abc)*", None);
    check("abc|abd", None);
    check("(?i)abc", None);
    check("a", None);
    check("/é", Some("/é"));
}
