//! Where the decoders put their events: the batch being built, its limits, and what was refused.

use cordwood_event::{BatchBuilder, EventHead, Level, Mark, Scalar, Timestamp};

use crate::normalise::Normaliser;
use crate::{Decoded, Format, Limits, Rejection, RejectionReason};

/// The key of an event that is nothing but text.
pub(crate) const MESSAGE: &str = "message";

#[derive(Debug)]
pub(crate) struct Events {
    pub(crate) builder: BatchBuilder,
    pub(crate) limits: Limits,
    received_at: Timestamp,
    normaliser: Normaliser,
    rejected: Vec<Rejection>,
    rejected_count: usize,
    /// Whether an event had to be refused because the batch held all it may; those after it are refused unread.
    is_full: bool,
    /// Whether it ever was, even if the event that filled it was forgotten since.
    was_full: bool,
}

/// A state of [`Events`] between two events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventsMark {
    builder: Mark,
    event_count: usize,
    rejected_count: usize,
}

impl EventsMark {
    /// The events seen until then, kept or not.
    pub(crate) fn count(self) -> usize {
        self.event_count + self.rejected_count
    }
}

impl Events {
    pub(crate) fn new(format: &Format, received_at: Timestamp, limits: Limits) -> Events {
        Events {
            builder: BatchBuilder::new(),
            limits,
            received_at,
            normaliser: Normaliser::new(format.dt_field.as_deref(), received_at),
            rejected: Vec::new(),
            rejected_count: 0,
            was_full: false,
            is_full: false,
        }
    }

    pub(crate) fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// The events seen so far, kept or not.
    pub(crate) fn count(&self) -> usize {
        self.builder.event_count() + self.rejected_count
    }

    /// Why no further event is taken, once the batch holds all it may. To be asked before an event is read, because even
    /// the keys of one that is refused take memory.
    pub(crate) fn full(&self) -> Option<RejectionReason> {
        let limit_bytes = self.limits.batch_bytes_max;
        (self.is_full || self.builder.memory_bytes() > limit_bytes)
            .then_some(RejectionReason::BatchFull { limit_bytes })
    }

    /// Keeps the event whose fields were put into the builder, unless a limit forbids it.
    pub(crate) fn finish_event(&mut self, source_bytes: usize) {
        let Some(source_bytes) = self.within_limits(source_bytes) else {
            return;
        };
        let (timestamp, level) = self.normaliser.settle(&mut self.builder);
        self.builder.finish_event(EventHead {
            timestamp,
            level,
            source_bytes,
        });
    }

    /// Keeps an event that is nothing but text.
    pub(crate) fn add_message(&mut self, text: &str, source_bytes: usize) {
        self.builder.begin_event();
        self.builder.set_root_field(MESSAGE, Scalar::Str(text));
        self.finish_event(source_bytes);
    }

    /// Keeps a line of plain text, with the time and level found in it.
    pub(crate) fn add_line(&mut self, line: &str, timestamp: Timestamp, level: Option<Level>) {
        self.builder.begin_event();
        self.builder.set_root_field(MESSAGE, Scalar::Str(line));
        if let Some(source_bytes) = self.within_limits(line.len()) {
            self.builder.finish_event(EventHead {
                timestamp,
                level,
                source_bytes,
            });
        }
    }

    /// Keeps a piece of the body that could not be read, with the reason.
    pub(crate) fn add_broken(&mut self, text: &str, why: &str) {
        self.builder.begin_event();
        self.builder.set_root_field(MESSAGE, Scalar::Str(text));
        self.builder
            .set_root_field("_parse_error", Scalar::Str(why));
        self.finish_event(text.len());
    }

    /// Notes that an event was refused. What the builder holds of it is forgotten.
    pub(crate) fn reject(&mut self, reason: RejectionReason) {
        self.builder.abandon_event();
        self.was_full |= matches!(reason, RejectionReason::BatchFull { .. });
        if self.rejected.len() < Decoded::REJECTIONS_KEPT {
            let index = self.count();
            self.rejected.push(Rejection { index, reason });
        }
        self.rejected_count += 1;
    }

    pub(crate) fn mark(&self) -> EventsMark {
        EventsMark {
            builder: self.builder.mark(),
            event_count: self.builder.event_count(),
            rejected_count: self.rejected_count,
        }
    }

    /// Forgets all events since `mark`, and the one being built.
    pub(crate) fn rewind(&mut self, mark: EventsMark) {
        self.builder.rewind(mark.builder);
        if self.rejected_count > mark.rejected_count {
            self.rejected_count = mark.rejected_count;
            let kept = self
                .rejected
                .partition_point(|rejection| rejection.index < mark.count());
            self.rejected.truncate(kept);
            self.is_full = false;
        }
    }

    pub(crate) fn finish(self, decompressed_bytes: usize) -> Decoded {
        Decoded {
            batch: self.builder.finish(),
            rejected: self.rejected,
            rejected_count: self.rejected_count,
            was_full: self.was_full,
            decompressed_bytes,
        }
    }

    fn within_limits(&mut self, source_bytes: usize) -> Option<u32> {
        let limits = self.limits;
        if source_bytes > limits.event_bytes_max {
            let limit_bytes = limits.event_bytes_max;
            self.reject(RejectionReason::TooLarge { limit_bytes });
            return None;
        }
        if let Some(reason) = self.full() {
            self.is_full = true;
            self.reject(reason);
            return None;
        }
        Some(u32::try_from(source_bytes).unwrap_or(u32::MAX))
    }
}
