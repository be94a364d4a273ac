//! What `cordwood mcp` and `cordwood audit` take.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct McpArguments {
    /// Open this data directory here, without a server; no server may be using it [default: talk to the server].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct AuditArguments {
    /// How many calls, the newest, 1 to 500 [default: 50].
    #[arg(long, value_name = "CALLS")]
    pub limit: Option<u32>,

    /// Only those before this one.
    #[arg(long, value_name = "ID")]
    pub before: Option<u64>,
}
