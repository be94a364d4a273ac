//! The protocol over standard input and output, on a data directory that this process has opened.

use std::future::Future;
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

/// Speaks the protocol over standard input and output, for whoever holds `api_token`, until the input ends or `stop` is done. What is still
/// asked then is told to end, and is in the audit log when this comes back.
pub async fn serve_mcp(
    edge: Arc<Edge>,
    api_token: Secret,
    stop: impl Future<Output = ()>,
) -> Result<(), McpError> {
    let conversation = converse(Arc::clone(&edge), api_token);
    tokio::pin!(conversation);
    let spoken = tokio::select! {
        spoken = &mut conversation => spoken,
        () = stop => {
            edge.ending.cancel();
            conversation.await
        }
    };
    edge.agents.idle().await;
    spoken
}

async fn converse(edge: Arc<Edge>, api_token: Secret) -> Result<(), McpError> {
    let ending = edge.ending.clone();
    let server = McpServer::new(edge, Who::Token(api_token));
    let running = server.serve_with_ct(rmcp::transport::stdio(), ending).await;
    match running {
        Ok(running) => {
            let _ = running.waiting().await;
            Ok(())
        }
        // Who has nothing to say may go.
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => {
            Ok(())
        }
        Err(error) => Err(McpError {
            reason: error.to_string(),
        }),
    }
}
