//! The real binary, as a user runs it: from an empty directory, with nothing but its own defaults.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod alerts;
mod channels;
mod check;
mod delete;
mod export;
mod first_start;
mod import;
mod incidents;
mod investigate;
mod mcp;
mod mistakes;
mod patterns;
mod process;
mod query;
mod records;
mod saved;
mod tail;
mod upkeep;
mod what_changed;
