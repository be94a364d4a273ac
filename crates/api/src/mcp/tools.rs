//! All tools, a file for each, in the order in which agents see them.

mod alerts;
mod context;
mod create_source;
mod events;
mod fields;
mod incidents;
mod list_sources;
mod patterns;
mod query_logs;
mod saved_queries;
mod source_health;
#[cfg(feature = "sql")]
mod sql;
pub(crate) mod stats;
mod trace;
mod what_changed;

use cordwood_service::Access;

use crate::mcp::tool::Tool;

/// The one that resources are read with.
pub(crate) const FIELDS: Tool = fields::TOOL;

/// Every tool there is.
pub(crate) const ALL: &[Tool] = &[
    query_logs::TOOL,
    list_sources::TOOL,
    create_source::TOOL,
    stats::TOOL,
    patterns::TOOL,
    what_changed::TOOL,
    trace::TOOL,
    context::TOOL,
    fields::TOOL,
    #[cfg(feature = "sql")]
    sql::TOOL,
    saved_queries::TOOL,
    alerts::TOOL,
    incidents::TOOL,
    source_health::TOOL,
];

/// Those that can be called with this access; others are not seen.
pub(crate) fn seen_with(access: Access) -> impl Iterator<Item = &'static Tool> {
    ALL.iter().filter(move |tool| access >= tool.access)
}
