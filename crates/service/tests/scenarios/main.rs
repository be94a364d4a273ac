//! Scenarios of the use cases, on a real data directory with a clock and randomness of our own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod around;
mod complete;
mod concurrency;
mod deleted_sources;
mod deletions;
mod explain;
mod facets;
mod first_start;
mod histogram;
mod ingest;
mod ledger;
mod notes;
mod permissions;
mod search;
mod size;
mod sources;
mod stages;
mod tokens;
mod trace;
