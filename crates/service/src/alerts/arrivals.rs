//! What had come when: windows of arrival as ranges of sequence numbers, and whether the server listened all the while.
//!
//! Sequence numbers say in which order events came, marks say when. Windows begin and end at marks, by one function, so that windows that
//! do not overlap never share an event, whenever the marks were taken.

use std::collections::VecDeque;
use std::time::Duration;

use cordwood_catalog::Arrival;
use cordwood_event::Timestamp;

use cordwood_alerts::Window;

/// How far marks are apart. Checks and windows are multiples of it.
pub(super) const MARK_NANOS: i64 = 10_000_000_000;

/// Marks farther apart than this say that nobody listened in between: a mark is late by a second on a busy machine, by
/// two intervals hardly ever.
const SILENCE_NANOS: i64 = 2 * MARK_NANOS;

/// How long marks are kept: the longest window, and the checks that may be late for it. 70 000 marks of 16 bytes.
pub(super) const KEPT: Duration = Duration::from_secs(8 * 24 * 60 * 60);

/// The marks that are kept, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrivals {
    marks: VecDeque<Arrival>,
}

/// The sequence numbers of a window: those behind `after`, up to `up_to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrived {
    pub(super) after: u64,
    pub(super) up_to: u64,
}

impl Arrivals {
    /// Those that the catalog kept. Of a store that was put back from a backup, the later ones mean nothing.
    pub(super) fn recalled(kept: Vec<Arrival>, last_sequence: u64) -> Arrivals {
        let marks = kept
            .into_iter()
            .filter(|mark| mark.sequence <= last_sequence);
        Arrivals {
            marks: marks.collect(),
        }
    }

    /// The mark that is missing of a server that went down: what came behind the last one came soon after it, and not when the server was started
    /// again, where it would be too old to be news.
    pub(super) fn closing(&self, now: Timestamp, last_sequence: u64) -> Option<Arrival> {
        let last = self.last()?;
        let at = Timestamp::from_nanos(last.at.as_nanos().saturating_add(MARK_NANOS));
        (last.sequence < last_sequence && at <= now).then_some(Arrival {
            at,
            sequence: last_sequence,
        })
    }

    /// The mark to take now, if the last one is old enough for another.
    pub(super) fn next(&self, now: Timestamp, last_sequence: u64) -> Option<Arrival> {
        let at = Timestamp::from_nanos(now.as_nanos().div_euclid(MARK_NANOS) * MARK_NANOS);
        let is_new = self.marks.back().is_none_or(|mark| mark.at < at);
        is_new.then_some(Arrival {
            at,
            sequence: last_sequence,
        })
    }

    pub(super) fn push(&mut self, mark: Arrival) {
        self.marks.push_back(mark);
        let kept_from = kept_from(mark.at);
        while self.marks.front().is_some_and(|mark| mark.at < kept_from) {
            self.marks.pop_front();
        }
    }

    /// The sequence numbers of what arrived in a window; `None` if that is not known any more, or not yet.
    pub(super) fn of(&self, window: Window) -> Option<Arrived> {
        Some(Arrived {
            after: self.sequence_at(window.start)?,
            up_to: self.sequence_at(window.end)?,
        })
    }

    /// The last mark.
    pub(super) fn last(&self) -> Option<Arrival> {
        self.marks.back().copied()
    }

    /// Whether marks were taken by then.
    pub(super) fn reach_to(&self, at: Timestamp) -> bool {
        self.marks.front().is_some_and(|mark| mark.at <= at)
    }

    /// Whether the server listened all through the window.
    pub(super) fn heard(&self, window: Window) -> bool {
        let begin = self.marks.partition_point(|mark| mark.at <= window.start);
        let mut at = match begin.checked_sub(1).and_then(|index| self.marks.get(index)) {
            Some(mark) => mark.at,
            None => return false,
        };
        for mark in self.marks.range(begin..) {
            if distance(at, mark.at) > SILENCE_NANOS {
                return false;
            }
            at = mark.at;
            if at >= window.end {
                return true;
            }
        }
        distance(at, window.end) <= SILENCE_NANOS
    }

    /// Up to where events had come by a time.
    fn sequence_at(&self, at: Timestamp) -> Option<u64> {
        let behind = self.marks.partition_point(|mark| mark.at <= at);
        let mark = self.marks.get(behind.checked_sub(1)?)?;
        Some(mark.sequence)
    }
}

/// From when on marks are kept.
pub(super) fn kept_from(now: Timestamp) -> Timestamp {
    let kept = i64::try_from(KEPT.as_nanos()).unwrap_or(i64::MAX);
    Timestamp::from_nanos(now.as_nanos().saturating_sub(kept))
}

fn distance(from: Timestamp, to: Timestamp) -> i64 {
    to.as_nanos().saturating_sub(from.as_nanos())
}

#[cfg(test)]
mod tests;
