//! The edges over real HTTP: a server in this process on a free port, and a client that sends bytes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod agent;
mod cancel;
mod client;
mod corpus;
mod explain;
mod exploration_alerts;
mod exports;
mod incidents;
mod isolation;
mod life;
mod limits;
mod mcp;
mod mcp_audit;
mod mcp_isolation;
mod mcp_versions;
mod mcp_workflows;
mod openapi;
mod paging;
mod probes;
mod progress;
mod saved_queries;
mod scenario;
mod server;
mod tail;
mod wire;
