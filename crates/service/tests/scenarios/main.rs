//! Scenarios of the use cases, on a real data directory with a clock and randomness of our own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod alerts;
mod around;
mod audit;
mod channels;
mod complete;
mod concurrency;
mod corpus;
mod deleted_sources;
mod deletions;
mod explain;
mod exports;
mod facets;
mod first_start;
mod histogram;
mod incident_life;
mod incidents;
mod ingest;
mod ledger;
mod notes;
mod pattern_changes;
mod patterns;
mod permissions;
mod receiver;
mod saved_queries;
mod search;
mod silences;
mod size;
mod sources;
mod stages;
mod tails;
mod tokens;
mod trace;
mod what_changed;
