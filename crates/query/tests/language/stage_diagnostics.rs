//! What is said of bad stages: the text it is about, the message and the hint.

use cordwood_query::{limits, parse};

use crate::diagnostics::check;

const STAGES: &str = "The stages are `stats`, `timechart`, `top`, `where`, `sort`, `limit`, `fields`, `dedup`, `parse`, `patterns`; write `OR` for either of two, or `\\|` to search for the character.";
const FUNCTION: &str = "Write what to compute, as in `count()` or `p95(duration_ms)`.";
const PERCENTILES: &str =
    "Percentiles lie above 0 and below 100, with at most three decimals, as in `p99.9`.";
const NAME: &str =
    "Write a name such as `service` or `http.status`, or in quotes if it holds spaces.";
const UNITS: &str = "Write a whole number and a unit: ms, s, m, h, d or w, as in `5m`.";
const COMMAS: &str = "Put commas between names, and `|` before the next stage.";
const ON_TABLE: &str = "What can follow a table is `where`, `sort`, `limit`, `fields` and `dedup`.";
const RENAME: &str = "Give one of them another name, as in `count() as total`.";
const PATTERN: &str = "Write it as in `parse \"user=<user> took <ms:number>ms\"`, and `from field` after it if it is not about the message.";
const CAPTURE_NAME: &str = "Names are made of letters, digits, `_`, `-`, `.` and `@`; for the character itself write `<<`.";

/// Asserts what is said of each query: the text it is about, the message and the hint.
fn check_each(cases: &[(&str, &str, &str, &str)]) {
    for (query, span, message, hint) in cases {
        check(query, &[(span, message, hint)]);
    }
}

#[test]
fn stages_that_are_not_there() {
    check_each(&[
        ("a |", "|", "No stage follows this `|`.", STAGES),
        ("a | | limit 5", "|", "No stage follows this `|`.", STAGES),
        ("a | b", "| b", "`b` is not a stage.", STAGES),
        (
            "a | status:500",
            "| status",
            "`status` is not a stage.",
            STAGES,
        ),
        (
            "(a | b)",
            "|",
            "A stage cannot stand inside parentheses.",
            "Close them before the `|`, write `OR` for either of two, or `\\|` to search for the character.",
        ),
        (
            "| stat count()",
            "stat",
            "`stat` is not a stage.",
            "Did you mean `stats`?",
        ),
        (
            "| filter a",
            "filter",
            "`filter` is not a stage.",
            "Did you mean `where`?",
        ),
        (
            "| STATISTICS",
            "| STATISTICS",
            "`STATISTICS` is not a stage.",
            STAGES,
        ),
    ]);
}

#[test]
fn functions() {
    check_each(&[
        ("| stats", "", "A function is missing here.", FUNCTION),
        (
            "| stats by a",
            "by",
            "A function is missing here.",
            FUNCTION,
        ),
        (
            "| stats foo(a)",
            "foo",
            "`foo` is not a function.",
            "The functions are count, count_distinct, sum, avg, min, max, median, p95 and other percentiles, first, last and rate.",
        ),
        (
            "| stats cuont()",
            "cuont",
            "`cuont` is not a function.",
            "Did you mean `count`?",
        ),
        (
            "| stats mean(a)",
            "mean",
            "`mean` is not a function.",
            "Did you mean `avg`?",
        ),
        (
            "| stats p0(a)",
            "p0",
            "`p0` is not a percentile.",
            "For the least value write `min(…)`.",
        ),
        (
            "| stats p100(a)",
            "p100",
            "`p100` is not a percentile.",
            "For the greatest value write `max(…)`.",
        ),
        (
            "| stats p101(a)",
            "p101",
            "`p101` is not a percentile.",
            PERCENTILES,
        ),
        (
            "| stats p99.9999(a)",
            "p99.9999",
            "`p99.9999` is not a percentile.",
            PERCENTILES,
        ),
        (
            "| stats sum",
            "sum",
            "`sum` needs a field.",
            "Write it in parentheses, as in `sum(duration_ms)`.",
        ),
        (
            "| stats sum() by x",
            "sum()",
            "`sum` needs a field.",
            "Write it in parentheses, as in `sum(duration_ms)`.",
        ),
        (
            "| stats rate(a)",
            "rate(a)",
            "`rate` counts events and takes no field.",
            "Write `rate()`, with `if (field:*)` to count those that have the field.",
        ),
        (
            "| stats avg(dt)",
            "avg(dt)",
            "`avg` is about numbers, and `dt` is none.",
            "Write `min(dt)` or `max(dt)`, or name another field.",
        ),
        (
            "| stats sum(a, b)",
            "sum(a,",
            "The field of this function is not followed by `)`.",
            "A function takes one field, as in `p95(duration_ms)`.",
        ),
        (
            "| stats sum(a",
            "sum(a",
            "The field of this function is not followed by `)`.",
            "A function takes one field, as in `p95(duration_ms)`.",
        ),
        (
            "| stats count(), by a",
            "by",
            "A function is missing here.",
            FUNCTION,
        ),
        (
            "| timechart 1m",
            "",
            "A function is missing here.",
            FUNCTION,
        ),
        (
            "| stats p0(a) | where x>5",
            "p0",
            "`p0` is not a percentile.",
            "For the least value write `min(…)`.",
        ),
    ]);
}

#[test]
fn conditions_and_names() {
    check_each(&[
        (
            "| stats count() if level:error",
            "if",
            "The condition after `if` stands in parentheses.",
            "Write it as in `count() if (level:error)`.",
        ),
        (
            "| stats count() if (a) if (b)",
            "if",
            "`if` stands twice after one function.",
            "Join the conditions in one, as in `if (a b)`.",
        ),
        (
            "| stats count() as a as b",
            "as",
            "`as` stands twice after one function.",
            "A column has one name.",
        ),
        (
            "| stats count() if ()",
            "()",
            "These parentheses are empty.",
            "Remove them, or write them in quotes to search for them.",
        ),
        (
            "| stats count() if (a | b)",
            "|",
            "A stage cannot stand inside parentheses.",
            "Close them before the `|`, write `OR` for either of two, or `\\|` to search for the character.",
        ),
        (
            "| stats count() as \"\"",
            "\"\"",
            "A name cannot be empty.",
            "Write the name of a field between the quotes.",
        ),
    ]);
}

#[test]
fn columns_of_one_name() {
    check_each(&[
        (
            "| stats count(), count()",
            "count()",
            "Two columns are named `count()`.",
            RENAME,
        ),
        (
            "| stats count() by a, a",
            "a",
            "`a` is named twice.",
            "Name it once.",
        ),
        (
            "| stats count() as a by a",
            "count() as a",
            "Two columns are named `a`.",
            RENAME,
        ),
        (
            "| stats count() by dt, dt:5m",
            "dt",
            "`dt` is named twice.",
            "Name it once.",
        ),
        (
            "| timechart 1m count() by dt",
            "dt",
            "Two columns are named `dt`.",
            RENAME,
        ),
        (
            "| top \"count()\"",
            "top",
            "Two columns are named `count()`.",
            RENAME,
        ),
    ]);
}

#[test]
fn groups_and_intervals() {
    check_each(&[
        (
            "| stats count() by host:5m",
            "host",
            "`host` cannot be grouped by intervals of time.",
            "Only `dt` can, as in `by dt:5m`.",
        ),
        (
            "| stats count() by dt:0s",
            "0s",
            "`0s` is no time at all.",
            UNITS,
        ),
        (
            "| stats count() by dt:5us",
            "5us",
            "`5us` is not a whole number of milliseconds, the least interval.",
            UNITS,
        ),
        (
            "| stats count() by dt:5",
            "5",
            "`5` is not an interval of time.",
            UNITS,
        ),
        (
            "| stats count() by dt:m",
            "m",
            "`m` is not an interval of time.",
            UNITS,
        ),
        (
            "| stats count() by dt:400000w",
            "400000w",
            "`400000w` is longer than the 292 years that times can span.",
            "Write a shorter interval, as in `1d`.",
        ),
        (
            "| stats count() by dt:",
            "",
            "An interval is missing here.",
            UNITS,
        ),
        (
            "| stats count() by",
            "",
            "The name of a field is missing here.",
            NAME,
        ),
        (
            "| stats count() service",
            "service",
            "`service` is not expected here.",
            COMMAS,
        ),
        (
            "| stats count() by a*",
            "a*",
            "A field's name cannot have wildcards.",
            "Write out the names of the fields; in quotes if one holds the character itself.",
        ),
    ]);
}

#[test]
fn timechart_and_top() {
    check_each(&[
        (
            "| timechart count()",
            "timechart",
            "`timechart` has no interval.",
            "Write how long each step is, as in `timechart 1m count()`.",
        ),
        (
            "| timechart 0m count()",
            "0m",
            "`0m` is no time at all.",
            UNITS,
        ),
        (
            "| timechart 1m count() by level:5m",
            ":5m",
            "`:5m` is not expected here.",
            COMMAS,
        ),
        ("| top 10", "", "The name of a field is missing here.", NAME),
        ("| top", "", "The name of a field is missing here.", NAME),
        (
            "| top 0 a",
            "0",
            "This asks for no rows at all.",
            "Write a number from 1 on.",
        ),
        (
            "| top 1000001 a",
            "1000001",
            "This asks for more than 1000000 rows, which is the limit.",
            "Narrow the query, or aggregate with `stats` before the limit.",
        ),
        (
            "| top 5 a desc",
            "desc",
            "`desc` is not expected here.",
            COMMAS,
        ),
    ]);
}

#[test]
fn filters() {
    check_each(&[
        (
            "| where",
            "where",
            "`where` has no condition.",
            "Write a filter after it, as in `where duration_ms > 800`.",
        ),
        (
            "| where | limit 1",
            "where",
            "`where` has no condition.",
            "Write a filter after it, as in `where duration_ms > 800`.",
        ),
        (
            "| where a )",
            ")",
            "This parenthesis closes nothing.",
            "Remove it, or write it in quotes to search for it.",
        ),
        (
            "| stats count()) by a",
            ")",
            "This parenthesis closes nothing.",
            "Remove it, or write it in quotes to search for it.",
        ),
        (
            "| where count() > 5",
            "count()",
            "`count()` has not been computed before this.",
            "Compute it in a stage and compare it in the next, as in `| stats count() | where count() > 5`.",
        ),
    ]);
}

#[test]
fn sorting() {
    check_each(&[
        ("| sort", "", "The name of a field is missing here.", NAME),
        (
            "| sort by",
            "",
            "The name of a field is missing here.",
            NAME,
        ),
        ("| sort by a b", "b", "`b` is not expected here.", COMMAS),
        (
            "| sort by -a desc",
            "desc",
            "The `-` has said the direction already.",
            "Write `-field` or `field desc`, not both.",
        ),
        ("| sort a, a", "a", "`a` is named twice.", "Name it once."),
    ]);
}

#[test]
fn numbers_of_rows() {
    check_each(&[
        (
            "| limit",
            "limit",
            "`limit` has no number of rows.",
            "Write it as in `limit 20`.",
        ),
        (
            "| limit x",
            "limit",
            "`limit` has no number of rows.",
            "Write it as in `limit 20`.",
        ),
        (
            "| limit 0",
            "0",
            "This asks for no rows at all.",
            "Write a number from 1 on.",
        ),
        (
            "| limit 99999999999999999999",
            "99999999999999999999",
            "This asks for more than 1000000 rows, which is the limit.",
            "Narrow the query, or aggregate with `stats` before the limit.",
        ),
        ("| limit 5 6", "6", "`6` is not expected here.", COMMAS),
        (
            "| head",
            "head",
            "`head` has no number of rows.",
            "Write it as in `head 20`.",
        ),
    ]);
}

#[test]
fn lists_of_names() {
    check_each(&[
        ("| fields", "", "The name of a field is missing here.", NAME),
        ("| fields a b", "b", "`b` is not expected here.", COMMAS),
        ("| fields a, a", "a", "`a` is named twice.", "Name it once."),
        (
            "| fields a,",
            "",
            "The name of a field is missing here.",
            NAME,
        ),
        (
            "| fields *",
            "*",
            "A field's name cannot have wildcards.",
            "Write out the names of the fields; in quotes if one holds the character itself.",
        ),
        ("| dedup", "", "The name of a field is missing here.", NAME),
    ]);
}

#[test]
fn patterns() {
    check_each(&[
        (
            "| parse",
            "parse",
            "`parse` has no pattern in quotes.",
            PATTERN,
        ),
        (
            "| parse message",
            "parse",
            "`parse` has no pattern in quotes.",
            PATTERN,
        ),
        (
            "| parse \"a\"",
            "a",
            "This pattern captures nothing.",
            "Write `<name>` where a field is to be taken from the text.",
        ),
        (
            "| parse \"\"",
            "",
            "This pattern captures nothing.",
            "Write `<name>` where a field is to be taken from the text.",
        ),
        (
            "| parse \"a <b\"",
            "<",
            "This capture is never closed.",
            "Add `>` after its name, or write `<<` for the character itself.",
        ),
        (
            "| parse \"<a><b>\"",
            "<b>",
            "Two captures touch, so that nothing tells where the first ends.",
            "Put the text between them that stands there.",
        ),
        (
            "| parse \"<a> <a>\"",
            "<a>",
            "Two captures are named `a`.",
            "Give one of them another name.",
        ),
        (
            "| parse \"<>\"",
            "<>",
            "`` cannot be the name of a capture.",
            CAPTURE_NAME,
        ),
        (
            "| parse \"<a b>\"",
            "<a b>",
            "`a b` cannot be the name of a capture.",
            CAPTURE_NAME,
        ),
        (
            "| parse \"<level> x\"",
            "<level>",
            "`level` is the event's own and cannot be captured.",
            "Choose another name, such as `<parsed_level>`.",
        ),
        (
            "| parse \"<a:numer>\"",
            "numer",
            "`numer` is no kind of capture.",
            "Did you mean `number`?",
        ),
        (
            "| parse \"\\\" <a:x>\"",
            "\"\\\" <a:x>\"",
            "`x` is no kind of capture.",
            "Write `number`, `word`, or nothing for any text.",
        ),
        (
            "| parse \"<a>\" from",
            "",
            "The name of a field is missing here.",
            NAME,
        ),
        (
            "| parse \"<a>\" a",
            "a",
            "`a` is not expected here.",
            COMMAS,
        ),
    ]);
}

#[test]
fn columns_that_are_not_there() {
    check_each(&[
        (
            "| stats count() by service | where sevice=api",
            "sevice",
            "The table has no column `sevice`.",
            "Did you mean `service`?",
        ),
        (
            "| stats count() by service | where count>5",
            "count",
            "The table has no column `count`.",
            "Did you mean `count()`?",
        ),
        (
            "| top a | sort b",
            "b",
            "The table has no column `b`.",
            "Its columns are `a`, `count()`.",
        ),
        (
            "| top a | fields count, a",
            "count",
            "The table has no column `count`.",
            "Did you mean `count()`?",
        ),
        (
            "| top a | fields a | sort by count()",
            "count()",
            "The table has no column `count()`.",
            "Its columns are `a`.",
        ),
    ]);
    check(
        "| stats count() by service | where foo:1 bar:2",
        &[
            (
                "foo",
                "The table has no column `foo`.",
                "Its columns are `service`, `count()`.",
            ),
            (
                "bar",
                "The table has no column `bar`.",
                "Its columns are `service`, `count()`.",
            ),
        ],
    );
}

#[test]
fn stages_that_need_events() {
    check_each(&[
        (
            "| top a | stats count()",
            "stats",
            "`stats` works on events, and after `top` there is a table.",
            ON_TABLE,
        ),
        (
            "| stats count() | timechart 1m count()",
            "timechart",
            "`timechart` works on events, and after `stats` there is a table.",
            ON_TABLE,
        ),
        (
            "| top a | top a",
            "top",
            "`top` works on events, and after `top` there is a table.",
            ON_TABLE,
        ),
        (
            "| top a | parse \"<x>\"",
            "parse",
            "`parse` works on events, and after `top` there is a table.",
            ON_TABLE,
        ),
    ]);
}

#[test]
fn a_mistake_brings_on_no_others() {
    check(
        "| stats p0(a), sum(), rate(b) by dt:0s | where x>5 | sort by y",
        &[
            (
                "p0",
                "`p0` is not a percentile.",
                "For the least value write `min(…)`.",
            ),
            (
                "sum()",
                "`sum` needs a field.",
                "Write it in parentheses, as in `sum(duration_ms)`.",
            ),
            (
                "rate(b)",
                "`rate` counts events and takes no field.",
                "Write `rate()`, with `if (field:*)` to count those that have the field.",
            ),
            ("0s", "`0s` is no time at all.", UNITS),
        ],
    );
}

#[test]
fn a_function_that_was_never_computed_is_a_field_with_a_hint() {
    let parsed = parse("| sort by count()").unwrap();
    let said: Vec<_> = parsed.hints.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "`count()` is read as the name of a field. To compute it, write `stats count()` in a stage before."
        ]
    );
}

#[test]
fn limits_are_named() {
    let numbered = |count: usize, text: &str| -> Vec<String> {
        (0..count).map(|index| format!("{text}{index}")).collect()
    };
    let cases = [
        (
            limits::STAGES_MAX,
            "stages",
            (|items: Vec<String>| format!("|{}", vec!["limit 1"; items.len()].join("|")))
                as fn(Vec<String>) -> String,
        ),
        (limits::AGGREGATES_MAX, "functions", |items| {
            let columns: Vec<_> = items
                .iter()
                .map(|name| format!("count() as {name}"))
                .collect();
            format!("| stats {}", columns.join(","))
        }),
        (limits::GROUP_KEYS_MAX, "fields to group by", |items| {
            format!("| stats count() by {}", items.join(","))
        }),
        (limits::GROUP_KEYS_MAX, "fields to group by", |items| {
            format!("| top {}", items.join(","))
        }),
        (limits::NAMES_MAX, "fields to sort by", |items| {
            format!("| sort by {}", items.join(","))
        }),
        (limits::NAMES_MAX, "fields", |items| {
            format!("| dedup {}", items.join(","))
        }),
        (limits::CAPTURES_MAX, "captures", |items| {
            format!("| parse \"<{}>\"", items.join("> <"))
        }),
    ];
    for (limit, of, query) in cases {
        let at_limit = query(numbered(limit, "a"));
        assert!(parse(&at_limit).is_ok(), "{at_limit}");
        let beyond = query(numbered(limit + 1, "a"));
        let said = parse(&beyond).unwrap_err().0;
        let expected = format!("There are more than {limit} {of}, which is the limit.");
        assert_eq!(said[0].message, expected, "{beyond}");
        assert_eq!(said.len(), 1, "{beyond}");
    }
}
