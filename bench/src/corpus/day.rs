//! The one day a corpus spans.

use anyhow::Context as _;

use super::text::push_padded;

pub(crate) const DAY_MS: u64 = 86_400_000;

/// A day in UTC.
#[derive(Clone, Debug)]
pub(crate) struct Day {
    name: String,
    start_ms: u64,
}

impl Day {
    /// From `2026-06-10`.
    pub(crate) fn parse(name: &str) -> anyhow::Result<Day> {
        let date: jiff::civil::Date = name
            .parse()
            .with_context(|| format!("`{name}` is not a date such as 2026-06-10"))?;
        let start = date.to_zoned(jiff::tz::TimeZone::UTC)?.timestamp();
        let start_ms = u64::try_from(start.as_millisecond()).context("the day is before 1970")?;
        Ok(Day {
            name: date.to_string(),
            start_ms,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn start_ms(&self) -> u64 {
        self.start_ms
    }

    /// Appends `{"dt":"2026-06-10T01:02:03.004Z"`. The time must lie within the day.
    pub(crate) fn push_event_start(&self, out: &mut Vec<u8>, time_ms: u64) {
        let in_day = time_ms - self.start_ms;
        assert!(in_day < DAY_MS, "events stay within their day");
        out.extend_from_slice(b"{\"dt\":\"");
        out.extend_from_slice(self.name.as_bytes());
        out.push(b'T');
        push_padded(out, in_day / 3_600_000, 2);
        out.push(b':');
        push_padded(out, in_day / 60_000 % 60, 2);
        out.push(b':');
        push_padded(out, in_day / 1000 % 60, 2);
        out.push(b'.');
        push_padded(out, in_day % 1000, 3);
        out.extend_from_slice(b"Z\"");
    }
}
