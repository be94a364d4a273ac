//! `dt`, `level` and the reserved names, through JSON.

use super::{RECEIVED_AT, check, decode};
use cordwood_event::Timestamp;
use proptest::prelude::*;

const JSON: &str = "1 json identity";

/// The value of `dt` as JSON, and the time it names.
fn check_dt(value: &str, expected: &str) {
    let body = format!("{{\"dt\":{value}}}");
    let expected = match expected {
        "-" => format!("_dt={value}"),
        time => format!("@{time}"),
    };
    check(JSON, body, &[expected.trim()]);
}

#[test]
fn dt_as_a_number() {
    for (value, expected) in [
        ("1767225600", "2026-01-01T00:00:00.000Z"),
        ("1767225600123", "2026-01-01T00:00:00.123Z"),
        ("1767225600123456", "2026-01-01T00:00:00.123456Z"),
        ("1767225600123456789", "2026-01-01T00:00:00.123456789Z"),
        ("0", "1970-01-01T00:00:00.000Z"),
        ("-1", "1969-12-31T23:59:59.000Z"),
        ("1767225600.5", "2026-01-01T00:00:00.500Z"),
        ("1767225600.123456", "2026-01-01T00:00:00.123456Z"),
        ("1767225600123.5", "2026-01-01T00:00:00.123500Z"),
        ("1.7672256e9", "2026-01-01T00:00:00.000Z"),
        ("99999999999999", "-"),
        ("-9223372036854775808", "1677-09-21T00:12:43.145224192Z"),
        ("18446744073709551615", "-"),
        ("1e300", "-"),
        ("1e999", "-"),
    ] {
        check_dt(value, if value == "1e300" { continue } else { expected });
    }
    check(JSON, r#"{"dt":1e300}"#, &["_dt=1e+300"]);
}

#[test]
fn dt_as_text() {
    for (value, expected) in [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z"),
        (
            "2026-01-01T00:00:00.1234567891Z",
            "2026-01-01T00:00:00.123456789Z",
        ),
        ("2026-01-01t00:00:00z", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01 00:00:00", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01 00:00:00.123456", "2026-01-01T00:00:00.123456Z"),
        ("2026-01-01 00:00:00,123", "2026-01-01T00:00:00.123Z"),
        ("2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01T02:00:00+0200", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01T02:00:00.5+02", "2026-01-01T00:00:00.500Z"),
        ("2025-12-31 18:30:00 -0530", "2026-01-01T00:00:00.000Z"),
        ("2025-12-31 18:30:00 -05:30", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01 00:00:00 UTC", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01T00:00:00 GMT", "2026-01-01T00:00:00.000Z"),
        (
            "2026-01-01T01:00:00+01:00[Europe/Berlin]",
            "2026-01-01T00:00:00.000Z",
        ),
        ("2026-01-01T00:00", "2026-01-01T00:00:00.000Z"),
        ("20260101T000000Z", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01", "2026-01-01T00:00:00.000Z"),
        ("2026/01/01 00:00:00", "2026-01-01T00:00:00.000Z"),
        (" 2026-01-01T00:00:00Z ", "2026-01-01T00:00:00.000Z"),
        ("2024-02-29T23:59:60Z", "2024-02-29T23:59:59.000Z"),
        ("1767225600", "2026-01-01T00:00:00.000Z"),
        ("1767225600123", "2026-01-01T00:00:00.123Z"),
        ("-1", "1969-12-31T23:59:59.000Z"),
        ("1767225600.123456789", "2026-01-01T00:00:00.123456789Z"),
        ("1767225600123.5", "2026-01-01T00:00:00.123500Z"),
        ("-1.5", "1969-12-31T23:59:58.500Z"),
        (
            "2262-04-11T23:47:16.854775807Z",
            "2262-04-11T23:47:16.854775807Z",
        ),
        ("2262-04-11T23:47:16.854775808Z", "-"),
        ("9999-01-01T00:00:00Z", "-"),
        ("2026-02-29T00:00:00Z", "-"),
        ("2026-01-32", "-"),
        ("2026-01-01T24:00:00Z", "-"),
        ("2026-01-01T00:60:00Z", "-"),
        ("2026-01-01T00:00:00+24:00", "-"),
        ("2026-01-01T00:00:00ZZ", "-"),
        ("2026-01-01T00:00:00Z x", "-"),
        ("2026-01-01T", "-"),
        ("2026-01", "-"),
        ("yesterday", "-"),
        ("", "-"),
        ("1.", "-"),
        (".5", "-"),
        ("1e9", "-"),
        ("NaN", "-"),
        ("99999999999999999999", "-"),
    ] {
        check_dt(&format!("{value:?}"), expected);
    }
}

#[test]
fn dt_as_anything_else_is_kept_beside_the_time_of_reception() {
    for value in ["null", "true", "[1767225600]", "{}", "\"soon\""] {
        check_dt(value, "-");
    }
    check(
        JSON,
        r#"{"dt":{"a":{"b":1},"c":2},"x":3}"#,
        &["_dt.a.b=1 _dt.c=2 x=3"],
    );
    check(JSON, r#"{"_dt":1,"dt":"soon"}"#, &[r#"_dt=1 __dt="soon""#]);
    check(
        JSON,
        r#"{"dt":"soon","_dt":1,"__dt":2}"#,
        &[r#"___dt="soon" _dt=1 __dt=2"#],
    );
    check(
        JSON,
        r#"{"a":{"dt":"2026-01-01"}}"#,
        &[r#"a.dt="2026-01-01""#],
    );
}

#[test]
fn the_time_can_be_taken_from_another_field_which_stays() {
    for (field, body, expected) in [
        (
            "ts",
            r#"{"ts":1767225600,"a":1}"#,
            "@2026-01-01T00:00:00.000Z ts=1767225600 a=1",
        ),
        (
            "a.b",
            r#"{"a":{"b":"2026-01-01"}}"#,
            r#"@2026-01-01T00:00:00.000Z a.b="2026-01-01""#,
        ),
        (
            "a.b",
            r#"{"a.b":"2026-01-01"}"#,
            r#"@2026-01-01T00:00:00.000Z a\.b="2026-01-01""#,
        ),
        (
            "ts",
            r#"{"ts":"no","dt":1767225600}"#,
            r#"@2026-01-01T00:00:00.000Z ts="no""#,
        ),
        ("ts", r#"{"dt":1767225600}"#, "@2026-01-01T00:00:00.000Z"),
        (
            "ts",
            r#"{"dt":7,"ts":1767225600}"#,
            "@2026-01-01T00:00:00.000Z _dt=7 ts=1767225600",
        ),
        ("ts", r#"{"ts":"no"}"#, r#"ts="no""#),
        ("dt", r#"{"dt":1767225600}"#, "@2026-01-01T00:00:00.000Z"),
        (
            "severity",
            r#"{"severity":1767225600}"#,
            "@2026-01-01T00:00:00.000Z severity=1767225600",
        ),
        (
            "_id",
            r#"{"_id":1767225600}"#,
            "@2026-01-01T00:00:00.000Z __id=1767225600",
        ),
    ] {
        check(&format!("{JSON} dt_field={field}"), body, &[expected]);
    }
}

#[test]
fn levels() {
    for (body, expected) in [
        (r#"{"level":"info"}"#, "info"),
        (r#"{"level":"INFO"}"#, r#"info level="INFO""#),
        (r#"{"level":"Warning"}"#, r#"warn level="Warning""#),
        (r#"{"level":30}"#, "info level=30"),
        (r#"{"level":50.0}"#, "error level=50.0"),
        (r#"{"level":"40"}"#, r#"warn level="40""#),
        (r#"{"level":"boss"}"#, r#"level="boss""#),
        (r#"{"level":null}"#, "level=null"),
        (r#"{"level":true}"#, "level=true"),
        (r#"{"level":[1]}"#, "level=[1]"),
        (r#"{"level":{"name":"info"}}"#, r#"level.name="info""#),
        (r#"{"level":1e99}"#, "level=1e+99"),
        (r#"{"severity":"ERROR"}"#, r#"error severity="ERROR""#),
        (r#"{"severity":3}"#, "error severity=3"),
        (r#"{"log":{"level":"warn"}}"#, r#"warn log.level="warn""#),
        (r#"{"log.level":"warn"}"#, r#"warn log\.level="warn""#),
        (r#"{"lvl":"dbg"}"#, r#"debug lvl="dbg""#),
        (
            r#"{"lvl":"dbg","severity":"x","log.level":"warn"}"#,
            r#"warn lvl="dbg" severity="x" log\.level="warn""#,
        ),
        (
            r#"{"lvl":"debug","level":"error","severity":"info"}"#,
            r#"error lvl="debug" severity="info""#,
        ),
        (
            r#"{"severity":"info","level":null}"#,
            r#"info severity="info" level=null"#,
        ),
        (
            r#"{"severity":"info","level":"boss"}"#,
            r#"severity="info" level="boss""#,
        ),
        (r#"{"a":{"level":"info"}}"#, r#"a.level="info""#),
    ] {
        check(JSON, body, &[expected]);
    }
}

#[test]
fn reserved_names_are_kept_under_another() {
    for (body, expected) in [
        (
            r#"{"_id":"x","_source":"y","a":1}"#,
            r#"__id="x" __source="y" a=1"#,
        ),
        (r#"{"_id":{"$oid":"x"}}"#, r#"__id.$oid="x""#),
        (r#"{"_source":{"a":{"b.c":1}}}"#, r"__source.a.b\.c=1"),
        (r#"{"__id":1,"_id":2}"#, "__id=1 ___id=2"),
        (r#"{"a":{"_id":1}}"#, "a._id=1"),
        (r#"{"_ID":1,"dt.x":2,"_id.x":3}"#, r"_ID=1 dt\.x=2 _id\.x=3"),
    ] {
        check(JSON, body, &[expected]);
    }
    let lines = "{\"_id\":1}\n{\"__id\":1,\"_id\":2}\n{\"_id\":3}";
    check(JSON, lines, &["__id=1", "__id=1 ___id=2", "__id=3"]);
}

proptest! {
    #[test]
    fn every_time_is_read_back_from_how_it_is_written(nanos in any::<i64>()) {
        let timestamp = Timestamp::from_nanos(nanos);
        let decoded = decode(JSON, format!("{{\"dt\":\"{timestamp}\"}}")).unwrap();
        prop_assert_eq!(decoded.batch.event(0).timestamp(), timestamp);
        prop_assert_eq!(decoded.batch.event(0).fields().len(), 0);
    }

    /// Where jiff reads a time, so do we, and the same.
    #[test]
    fn jiff_reads_the_same_times(
        text in "(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9](:[0-6][0-9]([.,][0-9]{1,9})?)?(Z|z|[+-][01][0-9]:?[0-5][0-9])"
    ) {
        let decoded = decode(JSON, format!("{{\"dt\":\"{text}\"}}")).unwrap();
        let got = decoded.batch.event(0).timestamp();
        let expected = Timestamp::parse_rfc3339(&text).unwrap_or(RECEIVED_AT);
        prop_assert_eq!(got, expected, "{}", text);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[-0-9:.,TtZz+/ \\[\\]]{0,40}|\\PC{0,20}") {
        let body = serde_json::json!({"dt": text, "level": text, "severity": text}).to_string();
        prop_assert_eq!(decode(JSON, body).unwrap().batch.len(), 1);
    }
}
