//! The REST API, a file for each resource.

pub(crate) mod clients;
pub(crate) mod deletions;
mod envelope;
pub(crate) mod events;
mod export_file;
mod export_record;
pub(crate) mod exports;
pub(crate) mod jobs;
mod members;
pub(crate) mod query;
mod query_answer;
mod query_meta;
mod query_plan;
mod query_request;
pub(crate) mod saved_queries;
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
