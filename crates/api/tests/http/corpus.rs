//! The corpus of planted incidents, which lies with the others.
#![expect(
    dead_code,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "it is included as it lies there, and not all of it is needed"
)]

#[path = "../../../../bench/src/corpus/incident.rs"]
pub(crate) mod incident;
#[path = "../../../../bench/src/corpus/rng.rs"]
mod rng;
