//! The value of a field: a leaf of the event's JSON.

use crate::Number;

/// A borrowed value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// JSON `null`: sent, but absent for every filter.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// A finite float. Decoders turn NaN and infinities into text.
    Float(f64),
    /// Text, as sent.
    Str(&'a str),
    /// A valid JSON text kept whole: an array, an empty object, or a number no other variant holds
    /// exactly (an integer beyond 64 bits, a float beyond the range).
    Json(&'a str),
}

impl<'a> Scalar<'a> {
    /// The number this value is, if it is one. Text that looks like a number is text.
    pub fn as_number(self) -> Option<Number> {
        match self {
            Scalar::Int(integer) => Some(Number::Int(i128::from(integer))),
            Scalar::Float(float) => Some(Number::Float(float)),
            Scalar::Json(text) => Number::parse(text),
            Scalar::Null | Scalar::Bool(_) | Scalar::Str(_) => None,
        }
    }

    /// The text of a string value.
    pub fn as_str(self) -> Option<&'a str> {
        match self {
            Scalar::Str(text) => Some(text),
            _ => None,
        }
    }

    /// An owned copy.
    pub fn to_value(self) -> Value {
        match self {
            Scalar::Null => Value::Null,
            Scalar::Bool(boolean) => Value::Bool(boolean),
            Scalar::Int(integer) => Value::Int(integer),
            Scalar::Float(float) => Value::Float(float),
            Scalar::Str(text) => Value::Str(text.into()),
            Scalar::Json(text) => Value::Json(text.into()),
        }
    }
}

/// An owned value; the variants are those of [`Scalar`].
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "documented on Scalar")]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Box<str>),
    Json(Box<str>),
}

impl Value {
    /// A borrowed view.
    pub fn as_scalar(&self) -> Scalar<'_> {
        match self {
            Value::Null => Scalar::Null,
            Value::Bool(boolean) => Scalar::Bool(*boolean),
            Value::Int(integer) => Scalar::Int(*integer),
            Value::Float(float) => Scalar::Float(*float),
            Value::Str(text) => Scalar::Str(text),
            Value::Json(text) => Scalar::Json(text),
        }
    }
}
