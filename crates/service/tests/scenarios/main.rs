//! Scenarios of the use cases, on a real data directory with a clock and randomness of our own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod concurrency;
mod corpus;
mod deleted_sources;
mod deletions;
mod explain;
mod exports;
mod first_start;
mod incidents;
mod ingest;
mod ledger;
mod patterns;
mod permissions;
mod saved_queries;
mod search;
mod size;
mod sources;
mod stages;
mod tails;
mod tokens;
mod what_changed;
