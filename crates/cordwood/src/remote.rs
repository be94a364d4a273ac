//! The server, seen from a verb that talks to it: requests in JSON, and its errors as failures.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use cordwood_service::CLI_TOKEN_FILE;
use serde_json::Value;
use ureq::Agent;
use ureq::http::{Method, Request, Response, StatusCode};
use ureq::{Body, BodyReader, Error};

use crate::address;
use crate::config::Settings;
use crate::failure::Failure;

/// An answer is at most a batch of 1000 events.
const ANSWER_BYTES_MAX: u64 = 1 << 30;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A search has its own deadline in the server, below this.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(330);

/// A server and the token to talk to it with.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    agent: Agent,
    url: String,
    token: String,
}

/// An answer that is no failure of the connection; its status may still be one of the server's.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub retry_after: Option<Duration>,
    pub body: String,
}

impl Remote {
    /// The server of the settings: the one named, or the one that uses the data directory.
    pub(crate) fn new(settings: &Settings) -> Result<Remote, Failure> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_recv_response(Some(ANSWER_TIMEOUT))
            .user_agent(concat!("cordwood/", env!("CARGO_PKG_VERSION")));
        Ok(Remote {
            agent: config.build().into(),
            url: address::url_of(settings),
            token: token(settings)?,
        })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Asks for JSON. `path` begins with a slash and may have parameters.
    pub(crate) fn get(&self, path: &str) -> Result<Value, Failure> {
        self.call(Method::GET, path, None)
    }

    /// Sends a JSON body, or none, and reads the JSON answer; null when that is empty.
    pub(crate) fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let body = body.map(|body| ("application/json", body.to_string().into_bytes()));
        let answer = self.send(method, path, &[], body)?;
        parse(&answer.into_success()?)
    }

    /// Sends one request and gives the answer, which may be no text, whatever its status.
    pub(crate) fn send_for_bytes(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, Vec<u8>)>,
    ) -> Result<ByteAnswer, Failure> {
        let answer = self.respond(method, path, &[], body)?;
        let status = answer.status();
        let mut body = answer.into_body();
        let body = body.with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        Ok(ByteAnswer {
            status,
            body: body.map_err(|error| self.unreachable(&error))?,
        })
    }

    /// Sends one request and gives the answer whatever its status.
    pub(crate) fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<(&str, Vec<u8>)>,
    ) -> Result<Answer, Failure> {
        let answer = self.respond(method, path, headers, body)?;
        read(answer).map_err(|error| self.unreachable(&error))
    }

    /// Asks for a body that is read as it comes, because it may be larger than memory.
    pub(crate) fn download(
        &self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<impl Read + use<>, Failure> {
        let answer = self.respond(Method::GET, path, headers, None)?;
        if answer.status().is_success() {
            return Ok(answer.into_body().into_reader());
        }
        let answer = read(answer).map_err(|error| self.unreachable(&error))?;
        Err(answer.into_success().err().unwrap_or_else(|| {
            Failure::new("The server answered what it should not").hint("Is it a Cordwood server?")
        }))
    }

    /// Asks for server-sent events, which are read as they come; any other answer is read whole.
    pub(crate) fn stream(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<(&str, Vec<u8>)>,
    ) -> Result<Streamed, Failure> {
        let answer = self.respond(method, path, headers, body)?;
        let kind = answer.headers().get("content-type");
        let is_stream = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        if answer.status().is_success() && is_stream {
            return Ok(Streamed::Body(answer.into_body().into_reader()));
        }
        let whole = read(answer).map_err(|error| self.unreachable(&error))?;
        Ok(Streamed::Whole(whole))
    }

    /// Posts a message of the Model Context Protocol and gives the answer whatever it is.
    pub(crate) fn post_mcp(
        &self,
        headers: &[(&str, &str)],
        message: Vec<u8>,
    ) -> Result<Response<Body>, Failure> {
        let body = Some(("application/json", message));
        self.respond(Method::POST, "/mcp", headers, body)
    }

    fn respond(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<(&str, Vec<u8>)>,
    ) -> Result<Response<Body>, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {}", self.token));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = match body {
            Some((content_type, body)) => request
                .header("content-type", content_type)
                .body(body)
                .map_err(Error::from)
                .and_then(|request| self.agent.run(request)),
            None => request
                .body(())
                .map_err(Error::from)
                .and_then(|request| self.agent.run(request)),
        };
        answer.map_err(|error| self.unreachable(&error))
    }

    fn unreachable(&self, error: &Error) -> Failure {
        let failure = Failure::new(format!("No answer from {}: {error}", self.url));
        failure
            .hint("Is it running? `cordwood serve` starts it; --url or CORDWOOD_URL names another.")
    }
}

/// A stream of events, or an answer that is none, such as a failure.
pub(crate) enum Streamed {
    Body(BodyReader<'static>),
    Whole(Answer),
}

/// The same whose body may be no text.
#[derive(Debug)]
pub(crate) struct ByteAnswer {
    status: StatusCode,
    body: Vec<u8>,
}

impl ByteAnswer {
    /// The body of a success, or the server's error as a failure.
    pub(crate) fn into_success(self) -> Result<Vec<u8>, Failure> {
        if self.status.is_success() {
            return Ok(self.body);
        }
        let answer = Answer {
            status: self.status,
            retry_after: None,
            body: String::from_utf8_lossy(&self.body).into_owned(),
        };
        answer.into_success().map(String::into_bytes)
    }
}

impl Answer {
    /// The body of a success, or the server's error as a failure.
    pub(crate) fn into_success(self) -> Result<String, Failure> {
        if self.status.is_success() {
            return Ok(self.body);
        }
        Err(failure_of(&self.body).unwrap_or_else(|| {
            let text = self.body.lines().next().unwrap_or_default();
            Failure::new(format!("The server answered {}: {text}", self.status))
        }))
    }
}

/// The server's error as a failure, if the body of an answer is one.
pub(crate) fn failure_of(body: &str) -> Option<Failure> {
    let body: Value = serde_json::from_str(body).ok()?;
    let mut failure = Failure::new(body["errors"].as_str()?);
    if let Some(detail) = invalid_values(&body) {
        failure = failure.detail(detail);
    } else if let Some(detail) = body["detail"].as_str() {
        failure = failure.detail(detail);
    }
    if let Some(hint) = body["hint"].as_str() {
        failure = failure.hint(hint);
    }
    Some(failure.body(body))
}

/// `name: can't be blank`, a line for each wrong value.
fn invalid_values(body: &Value) -> Option<String> {
    let values = body["invalid_values"].as_object()?;
    let lines = values.iter().flat_map(|(name, messages)| {
        let messages = messages.as_array().into_iter().flatten();
        let messages = messages.filter_map(Value::as_str);
        messages.map(move |message| format!("{name}: {message}"))
    });
    Some(lines.collect::<Vec<_>>().join("\n"))
}

fn read(mut response: Response<Body>) -> Result<Answer, Error> {
    let retry_after = response.headers().get("retry-after");
    let retry_after = retry_after
        .and_then(|seconds| seconds.to_str().ok()?.parse().ok())
        .map(Duration::from_secs);
    let status = response.status();
    let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX);
    Ok(Answer {
        status,
        retry_after,
        body: body.lossy_utf8(true).read_to_string()?,
    })
}

fn parse(body: &str) -> Result<Value, Failure> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(body).map_err(|_| {
        Failure::new("The answer is no JSON").hint("Is it a Cordwood server that --url names?")
    })
}

fn token(settings: &Settings) -> Result<String, Failure> {
    if let Some(token) = &settings.token {
        return Ok(token.clone());
    }
    let path: PathBuf = settings.data_dir.join(CLI_TOKEN_FILE);
    match fs::read_to_string(&path) {
        Ok(token) => Ok(token.trim().to_owned()),
        Err(error) => Err(Failure::new(format!(
            "No API token: cannot read {} ({error})",
            path.display()
        ))
        .hint(
            "Name the server's data directory with --data-dir, or give a token with --token or \
             CORDWOOD_TOKEN. The first `cordwood serve` makes both.",
        )),
    }
}

/// A name as part of a path.
pub(crate) fn path_segment(name: &str) -> String {
    encoded(name)
}

/// `?name=value&…`, without the pairs that have no value.
pub(crate) fn query_string(pairs: &[(&str, Option<&str>)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if let Some(value) = value {
            out.push(if out.is_empty() { '?' } else { '&' });
            out.push_str(name);
            out.push('=');
            out.push_str(&encoded(value));
        }
    }
    out
}

/// Percent-encoding of everything but the unreserved characters of RFC 3986 section 2.3.
fn encoded(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_strings() {
        let pairs = [("a", Some("x y&z")), ("b", None), ("c", Some("é"))];
        assert_eq!(query_string(&pairs), "?a=x%20y%26z&c=%C3%A9");
        assert_eq!(query_string(&[("a", None)]), "");
        assert_eq!(path_segment("a/b"), "a%2Fb");
    }
}
