//! A value in a row, as whoever runs the query has it.

use cordwood_event::Timestamp;

use crate::Value;
use crate::excerpt::excerpt;
use crate::limits::VALUE_BYTES_MAX;

/// A value of a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Nothing.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Integer(i128),
    /// Another number.
    Float(f64),
    /// A text.
    Text(&'a str),
    /// An instant.
    Time(Timestamp),
}

impl Cell<'_> {
    /// As the value of a group's field, exactly.
    pub(super) fn to_text(self) -> Option<String> {
        Some(match self {
            Cell::Null => return None,
            Cell::Bool(boolean) => boolean.to_string(),
            Cell::Integer(integer) => integer.to_string(),
            Cell::Float(float) => float.to_string(),
            Cell::Text(text) => (*text).to_owned(),
            Cell::Time(time) => time.to_string(),
        })
    }

    /// As a value computed. A text is kept as far as one can be compared with.
    pub(super) fn to_value(self) -> Option<Value> {
        match self {
            #[expect(
                clippy::cast_precision_loss,
                reason = "a value is compared with a threshold that is a float itself"
            )]
            Cell::Integer(integer) => Some(Value::Number(integer as f64)),
            Cell::Float(float) if float.is_finite() => Some(Value::Number(float)),
            Cell::Float(_) => None,
            cell => {
                let text = cell.to_text()?;
                Some(Value::Text(excerpt(&text, VALUE_BYTES_MAX, "…")))
            }
        }
    }
}
