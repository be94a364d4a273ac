//! The protocol over standard input and output, on a data directory that this process has opened.

use std::sync::Arc;

use cordwood_service::Secret;
use rmcp::ServiceExt;
use rmcp::service::ServerInitializeError;

use crate::edge::Edge;
use crate::mcp::server::{McpServer, Who};

/// The conversation could not begin.
#[derive(Debug, thiserror::Error)]
#[error("the conversation over standard input could not begin: {reason}")]
pub struct McpError {
    reason: String,
}

/// Speaks the protocol over standard input and output, for whoever holds `api_token`, until the input ends.
pub async fn serve_mcp(edge: Arc<Edge>, api_token: Secret) -> Result<(), McpError> {
    let server = McpServer::new(Arc::clone(&edge), Who::Token(api_token));
    let running = match server.serve(rmcp::transport::stdio()).await {
        Ok(running) => running,
        // Who has nothing to say may go.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => {
            let reason = error.to_string();
            return Err(McpError { reason });
        }
    };
    let _ = running.waiting().await;
    // What was still asked when the input ended is told to stop, and written in the audit log.
    edge.agents.idle().await;
    Ok(())
}
