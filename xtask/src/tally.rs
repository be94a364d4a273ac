//! What a step found: so many passed, so many failed, read from what test runners print.

use std::ops::AddAssign;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    /// One thing that either holds or does not.
    pub(crate) fn one(holds: bool) -> Tally {
        Tally {
            passed: u64::from(holds),
            failed: u64::from(!holds),
        }
    }

    /// Sums up the closing lines in a log: those of `cargo test`, of nextest, and our own
    /// `N passed, M failed`.
    pub(crate) fn read(log: &str) -> Tally {
        let mut sum = Tally::default();
        for line in log.lines() {
            let line = without_colour(line);
            let line = line.trim();
            let is_closing = line.starts_with("test result: ")
                || line.starts_with("Summary [")
                || line.ends_with(" failed") && line.starts_with(|c: char| c.is_ascii_digit());
            if is_closing {
                sum.passed += count_before(line, "passed");
                sum.failed += count_before(line, "failed") + count_before(line, "timed out");
            }
        }
        sum
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// The number that stands before a word.
fn count_before(line: &str, word: &str) -> u64 {
    line.split_once(&format!(" {word}"))
        .and_then(|(before, _)| before.rsplit(' ').next()?.parse().ok())
        .unwrap_or(0)
}

/// Takes out the terminal's colour sequences.
fn without_colour(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut parts = line.split("\u{1b}[");
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        plain.push_str(part.split_once('m').map_or("", |(_, text)| text));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn closing_lines_of_every_runner_are_read() {
        for (log, passed, failed) in [
            (
                "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured",
                3,
                0,
            ),
            ("test result: FAILED. 3 passed; 2 failed; 0 ignored", 3, 2),
            (
                "     Summary [   0.441s] 12 tests run: 12 passed, 0 skipped",
                12,
                0,
            ),
            (
                "     Summary [   1.0s] 12 tests run: 10 passed (1 slow), 1 failed, 1 timed out, 0 skipped",
                10,
                2,
            ),
            (
                "\u{1b}[32;1m     Summary\u{1b}[0m [   0.4s] \u{1b}[1m5\u{1b}[0m tests run: \u{1b}[1m5\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m, 0 skipped",
                5,
                0,
            ),
            ("node: 10000 events\n4 passed, 0 failed", 4, 0),
            ("the build failed", 0, 0),
            (
                "a\ntest result: ok. 1 passed; 0 failed\ntest result: ok. 2 passed; 0 failed",
                3,
                0,
            ),
        ] {
            assert_eq!(Tally::read(log), Tally { passed, failed }, "{log}");
        }
    }
}
