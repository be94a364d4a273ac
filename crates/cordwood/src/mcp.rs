//! `cordwood mcp`: the Model Context Protocol over standard input and output, for agents that start their servers themselves.

mod direct;
mod relay;

use crate::args::McpArguments;
use crate::config::Settings;
use crate::failure::Failure;

/// Talks until the input ends: to a server, or to a data directory.
pub(crate) fn run(settings: &Settings, arguments: &McpArguments) -> Result<(), Failure> {
    match &arguments.data {
        Some(data_dir) => direct::run(settings, data_dir),
        None => relay::run(settings),
    }
}
