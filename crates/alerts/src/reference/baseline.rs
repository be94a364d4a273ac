//! What a row of values lets expect: their median, and by how much they vary.
//!
//! The median and the median of the distances from it are hardly moved by a day on which something was wrong: up to half of the values may be
//! off (P. Rousseeuw, C. Croux, "Alternatives to the Median Absolute Deviation", 1993; as an outlier test B. Iglewicz, D. Hoaglin, "How to Detect and
//! Handle Outliers", 1993). Few values can be alike by chance, so the spread has floors: a number of events varies as the Poisson distribution
//! has it at least, by its square root, and no measure of a living system stays within a few percent.

use cordwood_query::Function;

use crate::check::CheckedMeasure;

/// Times the median distance is the standard deviation, where values are distributed normally.
const DEVIATIONS_PER_DISTANCE: f64 = 1.4826;

/// Every measure varies by so much of itself.
const SPREAD_OF_CENTER_MIN: f64 = 0.05;

/// A ratio varies by so many percent points: a history without a single error does not make the first one an alarm.
const RATIO_POINTS_MIN: f64 = 1.0;

/// Center and spread of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Baseline {
    pub(super) center: f64,
    pub(super) spread: f64,
}

impl Baseline {
    /// `None` of no values.
    pub(super) fn of(
        mut samples: Vec<f64>,
        measure: &CheckedMeasure,
        window_s: u32,
    ) -> Option<Baseline> {
        let center = median(&mut samples)?;
        let mut distances: Vec<f64> = samples.iter().map(|value| (value - center).abs()).collect();
        let spread = DEVIATIONS_PER_DISTANCE * median(&mut distances)?;
        let floor = chance(measure, center.abs(), f64::from(window_s));
        let spread = spread.max(floor).max(SPREAD_OF_CENTER_MIN * center.abs());
        Some(Baseline { center, spread })
    }
}

/// By how much a measure varies by chance alone.
fn chance(measure: &CheckedMeasure, center: f64, window_s: f64) -> f64 {
    match measure {
        CheckedMeasure::Ratio { .. } => RATIO_POINTS_MIN,
        CheckedMeasure::Function { function, .. } => match function {
            Function::Count(_) | Function::CountDistinct(_) => center.max(1.0).sqrt(),
            Function::Rate => (center * window_s).max(1.0).sqrt() / window_s,
            Function::Sum(_)
            | Function::Avg(_)
            | Function::Min(_)
            | Function::Max(_)
            | Function::Percentile(..)
            | Function::First(_)
            | Function::Last(_) => 0.0,
        },
    }
}

/// The value in the middle, or between the two that are.
fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *values.get(values.len() / 2 - 1)?;
    Some(f64::midpoint(lower, upper))
}
