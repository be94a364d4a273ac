//! The edges of Cordwood: ingest, REST and the Model Context Protocol over HTTP. The only async, the only HTTP server.
//!
//! A handler decodes a request, calls one use case of [`cordwood_service`], and encodes the answer.
//! The crate must not decide anything: who may do what, what an event is and what a query finds are
//! known below. Work leaves the async threads in one place, the [`offload`] module.
#![warn(missing_docs)]

mod acknowledge;
mod authentication;
mod body;
mod edge;
mod failure;
mod ingest;
mod json_body;
mod links;
mod mcp;
mod metrics;
mod offload;
mod openapi;
mod parameters;
mod probes;
mod request_id;
mod rest;
mod router;
mod server;
mod welcome;

pub use edge::{Edge, EdgeOptions};
pub use mcp::{McpError, serve_mcp};
pub use offload::LaneLimits;
pub use router::router;
pub use server::{ServeError, serve};
