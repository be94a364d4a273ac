//! Intervals of time: `30s`, `5m`, `1d`.

use std::ops::Range;

use crate::parse::{Parser, Step};
use crate::{Diagnostic, Interval};

const UNITS: &str = "Write a whole number and a unit: ms, s, m, h, d or w, as in `5m`.";

impl Parser<'_> {
    /// An interval; a word that is none is noted.
    pub(super) fn interval(&mut self) -> Step<Option<Interval>> {
        let span = self.run_of(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | 'µ'));
        if span.is_empty() {
            let span = self.cursor.span_of_next();
            return self.stop(Diagnostic::new(span, "An interval is missing here.").hint(UNITS));
        }
        let interval = Interval::parse(self.cursor.slice(span.clone()));
        if interval.is_none() {
            self.note_no_interval(span);
        }
        Ok(interval)
    }

    fn note_no_interval(&mut self, span: Range<usize>) {
        let written = self.cursor.slice(span.clone()).to_owned();
        let digits = written.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = written.split_at(digits);
        let is_zero = digits > 0 && number.bytes().all(|byte| byte == b'0');
        let (message, hint) = match unit {
            _ if is_zero => (format!("`{written}` is no time at all."), UNITS),
            "us" | "µs" | "ns" if digits > 0 => (
                format!("`{written}` is not a whole number of milliseconds, the least interval."),
                UNITS,
            ),
            "ms" | "s" | "m" | "h" | "d" | "w" if digits > 0 => (
                format!("`{written}` is longer than the 292 years that times can span."),
                "Write a shorter interval, as in `1d`.",
            ),
            _ => (format!("`{written}` is not an interval of time."), UNITS),
        };
        self.note(Diagnostic::new(span, message).hint(hint));
    }
}
