//! JSON bodies: one object, an array of objects, or objects one after another (NDJSON).

use cordwood_event::Scalar;
use serde_json::Value;

use crate::events::Events;
use crate::{Refusal, RejectionReason};

pub(crate) fn decode(body: &[u8], events: &mut Events) -> Result<(), Refusal> {
    for value in serde_json::Deserializer::from_slice(body).into_iter::<Value>() {
        match value.map_err(|error| Refusal::undecodable(error.to_string()))? {
            Value::Array(items) => items.iter().for_each(|item| put_event(item, events)),
            value => put_event(&value, events),
        }
    }
    Ok(())
}

fn put_event(value: &Value, events: &mut Events) {
    let Value::Object(members) = value else {
        return events.reject(RejectionReason::NotAnObject);
    };
    events.builder.begin_event();
    put_members(members, events);
    events.finish_event(value.to_string().len());
}

fn put_members(members: &serde_json::Map<String, Value>, events: &mut Events) {
    for (key, value) in members {
        events
            .builder
            .key(key)
            .expect("serde_json keeps one value per key");
        match value {
            Value::Object(inner) => {
                events.builder.begin_object();
                put_members(inner, events);
                events.builder.end_object();
            }
            Value::Array(_) => events.builder.value(Scalar::Json(&value.to_string())),
            Value::Null => events.builder.value(Scalar::Null),
            Value::Bool(boolean) => events.builder.value(Scalar::Bool(*boolean)),
            Value::String(text) => events.builder.value(Scalar::Str(text)),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(integer), _) => events.builder.value(Scalar::Int(integer)),
                (None, Some(float)) if !number.is_u64() => {
                    events.builder.value(Scalar::Float(float));
                }
                _ => events.builder.value(Scalar::Json(&number.to_string())),
            },
        }
    }
}
