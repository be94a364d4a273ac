//! Bytes to events: every wire format, decompression, and what each kind of bad input becomes.
//!
//! A [`Format`] says how a body is written; [`decode`] turns the body into a
//! [`Batch`](cordwood_event::Batch) of events, the list of what was refused and why, or a
//! [`Refusal`] of the whole. Decoding is pure: the same format, body and reception time give the same
//! batch, today and when the write-ahead log is replayed years later.
//!
//! This crate must not know HTTP, sources, disks or the clock.
#![warn(missing_docs)]
#![warn(clippy::indexing_slicing)]

mod decode;
mod decompress;
mod events;
mod format;
mod json;
mod limits;
mod lines;
mod msgpack;
mod normalise;
mod sink;
mod text;
mod time;

pub use decode::{Decoded, Refusal, Rejection, RejectionReason, decode};
pub use format::{ContentEncoding, ContentKind, Format, InvalidFormat, Request};
pub use limits::Limits;
