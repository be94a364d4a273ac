//! MessagePack bodies: every type, every length, every kind of damage; rmp's encoder as the oracle.

use cordwood_event::Scalar;
use cordwood_ingest::{Limits, RejectionReason};
use proptest::prelude::*;
use rmp::encode;
use serde_json::{Map, Value};

use super::json_oracle::{object, object_of};
use super::{RECEIVED_AT, check, decode, event_text, outcome};

const MSGPACK: &str = "1 msgpack identity";

/// A map with one pair, the value given as bytes.
fn one_pair(key: &[u8], value: &[u8]) -> Vec<u8> {
    [&[0x81], key, value].concat()
}

fn check_value(value: &[u8], expected: &str) {
    check(MSGPACK, one_pair(b"\xa1a", value), &[expected]);
}

fn encode_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => encode::write_nil(out).unwrap(),
        Value::Bool(boolean) => encode::write_bool(out, *boolean).unwrap(),
        Value::Number(number) => {
            if let Some(integer) = number.as_i64() {
                encode::write_sint(out, integer).unwrap();
            } else if let Some(integer) = number.as_u64() {
                encode::write_uint(out, integer).unwrap();
            } else {
                encode::write_f64(out, number.as_f64().unwrap()).unwrap();
            }
        }
        Value::String(text) => encode::write_str(out, text).unwrap(),
        Value::Array(items) => {
            encode::write_array_len(out, u32::try_from(items.len()).unwrap()).unwrap();
            items.iter().for_each(|item| encode_value(out, item));
        }
        Value::Object(members) => encode_map(out, members),
    }
}

fn encode_map(out: &mut Vec<u8>, members: &Map<String, Value>) {
    encode::write_map_len(out, u32::try_from(members.len()).unwrap()).unwrap();
    for (key, value) in members {
        encode::write_str(out, key).unwrap();
        encode_value(out, value);
    }
}

fn encoded(json: &str) -> Vec<u8> {
    let mut out = Vec::new();
    encode_value(&mut out, &serde_json::from_str(json).unwrap());
    out
}

#[test]
fn documents_of_every_form() {
    check(MSGPACK, [], &[]);
    check(MSGPACK, encoded("[]"), &[]);
    check(MSGPACK, encoded(r#"{"a":1}"#), &["a=1"]);
    check(MSGPACK, encoded("{}"), &[""]);
    check(
        MSGPACK,
        encoded(r#"[{"a":1},{"b":{"c":[1,{"d":2}]}}]"#),
        &["a=1", r#"b.c=[1,{"d":2}]"#],
    );
    let run = [
        encoded(r#"{"a":1}"#),
        encoded(r#"[{"b":2}]"#),
        encoded(r#"{"c":3}"#),
    ];
    check(MSGPACK, run.concat(), &["a=1", "b=2", "c=3"]);
    check(
        MSGPACK,
        encoded(r#"[{"a":1},"text",5,[{"x":1}],null,{"b":2}]"#),
        &[
            "a=1",
            r#"message="text""#,
            "b=2",
            "rejected 2: an event must be an object",
            "rejected 3: an event must be an object",
            "rejected 4: an event must be an object",
        ],
    );
}

#[test]
fn values_of_every_type_and_width() {
    for (value, expected) in [
        (&b"\xc0"[..], "a=null"),
        (b"\xc2", "a=false"),
        (b"\xc3", "a=true"),
        (b"\x7f", "a=127"),
        (b"\xe0", "a=-32"),
        (b"\xcc\xff", "a=255"),
        (b"\xcd\xff\xff", "a=65535"),
        (b"\xce\xff\xff\xff\xff", "a=4294967295"),
        (
            b"\xcf\x7f\xff\xff\xff\xff\xff\xff\xff",
            "a=9223372036854775807",
        ),
        (
            b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
            "a=18446744073709551615",
        ),
        (b"\xd0\x80", "a=-128"),
        (b"\xd1\x80\x00", "a=-32768"),
        (b"\xd2\x80\x00\x00\x00", "a=-2147483648"),
        (
            b"\xd3\x80\x00\x00\x00\x00\x00\x00\x00",
            "a=-9223372036854775808",
        ),
        (b"\xca\x3f\xc0\x00\x00", "a=1.5"),
        (b"\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00", "a=1.5"),
        (b"\xa2xy", r#"a="xy""#),
        (b"\xd9\x02xy", r#"a="xy""#),
        (b"\xda\x00\x02xy", r#"a="xy""#),
        (b"\xdb\x00\x00\x00\x02xy", r#"a="xy""#),
        (b"\xc4\x02xy", r#"a="xy""#),
        (b"\xc5\x00\x02xy", r#"a="xy""#),
        (b"\xc6\x00\x00\x00\x02xy", r#"a="xy""#),
        (b"\x92\x01\xc0", "a=[1,null]"),
        (b"\xdc\x00\x01\x01", "a=[1]"),
        (b"\xdd\x00\x00\x00\x01\x01", "a=[1]"),
        (b"\x90", "a=[]"),
        (b"\x80", "a={}"),
        (b"\x81\xa1b\x01", "a.b=1"),
        (b"\xde\x00\x01\xa1b\x01", "a.b=1"),
        (b"\xdf\x00\x00\x00\x01\xa1b\x01", "a.b=1"),
        (b"\x91\x82\xa1b\xc3\x07\x80", r#"a=[{"b":true,"7":{}}]"#),
    ] {
        check_value(value, expected);
    }
}

#[test]
fn what_json_has_no_word_for_becomes_text() {
    for (value, expected) in [
        (&b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"[..], r#"a="NaN""#),
        (b"\xca\x7f\x80\x00\x00", r#"a="Infinity""#),
        (b"\xcb\xff\xf0\x00\x00\x00\x00\x00\x00", r#"a="-Infinity""#),
        (
            b"\x92\xca\x7f\xc0\x00\x00\xca\xff\x80\x00\x00",
            r#"a=["NaN","-Infinity"]"#,
        ),
        (
            b"\x92\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xc4\x01\xff",
            "a=[18446744073709551615,\"\u{fffd}\"]",
        ),
        (b"\xa3x\xffy", "a=\"x\u{fffd}y\""),
        (b"\xc4\x03\x00\xffA", "a=\"\\u0000\u{fffd}A\""),
        (b"\xd4\x05\xab", r#"a="ext(5):ab""#),
        (b"\xd5\x80\xab\xcd", r#"a="ext(-128):abcd""#),
        (b"\xc7\x03\x01\x01\x02\x03", r#"a="ext(1):010203""#),
        (b"\xc8\x00\x00\x01", r#"a="ext(1):""#),
        (b"\xc9\x00\x00\x00\x01\x01\x7f", r#"a="ext(1):7f""#),
        (
            b"\xd8\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01",
            r#"a="ext(2):00000000000000000000000000000001""#,
        ),
        (b"\x91\xd4\x05\xab", r#"a=["ext(5):ab"]"#),
    ] {
        check_value(value, expected);
    }
}

#[test]
fn timestamps_of_every_width_are_times_for_dt_and_text_elsewhere() {
    let mut nanos_64 = vec![0xd7, 0xff];
    nanos_64.extend((123_456_789_u64 << 34 | 1_767_225_600).to_be_bytes());
    let mut nanos_96 = vec![0xc7, 12, 0xff];
    nanos_96.extend(500_000_000_u32.to_be_bytes());
    nanos_96.extend((-1_i64).to_be_bytes());
    for (value, text) in [
        (&b"\xd6\xff\x69\x55\xb9\x00"[..], "2026-01-01T00:00:00.000Z"),
        (&nanos_64, "2026-01-01T00:00:00.123456789Z"),
        (&nanos_96, "1969-12-31T23:59:59.500Z"),
    ] {
        check_value(value, &format!("a={text:?}"));
        check(MSGPACK, one_pair(b"\xa2dt", value), &[&format!("@{text}")]);
        check_value(&[&[0x91], value].concat(), &format!("a=[{text:?}]"));
    }
    let mut far = vec![0xc7, 12, 0xff, 0, 0, 0, 0];
    far.extend(253_370_764_800_i64.to_be_bytes());
    check_value(&far, r#"a="9999-01-01T00:00:00Z""#);
    check(
        MSGPACK,
        one_pair(b"\xa2dt", &far),
        &[r#"_dt="9999-01-01T00:00:00Z""#],
    );
    let mut beyond = vec![0xc7, 12, 0xff, 0, 0, 0, 0];
    beyond.extend(i64::MAX.to_be_bytes());
    check_value(&beyond, r#"a="ext(-1):000000007fffffffffffffff""#);
    check_value(
        b"\xd7\xff\xff\xff\xff\xff\x00\x00\x00\x00",
        r#"a="ext(-1):ffffffff00000000""#,
    );
    check_value(b"\xd5\xff\x01\x02", r#"a="ext(-1):0102""#);
}

#[test]
fn keys_that_are_no_text_are_written_as_such() {
    for (key, path) in [
        (&b"\x07"[..], "7"),
        (b"\xff", "-1"),
        (
            b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
            "18446744073709551615",
        ),
        (b"\xc0", "null"),
        (b"\xc3", "true"),
        (b"\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00", r"1\.5"),
        (b"\xca\x7f\xc0\x00\x00", "NaN"),
        (b"\xc4\x01x", "x"),
        (b"\xa1\xff", "\u{fffd}"),
        (b"\xd4\x05\xab", "ext(5):ab"),
        (b"\x92\x01\xa1x", r#"[1,"x"]"#),
        (b"\x81\xa1k\x01", r#"{"k":1}"#),
    ] {
        check(MSGPACK, one_pair(key, b"\x01"), &[&format!("{path}=1")]);
    }
    check(MSGPACK, b"\x82\x01\xa1x\xa11\xa1y", &[r#"1="y""#]);
}

#[test]
fn of_duplicate_keys_the_last_wins() {
    check(
        MSGPACK,
        b"\x93\x83\xa1a\x01\xa1b\x02\xa1a\x03\x81\xa1c\x04\x80",
        &["a=3 b=2", "c=4", ""],
    );
    check(
        MSGPACK,
        b"\x82\xa1a\x81\xa1x\x01\xa1a\x81\xa1y\x02",
        &["a.y=2"],
    );
}

#[test]
fn a_damaged_body_is_refused_whole() {
    for (body, reason) in [
        (&b"\x92\x81\xa1a\x01"[..], "it ends too early at byte 5"),
        (b"\x81\xa1a", "it ends too early at byte 3"),
        (b"\x81\xdb\xff\xff\xff\xffx", "it ends too early at byte 6"),
        (
            b"\x81\xa1a\xc6\xff\xff\xff\xff",
            "it ends too early at byte 8",
        ),
        (
            b"\x81\xa1a\xdd\xff\xff\xff\xff",
            "it ends too early at byte 8",
        ),
        (b"\xdf\xff\xff\xff\xff", "it ends too early at byte 5"),
        (b"\xdd\xff\xff\xff\xff\x80", "it ends too early at byte 6"),
        (
            b"\x81\xa1a\x01\xc1",
            "the reserved byte 0xc1 stands before at byte 5",
        ),
        (b"\xc7", "it ends too early at byte 1"),
        (b"\x01", "expected a map or an array of maps at byte 0"),
        (b"{\"a\":1}", "expected a map or an array of maps at byte 0"),
        (b"\x80\x05", "expected a map or an array of maps at byte 1"),
        (b"\xa1a", "expected a map or an array of maps at byte 0"),
    ] {
        let refused = decode(MSGPACK, body).unwrap_err().to_string();
        assert_eq!(
            refused,
            format!("the body cannot be decoded: {reason}"),
            "{body:x?}"
        );
    }
}

/// A map `depth` levels deep, through maps or arrays.
fn nested(depth: usize, is_array: bool) -> Vec<u8> {
    let level: &[u8] = if is_array { b"\x91" } else { b"\x81\xa1a" };
    let innermost: &[u8] = if is_array { b"\x90" } else { b"\x80" };
    [b"\x81\xa1a", &level.repeat(depth - 2)[..], innermost].concat()
}

#[test]
fn an_event_nested_too_deep_is_rejected_beside_the_good_ones() {
    for is_array in [false, true] {
        for depth in [129, 1_000, 200_000] {
            let body = [
                b"\x93\x81\xa1a\x01",
                &nested(depth, is_array)[..],
                b"\x81\xa1b\x02",
            ]
            .concat();
            check(
                MSGPACK,
                body,
                &[
                    "a=1",
                    "b=2",
                    "rejected 1: the event nests deeper than 128 levels",
                ],
            );
        }
        let decoded = decode(MSGPACK, nested(128, is_array)).unwrap();
        assert_eq!((decoded.batch.len(), decoded.rejected_count), (1, 0));
    }
    assert!(
        decode(
            MSGPACK,
            [b"\x81\xa1a", &b"\x91".repeat(200_000)[..]].concat()
        )
        .is_err()
    );
}

/// Each level would double the backslashes of those within: 120 levels must not take 2^120 of them.
#[test]
fn keys_within_keys_are_rejected_beside_the_good_ones() {
    for (start, end) in [
        (&b"\x81"[..], &b"\x01"[..]),
        (b"\x81\x91\x81", b"\x01\x01"),
        (b"\x81\x81", b"\x01\x01"),
    ] {
        let body = [
            b"\x93\x81\xa1a\x01",
            &start.repeat(60)[..],
            b"\x81\x01\x01",
            &end.repeat(60),
            b"\x81\xa1b\x02",
        ]
        .concat();
        let rejected = "rejected 1: the event nests deeper than 128 levels";
        check(MSGPACK, body, &["a=1", "b=2", rejected]);
    }
    check(
        MSGPACK,
        one_pair(b"\x81\x07\x81\x08\x09", b"\x01"),
        &[r#"{"7":{"8":9}}=1"#],
    );
}

#[test]
fn an_event_too_large_is_rejected_before_it_is_written() {
    let limits = Limits {
        event_bytes_max: 1_000,
        ..Limits::default()
    };
    let too_large = RejectionReason::TooLarge { limit_bytes: 1_000 };
    for (nul_count, is_kept) in [(993, true), (994, false), (60_000, false)] {
        let mut body = vec![0x93, 0x81, 0xa1, b'a', 0x01, 0x81, 0xa1, b'a', 0x91];
        encode::write_bin(&mut body, &vec![0; nul_count]).unwrap();
        body.extend(b"\x81\xa1b\x02");
        let format = MSGPACK.parse().unwrap();
        let decoded = cordwood_ingest::decode(&format, &body, RECEIVED_AT, &limits).unwrap();
        assert_eq!(
            decoded.batch.len(),
            if is_kept { 3 } else { 2 },
            "{nul_count}"
        );
        let reasons: Vec<_> = decoded
            .rejected
            .iter()
            .map(|r| (r.index, r.reason))
            .collect();
        assert_eq!(
            reasons,
            if is_kept {
                vec![]
            } else {
                vec![(1, too_large)]
            }
        );
        let last = decoded.batch.events().last().unwrap();
        assert_eq!(event_text(last), "b=2");
    }
}

#[test]
fn two_hundred_thousand_distinct_keys_in_one_body() {
    let mut body = Vec::new();
    encode::write_map_len(&mut body, 200_000).unwrap();
    for index in 0..200_000_u32 {
        encode::write_uint(&mut body, u64::from(index)).unwrap();
        encode::write_uint(&mut body, u64::from(index)).unwrap();
    }
    let decoded = decode(MSGPACK, body).unwrap();
    let event = decoded.batch.event(0);
    assert_eq!(event.fields().len(), 200_000);
    assert!(
        event
            .fields()
            .map(|(_, value)| value)
            .eq((0..200_000).map(Scalar::Int))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_rmp_encodes_comes_back(sent in object()) {
        let mut body = Vec::new();
        encode_map(&mut body, &sent);
        let decoded = decode(MSGPACK, &body).unwrap();
        prop_assert_eq!(decoded.batch.len(), 1);
        prop_assert_eq!(object_of(decoded.batch.event(0)), Value::Object(sent));
    }

    #[test]
    fn json_and_messagepack_of_the_same_events_are_the_same(
        sent in prop::collection::vec(object(), 0..4)
    ) {
        let events = Value::Array(sent.into_iter().map(Value::Object).collect());
        let mut body = Vec::new();
        encode_value(&mut body, &events);
        prop_assert_eq!(
            outcome(&decode(MSGPACK, &body)),
            outcome(&decode("1 json identity", events.to_string()))
        );
    }

    #[test]
    fn a_body_cut_off_anywhere_is_refused(
        sent in object(), cut in any::<prop::sample::Index>()
    ) {
        let mut body = Vec::new();
        encode_map(&mut body, &sent);
        body.truncate(cut.index(body.len()));
        prop_assert_eq!(decode(MSGPACK, &body).is_err(), !body.is_empty());
    }

    #[test]
    fn no_bytes_make_it_panic_and_each_decodes_the_same_twice(
        body in prop::collection::vec(
            prop_oneof![
                any::<u8>(),
                prop::sample::select(b"\x80\x81\x82\x90\x91\x92\xa0\xa1\xc0\xc7\xd6\xff\xde\xdc".to_vec()),
            ],
            0..100,
        )
    ) {
        let once = outcome(&decode(MSGPACK, &body));
        prop_assert_eq!(once, outcome(&decode(MSGPACK, &body)));
    }
}
