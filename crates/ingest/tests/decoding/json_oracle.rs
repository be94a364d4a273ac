//! Our reading of JSON against serde_json's, on random documents and random bytes.

use cordwood_event::{Event, EventRef, Scalar, SourceId, Value as FieldValue, path};
use cordwood_ingest::Format;
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::{decode, event_text, outcome};

const JSON: &str = "1 json identity";

fn json_value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1000..1000_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-e.\\\\]{0,3}", "\\PC{0,20}", any::<String>()]
}

pub(super) fn object() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((text(), json_value()), 0..8)
        .prop_map(|members| members.into_iter().collect())
        // These names are ours; `normalise` has its own tests.
        .prop_filter("no reserved name", |map: &Map<String, Value>| {
            let reserved = [
                "dt",
                "_id",
                "_source",
                "level",
                "severity",
                "lvl",
                "log",
                "log.level",
            ];
            reserved.iter().all(|name| !map.contains_key(*name))
        })
}

/// Rebuilds the object from paths and values.
pub(super) fn object_of(event: EventRef<'_>) -> Value {
    let event = Event::copy_of(event, SourceId(1), 1);
    let mut root = Map::new();
    for (field, value) in &event.fields {
        let keys: Vec<String> = path::keys(field).map(String::from).collect();
        let (last, parents) = keys.split_last().unwrap();
        let mut object = &mut root;
        for key in parents {
            let inner = object
                .entry(key)
                .or_insert_with(|| Value::Object(Map::new()));
            object = inner.as_object_mut().unwrap();
        }
        object.insert(last.clone(), value_of(value));
    }
    Value::Object(root)
}

fn value_of(value: &FieldValue) -> Value {
    match value {
        FieldValue::Null => Value::Null,
        FieldValue::Bool(boolean) => Value::from(*boolean),
        FieldValue::Int(integer) => Value::from(*integer),
        FieldValue::Float(float) => Value::from(*float),
        FieldValue::Str(text) => Value::from(&**text),
        FieldValue::Json(text) => serde_json::from_str(text).unwrap(),
    }
}

/// Writes with as much whitespace and as many escapes as JSON allows.
fn write_loosely(out: &mut String, value: &Value, spaces: &mut impl Iterator<Item = usize>) {
    let mut gap = |out: &mut String| {
        let space = [" ", "", "", "\t", "\n ", "\r\n"][spaces.next().unwrap() % 6];
        out.push_str(space);
    };
    gap(out);
    match value {
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                write_loosely(out, item, spaces);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (index, (key, member)) in members.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                write_escaped(out, key, spaces.next().unwrap());
                out.push_str([":", " :", "\t:"][spaces.next().unwrap() % 3]);
                write_loosely(out, member, spaces);
            }
            out.push('}');
        }
        Value::String(text) => write_escaped(out, text, spaces.next().unwrap()),
        _ => out.push_str(&value.to_string()),
    }
    out.push_str([" ", "", "\n"][spaces.next().unwrap() % 3]);
}

fn write_escaped(out: &mut String, text: &str, seed: usize) {
    if !seed.is_multiple_of(3) {
        return out.push_str(&serde_json::to_string(text).unwrap());
    }
    out.push('"');
    for unit in text.encode_utf16() {
        out.push_str(&format!("\\u{unit:04x}"));
    }
    out.push('"');
}

fn seeds() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(any::<usize>(), 1..50)
}

/// Lines of few keys and texts, so that most were there before, short ones and long ones; some of them broken.
fn line() -> impl Strategy<Value = String> {
    let long_key = "k".repeat(40);
    let keys = [
        "a",
        "b",
        "twelve_bytes",
        "thirteen_byte",
        "fourteen_bytes",
        long_key.as_str(),
        "q\"",
        "",
    ];
    let keys = keys.map(str::to_owned).to_vec();
    let long_text = "x".repeat(40);
    let longer_text = "x".repeat(41);
    let texts = [
        "",
        "s",
        "fifteen bytes..",
        "sixteen bytes...",
        "seventeen bytes..",
        long_text.as_str(),
        longer_text.as_str(),
        "a \"quoted\" word and more",
        "a \"quoted",
        "ümläute und ähnliches, länger",
        "\n",
    ];
    let texts = texts.map(Value::from).to_vec();
    let scalar = prop_oneof![
        3 => prop::sample::select(texts),
        1 => prop_oneof![Just(Value::Null), Just(Value::from(7)), Just(Value::from(0.25))],
    ];
    let member = (prop::sample::select(keys), scalar);
    let members = prop::collection::vec(member, 0..6);
    let object = members.prop_map(|members| {
        let member = |(key, value): &(String, Value)| format!("{}:{value}", Value::from(&**key));
        format!(
            "{{{}}}",
            members.iter().map(member).collect::<Vec<_>>().join(",")
        )
    });
    let broken = (object.clone(), any::<prop::sample::Index>()).prop_map(|(line, at)| {
        let mut end = at.index(line.len());
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        line.get(..end).unwrap().to_owned()
    });
    let nested = object.clone().prop_map(|line| format!("{{\"a\":{line}}}"));
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let too_deep = object
        .clone()
        .prop_map(move |line| format!("{{\"a\":{line},\"b\":{deep}}}"));
    prop_oneof![6 => object, 2 => nested, 1 => broken, 1 => too_deep]
}

/// What a line is by itself: its events, or the line as a message.
fn alone(line: &str) -> Vec<String> {
    match decode(JSON, line) {
        Ok(decoded) => decoded.batch.events().map(event_text).collect(),
        Err(_) => {
            let message = Value::from(line);
            vec![format!("message={message}")]
        }
    }
}

/// Whether serde_json takes the text as one of our documents; `None` where we differ on purpose.
fn serde_accepts(text: &str) -> Option<bool> {
    let mut found = false;
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        match value {
            Ok(Value::Object(_) | Value::Array(_) | Value::String(_)) => found = true,
            Ok(_) => return Some(false),
            Err(error) => {
                let error = error.to_string();
                let differs = ["surrogate", "hex escape", "out of range", "recursion"];
                return (!differs.iter().any(|word| error.contains(word))).then_some(false);
            }
        }
    }
    Some(found || text.trim_matches([' ', '\t', '\n', '\r']).is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn every_object_comes_back_with_the_values_serde_json_reads(
        sent in object(), seeds in seeds()
    ) {
        let value = Value::Object(sent);
        let mut text = String::new();
        write_loosely(&mut text, &value, &mut seeds.iter().copied().cycle());
        let oracle: Value = serde_json::from_str(&text).unwrap();
        let decoded = decode(JSON, &text).unwrap();
        prop_assert_eq!(decoded.batch.len(), 1);
        let got = object_of(decoded.batch.event(0));
        prop_assert_eq!(got, oracle, "{}", text);
    }

    #[test]
    fn arrays_and_lines_hold_the_same_events(sent in prop::collection::vec(object(), 0..5)) {
        let lines: Vec<String> = sent.iter().map(|o| serde_json::to_string(o).unwrap()).collect();
        let as_array = decode(JSON, format!("[{}]", lines.join(",")));
        let as_lines = decode("1 ndjson identity", lines.join("\n"));
        let as_run = decode(JSON, lines.concat());
        prop_assert_eq!(outcome(&as_array), outcome(&as_lines));
        prop_assert_eq!(outcome(&as_array), outcome(&as_run));
        prop_assert_eq!(as_array.unwrap().batch.len(), sent.len());
    }

    /// What was read before, and what of it was taken back, does not show in an event.
    #[test]
    fn a_line_is_the_same_among_others(lines in prop::collection::vec(line(), 0..12)) {
        let among_others = decode(JSON, lines.join("\n"));
        let expected: Vec<String> = lines.iter().flat_map(|line| alone(line)).collect();
        let got: Vec<String> = match &among_others {
            Ok(decoded) => decoded.batch.events().map(event_text).collect(),
            // Nothing on any line was good.
            Err(_) => return Ok(()),
        };
        let without_reason = |text: &String| text.split(" _parse_error=").next().map(str::to_owned);
        let got: Vec<_> = got.iter().filter_map(without_reason).collect();
        prop_assert_eq!(got, expected);
    }

    /// Damaged documents, on one line so that no other line can save them.
    #[test]
    fn the_same_documents_are_accepted(
        sent in object(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), "[\\[\\]{}:,\"0-9eE.+\\-tn\\\\u a]?"), 0..3),
    ) {
        let mut text: Vec<char> = serde_json::to_string(&sent).unwrap().chars().collect();
        for (index, replacement) in &edits {
            let at = index.index(text.len());
            text.splice(at..=at, replacement.chars());
            if text.is_empty() {
                break;
            }
        }
        let text: String = text.into_iter().collect();
        if let Some(accepts) = serde_accepts(&text) {
            prop_assert_eq!(decode(JSON, &text).is_ok(), accepts, "{}", text);
        }
    }

    #[test]
    fn floats_are_exact(number in any::<f64>().prop_filter("finite", |f| f.is_finite())) {
        for text in [format!("{number:?}"), format!("{number:e}"), format!("{number:.20}")] {
            let decoded = decode(JSON, format!("{{\"a\":{text}}}")).unwrap();
            let got = decoded.batch.event(0).get("a").unwrap();
            match got {
                Scalar::Float(float) => prop_assert_eq!(float, text.parse::<f64>().unwrap()),
                other => prop_assert_eq!(other.as_number(), cordwood_event::Number::parse(&text)),
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic_and_each_decodes_the_same_twice(
        body in prop::collection::vec(
            prop_oneof![
                3 => prop::sample::select(b"{}[]:,\"\\ \n0123456789.eE+-truefalsnu\x00\xff".to_vec()),
                1 => any::<u8>(),
            ],
            0..200,
        )
    ) {
        let once = outcome(&decode(JSON, &body));
        prop_assert_eq!(&once, &outcome(&decode(JSON, &body)));
        let _: Format = JSON.parse().unwrap();
    }
}
