//! Where a scan in order is cut: windows of time, one after the other, each with about as much in it as may be held at once.
//!
//! A window ends where a part begins, if it can, so that parts which follow each other in time are each read once. Parts that
//! lie beside each other are read again in every window they reach into; there is no other way within bounded memory.
//!
//! Knows no blocks and no rows: parts are spans with a weight.

use cordwood_query::TimeBounds;

use crate::Order;

/// A part, as far as windows care: from where to where it reaches, in steps along the order, and what it weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    first: i64,
    last: i64,
    bytes: u64,
}

/// The windows of a scan, handed out in its order.
#[derive(Debug)]
pub(super) struct Windows {
    order: Order,
    /// By their firsts; without those that lie before the next window.
    spans: Vec<Span>,
    /// From where to where windows are still to be made; `None` when all are.
    left: Option<(i64, i64)>,
    /// Halves of windows that held too much, the next one last.
    halves: Vec<TimeBounds>,
    bytes_max: u64,
    bytes_all: u64,
}

impl Windows {
    /// Windows over `range` that hold about `bytes_max` of the parts, which are given by their times and bytes.
    pub(super) fn new(
        parts: impl Iterator<Item = (TimeBounds, u64)>,
        range: TimeBounds,
        order: Order,
        bytes_max: u64,
    ) -> Windows {
        let spans = parts.filter_map(|(times, bytes)| {
            let (first, last) = along(order, times.intersection(range))?;
            Some(Span { first, last, bytes })
        });
        let mut spans: Vec<Span> = spans.collect();
        spans.sort_by_key(|span| span.first);
        let ends = spans.iter().map(|span| span.last).max();
        Windows {
            order,
            left: spans.first().map(|span| span.first).zip(ends),
            bytes_all: spans.iter().map(|span| span.bytes).sum(),
            bytes_max: bytes_max.max(1),
            halves: Vec::new(),
            spans,
        }
    }

    /// The next window.
    pub(super) fn next(&mut self) -> Option<TimeBounds> {
        if let Some(half) = self.halves.pop() {
            return Some(half);
        }
        let (first, last) = self.left?;
        let end = self.end_of_window(first, last);
        self.left = end
            .checked_add(1)
            .filter(|next| *next <= last)
            .map(|next| (self.skip_gap(next), last));
        Some(times(self.order, first, end))
    }

    /// Takes back a window that turned out to hold too much, which then comes in two halves; `false` if it is a single instant.
    pub(super) fn halve(&mut self, window: TimeBounds) -> bool {
        let Some((first, end)) = along(self.order, window).filter(|(first, end)| first < end)
        else {
            return false;
        };
        let middle = half_way(first, end);
        self.halves.push(times(self.order, middle + 1, end));
        self.halves.push(times(self.order, first, middle));
        true
    }

    /// How much of the whole lies before the next window, 0 to 1.
    pub(super) fn progress(&self) -> f64 {
        let Some((next, _)) = self.left else {
            return 1.0;
        };
        let left: u128 = self.spans.iter().map(|span| span.behind(next)).sum();
        let all = self.bytes_all.max(1);
        1.0 - (left as f64 / all as f64).min(1.0)
    }

    /// Drops what lies before `next`, and steps over times in which nothing lies.
    fn skip_gap(&mut self, next: i64) -> i64 {
        self.spans.retain(|span| span.last >= next);
        self.spans.first().map_or(next, |span| span.first.max(next))
    }

    /// The last step of the window that begins at `first`: before the last part that still may begin in it, or in the middle of
    /// parts that are too much together.
    fn end_of_window(&self, first: i64, last: i64) -> i64 {
        let fits = |end: i64| self.bytes_within(first, end) <= u128::from(self.bytes_max);
        if fits(last) {
            return last;
        }
        let begun = self.spans.partition_point(|span| span.first <= first);
        let later = self.spans.get(begun..).unwrap_or_default();
        let fitting = later.partition_point(|span| fits(span.first - 1));
        let before = |index: usize| later.get(index).map(|span| span.first - 1);
        match fitting.checked_sub(1).and_then(before) {
            Some(end) => end,
            None => self.cut(first, before(0).unwrap_or(last)),
        }
    }

    /// The furthest step before `end` up to which there is not too much.
    fn cut(&self, first: i64, end: i64) -> i64 {
        let (mut fits, mut exceeds) = (first, end);
        while fits.abs_diff(exceeds) > 1 {
            let middle = half_way(fits, exceeds);
            match self.bytes_within(first, middle) > u128::from(self.bytes_max) {
                true => exceeds = middle,
                false => fits = middle,
            }
        }
        fits
    }

    /// About how much lies between two steps, if what a part holds is spread evenly over its times.
    fn bytes_within(&self, first: i64, end: i64) -> u128 {
        let begun = self.spans.iter().take_while(|span| span.first <= end);
        begun
            .map(|span| span.behind(first).saturating_sub(span.behind_end(end)))
            .sum()
    }
}

impl Span {
    /// How much of it lies at `step` or behind.
    fn behind(&self, step: i64) -> u128 {
        if step <= self.first {
            return u128::from(self.bytes);
        }
        if step > self.last {
            return 0;
        }
        let steps = u128::from(self.first.abs_diff(self.last)) + 1;
        u128::from(self.bytes) * (u128::from(step.abs_diff(self.last)) + 1) / steps
    }

    /// How much of it lies behind `step`.
    fn behind_end(&self, step: i64) -> u128 {
        step.checked_add(1).map_or(0, |next| self.behind(next))
    }
}

fn half_way(first: i64, last: i64) -> i64 {
    // Half of 64 bits always fits.
    first + i64::try_from(first.abs_diff(last) / 2).unwrap_or(i64::MAX)
}

/// Times as steps along the order; `None` if there are none. The newest time is the first step from the newest on.
fn along(order: Order, times: TimeBounds) -> Option<(i64, i64)> {
    if times.is_empty() {
        return None;
    }
    let (first, last) = (times.first.as_nanos(), times.last.as_nanos());
    Some(match order {
        Order::OldestFirst => (first, last),
        Order::NewestFirst => (!last, !first),
    })
}

fn times(order: Order, first: i64, last: i64) -> TimeBounds {
    let (first, last) = match order {
        Order::OldestFirst => (first, last),
        Order::NewestFirst => (!last, !first),
    };
    TimeBounds {
        first: cordwood_event::Timestamp::from_nanos(first),
        last: cordwood_event::Timestamp::from_nanos(last),
    }
}

#[cfg(test)]
mod tests;
