//! The range of time a filter can match in.

use cordwood_event::Timestamp;

use crate::{Clause, Filter, Target, Test};

/// A range of time, both ends inclusive. Empty when `first` lies after `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeBounds {
    /// The earliest instant.
    pub first: Timestamp,
    /// The latest instant.
    pub last: Timestamp,
}

impl TimeBounds {
    /// All of time.
    pub const ALL: TimeBounds = TimeBounds {
        first: Timestamp::MIN,
        last: Timestamp::MAX,
    };

    /// No instant.
    pub const NONE: TimeBounds = TimeBounds {
        first: Timestamp::MAX,
        last: Timestamp::MIN,
    };

    /// Whether there is no instant in it.
    pub fn is_empty(&self) -> bool {
        self.first > self.last
    }

    /// Whether `timestamp` lies in it.
    pub fn contains(&self, timestamp: Timestamp) -> bool {
        self.first <= timestamp && timestamp <= self.last
    }

    /// The instants in both.
    pub fn intersection(self, other: TimeBounds) -> TimeBounds {
        TimeBounds {
            first: self.first.max(other.first),
            last: self.last.min(other.last),
        }
    }

    /// The least range that covers both.
    pub fn hull(self, other: TimeBounds) -> TimeBounds {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        TimeBounds {
            first: self.first.min(other.first),
            last: self.last.max(other.last),
        }
    }
}

impl Filter {
    /// A range of time outside which no event matches: the tightest one its `dt` and `_id` clauses
    /// imply, those below a negation left aside.
    pub fn time_bounds(&self, now: Timestamp) -> TimeBounds {
        match self {
            Filter::All | Filter::Not(_) => TimeBounds::ALL,
            Filter::And(members) => members
                .iter()
                .map(|member| member.time_bounds(now))
                .fold(TimeBounds::ALL, TimeBounds::intersection),
            Filter::Or(members) => members
                .iter()
                .map(|member| member.time_bounds(now))
                .fold(TimeBounds::NONE, TimeBounds::hull),
            Filter::Clause(Clause { target, test }) => match target {
                Target::Time | Target::Id => test_bounds(test, now),
                _ => TimeBounds::ALL,
            },
        }
    }
}

fn test_bounds(test: &Test, now: Timestamp) -> TimeBounds {
    match test {
        Test::Time(time) => time.bounds(now),
        Test::Id(id) => TimeBounds {
            first: id.timestamp,
            last: id.timestamp,
        },
        Test::AnyOf(tests) => tests
            .iter()
            .map(|test| test_bounds(test, now))
            .fold(TimeBounds::NONE, TimeBounds::hull),
        _ => TimeBounds::ALL,
    }
}
