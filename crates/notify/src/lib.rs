//! Notices, and what each provider of channels wants to be sent of them.
//!
//! The crate must not know rules, incidents or records: a notice says all that is told, and a channel is what its settings and
//! secrets say.
#![warn(missing_docs)]

mod cut;
mod notice;
mod severity;
mod times;

pub use notice::{Notice, NoticeKind, SAMPLES_MAX, Sample};
pub use severity::Severity;
