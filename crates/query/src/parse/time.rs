//! Values of `dt`.

use std::ops::{Bound, Range as Span};

use super::Parser;
use crate::test::InvalidTime;
use crate::{Diagnostic, Test, TimePoint, TimeTest};

impl Parser<'_> {
    /// Reads the texts of a test of `dt` as times.
    pub(super) fn suited_to_time(&mut self, test: Test, span: Span<usize>) -> Option<Test> {
        let time = match &test {
            Test::Present => return Some(test),
            Test::Contains(text) | Test::Equals(text) => match self.time(text, &span)? {
                TimePoint::Now(_) => return self.note_bare_now(text, span),
                point => TimeTest::During(point),
            },
            Test::Range(range) => {
                let lower = self.time_end(range.lower(), &span)?;
                let upper = self.time_end(range.upper(), &span)?;
                TimeTest::Between(lower, upper)
            }
            _ => {
                self.note(
                    Diagnostic::new(span, "`dt` is a time and has no text to match.").hint(FORMS),
                );
                return None;
            }
        };
        if time.is_inverted() {
            self.note_inverted(span);
            return None;
        }
        Some(Test::Time(time))
    }

    fn time_end(&mut self, end: Bound<&str>, span: &Span<usize>) -> Option<Bound<TimePoint>> {
        Some(match end {
            Bound::Unbounded => Bound::Unbounded,
            Bound::Included(text) => Bound::Included(self.time(text, span)?),
            Bound::Excluded(text) => Bound::Excluded(self.time(text, span)?),
        })
    }

    fn time(&mut self, text: &str, span: &Span<usize>) -> Option<TimePoint> {
        let message = match TimePoint::parse(text) {
            Ok(point) => return Some(point),
            Err(InvalidTime::Malformed) => format!("`{text}` is not a time."),
            Err(InvalidTime::OutOfRange) => {
                format!("`{text}` lies outside the years 1677 to 2262, which times can span.")
            }
        };
        let hint = meant(text).map_or(FORMS.to_owned(), |time| format!("Did you mean `{time}`?"));
        self.note(Diagnostic::new(span.clone(), message).hint(hint));
        None
    }

    fn note_bare_now(&mut self, text: &str, span: Span<usize>) -> Option<Test> {
        self.note(
            Diagnostic::new(
                span,
                format!("`{text}` is a single instant; no event has exactly that time."),
            )
            .hint(format!("Did you mean `dt:>{text}`?")),
        );
        None
    }
}

/// The time that `-1h`, `1h` or `now - 1h` may stand for.
fn meant(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    ["", "now", "now-"]
        .iter()
        .map(|start| format!("{start}{text}"))
        .find(|time| matches!(TimePoint::parse(time), Ok(TimePoint::Now(_))))
}

const FORMS: &str = "Write a date (`2026-03-27`), an instant (`2026-03-27T10:15:00Z`), or a time from now (`now-1h`, with s, m, h, d or w).";
