//! The vocabulary of Cordwood: what an event is, before anyone stores, searches or serves it.
//!
//! An event is a timestamp, a normalised level and a set of fields; a field is a [path](mod@path) and a
//! [value](Value). Decoders build a [`Batch`] of events with a [`BatchBuilder`]; the store keeps
//! batches, the language matches [`EventRef`]s, and the engine gives back owned [`Event`]s.
//!
//! This crate must not know bytes on a wire, bytes on a disk, the query language, or the clock.
#![warn(missing_docs)]

mod batch;
mod builder;
mod event;
mod id;
pub mod json;
mod level;
mod number;
pub mod path;
mod timestamp;
mod value;
mod word;

pub use batch::{Batch, EventRef, FieldId, ValueRef};
pub use builder::{BatchBuilder, DuplicateKey, EventHead, FieldMap, Mark};
pub use event::Event;
pub use id::{EventId, InvalidEventId, SourceId};
pub use level::Level;
pub use number::Number;
pub use timestamp::Timestamp;
pub use value::{Scalar, Value};
pub use word::is_word;
