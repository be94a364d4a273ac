//! Pieces of the schemas of tools: small, because every agent that connects reads them all.

use cordwood_service::Access;
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::mcp::budget::{TOKENS_DEFAULT, TOKENS_MAX, TOKENS_MIN};

/// An object of these properties, of which some are required. Every tool takes `max_tokens` besides.
pub(crate) fn arguments(properties: Value, required: &[&str]) -> Value {
    let mut properties = properties;
    properties["max_tokens"] = json!({
        "type": "integer", "minimum": TOKENS_MIN, "maximum": TOKENS_MAX, "default": TOKENS_DEFAULT,
        "description": "Size of the answer at most, counted as bytes of JSON / 4",
    });
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// Adds where and when to search.
pub(crate) fn with_scope(mut properties: Value) -> Value {
    properties["source_id"] =
        text("Source: id, src- id or name; several with commas; all if left out");
    properties["from"] = text("Start, inclusive: ISO 8601, or relative as `now-1h`");
    properties["to"] = text("End, inclusive: ISO 8601, or relative");
    properties
}

pub(crate) fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

pub(crate) fn texts(description: &str) -> Value {
    json!({ "type": "array", "items": { "type": "string" }, "description": description })
}

pub(crate) fn number(description: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "description": description })
}

pub(crate) fn boolean(description: &str) -> Value {
    json!({ "type": "boolean", "description": description })
}

pub(crate) fn one_of(values: &[&str], description: &str) -> Value {
    json!({ "type": "string", "enum": values, "description": description })
}

/// What can be done with a tool that does several things: those that `access` allows.
pub(crate) fn actions(actions: &[(&str, Access)], access: Access, description: &str) -> Value {
    let allowed = actions.iter().filter(|(_, needed)| access >= *needed);
    let allowed: Vec<&str> = allowed.map(|(action, _)| *action).collect();
    let mut schema = one_of(&allowed, description);
    let writes = actions
        .iter()
        .any(|(_, needed)| *needed > Access::Read && access >= *needed);
    schema["x-writes"] = writes.into();
    schema
}

/// Whether one of the actions of these arguments changes something.
pub(crate) fn has_writing_action(arguments: Value) -> bool {
    arguments["properties"]["action"]["x-writes"] == true
}

/// A list of objects.
pub(crate) fn list() -> Value {
    json!({ "type": "array", "items": { "type": "object" } })
}

/// An object.
pub(crate) fn record() -> Value {
    json!({ "type": "object" })
}

/// A list of objects, or one of them.
pub(crate) fn list_or_record() -> Value {
    json!({ "type": ["array", "object"] })
}

/// The schema of an answer with such `data`.
pub(crate) fn answer(data: Value) -> Map<String, Value> {
    object(json!({
        "type": "object",
        "properties": {
            "data": data,
            "meta": {
                "type": "object",
                "properties": {
                    "complete": { "type": "boolean", "description": "Whether everything in the range was considered" },
                    "scanned": { "type": "object" },
                    "range": { "type": ["object", "null"] },
                    "next": { "type": "array", "items": { "type": "string" }, "description": "What to ask next" },
                },
                "required": ["complete", "scanned", "range", "next"],
            },
        },
        "required": ["data", "meta"],
    }))
}

pub(crate) fn object(schema: Value) -> Map<String, Value> {
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

/// Refuses an argument that the schema does not know: a misspelt filter must not widen a search in silence.
pub(crate) fn check(input: &Value, arguments: &Map<String, Value>) -> Result<(), Failure> {
    let known = input["properties"].as_object();
    let is_known = |name: &String| known.is_some_and(|known| known.contains_key(name));
    if let Some(name) = arguments.keys().find(|name| !is_known(name)) {
        let names: Vec<&str> = known
            .into_iter()
            .flatten()
            .map(|(name, _)| &**name)
            .collect();
        let hint = format!("The arguments are {}.", names.join(", "));
        let sentence = format!("There is no argument `{name}` here.");
        return Err(Failure::parameter(name, sentence).hint(hint));
    }
    let required = input["required"].as_array().into_iter().flatten();
    for name in required.filter_map(Value::as_str) {
        if arguments.get(name).is_none_or(Value::is_null) {
            return Err(Failure::parameter(name, format!("`{name}` is missing")));
        }
    }
    let allowed = input["properties"]["action"]["enum"].as_array();
    if let (Some(action), Some(allowed)) = (arguments.get("action"), allowed)
        && !allowed.contains(action)
    {
        let allowed: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
        let sentence = format!(
            "`action` is {action} and has to be one of {}",
            allowed.join(", ")
        );
        return Err(Failure::parameter("action", sentence)
            .hint("An API token with more access may do more."));
    }
    Ok(())
}
