//! Events from JSON, and whether a query matches them.

use cordwood_event::{Batch, BatchBuilder, EventHead, Level, Scalar, SourceId, Timestamp};
use cordwood_query::{Filter, Matcher, Origin, parse};

/// The instant that `now` is in these tests: 2026-03-27T12:00:00Z.
pub(crate) fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-03-27T12:00:00Z").unwrap()
}

/// Where the events of these tests come from.
pub(crate) const ORIGIN: Origin<'static> = Origin {
    source: SourceId(7),
    source_name: "Checkout api",
    sequence: 31,
};

/// A batch of one event, as a decoder makes it: `dt` and a normalised `level` are in its head.
pub(crate) fn event(json: &str) -> Batch {
    let sent: serde_json::Map<_, _> =
        serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    let mut builder = BatchBuilder::new();
    builder.begin_event();
    let mut head = EventHead {
        timestamp: now(),
        level: None,
        source_bytes: 0,
    };
    for (key, value) in &sent {
        match (&**key, value) {
            ("dt", serde_json::Value::String(text)) => {
                head.timestamp = Timestamp::parse_rfc3339(text).unwrap();
                continue;
            }
            ("level", value) => {
                let text = match value {
                    serde_json::Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                head.level = Level::parse(&text);
                if head.level.is_some_and(|level| level.name() == text) {
                    continue;
                }
            }
            _ => {}
        }
        put(&mut builder, key, value);
    }
    builder.finish_event(head);
    builder.finish()
}

fn put(builder: &mut BatchBuilder, key: &str, value: &serde_json::Value) {
    builder
        .key(key)
        .expect("serde_json keeps one value per key");
    match value {
        serde_json::Value::Object(members) => {
            builder.begin_object();
            for (key, value) in members {
                put(builder, key, value);
            }
            builder.end_object();
        }
        serde_json::Value::Array(_) => builder.value(Scalar::Json(&value.to_string())),
        serde_json::Value::Null => builder.value(Scalar::Null),
        serde_json::Value::Bool(boolean) => builder.value(Scalar::Bool(*boolean)),
        serde_json::Value::String(text) => builder.value(Scalar::Str(text)),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(integer) => builder.value(Scalar::Int(integer)),
            None if number.is_u64() => builder.value(Scalar::Json(&number.to_string())),
            None => builder.value(Scalar::Float(number.as_f64().unwrap())),
        },
    }
}

/// The filter of a query that must be good.
pub(crate) fn filter(query: &str) -> Filter {
    match parse(query) {
        Ok(parsed) => parsed.query.filter,
        Err(diagnostics) => panic!("{query}: {diagnostics}"),
    }
}

/// Whether the filter holds for the only event of the batch; both ways of asking must agree.
pub(crate) fn holds(filter: &Filter, batch: &Batch) -> bool {
    let matcher = Matcher::new(filter, now());
    let alone = matcher.matches(batch.event(0), &ORIGIN);
    let prepared = matcher.in_batch(batch).matches(batch.event(0), &ORIGIN);
    assert_eq!(alone, prepared, "{filter}");
    alone
}

/// Asserts which events a query matches; also that its negation matches the others, and that its
/// canonical text means the same.
pub(crate) fn check(query: &str, matching: &[&str], others: &[&str]) {
    let filter = filter(query);
    let printed = filter.to_string();
    assert_eq!(
        self::filter(&printed),
        filter,
        "{query} printed as {printed}"
    );
    let expectations = matching
        .iter()
        .map(|json| (json, true))
        .chain(others.iter().map(|json| (json, false)));
    for (json, expected) in expectations {
        let batch = event(json);
        assert_eq!(holds(&filter, &batch), expected, "{query} on {json}");
        let negated = filter.clone().negated();
        assert_eq!(holds(&negated, &batch), !expected, "NOT {query} on {json}");
    }
}
