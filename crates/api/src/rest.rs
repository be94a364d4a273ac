//! The REST API, a file for each resource.

pub(crate) mod clients;
pub(crate) mod complete;
pub(crate) mod deletions;
mod envelope;
pub(crate) mod event;
pub(crate) mod events;
mod export_file;
mod export_record;
pub(crate) mod exports;
pub(crate) mod facets;
mod flat_events;
pub(crate) mod histogram;
pub(crate) mod jobs;
pub(crate) mod live_tail;
mod members;
mod pattern_changes;
pub(crate) mod patterns;
mod patterns_answer;
pub(crate) mod query;
mod query_answer;
mod query_meta;
mod query_plan;
mod query_request;
mod query_stream;
pub(crate) mod saved_queries;
mod source_record;
pub(crate) mod sources;
pub(crate) mod sql;
#[cfg(feature = "sql")]
mod sql_answer;
#[cfg(feature = "sql")]
mod sql_request;
pub(crate) mod tail;
mod tail_events;
mod tail_stream;
mod times;
mod token_record;
pub(crate) mod tokens;
pub(crate) mod trace;
pub(crate) mod what_changed;
mod what_changed_answer;
mod what_changed_request;
