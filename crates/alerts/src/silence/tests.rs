//! Silences by tables: when they mute, until when, and whom.

use std::collections::BTreeMap;

use cordwood_event::Timestamp;
use proptest::prelude::*;

use super::*;

fn time(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn silence(json: &str) -> CheckedSilence {
    let silence: Silence = serde_json::from_str(json).unwrap();
    silence.check().unwrap()
}

/// Each case: now, and until when it lasts.
fn check(json: &str, cases: &[(&str, Option<&str>)]) {
    let silence = silence(json);
    for (now, until) in cases {
        assert_eq!(
            silence.lasts_until(time(now)),
            until.map(time),
            "{json} at {now}"
        );
    }
}

#[test]
fn a_maintenance_window_lasts_from_one_instant_to_another() {
    check(
        r#"{"starts_at": "2026-03-01T10:00:00Z", "ends_at": "2026-03-01T12:00:00Z"}"#,
        &[
            ("2026-03-01T09:59:59Z", None),
            ("2026-03-01T10:00:00Z", Some("2026-03-01T12:00:00Z")),
            ("2026-03-01T11:59:59Z", Some("2026-03-01T12:00:00Z")),
            ("2026-03-01T12:00:00Z", None),
        ],
    );
}

#[test]
fn weekly_hours_go_over_midnight() {
    check(
        r#"{"weekly": {"days": ["fri"], "from": "22:00", "to": "06:00", "time_zone": "America/New_York"}}"#,
        &[
            // Friday the 6th of February 2026, 22:00 in New York.
            ("2026-02-07T02:59:00Z", None),
            ("2026-02-07T03:00:00Z", Some("2026-02-07T11:00:00Z")),
            ("2026-02-07T10:59:00Z", Some("2026-02-07T11:00:00Z")),
            ("2026-02-07T11:00:00Z", None),
            ("2026-02-08T03:30:00Z", None),
        ],
    );
    check(
        r#"{"weekly": {"days": ["monday"], "from": "00:00", "to": "00:00", "time_zone": "UTC"}}"#,
        &[
            ("2026-02-02T00:00:00Z", Some("2026-02-03T00:00:00Z")),
            ("2026-02-02T23:59:59Z", Some("2026-02-03T00:00:00Z")),
            ("2026-02-03T00:00:00Z", None),
        ],
    );
}

#[test]
fn weekly_hours_end_when_the_silence_does() {
    check(
        r#"{"starts_at": "2026-02-02T12:00:00Z", "ends_at": "2026-02-09T03:00:00Z",
            "weekly": {"days": ["mon"], "from": "02:00", "to": "14:00", "time_zone": "UTC"}}"#,
        &[
            ("2026-02-02T11:00:00Z", None),
            ("2026-02-02T12:00:00Z", Some("2026-02-02T14:00:00Z")),
            ("2026-02-09T02:30:00Z", Some("2026-02-09T03:00:00Z")),
            ("2026-02-09T03:00:00Z", None),
        ],
    );
}

/// In Berlin clocks go from 02:00 to 03:00 on the 29th of March 2026, and from 03:00 back to 02:00 on the 25th of October, both at 01:00 UTC.
#[test]
fn hours_are_those_of_the_clock_over_its_changes() {
    let night = r#"{"weekly": {"days": ["sat"], "from": "22:00", "to": "06:00", "time_zone": "Europe/Berlin"}}"#;
    check(
        night,
        &[
            ("2026-03-28T20:59:00Z", None),
            ("2026-03-28T21:00:00Z", Some("2026-03-29T04:00:00Z")),
            ("2026-03-29T04:00:00Z", None),
            ("2026-10-24T20:00:00Z", Some("2026-10-25T05:00:00Z")),
            ("2026-10-25T05:00:00Z", None),
        ],
    );
    let never_shown = r#"{"weekly": {"days": ["sun"], "from": "02:30", "to": "04:00", "time_zone": "Europe/Berlin"}}"#;
    check(
        never_shown,
        &[
            ("2026-03-29T00:59:59Z", None),
            ("2026-03-29T01:00:00Z", Some("2026-03-29T02:00:00Z")),
            ("2026-03-29T02:00:00Z", None),
        ],
    );
    let ends_unseen = r#"{"weekly": {"days": ["sun"], "from": "01:00", "to": "02:30", "time_zone": "Europe/Berlin"}}"#;
    check(
        ends_unseen,
        &[
            ("2026-03-29T00:00:00Z", Some("2026-03-29T01:00:00Z")),
            ("2026-03-29T01:00:00Z", None),
        ],
    );
    let shown_twice = r#"{"weekly": {"days": ["sun"], "from": "02:15", "to": "02:45", "time_zone": "Europe/Berlin"}}"#;
    check(
        shown_twice,
        &[
            ("2026-10-25T00:14:59Z", None),
            ("2026-10-25T00:15:00Z", Some("2026-10-25T01:45:00Z")),
            ("2026-10-25T01:44:59Z", Some("2026-10-25T01:45:00Z")),
            ("2026-10-25T01:45:00Z", None),
        ],
    );
}

#[test]
fn all_matchers_must_fit_and_what_is_worse_passes() {
    let labels = BTreeMap::from([("team".to_owned(), "payments".to_owned())]);
    let group = Group::new(vec![("host".to_owned(), Some("web-3".to_owned()))]);
    let subject = Subject {
        rule_id: Some(12),
        rule_name: Some("Error rate"),
        severity: Severity::Error,
        labels: &labels,
        group: &group,
    };
    for (members, expected) in [
        (r#""matchers": []"#, true),
        (
            r#""matchers": [{"on": "label", "name": "team", "is": "pay*"}]"#,
            true,
        ),
        (
            r#""matchers": [{"on": "label", "name": "team", "is": "pay"}]"#,
            false,
        ),
        (
            r#""matchers": [{"on": "label", "name": "tier", "is": "*"}]"#,
            false,
        ),
        (
            r#""matchers": [{"on": "group", "field": "host", "is": "WEB-?"}]"#,
            true,
        ),
        (
            r#""matchers": [{"on": "group", "field": "pod", "is": "*"}]"#,
            false,
        ),
        (r#""matchers": [{"on": "rule", "is": "error*"}]"#, true),
        (
            r#""matchers": [{"on": "rule_id", "is": 12}, {"on": "severity", "is": "error"}]"#,
            true,
        ),
        (
            r#""matchers": [{"on": "rule_id", "is": 12}, {"on": "severity", "is": "info"}]"#,
            false,
        ),
        (r#""lets_pass": "critical""#, true),
        (r#""lets_pass": "error""#, false),
        (r#""lets_pass": "info""#, false),
    ] {
        let silence = silence(&format!(
            r#"{{"ends_at": "2026-03-01T00:00:00Z", {members}}}"#
        ));
        let until = silence.mutes(&subject, time("2026-02-01T00:00:00Z"));
        assert_eq!(until.is_some(), expected, "{members}");
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    for (json, expected) in [
        ("{}", &["ends_at"][..]),
        (
            r#"{"starts_at": "2026-03-02T00:00:00Z", "ends_at": "2026-03-01T00:00:00Z"}"#,
            &["ends_at"],
        ),
        (
            r#"{"starts_at": "2026-03-02T00:00:00Z", "ends_at": "2028-03-01T00:00:00Z"}"#,
            &["ends_at"],
        ),
        (
            r#"{"weekly": {"days": [], "from": "25:00", "to": "6", "time_zone": "Mars/Olympus"},
                "matchers": [{"on": "label", "name": "", "is": "x"}]}"#,
            &[
                "matchers[0]",
                "weekly.days",
                "weekly.from",
                "weekly.time_zone",
                "weekly.to",
            ],
        ),
    ] {
        let silence: Silence = serde_json::from_str(json).unwrap();
        let mistakes = silence.check().unwrap_err();
        let mut attributes: Vec<&str> =
            mistakes.iter().map(|mistake| &*mistake.attribute).collect();
        attributes.sort_unstable();
        assert_eq!(attributes, expected, "{json}");
    }
}

proptest! {
    /// Whenever the clock shows a time within the hours, they last; and they end within two days, at a moment at which they do not last any more or begin anew.
    #[test]
    fn hours_last_while_the_clock_shows_them(
        minutes in 0i64..60 * 24 * 366,
        from in 0i8..24,
        to in 0i8..24,
        days in prop::collection::btree_set(0usize..7, 1..7),
        zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
    ) {
        const DAYS: [Weekday; 7] = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];
        let days: Vec<Weekday> = days.into_iter().map(|day| DAYS[day]).collect();
        let weekly = Weekly { days: days.clone(), from: format!("{from:02}:00"), to: format!("{to:02}:00"), time_zone: zone.to_owned() };
        let silence = Silence { matchers: vec![], starts_at: None, ends_at: None, weekly: Some(weekly), lets_pass: None };
        let silence = silence.check().unwrap();
        let now = Timestamp::from_nanos(time("2026-01-01T00:00:00Z").as_nanos() + minutes * 60_000_000_000);
        let shown = jiff::Timestamp::from_nanosecond(now.as_nanos().into()).unwrap().in_tz(zone).unwrap();
        let day = |date: jiff::civil::Date| DAYS[usize::try_from(date.weekday().to_monday_zero_offset()).unwrap()];
        let today = days.contains(&day(shown.date()));
        let yesterday = days.contains(&day(shown.date().yesterday().unwrap()));
        let hour = shown.hour();
        let is_shown = match to > from {
            true => today && (from..to).contains(&hour),
            false => (today && hour >= from) || (yesterday && hour < to),
        };
        let until = silence.lasts_until(now);
        if is_shown {
            prop_assert!(until.is_some(), "{} {:?}", shown, silence);
        }
        if let Some(until) = until {
            prop_assert!(until > now);
            prop_assert!(until.as_nanos() - now.as_nanos() <= 26 * 3_600_000_000_000);
            let later = silence.lasts_until(until);
            prop_assert!(later.is_none_or(|later| later > until));
        }
    }
}
