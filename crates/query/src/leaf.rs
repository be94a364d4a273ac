//! Arrays: the leaves a field name reaches inside a JSON text.

use cordwood_event::Scalar;
use serde_json::Value;

/// Which leaves of a JSON text are meant.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Leaves<'a> {
    /// The elements of the array itself, those of arrays in it too.
    Elements,
    /// The members of this name (keys joined by dots) of the objects in the array.
    Named(&'a str),
    /// All leaves, whatever objects they are in.
    Everywhere,
}

/// Whether `visit` holds for any of the leaves of a JSON array or object.
pub(crate) fn any_leaf(
    json: &str,
    leaves: Leaves<'_>,
    visit: &mut dyn FnMut(Scalar<'_>) -> bool,
) -> bool {
    match serde_json::from_str::<Value>(json) {
        Ok(value) => any_leaf_of(&value, leaves, visit),
        Err(_) => false,
    }
}

fn any_leaf_of(
    value: &Value,
    leaves: Leaves<'_>,
    visit: &mut dyn FnMut(Scalar<'_>) -> bool,
) -> bool {
    match (value, leaves) {
        (Value::Array(items), _) => items.iter().any(|item| any_leaf_of(item, leaves, visit)),
        (Value::Object(_), Leaves::Elements) => false,
        (Value::Object(members), Leaves::Everywhere) => members
            .values()
            .any(|member| any_leaf_of(member, leaves, visit)),
        (Value::Object(members), Leaves::Named(name)) => members.iter().any(|(key, member)| {
            name.strip_prefix(key.as_str())
                .is_some_and(|rest| match rest.strip_prefix('.') {
                    _ if rest.is_empty() => any_leaf_of(member, Leaves::Elements, visit),
                    Some(rest) => any_leaf_of(member, Leaves::Named(rest), visit),
                    None => false,
                })
        }),
        (_, Leaves::Named(_)) => false,
        (scalar, _) => visit_scalar(scalar, visit),
    }
}

fn visit_scalar(value: &Value, visit: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
    match value {
        Value::Bool(boolean) => visit(Scalar::Bool(*boolean)),
        Value::String(text) => visit(Scalar::Str(text)),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => visit(Scalar::Int(integer)),
            None if number.is_u64() => visit(Scalar::Json(&number.to_string())),
            None => visit(Scalar::Float(number.as_f64().unwrap_or(f64::MAX))),
        },
        Value::Null | Value::Array(_) | Value::Object(_) => visit(Scalar::Null),
    }
}
