//! Verbs that start work of minutes in the server, and watch it: `compact` and `backup`.

use std::io::{IsTerminal, Write as _, stderr};
use std::path::{self, Path};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::http::Method;

use crate::bucket;
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::{size, write, write_json};
use crate::remote::Remote;

/// How often the server is asked how far it is.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// `cordwood compact`, by the server.
pub(crate) fn compact(settings: &Settings) -> Result<(), Failure> {
    let done = run(settings, "/api/v1/compactions", None)?;
    report_compaction(settings, &done)
}

/// `cordwood compact --offline`, on a data directory that no server uses.
pub(crate) fn compact_offline(settings: &Settings) -> Result<(), Failure> {
    let data_dir = settings.data_dir.display();
    let mut options = cordwood_service::Options::new(&settings.data_dir);
    options.remote = bucket::remote(settings)?;
    let done = cordwood_service::compact_offline(options).map_err(|error| {
        let failure = Failure::new(format!("Cannot compact {data_dir}: {error}"));
        failure.hint("A running server compacts without --offline.")
    })?;
    report_compaction(
        settings,
        &json!({
            "merges": done.merges,
            "segments_in": done.segments_in,
            "segments_out": done.segments_out,
            "bytes_in": done.bytes_in,
            "bytes_out": done.bytes_out,
            "events_removed": done.events_removed,
        }),
    )
}

fn report_compaction(settings: &Settings, done: &Value) -> Result<(), Failure> {
    if settings.json {
        return write_json(&json!({"data": done}));
    }
    if done["merges"] == 0 {
        return write("There was nothing to merge.\n");
    }
    let number = |name: &str| done[name].as_u64().unwrap_or_default();
    write(&format!(
        "{} segments of {} became {} of {}; {} events were removed for good.\n",
        number("segments_in"),
        size(number("bytes_in")),
        number("segments_out"),
        size(number("bytes_out")),
        number("events_removed"),
    ))
}

/// `cordwood backup DIR`. The server writes it; a path is taken from here, so that both must be on one machine.
pub(crate) fn backup(settings: &Settings, directory: &Path) -> Result<(), Failure> {
    let shown = directory.display();
    let directory = path::absolute(directory)
        .map_err(|error| Failure::new(format!("Cannot back up to {shown}: {error}")))?;
    let body = json!({"directory": directory});
    let done = run(settings, "/api/v1/backups", Some(&body))?;
    if settings.json {
        return write_json(&json!({"data": done}));
    }
    write(&format!(
        "{shown} holds {} events in {} segments of {}. `cordwood serve --data-dir {shown}` serves them.\n",
        done["events"],
        done["segments"],
        size(done["bytes"].as_u64().unwrap_or_default()),
    ))
}

/// Starts a job and waits for its result.
fn run(settings: &Settings, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
    let remote = Remote::new(settings)?;
    remote.call(Method::POST, path, body)?;
    let has_progress = stderr().is_terminal() && !settings.json;
    loop {
        let answer = remote.get(path)?;
        let job = &answer["data"]["attributes"];
        match job["state"].as_str() {
            Some("done") => {
                end_progress(has_progress);
                return Ok(job["result"].clone());
            }
            Some("running") => {
                show_progress(has_progress, job["bytes_done"].as_u64().unwrap_or_default());
                thread::sleep(POLL_INTERVAL);
            }
            _ => {
                end_progress(has_progress);
                let reason = job["error"].as_str().unwrap_or("the server was restarted");
                return Err(Failure::new(format!("It failed: {reason}")));
            }
        }
    }
}

fn show_progress(is_shown: bool, bytes: u64) {
    if is_shown {
        // Where standard error is gone, there is nobody to tell.
        let _ = write!(stderr(), "\r{} done\x1b[K", size(bytes));
    }
}

fn end_progress(is_shown: bool) {
    if is_shown {
        let _ = write!(stderr(), "\r\x1b[K");
    }
}
