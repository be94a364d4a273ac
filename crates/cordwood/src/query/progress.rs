//! A query that takes long shows how far it has come, where somebody looks.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Deserialize;
use ureq::http::Method;

use crate::failure::Failure;
use crate::remote::{Remote, Streamed, failure_of};
use crate::sse::Events;

/// Most answers are there before anybody asks where they are.
const PATIENCE: Duration = Duration::from_millis(700);

/// What the server tells of a search under way.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Progress {
    parts_planned: u64,
    parts_done: u64,
    rows_scanned: u64,
    took_ms: f64,
}

/// Posts a query and gives the body of the answer, or why there is none.
pub(super) fn asked(remote: &Remote, path: &str, body: Vec<u8>) -> Result<String, Failure> {
    let body = Some(("application/json", body));
    if !stderr().is_terminal() {
        return remote.send(Method::POST, path, &[], body)?.into_success();
    }
    let headers = [("accept", "text/event-stream")];
    match remote.stream(Method::POST, path, &headers, body)? {
        Streamed::Whole(answer) => answer.into_success(),
        Streamed::Body(stream) => told(stream),
    }
}

/// Shows the events of progress until the answer comes.
fn told(stream: impl std::io::Read) -> Result<String, Failure> {
    let mut bar = None;
    for event in Events::new(stream) {
        let event = event.map_err(|error| broken(&error.to_string()))?;
        match &*event.kind {
            "progress" => {
                if let Ok(progress) = serde_json::from_str(&event.data) {
                    show(&mut bar, progress);
                }
            }
            "answer" => return Ok(event.data),
            "failure" => {
                let failure = failure_of(&event.data);
                return Err(failure.unwrap_or_else(|| broken("it failed without saying why")));
            }
            _ => {}
        }
    }
    Err(broken("it was closed"))
}

/// The bar goes when it is dropped.
fn show(bar: &mut Option<ProgressBar>, progress: Progress) {
    if progress.took_ms < PATIENCE.as_secs_f64() * 1e3 {
        return;
    }
    let bar = bar.get_or_insert_with(|| {
        let style = ProgressStyle::with_template("{bar:30} {percent}% {msg}");
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        bar.with_finish(indicatif::ProgressFinish::AndClear)
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
    });
    bar.set_length(progress.parts_planned);
    bar.set_position(progress.parts_done);
    bar.set_message(format!("{} events looked at", progress.rows_scanned));
}

fn broken(why: &str) -> Failure {
    Failure::new(format!(
        "The connection broke before the answer came: {why}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_ends_the_stream() {
        let stream = "event: progress\ndata: {\"parts_planned\":2,\"parts_done\":1,\"rows_scanned\":9,\"took_ms\":200.1}\n\n\
                      event: answer\ndata: {\"data\":[]}\n\n";
        assert_eq!(
            told(stream.as_bytes()).ok().as_deref(),
            Some("{\"data\":[]}")
        );
        let stream =
            "event: failure\ndata: {\"errors\":\"No such source\",\"hint\":\"List them\"}\n\n";
        let failure = told(stream.as_bytes()).expect_err("a failure");
        assert!(
            format!("{failure:?}").contains("No such source"),
            "{failure:?}"
        );
        let cut = "event: progress\ndata: {}\n\nevent: answer\ndata: {";
        assert!(told(cut.as_bytes()).is_err());
    }
}
