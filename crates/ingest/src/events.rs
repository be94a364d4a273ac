//! Where the decoders put their events: the batch being built, its limits, and what was refused.

use cordwood_event::{BatchBuilder, EventHead, Timestamp};

use crate::{Decoded, Format, Limits, Rejection, RejectionReason};

#[derive(Debug)]
pub(crate) struct Events {
    pub(crate) builder: BatchBuilder,
    pub(crate) limits: Limits,
    received_at: Timestamp,
    rejected: Vec<Rejection>,
    rejected_count: usize,
}

impl Events {
    pub(crate) fn new(_format: &Format, received_at: Timestamp, limits: Limits) -> Events {
        Events {
            builder: BatchBuilder::new(),
            limits,
            received_at,
            rejected: Vec::new(),
            rejected_count: 0,
        }
    }

    /// Keeps the event that was put into the builder, unless it is too large.
    pub(crate) fn finish_event(&mut self, source_bytes: usize) {
        let limit_bytes = self.limits.event_bytes_max;
        match u32::try_from(source_bytes) {
            Ok(bytes) if source_bytes <= limit_bytes => self.builder.finish_event(EventHead {
                timestamp: self.received_at,
                level: None,
                source_bytes: bytes,
            }),
            _ => {
                self.builder.abandon_event();
                self.reject(RejectionReason::TooLarge { limit_bytes });
            }
        }
    }

    /// Notes that an event was refused; nothing of it may be in the builder.
    pub(crate) fn reject(&mut self, reason: RejectionReason) {
        if self.rejected.len() < Decoded::REJECTIONS_KEPT {
            let index = self.builder.event_count() + self.rejected_count;
            self.rejected.push(Rejection { index, reason });
        }
        self.rejected_count += 1;
    }

    pub(crate) fn finish(self, decompressed_bytes: usize) -> Decoded {
        Decoded {
            batch: self.builder.finish(),
            rejected: self.rejected,
            rejected_count: self.rejected_count,
            decompressed_bytes,
        }
    }
}
