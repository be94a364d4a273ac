//! A value as a stage sees it, and what of it can be compared.

use cordwood_event::{Number, Scalar, Timestamp};

use crate::Cell;

/// A borrowed value: of a field, or the time of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Datum<'a> {
    Scalar(Scalar<'a>),
    Time(Timestamp),
}

/// A single value that is not null. Numbers are finite: one beyond the range of a float is taken as its text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Leaf<'a> {
    Bool(bool),
    Number(Number),
    Text(&'a str),
    Time(Timestamp),
}

impl<'a> Datum<'a> {
    /// `None` for null.
    pub(crate) fn leaf(self) -> Option<Leaf<'a>> {
        Some(match self {
            Datum::Time(time) => Leaf::Time(time),
            Datum::Scalar(scalar) => match scalar {
                Scalar::Null => return None,
                Scalar::Bool(boolean) => Leaf::Bool(boolean),
                Scalar::Int(integer) => Leaf::Number(Number::Int(integer.into())),
                Scalar::Float(float) => Leaf::Number(Number::Float(float)),
                Scalar::Str(text) => Leaf::Text(text),
                Scalar::Json(json) => finite(json).map_or(Leaf::Text(json), Leaf::Number),
            },
        })
    }

    /// Visits the elements of an array, or else the value itself.
    pub(crate) fn each_leaf(self, visit: &mut dyn FnMut(Leaf<'_>)) {
        match self {
            Datum::Time(time) => visit(Leaf::Time(time)),
            Datum::Scalar(scalar) => cordwood_query::each_element(scalar, &mut |element| {
                if let Some(leaf) = Datum::Scalar(element).leaf() {
                    visit(leaf);
                }
            }),
        }
    }

    pub(crate) fn to_cell(self) -> Cell {
        match self {
            Datum::Time(time) => Cell::Time(time),
            Datum::Scalar(scalar) => match scalar {
                Scalar::Null => Cell::Null,
                Scalar::Bool(boolean) => Cell::Bool(boolean),
                Scalar::Int(integer) => Cell::Int(integer.into()),
                Scalar::Float(float) => Cell::Float(float),
                Scalar::Str(text) => Cell::Str(text.into()),
                Scalar::Json(text) => Cell::Json(text.into()),
            },
        }
    }
}

impl Leaf<'_> {
    /// The number it is, or reads as where it is text.
    pub(crate) fn as_number(self) -> Option<Number> {
        match self {
            Leaf::Number(number) => Some(number),
            Leaf::Text(text) => finite(text),
            Leaf::Bool(_) | Leaf::Time(_) => None,
        }
    }
}

fn finite(text: &str) -> Option<Number> {
    Number::parse(text).filter(|number| number.as_f64().is_finite())
}

impl Cell {
    /// Visits it borrowed.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(Datum<'_>)) {
        let scalar = match self {
            Cell::Null => return,
            Cell::Time(time) => return visit(Datum::Time(*time)),
            Cell::Bool(boolean) => Scalar::Bool(*boolean),
            Cell::Int(integer) => match i64::try_from(*integer) {
                Ok(integer) => Scalar::Int(integer),
                Err(_) => return visit(Datum::Scalar(Scalar::Json(&integer.to_string()))),
            },
            Cell::Float(float) => Scalar::Float(*float),
            Cell::Str(text) => Scalar::Str(text),
            Cell::Json(text) => Scalar::Json(text),
        };
        visit(Datum::Scalar(scalar));
    }

    /// A number in its plainest form: an integer wherever it is one.
    pub(crate) fn of_number(number: Number) -> Cell {
        match canonical(number) {
            Number::Int(integer) => Cell::Int(integer),
            Number::Float(float) => Cell::Float(float),
        }
    }

    /// The memory it takes.
    pub(crate) fn bytes(&self) -> u64 {
        let text = match self {
            Cell::Str(text) | Cell::Json(text) => text.len(),
            _ => 0,
        };
        (size_of::<Cell>() + text) as u64
    }
}

/// Numbers that are equal by value become the same number.
pub(crate) fn canonical(number: Number) -> Number {
    /// 2^126, up to which floats and integers are told apart exactly.
    const INTEGER_MAX: f64 = 85_070_591_730_234_615_865_843_651_857_942_052_864.0;
    match number {
        Number::Float(float) if float.fract() == 0.0 && float.abs() < INTEGER_MAX =>
        {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a whole number within 2^126, checked"
            )]
            Number::Int(float as i128)
        }
        number => number,
    }
}
