//! An interval of numbers: what most tests ask of a number value.

use std::cmp::Ordering;
use std::ops::Bound;

use cordwood_event::Number;

/// An interval of numbers, compared exactly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NumberInterval {
    /// The lower end.
    pub lower: Bound<Number>,
    /// The upper end.
    pub upper: Bound<Number>,
}

impl NumberInterval {
    /// Every number.
    pub const ALL: NumberInterval = NumberInterval {
        lower: Bound::Unbounded,
        upper: Bound::Unbounded,
    };

    /// The one number, whatever its representation.
    pub fn point(number: Number) -> NumberInterval {
        NumberInterval {
            lower: Bound::Included(number),
            upper: Bound::Included(number),
        }
    }

    /// Whether `number` lies inside.
    pub fn contains(&self, number: Number) -> bool {
        let is_above = match self.lower {
            Bound::Unbounded => true,
            Bound::Included(lower) => number.compare(lower) != Ordering::Less,
            Bound::Excluded(lower) => number.compare(lower) == Ordering::Greater,
        };
        is_above
            && match self.upper {
                Bound::Unbounded => true,
                Bound::Included(upper) => number.compare(upper) != Ordering::Greater,
                Bound::Excluded(upper) => number.compare(upper) == Ordering::Less,
            }
    }

    /// The least and the greatest 64-bit integer inside; `None` when there is none.
    pub fn integers(&self) -> Option<(i64, i64)> {
        let least = match self.lower {
            Bound::Unbounded => i128::from(i64::MIN),
            Bound::Included(lower) => ceiling(lower),
            Bound::Excluded(lower) => floor(lower).saturating_add(1),
        };
        let greatest = match self.upper {
            Bound::Unbounded => i128::from(i64::MAX),
            Bound::Included(upper) => floor(upper),
            Bound::Excluded(upper) => ceiling(upper).saturating_sub(1),
        };
        let least = i64::try_from(least.max(i128::from(i64::MIN))).ok()?;
        let greatest = i64::try_from(greatest.min(i128::from(i64::MAX))).ok()?;
        (least <= greatest).then_some((least, greatest))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a float beyond the integers saturates, which is what a bound needs"
)]
fn floor(number: Number) -> i128 {
    match number {
        Number::Int(integer) => integer,
        Number::Float(float) => float.floor() as i128,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a float beyond the integers saturates, which is what a bound needs"
)]
fn ceiling(number: Number) -> i128 {
    match number {
        Number::Int(integer) => integer,
        Number::Float(float) => float.ceil() as i128,
    }
}
