//! JSON bodies of every shape, good and bad.

use std::fmt::Write;

use cordwood_event::Scalar;
use cordwood_ingest::{Decoded, Format, Limits, RejectionReason};

use super::{RECEIVED_AT, check, decode, event_text};

const JSON: &str = "1 json identity";

fn check_json(body: impl AsRef<[u8]>, expected: &[&str]) {
    check(JSON, body.as_ref(), expected);
    check("1 ndjson identity", body, expected);
}

#[test]
fn documents_of_every_form() {
    check_json(r#"{"a":1}"#, &["a=1"]);
    check_json(r#"[{"a":1},{"b":2}]"#, &["a=1", "b=2"]);
    check_json("{\"a\":1}\n{\"b\":2}\n", &["a=1", "b=2"]);
    check_json("{\"a\":1}\r\n\r\n  \n{\"b\":2}", &["a=1", "b=2"]);
    check_json(r#"{"a":1}{"b":2} {"c":3}"#, &["a=1", "b=2", "c=3"]);
    check_json("[{\"a\":1}]\n[{\"b\":2},{\"c\":3}]", &["a=1", "b=2", "c=3"]);
    check_json("{\n  \"a\": 1\n}\n{\n  \"b\": 2\n}\n", &["a=1", "b=2"]);
    check_json("\u{feff}{\"a\":1}", &["a=1"]);
    check_json(r#""just text""#, &[r#"message="just text""#]);
}

#[test]
fn nothing_is_no_error() {
    for body in ["", " ", "\r\n\t ", "[]", " [ ] ", "\u{feff}", "[]\n[]"] {
        check_json(body, &[]);
    }
}

#[test]
fn values_of_every_type() {
    check_json(
        r#"{"s":"x","t":true,"f":false,"n":null,"i":-12,"d":1.5,"e":{},"l":[],"o":{"a":{"b":1}}}"#,
        &[r#"s="x" t=true f=false n=null i=-12 d=1.5 e={} l=[] o.a.b=1"#],
    );
    check_json(
        "{\"l\" : [ 1 , \"a\\u0062\" , { \"k\" : [ null , true ] , \"z\" : { } } , [ ] , 1.50 ]}",
        &[r#"l=[1,"ab",{"k":[null,true],"z":{}},[],1.50]"#],
    );
    check_json(r#"{"a.b":1,"":2,"\\":3}"#, &[r"a\.b=1 =2 \\=3"]);
}

#[test]
fn integers_beyond_64_bits_and_floats_beyond_their_range_keep_their_text() {
    check_json(
        r#"{"max":9223372036854775807,"min":-9223372036854775808,"u":18446744073709551615}"#,
        &["max=9223372036854775807 min=-9223372036854775808 u=18446744073709551615"],
    );
    check_json(
        r#"{"a":123456789012345678901234567890,"b":-9223372036854775809,"c":1e400,"d":-1.5E+999}"#,
        &["a=123456789012345678901234567890 b=-9223372036854775809 c=1e400 d=-1.5E+999"],
    );
    check_json(
        r#"{"a":0,"b":-0,"c":1e3,"d":1E-2,"e":0.1,"f":1e-400,"g":999999999999999999}"#,
        &["a=0 b=-0.0 c=1000.0 d=0.01 e=0.1 f=0.0 g=999999999999999999"],
    );
    let decoded = decode(JSON, r#"{"a":18446744073709551615}"#).unwrap();
    let value = decoded.batch.event(0).get("a");
    assert_eq!(value, Some(Scalar::Json("18446744073709551615")));
}

#[test]
fn nan_and_infinity_are_no_json() {
    for word in [
        "NaN",
        "Infinity",
        "-Infinity",
        "nan",
        "-",
        "+1",
        "01",
        "1.",
        ".5",
        "1e",
        "0x1",
    ] {
        let body = format!("{{\"good\":1}}\n{{\"a\":{word}}}");
        let got = decode(JSON, &body).unwrap();
        let events: Vec<String> = got.batch.events().map(event_text).collect();
        assert_eq!(events.len(), 2, "{body}");
        assert_eq!(events[0], "good=1");
        assert!(events[1].contains("_parse_error="), "{body}: {}", events[1]);
        assert!(decode(JSON, format!("{{\"a\":{word}}}")).is_err());
    }
}

#[test]
fn of_duplicate_keys_the_last_wins() {
    check_json(r#"{"a":1,"b":2,"a":3}"#, &["a=3 b=2"]);
    check_json(r#"{"a":{"x":1},"a":{"y":2}}"#, &["a.y=2"]);
    check_json(
        r#"{"a":{"x":1,"x":{"z":[1]}},"b":"é\n"}"#,
        &[r#"a.x.z=[1] b="é\n""#],
    );
    check_json(r#"{"a":{"x":1},"a":7}{"a":{"x":2}}"#, &["a=7", "a.x=2"]);
    check_json(r#"{"a":7,"a":{}}"#, &["a={}"]);
    check_json(r#"{"a":1,"\u0061":2}"#, &["a=2"]);
    check_json(
        r#"{"dt":"2026-01-01T00:00:00Z","dt":"2026-01-02T00:00:00Z"}"#,
        &["@2026-01-02T00:00:00.000Z"],
    );
    let mut many = String::from("{");
    for index in 0..200_000 {
        let _ = write!(many, "\"a\":{index},");
    }
    many.push_str("\"b\":0}");
    check_json(many, &["a=199999 b=0"]);
}

#[test]
fn nul_bytes_are_kept_when_escaped_and_refused_raw() {
    let decoded = decode(JSON, r#"{"a\u0000":"x\u0000y"}"#).unwrap();
    assert_eq!(decoded.batch.event(0).get("a\0"), Some(Scalar::Str("x\0y")));
    check_json(
        "{\"a\":\"x\0y\"}\n{\"b\":1}",
        &[
            "message=\"{\\\"a\\\":\\\"x\\u0000y\\\"}\" _parse_error=\"a control character must be escaped \
             in a string at column 8\"",
            "b=1",
        ],
    );
}

#[test]
fn invalid_utf8_and_lone_surrogates_become_replacement_characters() {
    check_json(
        b"{\"a\":\"x\xffy\xe2\x82z\"}",
        &["a=\"x\u{fffd}y\u{fffd}z\""],
    );
    check_json(
        r#"{"a":"\ud83d\ude00","b":"\ud83d","c":"\ude00x","d":"\ud83dA","e":"\ud83d\ud83d\ude00"}"#,
        &["a=\"😀\" b=\"\u{fffd}\" c=\"\u{fffd}x\" d=\"\u{fffd}A\" e=\"\u{fffd}😀\""],
    );
    check_json(
        r#"{"a":["\ud83d","\ud83d\ude00"]}"#,
        &["a=[\"\u{fffd}\",\"😀\"]"],
    );
}

#[test]
fn escapes() {
    let decoded = decode(JSON, r#"{"k\n":"\"\\\/\b\f\n\r\t\u00e9\uD834\udd1e"}"#).unwrap();
    assert_eq!(
        decoded.batch.event(0).get("k\n"),
        Some(Scalar::Str("\"\\/\u{8}\u{c}\n\r\té𝄞"))
    );
    for bad in [r"\x", r"\u12", r"\u12g4", r"\", r"\u", "\\\n", r"\é"] {
        assert!(
            decode(JSON, format!("{{\"a\":\"{bad}\"}}")).is_err(),
            "{bad}"
        );
    }
}

#[test]
fn a_bad_line_is_kept_with_the_reason_and_the_good_ones_beside_it() {
    check_json(
        "{\"a\":1}\n{\"b\":\n{\"c\":3}\nplain text\n[2026-01-01] boot\n42\n{\"d\":4} x\n{\"e\":5}{\"f\":6}\n",
        &[
            "a=1",
            r#"message="{\"b\":" _parse_error="it ends too early at column 6""#,
            "c=3",
            r#"message="plain text" _parse_error="expected an object at column 1""#,
            r#"message="[2026-01-01] boot" _parse_error="expected a comma or a closing bracket at column 6""#,
            r#"message="42" _parse_error="expected an object at column 1""#,
            r#"message="{\"d\":4} x" _parse_error="expected an object at column 9""#,
            "e=5",
            "f=6",
        ],
    );
    check_json(
        "first line is bad\r\n{\"a\":1}\r\n",
        &[
            r#"message="first line is bad" _parse_error="expected an object at column 1""#,
            "a=1",
        ],
    );
    check_json(
        "{\"a\":\"ü\"} é\n{\"a\":1}",
        &[
            r#"message="{\"a\":\"ü\"} é" _parse_error="expected an object at column 11""#,
            "a=1",
        ],
    );
}

#[test]
fn a_broken_array_is_refused_whole() {
    for body in [
        r#"[{"a":1},{"b":2}"#,
        r#"[{"a":1},{"b":2"#,
        r#"[{"a":1},]"#,
        r#"[{"a":1} {"b":2}]"#,
        "[{\"a\":1},\n{\"b\":2},\n{\"c\":",
        r#"[{"a":1}]]"#,
        "[",
        "[1,",
    ] {
        let refused = decode(JSON, body).unwrap_err().to_string();
        assert!(refused.contains("at line "), "{body}: {refused}");
    }
    check_json(
        "[{\"a\":1},\n{\"b\":2}",
        &[
            r#"message="[{\"a\":1}," _parse_error="it ends too early at column 10""#,
            "b=2",
        ],
    );
}

#[test]
fn what_is_no_json_at_all_is_refused() {
    for (body, reason) in [
        ("hello", "expected an object at line 1, column 1"),
        ("hello\nworld\n", "expected an object at line 1, column 1"),
        ("123", "expected an object at line 1, column 1"),
        ("null", "expected an object at line 1, column 1"),
        (r#"{"a":1"#, "it ends too early at line 1, column 7"),
        (
            r#"{"a" 1}"#,
            "expected a colon after a key at line 1, column 6",
        ),
        ("{a:1}", "expected a key in quotes at line 1, column 2"),
        (
            r#"{"a":1,}"#,
            "expected a key in quotes at line 1, column 8",
        ),
        (r#"{"a":tru}"#, "expected a value at line 1, column 6"),
        (
            "{\n\"a\":1;}",
            "expected a comma or a closing brace at line 2, column 6",
        ),
        ("\u{0}", "expected an object at line 1, column 1"),
    ] {
        let refused = decode(JSON, body).unwrap_err().to_string();
        assert_eq!(
            refused,
            format!("the body cannot be decoded: {reason}"),
            "{body}"
        );
    }
}

#[test]
fn elements_that_are_no_objects_are_rejected_beside_the_good_ones() {
    check_json(
        r#"[{"a":1},"text",5,null,[{"b":2}],{"c":3}]"#,
        &[
            "a=1",
            r#"message="text""#,
            "c=3",
            "rejected 2: an event must be an object",
            "rejected 3: an event must be an object",
            "rejected 4: an event must be an object",
        ],
    );
}

/// An object `depth` levels deep in itself, as objects or arrays.
fn nested(depth: usize, is_array: bool) -> String {
    let (open, close) = if is_array {
        ("[", "]")
    } else {
        ("{\"a\":", "}")
    };
    let inner = depth - 2;
    let empty = if is_array { "[]" } else { "{}" };
    format!(
        "{{\"a\":{}{empty}{}}}",
        open.repeat(inner),
        close.repeat(inner)
    )
}

#[test]
fn an_event_nested_too_deep_is_rejected_beside_the_good_ones() {
    for is_array in [false, true] {
        for depth in [129, 130, 500, 200_000] {
            let deep = nested(depth, is_array);
            let rejected = "rejected 1: the event nests deeper than 128 levels";
            check_json(
                format!("[{{\"a\":1}},{deep},{{\"b\":2}}]"),
                &["a=1", "b=2", rejected],
            );
            check_json(
                format!("{{\"a\":1}}\n{deep}\n{{\"b\":2}}"),
                &["a=1", "b=2", rejected],
            );
            let cut = deep.strip_suffix('}').unwrap();
            assert!(decode(JSON, cut).is_err());
            assert!(decode(JSON, format!("[{cut}]")).is_err());
        }
        let decoded = decode(JSON, nested(128, is_array)).unwrap();
        assert_eq!((decoded.batch.len(), decoded.rejected_count), (1, 0));
    }
    let open = "[".repeat(1_000_000);
    assert!(decode(JSON, format!("{{\"a\":{open}")).is_err());
    let lines = "{\"a\":[\n".repeat(100_000);
    assert!(
        decode(JSON, lines).is_err(),
        "and soon, not after 100 000 attempts to the end"
    );
}

fn with_limits(body: &str, limits: Limits) -> Decoded {
    let format: Format = JSON.parse().unwrap();
    cordwood_ingest::decode(&format, body.as_bytes(), RECEIVED_AT, &limits).unwrap()
}

#[test]
fn an_event_too_large_is_rejected_beside_the_good_ones() {
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(10 << 20));
    check_json(
        format!("[{{\"a\":1}},{large},{{\"b\":2}}]"),
        &[
            "a=1",
            "b=2",
            "rejected 1: the event is larger than 10485760 bytes",
        ],
    );
    let at_limit = format!(r#"{{"a":"{}"}}"#, "x".repeat((10 << 20) - 8));
    assert_eq!(decode(JSON, at_limit).unwrap().batch.len(), 1);
    let bad_line = format!("{{\"a\":1}}\nx{large}\n");
    check_json(
        bad_line,
        &["a=1", "rejected 1: the event is larger than 10485760 bytes"],
    );
}

#[test]
fn what_does_not_fit_the_memory_of_one_request_is_rejected() {
    let limits = Limits {
        batch_bytes_max: 4_000,
        ..Limits::default()
    };
    let decoded = with_limits(&"{\"a\":1}".repeat(1_000), limits);
    assert!(
        (50..100).contains(&decoded.batch.len()),
        "{}",
        decoded.batch.len()
    );
    assert_eq!(decoded.rejected_count, 1_000 - decoded.batch.len());
    let full = RejectionReason::BatchFull { limit_bytes: 4_000 };
    assert!(
        decoded
            .rejected
            .iter()
            .all(|rejection| rejection.reason == full)
    );
    assert!(decoded.batch.memory_bytes() < 8_000);
}

#[test]
fn what_a_broken_line_refused_is_forgotten_with_it() {
    check_json(
        "[{\"a\":1},5]\n[5,{\"b\":2}] x\n[6,{\"c\":3}]",
        &[
            "a=1",
            r#"message="[5,{\"b\":2}] x" _parse_error="expected an object at column 13""#,
            "c=3",
            "rejected 1: an event must be an object",
            "rejected 3: an event must be an object",
        ],
    );
}

#[test]
fn once_full_a_batch_takes_nothing_more() {
    let limits = Limits {
        batch_bytes_max: 2_000,
        ..Limits::default()
    };
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(3_000));
    let decoded = with_limits(&format!("{{\"a\":1}}\n{large}\n{{\"a\":2}}\nbad\n"), limits);
    let full = RejectionReason::BatchFull { limit_bytes: 2_000 };
    let reasons: Vec<_> = decoded
        .rejected
        .iter()
        .map(|r| (r.index, r.reason))
        .collect();
    assert_eq!(decoded.batch.len(), 1);
    assert_eq!(reasons, [(1, full), (2, full), (3, full)]);
    let broken_array = format!("[{}\n{{\"a\":2}}\n", "{},".repeat(100));
    let decoded = with_limits(&broken_array, limits);
    assert_eq!(
        (decoded.batch.len(), decoded.rejected_count),
        (2, 0),
        "its events were taken back"
    );
}

#[test]
fn keys_of_refused_events_count_against_the_memory_of_the_request() {
    let limits = Limits {
        event_bytes_max: 10_000,
        batch_bytes_max: 100_000,
        ..Limits::default()
    };
    let mut body = String::new();
    for event in 0..100 {
        let keys: Vec<String> = (0..2_000)
            .map(|key| format!("\"{event}-{key}\":1"))
            .collect();
        let _ = writeln!(body, "{{{}}}", keys.join(","));
    }
    let decoded = with_limits(&body, limits);
    assert_eq!((decoded.batch.len(), decoded.rejected_count), (0, 100));
    let too_large = RejectionReason::TooLarge {
        limit_bytes: 10_000,
    };
    let full = RejectionReason::BatchFull {
        limit_bytes: 100_000,
    };
    let large_count = decoded
        .rejected
        .iter()
        .filter(|r| r.reason == too_large)
        .count();
    assert!((1..4).contains(&large_count), "{large_count}");
    assert_eq!(decoded.rejected.last().unwrap().reason, full);
    assert_eq!(decoded.batch.paths().len(), 0, "and leave no names behind");
}

#[test]
fn a_long_list_of_rejections_is_cut_but_counted() {
    let decoded = decode(JSON, format!("[{}1]", "1,".repeat(4_999))).unwrap();
    assert_eq!(decoded.rejected_count, 5_000);
    assert_eq!(decoded.rejected.len(), Decoded::REJECTIONS_KEPT);
}

#[test]
fn a_million_distinct_field_names_in_one_body() {
    let mut one = String::from("{");
    let mut many = String::new();
    for index in 0..500_000 {
        let _ = write!(one, "\"field{index}\":{index},");
        let _ = writeln!(many, "{{\"other{index}\":{{\"in\":{index}}}}}");
    }
    one.push_str("\"last\":0}\n");
    let decoded = decode(JSON, one + &many).unwrap();
    assert_eq!(decoded.rejected, []);
    assert_eq!(decoded.batch.len(), 500_001);
    assert_eq!(decoded.batch.paths().len(), 1_000_001);
    let fields = decoded.batch.event(0).fields();
    assert_eq!(fields.len(), 500_001);
    let expected = (0..500_000).chain([0]).map(Scalar::Int);
    assert!(fields.map(|(_, value)| value).eq(expected));
    let last = decoded.batch.event(500_000);
    assert_eq!(last.get("other499999.in"), Some(Scalar::Int(499_999)));
    assert!(decoded.batch.memory_bytes() < 200 << 20);
}

#[test]
fn source_bytes_are_those_of_the_event_alone() {
    let decoded = decode(JSON, " [ {\"a\":1} , \"text\" ] ").unwrap();
    let bytes: Vec<usize> = decoded
        .batch
        .events()
        .map(|event| event.source_bytes())
        .collect();
    assert_eq!(bytes, [7, 6]);
    assert_eq!(decoded.decompressed_bytes, 22);
}
