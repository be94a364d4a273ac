//! `cordwood tail`: prints events that match as they arrive, until it is interrupted; after a break it goes on where it was.

use std::io::{IsTerminal, Write as _, stderr, stdout};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;
use ureq::http::{Method, StatusCode};

use crate::args::TailArguments;
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::write;
use crate::query::caret;
use crate::query::fields::Fields;
use crate::query::{lines, tabular};
use crate::remote::{Remote, Streamed, query_string};
use crate::sse::{Events, Told};
use crate::terminal::{Colour, Ink, printable};

/// The wait after a break; doubled with each try that fails, up to the longest.
const RETRY_AFTER: Duration = Duration::from_secs(1);
const RETRY_AFTER_MAX: Duration = Duration::from_secs(15);

/// Prints until something happens that waiting does not mend.
pub(crate) fn run(settings: &Settings, arguments: &TailArguments) -> Result<(), Failure> {
    let mut tail = Tail::new(settings, arguments);
    let mut retry_after = RETRY_AFTER;
    let mut has_begun = false;
    loop {
        // A server that comes back may have another address.
        let remote = Remote::new(settings)?;
        let broken = match tail.read(&remote)? {
            Ending::Unanswered(failure) if !has_begun => return Err(failure),
            Ending::Unanswered(failure) => failure.to_string(),
            Ending::Broken(reason) => {
                has_begun = true;
                retry_after = RETRY_AFTER;
                reason
            }
        };
        tail.remark(&format!(
            "{}; trying again in {} s",
            broken.trim_end_matches('.'),
            retry_after.as_secs()
        ));
        thread::sleep(retry_after);
        retry_after = (retry_after * 2).min(RETRY_AFTER_MAX);
    }
}

/// Why a stream ended.
enum Ending {
    /// The connection broke after it had begun, or the server is about to stop.
    Broken(String),
    /// Nobody answered, or somebody too busy.
    Unanswered(Failure),
}

/// What is printed, and how far it has come.
struct Tail<'a> {
    arguments: &'a TailArguments,
    is_json: bool,
    colour: Colour,
    /// The last id that was read.
    last_event_id: Option<String>,
    /// If the stages keep only some fields.
    columns: Option<Vec<String>>,
}

impl<'a> Tail<'a> {
    fn new(settings: &Settings, arguments: &'a TailArguments) -> Tail<'a> {
        Tail {
            arguments,
            is_json: settings.json || !stdout().is_terminal(),
            colour: Colour::of(&stdout()),
            last_event_id: None,
            columns: None,
        }
    }

    fn read(&mut self, remote: &Remote) -> Result<Ending, Failure> {
        let streamed = match remote.stream(Method::GET, &self.path(), &self.headers(), None) {
            Ok(streamed) => streamed,
            Err(failure) => return Ok(Ending::Unanswered(failure)),
        };
        let body = match streamed {
            Streamed::Body(body) => body,
            Streamed::Whole(answer) => {
                let is_busy = matches!(
                    answer.status,
                    StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
                );
                let refused = answer.into_success();
                let refused =
                    refused.map_err(|failure| caret::point_out(failure, &self.arguments.query));
                return match refused {
                    Err(failure) if is_busy => Ok(Ending::Unanswered(failure)),
                    Err(failure) => Err(failure),
                    Ok(_) => Err(Failure::new("The server's answer is no stream")
                        .hint("Is it a Cordwood server that --url names?")),
                };
            }
        };
        for told in Events::new(body) {
            let told = match told {
                Ok(told) => told,
                Err(error) => return Ok(Ending::Broken(format!("the connection broke: {error}"))),
            };
            if let Some(ending) = self.take(told)? {
                return Ok(ending);
            }
        }
        Ok(Ending::Broken("the connection was closed".to_owned()))
    }

    fn path(&self) -> String {
        let query = Some(self.arguments.query.as_str());
        let sources = self.arguments.sources.join(",");
        let sources = (!sources.is_empty()).then_some(&*sources);
        // After a break, what came before it is known.
        let last = self.arguments.last.map(|last| last.to_string());
        let last = last.as_deref().filter(|_| self.last_event_id.is_none());
        let pairs = [("query", query), ("source_id", sources), ("last", last)];
        format!("/api/v1/tail{}", query_string(&pairs))
    }

    fn headers(&self) -> Vec<(&str, &str)> {
        let id = self.last_event_id.as_deref();
        id.map(|id| ("last-event-id", id)).into_iter().collect()
    }

    /// Prints what was told; whether that was the last.
    fn take(&mut self, told: Told) -> Result<Option<Ending>, Failure> {
        match &*told.kind {
            "hello" => self.greet(&parsed(&told.data)?),
            "log" => self.print(&told.data)?,
            "dropped" => {
                let dropped = parsed(&told.data)?;
                self.remark(
                    dropped["message"]
                        .as_str()
                        .unwrap_or("Events are left out."),
                );
            }
            "end" => return ended(&parsed(&told.data)?).map(Some),
            // A later server may tell more.
            _ => {}
        }
        if let Some(id) = told.id {
            self.last_event_id = Some(id);
        }
        Ok(None)
    }

    fn greet(&mut self, hello: &Value) {
        let meta = &hello["meta"];
        let columns = meta["columns"].as_array();
        self.columns = columns.map(|columns| {
            let names = columns.iter().map(|name| name.as_str().unwrap_or_default());
            names.map(str::to_owned).collect()
        });
        if self.last_event_id.is_some() {
            self.remark("reading again");
        }
        if let Some(reason) = meta["incomplete_reason"].as_str() {
            self.remark(&format!("what came before is INCOMPLETE: {reason}"));
        }
        for source in meta["sources"].as_array().into_iter().flatten() {
            if source["paused"] == true {
                let name = source["name"].as_str().unwrap_or_default();
                self.remark(&format!("source {name} is paused and takes no events"));
            }
        }
        for hint in meta["hints"].as_array().into_iter().flatten() {
            let parts = [&hint["message"], &hint["hint"]];
            let parts: Vec<&str> = parts.iter().filter_map(|part| part.as_str()).collect();
            self.remark(&format!("hint: {}", parts.join(" ")));
        }
    }

    fn print(&self, data: &str) -> Result<(), Failure> {
        if self.is_json {
            // JSON kept as it was sent may have line breaks between its tokens.
            let line = data.replace('\n', " ");
            return write(&format!("{line}\n"));
        }
        let mut out = String::new();
        match &self.columns {
            Some(columns) => {
                let row: tabular::Row = serde_json::from_str(data).map_err(unreadable)?;
                out.push_str(&tabular::lines(columns, &[row], self.colour));
            }
            None => {
                let event = Fields::parse(data).map_err(unreadable)?;
                lines::write(&mut out, &event, self.colour);
            }
        }
        write(&out)
    }

    /// A line on standard error, beside the events.
    fn remark(&self, text: &str) {
        let mut out = String::new();
        Colour::of(&stderr()).paint(&mut out, Ink::Dim, &format!("-- {}", printable(text)));
        out.push('\n');
        // Where standard error is gone, there is nobody to tell.
        let _ = stderr().write_all(out.as_bytes());
    }
}

/// A server that stops is back in a moment; the other reasons last.
fn ended(end: &Value) -> Result<Ending, Failure> {
    let message = end["message"].as_str().unwrap_or("The tail has ended.");
    match end["reason"].as_str() {
        Some("stopping" | "stalled") => Ok(Ending::Broken(message.to_owned())),
        Some("unauthenticated") => {
            Err(Failure::new(message).hint("Give another token with --token or CORDWOOD_TOKEN."))
        }
        Some("source_gone") => {
            Err(Failure::new(message).hint("`cordwood source list` shows those there are."))
        }
        _ => Err(Failure::new(message)),
    }
}

fn parsed(data: &str) -> Result<Value, Failure> {
    let data: Box<RawValue> = serde_json::from_str(data).map_err(unreadable)?;
    serde_json::from_str(data.get()).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> Failure {
    Failure::new(format!("The server's answer cannot be read: {error}"))
        .hint("Is it a Cordwood server that --url names?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waiting_mends_is_no_failure() {
        let ending = |reason: &str| ended(&serde_json::json!({"reason": reason, "message": "m"}));
        assert!(matches!(ending("stopping"), Ok(Ending::Broken(_))));
        assert!(matches!(ending("stalled"), Ok(Ending::Broken(_))));
        for lasting in ["unauthenticated", "source_gone", "something new"] {
            assert!(ending(lasting).is_err(), "{lasting}");
        }
    }
}
