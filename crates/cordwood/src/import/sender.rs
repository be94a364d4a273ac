//! Sends one batch until it is on the server's disk, or will never be.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::http::Method;

use crate::args::ImportArguments;
use crate::failure::Failure;
use crate::import::input::Format;
use crate::import::progress::Progress;
use crate::import::split::Piece;
use crate::remote::{Answer, Remote, query_string};

/// A server that was restarted is back in this time; one that refuses for longer needs a person.
const PATIENCE: Duration = Duration::from_secs(120);
const WAIT_FIRST: Duration = Duration::from_millis(200);
const WAIT_MAX: Duration = Duration::from_secs(15);

/// The way to one source.
#[derive(Debug)]
pub(crate) struct Sender {
    remote: Remote,
    path: String,
    content_type: &'static str,
}

/// What became of a piece.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub accepted: u64,
    pub rejected: u64,
    pub is_duplicate: bool,
    /// Place in the batch and reason.
    pub rejections: Vec<(u64, String)>,
}

impl Sender {
    pub(crate) fn new(
        remote: Remote,
        source: &Value,
        arguments: &ImportArguments,
        format: Format,
    ) -> Sender {
        let id = source["id"].as_str().unwrap_or_default();
        let (lines, content_type) = match format {
            Format::Json => (None, "application/x-ndjson"),
            Format::Text => (Some("lines"), "text/plain"),
        };
        let dt_field = arguments.dt_field.as_deref();
        let parameters = query_string(&[("format", lines), ("dt_field", dt_field)]);
        Sender {
            remote,
            path: format!("/api/v1/sources/{id}/events{parameters}"),
            content_type,
        }
    }

    /// Sends a piece; tries again while that may help.
    pub(crate) fn send(
        &self,
        run: &str,
        piece: Piece,
        progress: &Progress,
    ) -> Result<Sent, Failure> {
        let (offset, body) = match piece {
            Piece::Batch { offset, body } => (offset, body),
            Piece::TooLong(_) => return Ok(Sent::too_long()),
        };
        let key = format!("import-{run}-{offset}-{}", body.len());
        let began = Instant::now();
        let mut wait = WAIT_FIRST;
        loop {
            let headers = [("x-batch-key", key.as_str())];
            let body = Some((self.content_type, body.clone()));
            let answer = self.remote.send(Method::POST, &self.path, &headers, body);
            let (failure, asked_wait) = match answer {
                Ok(answer) if !is_temporary(&answer) => return sent(&answer.into_success()?),
                Ok(answer) => {
                    let retry_after = answer.retry_after;
                    (answer.into_success().err(), retry_after)
                }
                Err(failure) => (Some(failure), None),
            };
            let failure = failure.unwrap_or_else(|| Failure::new("The server gave no answer"));
            if began.elapsed() > PATIENCE {
                return Err(failure);
            }
            let pause = asked_wait.unwrap_or(wait).min(WAIT_MAX);
            progress.waiting(&failure.to_string(), pause);
            thread::sleep(pause);
            wait = (wait * 2).min(WAIT_MAX);
        }
    }
}

/// Too much at once, restarting, or a proxy without its server.
fn is_temporary(answer: &Answer) -> bool {
    matches!(answer.status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

fn sent(text: &str) -> Result<Sent, Failure> {
    let unreadable = || Failure::new("The server's answer cannot be read");
    let answer: Value = serde_json::from_str(text).map_err(|_| unreadable())?;
    let outcome = &answer["data"];
    let rejections = outcome["rejections"].as_array().into_iter().flatten();
    let rejections = rejections.map(|rejection| {
        let reason = rejection["reason"].as_str().unwrap_or_default();
        (
            rejection["index"].as_u64().unwrap_or_default(),
            reason.to_owned(),
        )
    });
    Ok(Sent {
        accepted: outcome["accepted"].as_u64().ok_or_else(unreadable)?,
        rejected: outcome["rejected"].as_u64().unwrap_or_default(),
        is_duplicate: outcome["duplicate"] == true,
        rejections: rejections.collect(),
    })
}

impl Sent {
    /// A line that is not sent at all.
    fn too_long() -> Sent {
        Sent {
            rejected: 1,
            rejections: vec![(0, "the line is longer than 10 MiB".into())],
            ..Sent::default()
        }
    }
}
