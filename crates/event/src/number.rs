//! Numbers compared by value, whatever their representation: `500` equals `500.0`.

use std::cmp::Ordering;

/// A number of an event or a query. Integers are wide enough for every 64-bit type, signed or not.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// An integer, exactly.
    Int(i128),
    /// Any other number; may be infinite where a text names one beyond the range of a float.
    Float(f64),
}

impl Number {
    /// Reads JSON number syntax (also a leading `+`); `None` for anything else, `NaN` and `inf` included.
    pub fn parse(text: &str) -> Option<Number> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        if !unsigned.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        if let Ok(integer) = text.parse() {
            return Some(Number::Int(integer));
        }
        text.parse().ok().map(Number::Float)
    }

    /// The integer it equals. None above 2^126, where no integer of 64-bit input lies.
    pub fn as_integer(self) -> Option<i128> {
        match self {
            Number::Int(integer) => Some(integer),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a whole number within 2^126, checked"
            )]
            Number::Float(float) => {
                (float.fract() == 0.0 && float.abs() <= FLOAT_INTEGER_MAX).then_some(float as i128)
            }
        }
    }

    /// The nearest float.
    pub fn as_f64(self) -> f64 {
        match self {
            #[expect(
                clippy::cast_precision_loss,
                reason = "the nearest float is what is asked for"
            )]
            Number::Int(integer) => integer as f64,
            Number::Float(float) => float,
        }
    }

    /// Orders by value, exactly: no integer is rounded to a float on the way. A NaN is after all.
    pub fn compare(self, other: Number) -> Ordering {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => a.cmp(&b),
            (Number::Float(a), Number::Float(b)) => a
                .partial_cmp(&b)
                .unwrap_or_else(|| a.is_nan().cmp(&b.is_nan())),
            (Number::Int(a), Number::Float(b)) => compare_mixed(a, b),
            (Number::Float(a), Number::Int(b)) => compare_mixed(b, a).reverse(),
        }
    }
}

/// 2^126: beyond it a float is larger than any integer we hold from 64-bit input or text.
const FLOAT_INTEGER_MAX: f64 = 85_070_591_730_234_615_865_843_651_857_942_052_864.0;

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.compare(*other) == Ordering::Equal
    }
}

fn compare_mixed(integer: i128, float: f64) -> Ordering {
    if float.is_nan() || float > FLOAT_INTEGER_MAX {
        return Ordering::Less;
    }
    if float < -FLOAT_INTEGER_MAX {
        return Ordering::Greater;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "within 2^126, checked above"
    )]
    let whole = float.trunc() as i128;
    integer.cmp(&whole).then_with(|| {
        if float.fract() > 0.0 {
            Ordering::Less
        } else if float.fract() < 0.0 {
            Ordering::Greater
        } else {
            Ordering::Equal
        }
    })
}
