//! The Model Context Protocol: Cordwood for agents, over HTTP at `/mcp` and over standard input and output.
//!
//! A tool decodes its arguments as a REST handler does, has one use case of [`cordwood_service`] done in the same lanes, and
//! encodes the answer small enough for an agent to read. What a tool may do is decided below, by the same check as for REST.

mod account;
mod answer;
mod budget;
mod call;
mod entry;
mod http;
mod prompts;
mod refusal;
mod resources;
mod schema;
mod server;
mod sessions;
mod stdio;
mod tool;
mod tools;

pub(crate) use http::mount;
pub use stdio::{McpError, serve_mcp};
