//! The real binary, as a user runs it: from an empty directory, with nothing but its own defaults.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod check;
mod delete;
mod first_start;
mod import;
mod mistakes;
mod process;
mod query;
mod records;
mod upkeep;
mod what_changed;
