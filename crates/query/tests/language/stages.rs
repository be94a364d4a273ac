//! What is read as which stage: the text as a person writes it, and its canonical form.

use cordwood_query::{
    Aggregate, Capture, CaptureKind, FieldName, Filter, Function, GroupKey, Interval, ParsePattern,
    PatternPart, Percentile, Stage, parse,
};

/// Asserts how a query prints, and that it prints so for good.
fn check(query: &str, canonical: &str) {
    let parsed = parse(query).unwrap_or_else(|said| panic!("{query}: {said}"));
    assert_eq!(parsed.query.to_string(), canonical, "{query}");
    assert_eq!(parsed.hints, vec![], "{query}");
    let again = parse(canonical).unwrap_or_else(|said| panic!("{canonical}: {said}"));
    assert_eq!(again.query, parsed.query, "{query}");
}

fn stages(query: &str) -> Vec<Stage> {
    parse(query)
        .unwrap_or_else(|said| panic!("{query}: {said}"))
        .query
        .stages
}

#[test]
fn a_filter_may_be_empty_before_a_stage() {
    check("| limit 5", "* | limit 5");
    check("* | limit 5", "* | limit 5");
    check("a|limit 5", "a | limit 5");
    check("a || b | limit 5", "a OR b | limit 5");
    check("  |\n limit 5\n| LIMIT 3 ", "* | limit 5 | limit 3");
}

#[test]
fn a_bar_in_text_is_text() {
    for query in [r"a\|b", "\"a | b\"", "m:/a|b/"] {
        assert_eq!(stages(query), vec![], "{query}");
    }
    check("a | where \"b | c\"", "a | where \"b | c\"");
    check("| where m:/a|b/", "* | where m:/a|b/");
}

#[test]
fn patterns_looks_at_the_message_unless_a_field_is_named() {
    check("| patterns", "* | patterns");
    check("a | PATTERNS message | limit 5", "a | patterns | limit 5");
    check("| patterns \"odd field\"", "* | patterns \"odd field\"");
    check(
        "| patterns | where count > 10 share >= 0.5 | sort by last desc",
        "* | patterns | where count:>10 AND share:>=0.5 | sort by last desc",
    );
}

#[test]
fn stats_computes_columns_by_groups() {
    check("| stats count()", "* | stats count()");
    check("| stats count", "* | stats count()");
    check("| stats count(*)", "* | stats count()");
    check("| stats count by service", "* | stats count() by service");
    check(
        "level:error | stats count(), P95( duration_ms ) as p95 by service , dt:5m",
        "level:error | stats count(), p95(duration_ms) as p95 by service, dt:5m",
    );
    check(
        "| stats count(a), count_distinct(b), sum(c), avg(d), min(e), max(dt), p99.90(g), first(h), last(i), rate()",
        "* | stats count(a), count_distinct(b), sum(c), avg(d), min(e), max(dt), p99.9(g) as p99.90(g), first(h), last(i), rate()",
    );
    check("| stats median(d)", "* | stats p50(d) as median(d)");
    check(
        "| stats sum(\"odd field\") as \"the sum\" by \"5\"",
        "* | stats sum(\"odd field\") as \"the sum\" by \"5\"",
    );
    check("| stats sum(\"odd field\")", "* | stats sum(\"odd field\")");
}

#[test]
fn a_condition_and_a_name_follow_a_function_in_either_order() {
    let canonical = "* | stats count() if (level:error OR status:>=500) as bad, count()";
    check(
        "| stats count() if (level:error or_not OR status>=500) as bad, count()",
        "* | stats count() if (level:error AND or_not OR status:>=500) as bad, count()",
    );
    check(
        "| stats count() as bad if (level:error OR status >= 500), count()",
        canonical,
    );
    check(
        "| stats count as bad IF(level:error OR status:>=500), count",
        canonical,
    );
}

#[test]
fn the_tree_of_stats() {
    let expected = Stage::Stats {
        aggregates: vec![
            Aggregate {
                function: Function::Count(None),
                condition: Some(Filter::All),
                name: "n".to_owned(),
            },
            Aggregate {
                function: Function::Percentile(Percentile(99_900), FieldName::new("d.ms")),
                condition: None,
                name: "p99.9(d.ms)".to_owned(),
            },
        ],
        by: vec![
            GroupKey::Field(FieldName::new("service")),
            GroupKey::Time(Interval {
                nanos: 300_000_000_000,
            }),
        ],
    };
    let query = "| stats count() if (*) as n, p99.9(d.ms) by service, dt:5m";
    assert_eq!(stages(query), vec![expected]);
}

#[test]
fn intervals_have_units() {
    for (written, canonical) in [
        ("1ms", "1ms"),
        ("1000ms", "1s"),
        ("90s", "90s"),
        ("60m", "1h"),
        ("24h", "1d"),
        ("7d", "1w"),
        ("2w", "2w"),
    ] {
        check(
            &format!("| stats count() by dt:{written}"),
            &format!("* | stats count() by dt:{canonical}"),
        );
        check(
            &format!("| timechart {written} count()"),
            &format!("* | timechart {canonical} count()"),
        );
    }
}

#[test]
fn timechart_and_top() {
    check(
        "| timechart 1m count() by level, service",
        "* | timechart 1m count() by level, service",
    );
    check("| top 5 path, host", "* | top 5 path, host");
    check("| top path", "* | top 10 path");
    check("| top \"5\"", "* | top 10 \"5\"");
    check("| top 5xx", "* | top 10 \"5xx\"");
}

#[test]
fn where_takes_a_filter() {
    check(
        "| where p95 > 800 AND service = api -message:x",
        "* | where p95:>800 AND service=api AND NOT message:x",
    );
    check("| where (a OR b) c", "* | where (a OR b) AND c");
    check("| where *", "* | where *");
}

#[test]
fn columns_are_named_as_they_are_computed() {
    check(
        "| stats count() by service | sort by count() desc",
        "* | stats count() by service | sort by count() desc",
    );
    check(
        "| stats count, median(d) by service | where count() > 10 median( d )<5 | fields median(d)",
        "* | stats count(), p50(d) as median(d) by service | where \"count()\":>10 AND \"median(d)\":<5 | fields median(d)",
    );
    check(
        "| top path | where \"count()\">5 | dedup path",
        "* | top 10 path | where \"count()\":>5 | dedup path",
    );
    check(
        "| timechart 1h rate() as r by level | where level:>=warn dt:>now-1d r>5",
        "* | timechart 1h rate() as r by level | where level:>=warn AND dt:>now-1d AND r:>5",
    );
}

#[test]
fn sort_limit_fields_dedup() {
    check("| sort by a desc, b", "* | sort by a desc, b");
    check("| sort a asc, -b, c.d", "* | sort by a, b desc, c.d");
    check("| sort -a", "* | sort by a desc");
    check("| sort by -a", "* | sort by a desc");
    check("| sort by by, desc desc", "* | sort by by, desc desc");
    check("| head 20", "* | limit 20");
    check(
        "| fields dt, service , \"a b\"",
        "* | fields dt, service, \"a b\"",
    );
    check("| dedup a,b", "* | dedup a, b");
}

#[test]
fn parse_takes_a_pattern() {
    let capture = |name: &str, kind| {
        PatternPart::Capture(Capture {
            name: name.to_owned(),
            kind,
        })
    };
    let literal = |text: &str| PatternPart::Literal(text.to_owned());
    let query = r#"| parse "a<<\"<user> took <n.ms:number>ms <w:word>""#;
    let parts = vec![
        literal("a<\""),
        capture("user", CaptureKind::Text),
        literal(" took "),
        capture("n.ms", CaptureKind::Number),
        literal("ms "),
        capture("w", CaptureKind::Word),
    ];
    let expected = Stage::Parse {
        from: FieldName::new("message"),
        pattern: ParsePattern { parts },
    };
    assert_eq!(stages(query), vec![expected]);
    check(query, &format!("*{}", query.replacen('|', " |", 1)));
    check(
        "| parse \"<a:text>=<b>\" from \"odd field\"",
        "* | parse \"<a>=<b>\" from \"odd field\"",
    );
    check("| parse \"<a>\" from message", "* | parse \"<a>\"");
}
