//! The REST API, a file for each resource.

pub(crate) mod clients;
pub(crate) mod deletions;
mod envelope;
pub(crate) mod events;
pub(crate) mod jobs;
mod members;
pub(crate) mod query;
mod query_answer;
mod query_meta;
mod query_plan;
mod query_request;
mod source_record;
pub(crate) mod sources;
pub(crate) mod sql;
#[cfg(feature = "sql")]
mod sql_answer;
#[cfg(feature = "sql")]
mod sql_request;
mod times;
mod token_record;
pub(crate) mod tokens;
pub(crate) mod what_changed;
mod what_changed_answer;
mod what_changed_request;
