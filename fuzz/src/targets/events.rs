//! The decoders of events: no body panics, what is kept is well formed, and decoding is a function.

use cordwood_event::{Batch, EventRef, Scalar, Timestamp};
use cordwood_ingest::{ContentEncoding, ContentKind, Decoded, Format, Limits, Refusal, decode};
use serde_json::Value;

use super::Target;

const WORDS: &[&str] = &[
    "\"dt\":",
    "\"level\":",
    "\"severity\":",
    "\"log.level\":",
    "\"message\":",
    "\"_id\":",
    "null",
    "true",
    "false",
    "1e400",
    "-0",
    "0.1",
    "18446744073709551616",
    "\\u0000",
    "\\ud800",
    "\\ud83d\\ude00",
    "2026-03-27T10:00:00.123456789Z",
    "1774605600",
    "1774605600000",
    "\"1774605600000\"",
    "{\"a\":{\"a\":",
    "[[[[[[[[",
    "}}}}",
    "\r\n",
    "\u{feff}",
    "\"a.b\":",
    "\\\\",
];

pub(super) const JSON: Target = Target {
    name: "json",
    run: |body| {
        let outcome = check(ContentKind::Json, body);
        agree_with_serde(body, outcome.as_ref());
    },
    dictionary: WORDS,
};

pub(super) const NDJSON: Target = Target {
    name: "ndjson",
    run: |body| {
        let _ = check(ContentKind::Ndjson, body);
    },
    dictionary: WORDS,
};

pub(super) const MSGPACK: Target = Target {
    name: "msgpack",
    run: |body| {
        let _ = check(ContentKind::MessagePack, body);
    },
    // Text is cut into words as bytes, so these are MessagePack of ASCII alone.
    dictionary: &[
        "\x02dt",
        "\x05level",
        "\x07message",
        "\x01a",
        "\x00\x00\x00\x01",
        "dt",
        "message",
    ],
};

pub(super) const LINES: Target = Target {
    name: "lines",
    run: |body| {
        let _ = check(ContentKind::Lines, body);
    },
    dictionary: &[
        "<34>1 ",
        "<13>",
        "2026-03-27T10:00:00Z ",
        "Mar 27 10:00:00 ",
        "[Sun Dec 04 04:47:44 2005] ",
        "081109 203615 148 INFO ",
        "I0327 10:00:00.000000 1 a.go:1] ",
        "03-17 16:13:38.811  1702  2395 D ",
        "ERROR ",
        " - - [27/Mar/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 1",
        "\r\n",
        "24:61:61",
        "Feb 30 ",
    ],
};

fn check(kind: ContentKind, body: &[u8]) -> Result<Decoded, Refusal> {
    let format = Format {
        kind,
        encoding: ContentEncoding::Identity,
        dt_field: None,
    };
    let received_at = Timestamp::from_nanos(1_774_605_600_000_000_000);
    let first = decode(&format, body, received_at, &Limits::CONTRACT);
    let second = decode(&format, body, received_at, &Limits::CONTRACT);
    match (&first, &second) {
        (Ok(first), Ok(second)) => {
            assert_same(&first.batch, &second.batch);
            assert_eq!(first.rejected, second.rejected, "rejections differ");
            assert!(first.rejected.len() <= Decoded::REJECTIONS_KEPT);
            assert!(first.rejected.len() <= first.rejected_count);
            assert_eq!(first.decompressed_bytes, body.len());
            (0..first.batch.len()).for_each(|row| assert_well_formed(first.batch.event(row)));
        }
        (Err(first), Err(second)) => assert_eq!(first, second),
        _ => panic!("the same body was taken once and refused once"),
    }
    first
}

fn assert_same(first: &Batch, second: &Batch) {
    assert_eq!(first.len(), second.len(), "decoding is not a function");
    for row in 0..first.len() {
        let (a, b) = (first.event(row), second.event(row));
        assert_eq!(a.timestamp(), b.timestamp());
        assert_eq!(a.level(), b.level());
        assert!(a.fields().eq(b.fields()), "decoding is not a function");
    }
}

/// Each path once, floats finite, JSON leaves valid JSON: what the rest of the house relies on.
fn assert_well_formed(event: EventRef<'_>) {
    let mut seen = Vec::new();
    for (field, value) in event.fields() {
        seen.push(field);
        match value {
            Scalar::Float(float) => assert!(float.is_finite(), "{float} is stored"),
            Scalar::Json(text) => {
                serde_json::from_str::<&serde_json::value::RawValue>(text)
                    .unwrap_or_else(|error| panic!("not JSON: {error}: {text}"));
            }
            Scalar::Null | Scalar::Bool(_) | Scalar::Int(_) | Scalar::Str(_) => {}
        }
    }
    let fields = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(fields, seen.len(), "a field is there twice");
}

/// What another parser takes for an object is an event, or is rejected with a reason; never lost.
fn agree_with_serde(body: &[u8], outcome: Result<&Decoded, &Refusal>) {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return;
    };
    let expected = match &value {
        Value::Object(_) => 1,
        Value::Array(elements) => elements.len(),
        _ => return,
    };
    let decoded = outcome.expect("JSON that is an object or an array is decoded");
    assert_eq!(
        decoded.batch.len() + decoded.rejected_count,
        expected,
        "an event was lost or made up: {value}"
    );
}
