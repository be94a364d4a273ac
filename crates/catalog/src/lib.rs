//! Small durable records in embedded SQLite: organisations, clients, API tokens, sources and usage.
//!
//! All SQL of Cordwood is in this crate. Time and randomness are arguments. The crate must not know
//! what the records are for: who may see what is decided in `service`.
#![warn(missing_docs)]

mod access;
mod random;

pub use access::{Access, ClientId, Scope};
pub use random::Random;
