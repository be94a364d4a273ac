//! The server's HTTP interface, as much of it as the trials use.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use ureq::http::Response;
use ureq::{Agent, Body};

/// Longer than any question or acknowledgement may take.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Events to a page.
const PAGE: usize = 1000;

/// One client of the server, with a connection that is kept.
#[derive(Clone, Debug)]
pub struct Api {
    agent: Agent,
    url: String,
    token: String,
}

/// A source made for a trial.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its id in the REST interface.
    pub id: String,
    /// The token to send with.
    pub token: String,
}

/// An answer to a body of events.
#[derive(Debug)]
pub struct Acknowledgement {
    /// The HTTP status.
    pub status: u16,
    /// What `Retry-After` asks for.
    pub retry_after: Option<Duration>,
}

/// How a body of events is sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sending<'a> {
    /// The token of the source.
    pub source_token: &'a str,
    /// `gzip` or `zstd`, if the body is compressed.
    pub content_encoding: Option<&'a str>,
    /// The batch key, under which a repetition is not stored again.
    pub batch_key: Option<&'a str>,
}

impl Api {
    pub(crate) fn new(url: &str, token: &str) -> Api {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .max_idle_connections_per_host(1)
            .proxy(None)
            .build();
        Api {
            agent: Agent::new_with_config(config),
            url: url.to_owned(),
            token: token.to_owned(),
        }
    }

    /// Makes a source.
    pub fn create_source(&self, name: &str) -> anyhow::Result<Source> {
        let new = json!({"name": name, "platform": "http"});
        let answer = self.post("/api/v1/sources", &new)?;
        let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str);
        Ok(Source {
            id: text("/data/id").context("the source has no id")?.to_owned(),
            token: text("/data/attributes/token")
                .context("the source has no token")?
                .to_owned(),
        })
    }

    /// Sends a body of NDJSON. An error means that it is not known whether it arrived.
    pub fn send(&self, sending: &Sending<'_>, body: &[u8]) -> anyhow::Result<Acknowledgement> {
        let mut request = self
            .agent
            .post(&self.url)
            .header("authorization", format!("Bearer {}", sending.source_token))
            .header("content-type", "application/x-ndjson");
        if let Some(encoding) = sending.content_encoding {
            request = request.header("content-encoding", encoding);
        }
        if let Some(key) = sending.batch_key {
            request = request.header("x-batch-key", key);
        }
        let response = request.send(body).context("send events")?;
        let retry_after = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        Ok(Acknowledgement {
            status: response.status().as_u16(),
            retry_after,
        })
    }

    /// Asks one question; the parameters are those of `GET /api/v1/query`.
    pub fn query(&self, parameters: &[(&str, &str)]) -> anyhow::Result<Value> {
        self.get("/api/v1/query", parameters)
    }

    /// Gets the JSON of a path.
    pub fn get(&self, path: &str, parameters: &[(&str, &str)]) -> anyhow::Result<Value> {
        let response = self
            .agent
            .get(format!("{}{path}", self.url))
            .query_pairs(parameters.iter().copied())
            .header("authorization", self.bearer())
            .call()
            .with_context(|| format!("get {path}"))?;
        read_json(response)
    }

    /// Posts JSON to a path and gives the JSON it answers.
    pub fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let response = self
            .agent
            .post(format!("{}{path}", self.url))
            .header("authorization", self.bearer())
            .send_json(body)
            .with_context(|| format!("post {path}"))?;
        read_json(response)
    }

    /// Reads a path to its end and gives the number of bytes.
    pub fn download(&self, path: &str) -> anyhow::Result<u64> {
        let mut response = self
            .agent
            .get(format!("{}{path}", self.url))
            .header("authorization", self.bearer())
            .call()
            .with_context(|| format!("get {path}"))?;
        ensure!(
            response.status().is_success(),
            "{path}: {}",
            response.status()
        );
        let mut body = response.body_mut().with_config().limit(u64::MAX).reader();
        std::io::copy(&mut body, &mut std::io::sink()).with_context(|| format!("read {path}"))
    }

    /// Every event a query finds in a source, page by page.
    pub fn find_all(&self, source: &Source, query: &str) -> anyhow::Result<Vec<Value>> {
        let page = PAGE.to_string();
        let mut found = Vec::new();
        let mut answer = self.query(&[
            ("source_id", &source.id),
            ("query", query),
            ("batch_size", &page),
        ])?;
        loop {
            let complete = answer.pointer("/meta/complete").and_then(Value::as_bool);
            ensure!(
                complete == Some(true),
                "the answer is not complete: {}",
                answer["meta"]
            );
            let Some(Value::Array(events)) = answer.get_mut("data").map(Value::take) else {
                bail!("the answer has no data");
            };
            found.extend(events);
            let Some(next) = answer.pointer("/pagination/next").and_then(Value::as_str) else {
                return Ok(found);
            };
            let response = self
                .agent
                .get(next)
                .header("authorization", self.bearer())
                .call()
                .context("the next page")?;
            answer = read_json(response)?;
        }
    }

    /// One of the server's own counters, without labels.
    pub fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let mut response = self.agent.get(format!("{}/metrics", self.url)).call()?;
        let text = response.body_mut().read_to_string()?;
        text.lines()
            .filter_map(|line| line.split_once(' '))
            .find(|(counter, _)| *counter == name)
            .and_then(|(_, value)| value.trim().parse().ok())
            .with_context(|| format!("the server has no counter {name}"))
    }

    pub(crate) fn is_healthy(&self) -> bool {
        self.agent
            .get(format!("{}/health", self.url))
            .call()
            .is_ok_and(|response| response.status().as_u16() == 200)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }
}

fn read_json(mut response: Response<Body>) -> anyhow::Result<Value> {
    let status = response.status();
    let text = response
        .body_mut()
        .with_config()
        .limit(u64::MAX)
        .read_to_string()?;
    ensure!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).context("the answer is not JSON")
}
