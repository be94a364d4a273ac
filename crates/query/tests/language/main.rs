//! The language, seen from outside: what queries mean, what is said of bad ones, and how they print.
#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a panic is how a test fails"
)]

mod captures;
mod completion;
mod diagnostics;
mod document;
mod event;
mod features;
mod generate;
mod interrupt;
mod introspection;
mod precedence;
mod properties;
mod required;
mod rows;
mod stage_diagnostics;
mod stages;
mod text;
mod words;
