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

    /// The least and the greatest finite float inside; `None` when there is none.
    pub fn floats(&self) -> Option<(f64, f64)> {
        let least = match self.lower {
            Bound::Unbounded => f64::MIN,
            Bound::Included(lower) => float_from(lower, Ordering::is_ge),
            Bound::Excluded(lower) => float_from(lower, Ordering::is_gt),
        };
        let greatest = match self.upper {
            Bound::Unbounded => f64::MAX,
            Bound::Included(upper) => float_to(upper, Ordering::is_le),
            Bound::Excluded(upper) => float_to(upper, Ordering::is_lt),
        };
        let (least, greatest) = (least.max(f64::MIN), greatest.min(f64::MAX));
        (least <= greatest).then_some((least, greatest))
    }
}

/// The least float that compares to `number` as it must.
fn float_from(number: Number, is_inside: fn(Ordering) -> bool) -> f64 {
    let nearest = nearest(number);
    match is_inside(Number::Float(nearest).compare(number)) {
        true => nearest,
        false => nearest.next_up(),
    }
}

/// The greatest.
fn float_to(number: Number, is_inside: fn(Ordering) -> bool) -> f64 {
    let nearest = nearest(number);
    match is_inside(Number::Float(nearest).compare(number)) {
        true => nearest,
        false => nearest.next_down(),
    }
}

/// The float nearest to where a number stands among floats.
fn nearest(number: Number) -> f64 {
    /// 2^126: every integer stands below the floats beyond it.
    const INTEGER_MAX: f64 = 85_070_591_730_234_615_865_843_651_857_942_052_864.0;
    match number {
        Number::Int(_) => number.as_f64().clamp(-INTEGER_MAX, INTEGER_MAX),
        Number::Float(float) => float,
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

#[cfg(test)]
mod tests {
    //! The ends of an interval in floats, against asking for each float.

    use std::ops::Bound;

    use cordwood_event::Number;
    use proptest::prelude::*;

    use super::NumberInterval;

    fn number() -> impl Strategy<Value = Number> {
        prop_oneof![
            any::<i64>().prop_map(|integer| Number::Int(integer.into())),
            any::<i128>().prop_map(Number::Int),
            (-3i128..3).prop_map(Number::Int),
            proptest::num::f64::NORMAL.prop_map(Number::Float),
            (-3i8..3).prop_map(|tenths| Number::Float(f64::from(tenths) / 10.0)),
            Just(Number::Float(f64::INFINITY)),
            Just(Number::Float(f64::NEG_INFINITY)),
            Just(Number::Float(f64::MAX)),
            Just(Number::Float(-0.0)),
        ]
    }

    fn bound() -> impl Strategy<Value = Bound<Number>> {
        prop_oneof![
            Just(Bound::Unbounded),
            number().prop_map(Bound::Included),
            number().prop_map(Bound::Excluded),
        ]
    }

    proptest! {
        #[test]
        fn floats_lie_inside_as_they_compare(
            lower in bound(),
            upper in bound(),
            others in proptest::collection::vec(number(), 1..8),
        ) {
            let interval = NumberInterval { lower, upper };
            let ends = [lower, upper].into_iter().filter_map(|bound| match bound {
                Bound::Unbounded => None,
                Bound::Included(number) | Bound::Excluded(number) => Some(number),
            });
            for number in others.into_iter().chain(ends) {
                let nearest = number.as_f64();
                for float in [nearest.next_down(), nearest, nearest.next_up()] {
                    if !float.is_finite() {
                        continue;
                    }
                    let is_between = interval
                        .floats()
                        .is_some_and(|(least, greatest)| least <= float && float <= greatest);
                    prop_assert_eq!(is_between, interval.contains(Number::Float(float)), "{}", float);
                }
            }
        }
    }
}
