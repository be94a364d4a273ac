//! How figures are written.

use std::time::Duration;

use crate::latency::Latencies;

const MB: f64 = 1e6;

pub(super) fn mb(bytes: u64) -> f64 {
    bytes as f64 / MB
}

/// Milliseconds, with as many places as mean something.
pub(super) fn ms(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1000.0;
    if ms < 10.0 {
        format!("{ms:.1}")
    } else {
        format!("{ms:.0}")
    }
}

/// A mark that is missed stands out.
pub(super) fn yes_or_no(is_reached: bool) -> &'static str {
    if is_reached { "yes" } else { "**no**" }
}

/// In milliseconds.
pub(super) fn percentiles(latencies: &Latencies) -> String {
    let [half, most, nearly_all] = [50, 90, 99].map(|percent| ms(latencies.percentile(percent)));
    let longest = ms(latencies.longest());
    format!("p50 {half}, p90 {most}, p99 {nearly_all}, longest {longest}")
}
