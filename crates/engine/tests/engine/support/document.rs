//! Random events, as JSON documents, and the batches they decode to.
//!
//! Few fields, few values, many shapes: the same field is text here and a number there, missing, null,
//! an array, an object, or a name with a dot.

use cordwood_event::{Batch, BatchBuilder, EventHead, Level, Scalar, Timestamp};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// One event: its time and what was sent.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    /// Nanoseconds.
    pub(crate) time: i64,
    /// The fields.
    pub(crate) fields: Map<String, Value>,
}

const WORDS: &[&str] = &[
    "alpha",
    "Alpha beta",
    "beta-gamma",
    "gamma_delta",
    "",
    " ",
    "500",
    "5",
    "true",
    "null",
    "STRASSE straße",
    "Ärger ärger",
    "K\u{212a}elvin ſ",
    "connection refused",
    "Connection Refused by 10.0.0.1:443",
    "refused connection",
    "disconnection refused, alpha",
    "10.0.0.5",
    "192.168.1.7",
    "fe80::1",
    "2026-03-27T10:00:00Z",
    "line one\nline two alpha",
    "nul\u{0}byte",
    "warning",
    "日本語 ログ",
];

fn text() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => proptest::sample::select(WORDS).prop_map(|word| json!(word)),
        1 => "[ab _.*]{0,6}".prop_map(Value::String),
        1 => "\\PC{0,8}".prop_map(Value::String),
    ]
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-3i64..8).prop_map(|number| json!(number)),
        Just(json!(500)),
        Just(json!(500.0)),
        Just(json!(0.5)),
        Just(json!(-0.0)),
        Just(json!(4.5)),
        Just(json!(1e300)),
        Just(json!(i64::MAX)),
        Just(json!(i64::MIN)),
        Just(json!(u64::MAX)),
        Just(json!(9_007_199_254_740_993i64)),
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        5 => text(),
        4 => number(),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::Null),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => scalar(),
        1 => proptest::collection::vec(scalar(), 0..3).prop_map(Value::Array),
        1 => proptest::collection::vec(item(), 0..3).prop_map(Value::Array),
        1 => item(),
        1 => scalar().prop_map(|inner| json!({"name": {"first": inner}})),
    ]
}

fn item() -> impl Strategy<Value = Value> {
    (scalar(), proptest::option::of(scalar())).prop_map(|(name, count)| match count {
        Some(count) => json!({"name": name, "count": count}),
        None => json!({"name": name}),
    })
}

/// What a field holds in most events: columns are seldom as mixed as in the worst case.
fn usual_value(key: &'static str) -> BoxedStrategy<Value> {
    match key {
        "message" => prop_oneof![9 => text(), 1 => value()].boxed(),
        "status" | "count" => prop_oneof![9 => number(), 1 => value()].boxed(),
        "items" => prop_oneof![
            2 => proptest::collection::vec(item(), 0..3).prop_map(Value::Array),
            1 => value(),
        ]
        .boxed(),
        "service" => proptest::sample::select(&WORDS[..4])
            .prop_map(|word| json!(word))
            .boxed(),
        "trace" => prop_oneof![
            40 => (0u64..5).prop_map(|id| json!(format!("req-{:016x}", id.wrapping_mul(0x9E37_79B9_7F4A_7C15)))),
            1 => value(),
        ]
        .boxed(),
        "address" => prop_oneof![
            40 => (0u8..9).prop_map(|host| json!(format!("10.{}.2.{host}", host % 2 * 16))),
            1 => value(),
        ]
        .boxed(),
        "level" => proptest::sample::select(
            &["warn", "WARNING", "error", "err", "info", "odd", "30", ""][..],
        )
        .prop_map(|level| json!(level))
        .boxed(),
        _ => value().boxed(),
    }
}

const KEYS: &[&str] = &[
    "message",
    "status",
    "count",
    "service",
    "level",
    "user",
    "items",
    "user.name",
    "odd field",
    "x",
    "trace",
    "address",
];

fn fields() -> impl Strategy<Value = Map<String, Value>> {
    let member = proptest::sample::select(KEYS)
        .prop_flat_map(|key| usual_value(key).prop_map(move |value| (key.to_owned(), value)));
    proptest::collection::vec(member, 0..9).prop_map(|members| members.into_iter().collect())
}

/// More fields than a block has columns for, so that some share the chunk of rare fields.
fn wide_fields() -> impl Strategy<Value = Map<String, Value>> {
    (fields(), proptest::collection::vec(scalar(), 1..4)).prop_map(|(mut fields, values)| {
        for (index, value) in values.iter().cycle().take(WIDE_FIELDS).enumerate() {
            fields.insert(format!("k{index}"), value.clone());
        }
        fields
    })
}

const WIDE_FIELDS: usize = 260;

/// A random event with very many fields.
pub(crate) fn wide_document() -> impl Strategy<Value = Document> {
    (0i64..40, wide_fields()).prop_map(|(time, fields)| Document { time, fields })
}

/// A random event; times are few, so that many are equal.
pub(crate) fn document() -> impl Strategy<Value = Document> {
    (0i64..40, fields()).prop_map(|(time, fields)| Document { time, fields })
}

/// The batch a decoder would make of the documents.
pub(crate) fn batch_of<'a>(documents: impl IntoIterator<Item = &'a Document>) -> Batch {
    let mut builder = BatchBuilder::new();
    for document in documents {
        builder.begin_event();
        let level = push_root(&mut builder, &document.fields);
        builder.finish_event(EventHead {
            timestamp: Timestamp::from_nanos(document.time),
            level,
            source_bytes: source_bytes_of(document),
        });
    }
    builder.finish()
}

/// As many bytes as its fields take as JSON, but for small events.
fn source_bytes_of(document: &Document) -> u32 {
    const LEAST: usize = 100;
    let fields = serde_json::to_string(&document.fields).expect("JSON is written as JSON");
    u32::try_from(fields.len().max(LEAST)).expect("an event of less than 4 GiB")
}

fn push_root(builder: &mut BatchBuilder, fields: &Map<String, Value>) -> Option<Level> {
    let sent_level = fields.get("level").and_then(Value::as_str);
    let level = sent_level.and_then(Level::parse);
    for (key, value) in fields {
        let is_level_name = key == "level" && level.map(Level::name) == sent_level;
        if !(is_level_name && level.is_some()) {
            push_member(builder, key, value);
        }
    }
    level
}

fn push_member(builder: &mut BatchBuilder, key: &str, value: &Value) {
    builder.key(key).expect("a map has each key once");
    match value {
        Value::Object(members) => {
            builder.begin_object();
            for (key, value) in members {
                push_member(builder, key, value);
            }
            builder.end_object();
        }
        Value::Null => builder.value(Scalar::Null),
        Value::Bool(boolean) => builder.value(Scalar::Bool(*boolean)),
        Value::String(text) => builder.value(Scalar::Str(text)),
        Value::Array(_) => builder.value(Scalar::Json(&value.to_string())),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => builder.value(Scalar::Int(integer)),
            (None, Some(float)) if !number.is_u64() => builder.value(Scalar::Float(float)),
            _ => builder.value(Scalar::Json(&number.to_string())),
        },
    }
}
