//! A batch gives back what was put in; paths, numbers, times and levels mean what they say.
#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop right there"
)]

use std::cmp::Ordering;

use cordwood_event::{
    BatchBuilder, DuplicateKey, Event, EventHead, EventId, FieldId, FieldMap, Level, Number,
    Scalar, SourceId, Timestamp, json, path,
};

/// Puts a JSON object into the builder as a decoder would.
fn put(builder: &mut BatchBuilder, members: &serde_json::Map<String, serde_json::Value>) {
    for (key, value) in members {
        builder
            .key(key)
            .expect("serde_json keeps one value per key");
        match value {
            serde_json::Value::Object(inner) => {
                builder.begin_object();
                put(builder, inner);
                builder.end_object();
            }
            serde_json::Value::Array(_) => builder.value(Scalar::Json(&value.to_string())),
            serde_json::Value::Null => builder.value(Scalar::Null),
            serde_json::Value::Bool(boolean) => builder.value(Scalar::Bool(*boolean)),
            serde_json::Value::String(text) => builder.value(Scalar::Str(text)),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(integer) => builder.value(Scalar::Int(integer)),
                None => builder.value(Scalar::Float(number.as_f64().unwrap())),
            },
        }
    }
}

fn finish(builder: &mut BatchBuilder) {
    builder.finish_event(EventHead {
        timestamp: Timestamp::from_nanos(1_000_000),
        level: Some(Level::Warn),
        source_bytes: 1,
    });
}

fn round_trip(sent: &str) -> serde_json::Value {
    let sent: serde_json::Map<_, _> = serde_json::from_str(sent).unwrap();
    let mut builder = BatchBuilder::new();
    builder.begin_event();
    put(&mut builder, &sent);
    finish(&mut builder);
    let batch = builder.finish();
    let mut copied = BatchBuilder::new();
    copied.copy_event(batch.event(0), &mut FieldMap::default());
    let copied = copied.finish();
    let event = Event::copy_of(copied.event(0), SourceId(7), 3);
    let mut text = String::new();
    json::write_event(&mut text, &event, "api");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn events_come_back_as_sent() {
    for sent in [
        r#"{"message":"hello","level":"WARNING","a":1}"#,
        r#"{"z":{"b":{"c":1.5,"d":"x"},"e":[1,{"f":2}]},"a":null,"z.b":{"c":7}}"#,
        r#"{"a.b":1,"a":{"b":2,"":3},"":{"":""},"\\":{"\\.":true}}"#,
        r#"{"message":{"text":"nested"},"level":{"name":"x"},"empty":{},"list":[]}"#,
    ] {
        let mut got = round_trip(sent);
        let members = got.as_object_mut().unwrap();
        assert_eq!(members.remove("dt").unwrap(), "1970-01-01T00:00:00.001Z");
        assert_eq!(members.remove("_id").unwrap(), "00000000000f4240-3");
        assert_eq!(members.remove("_source").unwrap(), "api");
        let sent: serde_json::Value = serde_json::from_str(sent).unwrap();
        if sent.get("level").is_none() {
            assert_eq!(members.remove("level").unwrap(), "warn");
        }
        if sent.get("message").is_none() {
            assert!(members.remove("message").unwrap().is_null());
        }
        assert_eq!(got, sent);
    }
}

#[test]
fn a_duplicate_key_is_noticed_and_an_abandoned_event_leaves_nothing() {
    let mut builder = BatchBuilder::new();
    builder.begin_event();
    builder.key("a").unwrap();
    builder.begin_object();
    builder.key("b").unwrap();
    builder.value(Scalar::Str("lost"));
    builder.end_object();
    assert_eq!(builder.key("a"), Err(DuplicateKey));
    builder.abandon_event();
    builder.begin_event();
    builder.key("a").unwrap();
    builder.value(Scalar::Int(1));
    finish(&mut builder);
    let batch = builder.finish();
    assert_eq!(batch.len(), 1);
    assert_eq!(batch.event(0).fields().count(), 1);
    assert_eq!(batch.event(0).get("a"), Some(Scalar::Int(1)));
    assert_eq!(batch.paths(), ["a".into()]);
}

#[test]
fn the_fields_of_forgotten_events_leave_no_paths() {
    let mut builder = BatchBuilder::new();
    for (key, is_kept) in [
        ("a", false),
        ("b", true),
        ("c", false),
        ("d", true),
        ("b", true),
    ] {
        let mark = builder.mark();
        builder.begin_event();
        builder.key(key).unwrap();
        builder.value(Scalar::Str(key));
        match is_kept {
            true => finish(&mut builder),
            false if key == "a" => builder.abandon_event(),
            false => {
                finish(&mut builder);
                builder.rewind(mark);
            }
        }
    }
    let batch = builder.finish();
    assert_eq!(batch.paths(), ["b".into(), "d".into()]);
    let fields = batch
        .events()
        .map(|event| event.fields().collect::<Vec<_>>());
    let (b, d) = (FieldId(0), FieldId(1));
    assert_eq!(
        fields.collect::<Vec<_>>(),
        [
            vec![(b, Scalar::Str("b"))],
            vec![(d, Scalar::Str("d"))],
            vec![(b, Scalar::Str("b"))]
        ]
    );
}

#[test]
fn a_builder_goes_back_to_a_mark() {
    let mut builder = BatchBuilder::new();
    let mut put_one = |key: &str, text: &str| {
        let mark = builder.mark();
        builder.begin_event();
        builder.key(key).unwrap();
        builder.value(Scalar::Str(text));
        finish(&mut builder);
        (mark, builder.event_count(), builder.memory_bytes())
    };
    let (_, _, bytes_of_one) = put_one("a", "kept");
    let (mark, _, bytes_of_two) = put_one("b", "lost");
    let (_, count, bytes_of_three) = put_one("b", &"lost too".repeat(20));
    assert_eq!(count, 3);
    assert!(bytes_of_one < bytes_of_two && bytes_of_two < bytes_of_three);
    builder.begin_event();
    builder.key("c").unwrap();
    builder.rewind(mark);
    builder.abandon_event();
    assert_eq!(builder.event_count(), 1);
    assert!(
        builder.memory_bytes() < bytes_of_three,
        "keys stay, events do not"
    );
    builder.begin_event();
    builder.key("b").unwrap();
    builder.value(Scalar::Int(2));
    finish(&mut builder);
    let batch = builder.finish();
    assert_eq!(batch.event(0).get("a"), Some(Scalar::Str("kept")));
    assert_eq!(batch.event(1).get("b"), Some(Scalar::Int(2)));
    assert_eq!(batch.event(1).fields().len(), 1);
}

#[test]
fn a_spelled_key_is_taken_only_if_it_is_an_expected_one() {
    let mut builder = BatchBuilder::new();
    let mut put = |keys: &[&str]| {
        builder.begin_event();
        let mut taken = Vec::new();
        for key in keys {
            let json = format!("\"{key}\":1,                ");
            match builder.spelled_key(json.as_bytes()) {
                Some(length) => taken.push(length - "\"\":".len()),
                None => assert!(builder.key(key).is_ok()),
            }
            builder.value(Scalar::Int(1));
        }
        finish(&mut builder);
        taken
    };
    assert_eq!(put(&["a", "bc", "d"]), [0; 0]);
    assert_eq!(put(&["a", "bc", "d"]), [1, 2, 1]);
    assert_eq!(
        put(&["a", "b", "bcd"]),
        [1],
        "neither a prefix nor an extension"
    );
    assert_eq!(put(&["a", "b", "bcd"]), [1, 1, 3]);
    assert_eq!(put(&["x\\", "x\"", "\0", ""]), [0; 0]);
    assert_eq!(
        put(&["x\\", "x\"", "\0", ""]),
        [0],
        "only the empty key needs no escape"
    );
    let mut builder = BatchBuilder::new();
    builder.begin_event();
    builder.key("a").unwrap();
    builder.value(Scalar::Int(1));
    assert!(builder.has_root_key("a") && !builder.has_root_key("b"));
    builder.key("b").unwrap();
    builder.value(Scalar::Int(1));
    assert_eq!(builder.spelled_key(b"\"b\":                "), None);
    assert_eq!(builder.key("a"), Err(DuplicateKey));
}

#[test]
fn a_text_that_comes_again_is_kept_once() {
    const LONG: &str = "longer than what is copied at once";
    let mut builder = BatchBuilder::new();
    let put = |builder: &mut BatchBuilder, text: &str| {
        builder.begin_event();
        builder.key("a").unwrap();
        let repeated = builder.repeated_text(format!("{text}\"").as_bytes());
        if repeated.is_none() {
            builder.plain_text(text);
        }
        finish(builder);
        repeated.is_some()
    };
    assert!(!put(&mut builder, LONG), "it is new");
    let mark = builder.mark();
    let one_bytes = builder.memory_bytes();
    assert!(put(&mut builder, LONG));
    let two_bytes = builder.memory_bytes();
    assert!(two_bytes > one_bytes + LONG.len(), "reckoned as if it was");
    assert!(!put(&mut builder, "longer than"), "only a beginning of it");
    assert!(!put(&mut builder, LONG), "only the last one is known");
    builder.rewind(mark);
    assert_eq!(builder.memory_bytes(), one_bytes);
    assert!(!put(&mut builder, LONG), "texts were taken back since");
    builder.begin_event();
    builder.key("b").unwrap();
    builder.short_text("short, then more", 5);
    finish(&mut builder);
    let batch = builder.finish();
    let texts: Vec<_> = batch.events().flat_map(|event| event.fields()).collect();
    let expected = [(0, LONG), (0, LONG), (1, "short")];
    assert_eq!(
        texts,
        expected.map(|(field, text)| (FieldId(field), Scalar::Str(text)))
    );
}

#[test]
fn values_tell_what_they_take_before_their_text_is_looked_at() {
    let cases = [
        (Scalar::Null, 0, None),
        (Scalar::Bool(true), 0, None),
        (Scalar::Int(7), 0, None),
        (Scalar::Float(0.5), 0, None),
        (Scalar::Str(""), 0, Some("")),
        (Scalar::Str("héllo"), 6, Some("héllo")),
        (Scalar::Json("[1]"), 3, None),
    ];
    let mut builder = BatchBuilder::new();
    builder.begin_event();
    for (key, (value, ..)) in cases.iter().enumerate() {
        builder.key(&key.to_string()).unwrap();
        builder.value(*value);
    }
    finish(&mut builder);
    let batch = builder.finish();
    for ((_, value), (scalar, text_bytes, text)) in batch.event(0).values().zip(cases) {
        assert_eq!(value.scalar(), scalar);
        assert_eq!(value.text_bytes(), text_bytes, "{scalar:?}");
        assert_eq!(value.str_bytes(), text.map(str::as_bytes), "{scalar:?}");
    }
}

#[test]
fn a_root_key_is_renamed_with_all_below_it() {
    let mut builder = BatchBuilder::new();
    builder.begin_event();
    builder.key("dt").unwrap();
    builder.begin_object();
    builder.key("x.y").unwrap();
    builder.value(Scalar::Int(1));
    builder.end_object();
    builder.rename_root_key("dt", "_dt");
    builder.set_root_field("_dt", Scalar::Int(2));
    builder.set_root_field("why", Scalar::Int(3));
    finish(&mut builder);
    let batch = builder.finish();
    let event = batch.event(0);
    assert_eq!(event.get(r"_dt.x\.y"), Some(Scalar::Int(1)));
    assert_eq!(event.get("why"), Some(Scalar::Int(3)));
    assert_eq!(event.fields().count(), 2);
}

#[test]
fn paths_escape_dots_and_read_without_them() {
    let mut joined = String::new();
    path::push_key(&mut joined, r"a.b\", true);
    path::push_key(&mut joined, "", false);
    path::push_key(&mut joined, "c", false);
    assert_eq!(joined, r"a\.b\\..c");
    assert_eq!(path::keys(&joined).collect::<Vec<_>>(), [r"a.b\", "", "c"]);
    assert_eq!(path::name(&joined), r"a.b\..c");
}

#[test]
fn numbers_compare_by_value() {
    let float = Number::Float;
    let int = |integer: i64| Number::Int(integer.into());
    assert_eq!(int(500), float(500.0));
    assert_eq!(
        int(i64::MAX).compare(float(9_223_372_036_854_775_808.0)),
        Ordering::Less
    );
    assert_eq!(int(-1).compare(float(-1.5)), Ordering::Greater);
    assert_eq!(int(1).compare(float(f64::INFINITY)), Ordering::Less);
    assert_eq!(
        Number::parse("18446744073709551615"),
        Some(Number::Int(u64::MAX.into()))
    );
    assert_eq!(Number::parse("1e400"), Some(float(f64::INFINITY)));
    for text in ["", "-", "NaN", "inf", ".5", "1x", "0x10"] {
        assert!(Number::parse(text).is_none(), "{text}");
    }
}

#[test]
fn times_are_told_by_magnitude_and_written_in_utc() {
    let moment = "2026-03-27T10:15:30.123Z";
    for time in [
        Timestamp::parse_rfc3339("2026-03-27 12:15:30.123+02:00"),
        Timestamp::from_unix_integer(1_774_606_530_123),
        Timestamp::from_unix_integer(1_774_606_530_123_000),
        Timestamp::from_unix_integer(1_774_606_530_123_000_000),
        Timestamp::from_unix_float(1_774_606_530.123),
        Timestamp::parse_rfc3339(moment),
    ] {
        assert_eq!(time.unwrap().to_string(), moment);
    }
    assert_eq!(
        Timestamp::from_unix_integer(0).unwrap().to_string(),
        "1970-01-01T00:00:00.000Z"
    );
    assert_eq!(Timestamp::MAX.to_string(), "2262-04-11T23:47:16.854775807Z");
    assert_eq!(Timestamp::parse_rfc3339("9999-01-01T00:00:00Z"), None);
}

#[test]
fn levels_are_normalised() {
    for (text, level) in [
        ("WARNING", Some(Level::Warn)),
        ("Err", Some(Level::Error)),
        ("emerg", Some(Level::Fatal)),
        ("notice", Some(Level::Info)),
        ("30", Some(Level::Info)),
        ("3", Some(Level::Error)),
        ("loud", None),
        ("", None),
    ] {
        assert_eq!(Level::parse(text), level, "{text}");
    }
    for level in Level::ALL {
        assert_eq!(Level::from_code(level.code()), Some(level));
        assert_eq!(Level::parse(level.name()), Some(level));
    }
}

#[test]
fn event_ids_read_back() {
    for id in [
        EventId {
            timestamp: Timestamp::MIN,
            sequence: u64::MAX,
        },
        EventId {
            timestamp: Timestamp::from_nanos(-1),
            sequence: 0,
        },
    ] {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
    for text in ["", "-", "1-2", "00000000000f4240-", "00000000000f4240-+1"] {
        assert!(text.parse::<EventId>().is_err(), "{text}");
    }
}

/// Whatever the first events say of those that follow, and however long the body was said to be.
#[test]
fn a_batch_has_little_room_left() {
    const EVENTS: usize = 2000;
    const SENT_BYTES: usize = 100;
    let even = |_: usize| 40;
    let growing = |event: usize| event / 20;
    let shrinking = |event: usize| 1000usize.saturating_sub(event);
    let lengths: [&dyn Fn(usize) -> usize; 3] = [&even, &growing, &shrinking];
    for length in lengths {
        for body_bytes in [0, SENT_BYTES, EVENTS * SENT_BYTES, 40 * EVENTS * SENT_BYTES] {
            let mut builder = BatchBuilder::new();
            builder.reserve(body_bytes);
            for event in 0..EVENTS {
                builder.begin_event();
                builder.key("text").unwrap();
                builder.value(Scalar::Str(&"x".repeat(length(event))));
                builder.finish_event(EventHead {
                    timestamp: Timestamp::default(),
                    level: None,
                    source_bytes: u32::try_from(SENT_BYTES).unwrap(),
                });
            }
            let used = builder.memory_bytes();
            let batch = builder.finish();
            assert!(batch.memory_bytes() <= used + used / 8, "{body_bytes}");
            for (event, sent) in batch.events().zip(0..) {
                let text = event.get("text").and_then(Scalar::as_str);
                assert_eq!(text.map(str::len), Some(length(sent)));
            }
        }
    }
}
