//! An agent's side of the Model Context Protocol, as clients speak it over HTTP in the versions that have sessions.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::client::{Answer, connect, head};
use crate::server::Server;

/// Bytes of an answer at most unless asked otherwise: 4 000 tokens of four bytes.
pub(crate) const ANSWER_BYTES_MAX: usize = 16_000;

/// An agent in a conversation.
pub(crate) struct Agent<'s> {
    pub(crate) server: &'s Server,
    pub(crate) token: String,
    pub(crate) session: String,
    /// The version of the protocol that was agreed on.
    pub(crate) version: String,
}

impl<'s> Agent<'s> {
    pub(crate) fn new(server: &'s Server, token: &str) -> Agent<'s> {
        Agent::speaking(server, token, "2025-06-18")
    }

    /// One that wants to speak this version of the protocol.
    pub(crate) fn speaking(server: &'s Server, token: &str, version: &str) -> Agent<'s> {
        let mut agent = Agent {
            server,
            token: token.to_owned(),
            session: String::new(),
            version: String::new(),
        };
        let hello = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
        let answer = agent
            .post(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}));
        agent.session = answer.header("mcp-session-id").unwrap().to_owned();
        let result = message_in(&answer, 0)["result"].clone();
        agent.version = result["protocolVersion"].as_str().unwrap().to_owned();
        let told = agent.post(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        assert_eq!(told.status, 202, "{told:?}");
        agent
    }

    fn headers(&self) -> Vec<String> {
        let mut headers = headers_of(&self.token);
        if !self.session.is_empty() {
            headers.push(format!("Mcp-Session-Id: {}", self.session));
            headers.push(format!("Mcp-Protocol-Version: {}", self.version));
        }
        headers
    }

    pub(crate) fn post(&self, message: &Value) -> Answer {
        post(self.server, &self.headers(), message)
    }

    /// The answer to a request: `result`, or `error`.
    pub(crate) fn ask(&self, method: &str, params: Value) -> Value {
        let answer =
            self.post(&json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}));
        message_in(&answer, 1)
    }

    /// The result of a call.
    pub(crate) fn call(&self, tool: &str, arguments: Value) -> Value {
        let answer = self.ask("tools/call", json!({"name": tool, "arguments": arguments}));
        assert!(answer["result"].is_object(), "{tool}: {answer}");
        answer["result"].clone()
    }

    /// What a call that is answered finds: its structured content, which its text has as well, within the limits of an answer.
    pub(crate) fn found(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments);
        assert_ne!(result["isError"], true, "{tool}: {result}");
        let text = result["content"][0]["text"].as_str().unwrap();
        assert!(
            text.len() <= ANSWER_BYTES_MAX,
            "{tool}: {} bytes",
            text.len()
        );
        let read: Value = serde_json::from_str(text).unwrap();
        assert_eq!(read, result["structuredContent"], "{tool}");
        for always in ["complete", "scanned", "range", "next"] {
            assert!(read["meta"].get(always).is_some(), "{tool}: {read}");
        }
        read
    }

    /// The error of a call that is refused.
    pub(crate) fn refused(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments);
        assert_eq!(result["isError"], true, "{tool}: {result}");
        // Clients hold structured content against the schema of answers.
        assert!(
            result.get("structuredContent").is_none(),
            "{tool}: {result}"
        );
        let text: Value =
            serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
        text["error"].clone()
    }

    /// Sends a call with this id and does not wait for its answer.
    pub(crate) fn begin(&self, id: u64, params: &Value) -> TcpStream {
        let call = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params});
        begin(self.server, &self.headers(), &call)
    }

    /// Wants the answer to a call no more.
    pub(crate) fn cancel(&self, id: u64) {
        let params = json!({"requestId": id, "reason": "enough"});
        let cancelling =
            json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params});
        assert_eq!(self.post(&cancelling).status, 202);
    }

    pub(crate) fn tools(&self) -> BTreeMap<String, Value> {
        let listed = self.ask("tools/list", json!({}));
        let tools = listed["result"]["tools"].as_array().unwrap().iter();
        tools
            .map(|tool| (tool["name"].as_str().unwrap().to_owned(), tool.clone()))
            .collect()
    }
}

/// What every message comes with.
pub(crate) fn headers_of(token: &str) -> Vec<String> {
    vec![
        format!("Authorization: Bearer {token}"),
        "Content-Type: application/json".to_owned(),
        "Accept: application/json, text/event-stream".to_owned(),
    ]
}

/// Sends a message and reads what comes back.
pub(crate) fn post(server: &Server, headers: &[String], message: &Value) -> Answer {
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    server.send("POST /mcp", &headers, message.to_string().as_bytes())
}

/// Sends a message and leaves the answer on its way.
pub(crate) fn begin(server: &Server, headers: &[String], message: &Value) -> TcpStream {
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    let (head, message) = (head("POST /mcp", &headers), message.to_string());
    let mut stream = connect(server.address);
    write!(
        stream,
        "{head}Content-Length: {}\r\n\r\n{message}",
        message.len()
    )
    .unwrap();
    stream
}

/// The message in an answer, which may be a stream, that answers the request with this id.
pub(crate) fn message_in(answer: &Answer, id: u64) -> Value {
    let data = answer
        .body
        .lines()
        .map(|line| line.strip_prefix("data:").unwrap_or(line));
    let mut messages = data.filter_map(|data| serde_json::from_str::<Value>(data.trim()).ok());
    let message = messages.find(|message| message["id"] == id);
    message.unwrap_or_else(|| panic!("no answer to {id}: {answer:?}"))
}

/// An API token with this access, to these clients.
pub(crate) fn token_of(server: &Server, access: &str, clients: Value) -> String {
    let body = json!({"name": format!("{access} agent"), "access": access, "clients": clients});
    let made = server.rest("POST /api/v1/tokens", &body.to_string());
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["data"]["attributes"]["token"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// A server with so many events that [`slow_arguments`] take minutes.
pub(crate) fn with_much_to_search() -> Server {
    let server = Server::start();
    let event = |index: usize| format!("{{\"message\": \"a{}b{index}\"}}\n", "x".repeat(400));
    let batch: String = (0..20_000).map(event).collect();
    for _ in 0..4 {
        assert_eq!(server.ingest(&[], batch.as_bytes()).status, 202);
    }
    server
}

/// Arguments of `logs_stats` that only cancelling brings to an end.
pub(crate) fn slow_arguments() -> Value {
    let slow = "/(a|x)*(x|b)*[0-9]{9}/";
    let many: Vec<String> = (0..30)
        .map(|n| format!("message:{slow} OR message:/q{n}[a-z ]{{{}}}[0-9]/", n + 5))
        .collect();
    json!({"query": many.join(" OR "), "stages": "stats count()"})
}
