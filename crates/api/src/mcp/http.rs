//! `/mcp`: the protocol over streamable HTTP, behind the same API tokens as REST.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::mcp::server::{McpServer, Who};
use crate::mcp::sessions::{SESSIONS_MAX, Sessions};

const MCP_SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const MCP_PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");

/// From this version on the protocol has no sessions.
const FIRST_WITHOUT_SESSIONS: &str = "2026-07-28";

/// A request holds a query and its arguments.
const REQUEST_BYTES_MAX: usize = 1 << 20;
/// An agent may think for long, and clients begin anew badly.
const SESSION_IDLE_MAX: Duration = Duration::from_secs(60 * 60);
/// A connection whose other end is gone is noticed by this, and what runs for it stopped.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// How long an answer can be fetched again after its connection broke.
const ANSWER_KEPT: Duration = Duration::from_secs(30);

/// Adds the endpoint to the routes.
pub(crate) fn mount(router: Router<Arc<Edge>>, edge: &Arc<Edge>) -> Router<Arc<Edge>> {
    let mut manager = LocalSessionManager::default();
    manager.session_config.keep_alive = Some(SESSION_IDLE_MAX);
    manager.session_config.completed_cache_ttl = ANSWER_KEPT;
    let manager = Arc::new(manager);
    let served = Arc::clone(edge);
    // Host names guard servers that trust whoever reaches them; here every request has to have a token.
    let config = StreamableHttpServerConfig::default()
        .disable_allowed_hosts()
        .with_sse_keep_alive(Some(KEEP_ALIVE))
        .with_max_request_body_bytes(REQUEST_BYTES_MAX)
        .with_cancellation_token(edge.ending.clone());
    let protocol = StreamableHttpService::new(
        move || Ok(McpServer::new(Arc::clone(&served), Who::Request)),
        Arc::clone(&manager),
        config,
    );
    let door = Door {
        edge: Arc::clone(edge),
        manager,
        sessions: Arc::new(Sessions::default()),
    };
    let guarded = Router::new()
        .route_service("/mcp", protocol)
        .layer(middleware::from_fn_with_state(door, guard));
    router.merge(guarded)
}

/// What is asked before the protocol is.
#[derive(Clone)]
struct Door {
    edge: Arc<Edge>,
    manager: Arc<LocalSessionManager>,
    sessions: Arc<Sessions>,
}

/// Lets in who has an API token, to sessions of that token.
async fn guard(
    State(door): State<Door>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let (mut parts, body) = request.into_parts();
    let Authenticated(caller) = Authenticated::from_request_parts(&mut parts, &door.edge).await?;
    let mut request = Request::from_parts(parts, body);
    let token = caller.token_id();
    match header(request.headers(), &MCP_SESSION_ID) {
        // The words of the protocol for a session that is over: the client then begins anew.
        Some(session) if !door.sessions.is_of(session, token) => return Err(no_such_session()),
        Some(_) => {}
        None => door.require_room(request.headers()).await?,
    }
    request.extensions_mut().insert(caller);
    let response = next.run(request).await;
    if let Some(session) = header(response.headers(), &MCP_SESSION_ID)
        && !door.sessions.is_of(session, token)
    {
        let alive = door.manager.sessions.read().await;
        door.sessions
            .begin(session, token, |id| alive.contains_key(id));
    }
    Ok(response)
}

impl Door {
    /// A request without a session begins one, but of the versions that have none.
    async fn require_room(&self, headers: &HeaderMap) -> Result<(), Failure> {
        let version = header(headers, &MCP_PROTOCOL_VERSION).unwrap_or_default();
        if version >= FIRST_WITHOUT_SESSIONS {
            return Ok(());
        }
        match self.manager.sessions.read().await.len() < SESSIONS_MAX {
            true => Ok(()),
            false => {
                let sentence = format!("{SESSIONS_MAX} sessions are open, the most there can be.");
                Err(Failure::new(StatusCode::TOO_MANY_REQUESTS, "too_many_sessions", sentence)
                    .hint("Sessions end when clients close them, or after an hour without a request."))
            }
        }
    }
}

fn no_such_session() -> Failure {
    let sentence = "There is no such session of this API token.";
    Failure::new(StatusCode::NOT_FOUND, "no_such_session", sentence)
        .hint("Begin anew with `initialize`.")
}

fn header<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}
