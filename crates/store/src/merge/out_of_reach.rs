//! Segments in a bucket that does not answer: what deletions need of them is put off, and asked for again by itself.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::Error;
use crate::segment::SegmentId;

/// The longest wait until the bucket is asked again: what an outage of hours comes to an end at.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);

/// What could not be reached in a round of merges. Nothing else waits for it. Reads the monotonic clock only.
#[derive(Debug)]
pub(super) struct OutOfReach {
    segments: BTreeSet<SegmentId>,
    failure: Option<Error>,
    /// The first wait; doubled with each that follows.
    retry_after_first: Duration,
    retry_after: Option<Duration>,
    ask_again_at: Option<Instant>,
}

impl OutOfReach {
    pub(super) fn new(retry_after_first: Duration) -> OutOfReach {
        OutOfReach {
            segments: BTreeSet::new(),
            failure: None,
            retry_after_first,
            retry_after: None,
            ask_again_at: None,
        }
    }

    /// Everything may be within reach again.
    pub(super) fn begin_round(&mut self) {
        self.segments.clear();
        self.failure = None;
    }

    /// Takes note of a segment that is left alone for the rest of the round.
    pub(super) fn note(&mut self, segment: SegmentId, failure: Error) {
        self.segments.insert(segment);
        self.failure.get_or_insert(failure);
    }

    pub(super) fn contains(&self, segment: SegmentId) -> bool {
        self.segments.contains(&segment)
    }

    /// Sets when to ask again, if anything was out of reach; gives the first failure. It is said when an outage begins.
    pub(super) fn end_round(&mut self) -> Option<Error> {
        let Some(failure) = self.failure.take() else {
            self.retry_after = None;
            self.ask_again_at = None;
            return None;
        };
        let after = match self.retry_after {
            Some(after) => after * 2,
            None => {
                let source = std::error::Error::source(&failure);
                tracing::warn!(%failure, source, "deleted events cannot be purged, will try again");
                self.retry_after_first
            }
        };
        let after = after.min(RETRY_AFTER_MAX);
        self.retry_after = Some(after);
        self.ask_again_at = Some(Instant::now() + after);
        Some(failure)
    }

    pub(super) fn ask_again_at(&self) -> Option<Instant> {
        self.ask_again_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreachable() -> Error {
        let source = std::io::Error::new(std::io::ErrorKind::TimedOut, "an outage");
        Error::bucket("read", "segments/1.seg")(source)
    }

    #[test]
    fn asked_ever_more_seldom_until_it_answers() {
        let mut out_of_reach = OutOfReach::new(Duration::from_secs(100));
        for expected in [100, 200, 300, 300] {
            out_of_reach.begin_round();
            assert!(!out_of_reach.contains(SegmentId(1)));
            out_of_reach.note(SegmentId(1), unreachable());
            assert!(out_of_reach.contains(SegmentId(1)));
            let before = Instant::now();
            assert!(out_of_reach.end_round().is_some());
            let at = out_of_reach.ask_again_at().unwrap();
            let expected = Duration::from_secs(expected);
            assert!(at >= before + expected && at <= Instant::now() + expected);
        }
        out_of_reach.begin_round();
        assert!(out_of_reach.end_round().is_none());
        assert_eq!(out_of_reach.ask_again_at(), None);
        out_of_reach.note(SegmentId(1), unreachable());
        out_of_reach.end_round();
        assert_eq!(out_of_reach.retry_after, Some(Duration::from_secs(100)));
    }
}
