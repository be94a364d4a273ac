//! JSON texts of events and values: writing an event as it was sent.

use std::fmt::Write;

use crate::{Event, EventId, Level, Scalar, path};

/// Writes the event as one JSON object: `dt`, `level`, `message`, then the other fields, nested as
/// they were sent, then `_id` and `_source` (`source_name`). `level` and `message` are null when unknown.
pub fn write_event(out: &mut String, event: &Event, source_name: &str) {
    let mut fields: Vec<(&str, Scalar<'_>)> = event
        .fields
        .iter()
        .map(|(path, value)| (&**path, value.as_scalar()))
        .collect();
    group_fields(&mut fields);
    write_fields(out, (event.id, event.level), &mut fields, source_name);
}

/// Writes an event as [`write_event`] does, of fields that [`group_fields`] has put in order; takes fields out of them.
pub fn write_fields(
    out: &mut String,
    (id, level): (EventId, Option<Level>),
    fields: &mut Vec<(&str, Scalar<'_>)>,
    source_name: &str,
) {
    let _ = write!(out, "{{\"dt\":\"{}\"", id.timestamp);
    let level = level.map_or(Scalar::Null, |level| Scalar::Str(level.name()));
    write_reserved(out, fields, "level", level);
    write_reserved(out, fields, "message", Scalar::Null);
    write_nested(out, fields);
    let _ = write!(out, ",\"_id\":\"{id}\",\"_source\":");
    write_string(out, source_name);
    out.push('}');
}

/// Writes the member every event has, from its fields or else with `default`; unless the field was sent as
/// an object, which is written with the others.
fn write_reserved(
    out: &mut String,
    fields: &mut Vec<(&str, Scalar<'_>)>,
    key: &str,
    default: Scalar<'_>,
) {
    let is_object = |path: &str| {
        path.strip_prefix(key)
            .is_some_and(|rest| rest.starts_with('.'))
    };
    if fields.iter().any(|(path, _)| is_object(path)) {
        return;
    }
    let sent = fields.iter().position(|(path, _)| *path == key);
    write_key(out, key, true);
    write_value(out, sent.map_or(default, |index| fields.remove(index).1));
}

/// Brings the members of one object together.
pub fn group_fields(fields: &mut [(&str, Scalar<'_>)]) {
    if fields.iter().any(|(path, _)| path.contains('.')) {
        fields.sort_by(|(a, _), (b, _)| path::keys(a).cmp(path::keys(b)));
    }
}

/// Writes `,"key":value` members for fields whose common parents stand together.
fn write_nested(out: &mut String, fields: &[(&str, Scalar<'_>)]) {
    let mut open: Vec<&str> = Vec::new();
    let mut needs_comma = true;
    for (field, value) in fields {
        let mut rest = *field;
        // Most fields are in no object, and nothing is taken from the allocator for them.
        let mut parents = Vec::new();
        while let (key, Some(tail)) = path::split_first_key(rest) {
            parents.push(key);
            rest = tail;
        }
        let shared = open
            .iter()
            .zip(&parents)
            .take_while(|(a, b)| a == b)
            .count();
        for _ in shared..open.len() {
            out.push('}');
            needs_comma = true;
        }
        open.truncate(shared);
        for parent in &parents[shared..] {
            write_key(out, parent, needs_comma);
            out.push('{');
            needs_comma = false;
            open.push(parent);
        }
        write_key(out, rest, needs_comma);
        write_value(out, *value);
        needs_comma = true;
    }
    out.extend(open.iter().map(|_| '}'));
}

fn write_key(out: &mut String, escaped_key: &str, needs_comma: bool) {
    if needs_comma {
        out.push(',');
    }
    write_string(out, &path::name(escaped_key));
    out.push(':');
}

/// Writes one value as JSON.
pub fn write_value(out: &mut String, value: Scalar<'_>) {
    match value {
        Scalar::Null => out.push_str("null"),
        Scalar::Bool(boolean) => out.push_str(if boolean { "true" } else { "false" }),
        Scalar::Int(integer) => {
            let _ = write!(out, "{integer}");
        }
        Scalar::Float(float) => {
            let number = serde_json::Number::from_f64(float).expect("floats of events are finite");
            let _ = write!(out, "{number}");
        }
        Scalar::Str(text) => write_string(out, text),
        Scalar::Json(text) => out.push_str(text),
    }
}

/// Writes a JSON string literal.
pub fn write_string(out: &mut String, text: &str) {
    let is_escaped = |byte: u8| byte < 0x20 || matches!(byte, b'"' | b'\\');
    if !text.bytes().any(is_escaped) {
        out.push('"');
        out.push_str(text);
        out.push('"');
        return;
    }
    let quoted = serde_json::to_string(text).expect("a str is always a valid JSON string");
    out.push_str(&quoted);
}
