//! What is said of rules that are wrong, all at once, and what the others mean when they leave things out.

use cordwood_alerts::{Condition, Invalid, Rule};

fn rule(json: &str) -> Rule {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

/// A rule with these members besides a query and, unless it is among them, a condition.
fn with(members: &str) -> Rule {
    let condition = match members.contains("\"condition\"") {
        true => "",
        false => r#", "condition": {"type": "threshold", "operator": "higher_than", "value": 5}"#,
    };
    let query = match members.contains("\"query\"") {
        true => "",
        false => r#", "query": "*""#,
    };
    rule(&format!("{{{members}{query}{condition}}}"))
}

fn mistakes(members: &str) -> Vec<Invalid> {
    with(members).check().err().unwrap_or_default()
}

/// Each attribute at fault once for each mistake, in order.
fn check(members: &str, expected: &[&str]) {
    let mistakes = mistakes(members);
    let mut attributes: Vec<&str> = mistakes.iter().map(|mistake| &*mistake.attribute).collect();
    attributes.sort_unstable();
    assert_eq!(attributes, expected, "{members}: {mistakes:?}");
    for mistake in &mistakes {
        assert!(mistake.message.ends_with(['.', '?']), "{mistake:?}");
    }
}

const THRESHOLD: &str = r#""type": "threshold""#;

#[test]
fn sound_rules_are_sound() {
    for members in [
        r#""window_s": 60"#,
        r#""query": "level:error | parse \"took <ms:number>ms\" | where ms > 5", "measure": "avg(ms)""#,
        r#""query": "* | stats count() if (level:error) as errors, count() by service, host""#,
        r#""query": "* | stats p95(ms), count() by service", "measure": "p95(ms)", "further_conditions": [{"measure": "count()", "operator": "higher_than", "value": 9}]"#,
        r#""measure": {"ratio": {"of": "level:error"}}, "group_by": ["service"]"#,
        r#""condition": {"type": "threshold", "operator": "equal", "value": "down"}, "measure": "last(status)""#,
        r#""condition": {"type": "matches"}, "recovery_s": null"#,
        r#""condition": {"type": "new_pattern"}, "cause": "{pattern}""#,
        r#""condition": {"type": "absence", "of": "members"}, "group_by": ["host"]"#,
        r#""condition": {"type": "relative", "operator": "decreases_by", "by_percent": 100}"#,
        r#""condition": {"type": "anomaly"}, "measure": "rate()""#,
        r#""cause": "{rule} {group.host} {labels.team} {{series_name}} \\{x}", "group_by": ["host"], "labels": {"team": "a"}"#,
        r#""on_missing_data": "start_incident""#,
    ] {
        check(members, &[]);
    }
}

#[test]
fn queries_that_no_rule_can_have_are_told_of() {
    for (query, message) in [
        ("level:error |", "At byte 12: No stage follows this `|`."),
        ("dt:>now-1h", "`window_s`"),
        ("* | where dt:2026-01-01", "`window_s`"),
        ("* | sort by dt", "`sort` cannot be part"),
        ("* | limit 5", "`limit` cannot be part"),
        ("* | timechart 1m count()", "write `stats`"),
        ("* | top 5 host", "`stats count() by`"),
        ("* | patterns", "`new_pattern`"),
        ("* | dedup user", "`count_distinct(field)`"),
        (
            "* | stats count() by host | where host:a",
            "`further_conditions`",
        ),
        ("* | stats count() by dt:5m", "`window_s`"),
    ] {
        let text = serde_json::to_string(query).unwrap();
        let mistakes = mistakes(&format!("\"query\": {text}"));
        assert!(!mistakes.is_empty(), "{query}");
        let told = mistakes
            .iter()
            .any(|of| of.attribute == "query" && of.message.contains(message));
        assert!(told, "{query}: {mistakes:?}");
    }
}

#[test]
fn each_attribute_is_checked() {
    for (members, expected) in [
        (r#""check_every_s": 5"#, &["check_every_s"][..]),
        (r#""check_every_s": 65"#, &["check_every_s"]),
        (
            r#""check_every_s": 3610, "window_s": 4000"#,
            &["check_every_s"],
        ),
        (r#""window_s": 50"#, &["window_s"]),
        (r#""window_s": 301"#, &["window_s"]),
        (r#""window_s": 604810"#, &["window_s"]),
        (r#""lateness_s": 3601"#, &["lateness_s"]),
        (
            r#""confirmation_s": 86401, "recovery_s": 86401, "cooldown_s": 86401"#,
            &["confirmation_s", "cooldown_s", "recovery_s"],
        ),
        (r#""measure": "p95""#, &["measure"]),
        (r#""measure": "count() by host""#, &["measure"]),
        (r#""measure": "count(), count(a)""#, &["measure"]),
        (r#""measure": "count() if (dt:>now-1h)""#, &["measure"]),
        (r#""measure": "count() | where a:b""#, &["measure"]),
        (
            r#""measure": {"ratio": {"of": "a:(", "to": "* | stats count()"}}"#,
            &["measure.ratio.of", "measure.ratio.to"],
        ),
        (
            r#""query": "* | stats count() as all", "measure": "errors""#,
            &["measure"],
        ),
        (
            r#""query": "* | stats count() by host", "group_by": ["pod"]"#,
            &["group_by"],
        ),
        (r#""group_by": ["a", "a"]"#, &["group_by"]),
        (r#""group_by": ["dt"]"#, &["group_by"]),
        (r#""group_by": [""]"#, &["group_by"]),
        (
            r#""group_by": ["1", "2", "3", "4", "5", "6", "7", "8", "9"]"#,
            &["group_by"],
        ),
        (r#""labels": {"": "x"}"#, &["labels"]),
        (r#""only_groups": [{}]"#, &["only_groups"]),
        (r#""cause": "{gruop}""#, &["cause"]),
        (
            r#""cause": "{pattern} {group.host} {labels.team} {""#,
            &["cause", "cause", "cause", "cause"],
        ),
        (
            r#""condition": {"type": "matches"}, "measure": "count()", "on_missing_data": "fire""#,
            &["measure", "on_missing_data"],
        ),
        (
            r#""condition": {"type": "matches"}, "query": "* | stats count()""#,
            &["query"],
        ),
        (
            r#""condition": {"type": "new_pattern", "events": 0}, "group_by": ["a"], "confirmation_s": 60"#,
            &["condition.events", "confirmation_s", "group_by"],
        ),
        (
            r#""condition": {"type": "absence", "of": "members", "roster_days": 31}"#,
            &["condition.roster_days", "group_by"],
        ),
        (
            r#""condition": {"type": "absence"}, "group_by": ["host"]"#,
            &["group_by"],
        ),
        (
            r#""condition": {"type": "relative", "operator": "changes_by"}"#,
            &["condition.by_percent"],
        ),
        (
            r#""condition": {"type": "relative", "operator": "decreases_by", "by_percent": 101, "by_spread": 0}"#,
            &["condition.by_percent", "condition.by_spread"],
        ),
        (
            r#""condition": {"type": "anomaly", "sensitivity": 101, "training_days": 0}"#,
            &["condition.sensitivity", "condition.training_days"],
        ),
    ] {
        check(members, expected);
    }
}

#[test]
fn thresholds_are_checked_in_every_place() {
    for (threshold, expected) in [
        (
            r#""operator": "higher_than", "value": 5, "recovery_value": 6"#,
            "recovery_value",
        ),
        (
            r#""operator": "lower_than_or_equal", "value": 5, "recovery_value": 4"#,
            "recovery_value",
        ),
        (
            r#""operator": "equal", "value": 5, "recovery_value": 5"#,
            "recovery_value",
        ),
        (r#""operator": "equal", "value": "high""#, "value"),
    ] {
        check(
            &format!(r#""condition": {{{THRESHOLD}, {threshold}}}"#),
            &[&format!("condition.{expected}")],
        );
        check(
            &format!(r#""further_conditions": [{{{threshold}}}]"#),
            &[&format!("further_conditions[0].{expected}")],
        );
    }
    check(
        r#""measure": "last(status)", "condition": {"type": "threshold", "operator": "higher_than", "value": "high"}"#,
        &["condition.value"],
    );
    let five = r#"{"operator": "equal", "value": 1}"#;
    let further = [five; 5].join(", ");
    check(
        &format!(r#""further_conditions": [{further}]"#),
        &["further_conditions"],
    );
}

#[test]
fn all_mistakes_are_told_at_once() {
    check(
        r#""query": "level:(", "measure": "p0(x)", "check_every_s": 7, "labels": {"": ""}, "cause": "{x}",
           "condition": {"type": "anomaly", "sensitivity": 200}"#,
        &[
            "cause",
            "check_every_s",
            "condition.sensitivity",
            "labels",
            "measure",
            "query",
        ],
    );
}

#[test]
fn what_is_left_out_has_a_default() {
    let short = with("\"window_s\": 300");
    let long = rule(
        r#"{"query": "*", "group_by": [], "condition": {"type": "threshold", "operator": "higher_than", "value": 5}, "further_conditions": [],
            "window_s": 300, "check_every_s": 60, "lateness_s": 60, "confirmation_s": 0, "recovery_s": 300, "cooldown_s": 0, "incident_per": "group",
            "only_groups": [], "except_groups": [], "severity": "error", "labels": {}}"#,
    );
    assert_eq!(short, long);
    for members in [
        r#""condition": {"type": "absence"}"#,
        r#""condition": {"type": "new_pattern"}"#,
        r#""condition": {"type": "anomaly"}"#,
        r#""recovery_s": null, "on_missing_data": "fire", "measure": {"ratio": {"of": "a"}}"#,
    ] {
        let rule = with(members);
        let json = serde_json::to_string(&rule).unwrap();
        assert_eq!(serde_json::from_str::<Rule>(&json).unwrap(), rule, "{json}");
    }
    let Condition::Absence(absence) = with(r#""condition": {"type": "absence"}"#).condition else {
        panic!("absence");
    };
    assert_eq!(absence.roster_days, 7);
}

#[test]
fn what_is_no_rule_is_refused_by_name() {
    for (json, message) in [
        (r#"{"query": "*"}"#, "condition"),
        (r#"{"condition": {"type": "matches"}}"#, "query"),
        (
            r#"{"query": "*", "condition": {"type": "matches"}, "windows_s": 5}"#,
            "windows_s",
        ),
        (
            r#"{"query": "*", "condition": {"type": "match"}}"#,
            "new_pattern",
        ),
        (
            r#"{"query": "*", "condition": {"type": "anomaly", "sensitivty": 5}}"#,
            "sensitivty",
        ),
        (
            r#"{"query": "*", "condition": {"type": "matches"}, "measure": 5}"#,
            "p95(duration_ms)",
        ),
        (
            r#"{"query": "*", "condition": {"type": "threshold", "operator": "above", "value": 1}}"#,
            "higher_than",
        ),
    ] {
        let error = serde_json::from_str::<Rule>(json).unwrap_err().to_string();
        assert!(error.contains(message), "{json}: {error}");
    }
}
