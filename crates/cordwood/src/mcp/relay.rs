//! The protocol handed on to a server: each message from standard input is posted to its `/mcp`, what it answers is written to
//! standard output.

use std::collections::HashMap;
use std::io::{self, BufRead, Read, Write, stdin, stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::http::StatusCode;

use crate::config::Settings;
use crate::failure::{Failure, cannot};
use crate::remote::{Remote, failure_of};
use crate::sse::Events;

/// Requests at once; what comes beyond waits, and standard input with it.
const REQUESTS_MAX: usize = 16;
/// How long answers on their way are waited for when the input has ended. Clients kill what is still there after two seconds.
const LAST_ANSWERS_WAIT: Duration = Duration::from_secs(1);
/// The code of JSON-RPC for errors of a server's own.
const SERVER_ERROR: i64 = -32_000;

/// Hands messages on until the input ends. A conversation that the server did not begin, or never answered in, ends with why.
pub(crate) fn run(settings: &Settings) -> Result<(), Failure> {
    let relay = Relay {
        remote: Remote::new(settings)?,
        session: Mutex::default(),
        running: Mutex::default(),
        has_ended: Condvar::new(),
        is_answered: AtomicBool::new(false),
        failure: Mutex::default(),
    };
    thread::scope(|scope| {
        let read = relay.read_input(scope);
        relay.wait_for_last_answers();
        relay.stop_all();
        relay.end_session();
        read
    })?;
    match lock(&relay.failure).take() {
        Some(failure) if !relay.is_answered.load(Ordering::Relaxed) => Err(failure),
        _ => Ok(()),
    }
}

/// The conversation: the session that the server gave, and the requests that wait for an answer.
struct Relay {
    remote: Remote,
    session: Mutex<Session>,
    /// By the id of each, whether nobody wants its answer any more.
    running: Mutex<HashMap<String, Arc<AtomicBool>>>,
    has_ended: Condvar,
    /// Whether the server took any message.
    is_answered: AtomicBool,
    /// Why it did not take the last that it did not.
    failure: Mutex<Option<Failure>>,
}

/// What the server wants to see with each message after the first.
#[derive(Clone, Debug, Default)]
struct Session {
    id: Option<String>,
    version: Option<String>,
    /// The message that began it, to begin anew when the server has forgotten it.
    opening: Option<Value>,
}

impl Relay {
    fn read_input<'scope>(
        &'scope self,
        scope: &'scope thread::Scope<'scope, '_>,
    ) -> Result<(), Failure> {
        for line in stdin().lock().lines() {
            let line = line.map_err(|error| cannot("read standard input", &error))?;
            if line.trim().is_empty() {
                continue;
            }
            let Ok(message) = serde_json::from_str::<Value>(&line) else {
                write(&error_to(&Value::Null, -32_700, "This is no JSON."))?;
                continue;
            };
            self.take(scope, message)?;
        }
        Ok(())
    }

    /// Notifications and the message that begins the session are done in order; requests beside each other, as the server does them.
    fn take<'scope>(
        &'scope self,
        scope: &'scope thread::Scope<'scope, '_>,
        message: Value,
    ) -> Result<(), Failure> {
        let method = message["method"].as_str().unwrap_or_default();
        if method == "notifications/cancelled" {
            self.cancel(&message["params"]["requestId"]);
        }
        if method == "initialize" || message.get("id").is_none() || method.is_empty() {
            return self.hand_on(&message, &AtomicBool::new(false));
        }
        let id = message["id"].to_string();
        let is_unwanted = self.begin(&id);
        let answering = move || {
            // Where standard output is gone, reading the input ends too.
            let _ = self.hand_on(&message, &is_unwanted);
            self.end(&id);
        };
        thread::Builder::new()
            .name("mcp-request".to_owned())
            .spawn_scoped(scope, answering)
            .map_err(|error| cannot("start a thread", &error))?;
        Ok(())
    }

    /// Notes a request, when there is room for one more.
    fn begin(&self, id: &str) -> Arc<AtomicBool> {
        let mut running = lock(&self.running);
        while running.len() >= REQUESTS_MAX {
            let waited = self.has_ended.wait(running);
            running = waited.unwrap_or_else(PoisonError::into_inner);
        }
        let is_unwanted = Arc::new(AtomicBool::new(false));
        running.insert(id.to_owned(), Arc::clone(&is_unwanted));
        is_unwanted
    }

    fn end(&self, id: &str) {
        lock(&self.running).remove(id);
        self.has_ended.notify_all();
    }

    fn cancel(&self, id: &Value) {
        if let Some(is_unwanted) = lock(&self.running).get(&id.to_string()) {
            is_unwanted.store(true, Ordering::Relaxed);
        }
    }

    fn wait_for_last_answers(&self) {
        let running = lock(&self.running);
        let are_some = |running: &mut HashMap<String, Arc<AtomicBool>>| !running.is_empty();
        let _ = self
            .has_ended
            .wait_timeout_while(running, LAST_ANSWERS_WAIT, are_some);
    }

    fn stop_all(&self) {
        for is_unwanted in lock(&self.running).values() {
            is_unwanted.store(true, Ordering::Relaxed);
        }
    }

    /// Posts a message and writes what comes back; a failure is told to who asked, as the protocol has it. Only where no session
    /// begins there is nothing more to hand on.
    fn hand_on(&self, message: &Value, is_unwanted: &AtomicBool) -> Result<(), Failure> {
        let told = match self.post(message) {
            Ok(response) => self.write_answer(message, response, is_unwanted),
            Err(failure) => Err(Told::Failure(failure)),
        };
        let failure = match told {
            Ok(()) => {
                self.is_answered.store(true, Ordering::Relaxed);
                return Ok(());
            }
            Err(Told::OutputGone(failure)) => return Err(failure),
            Err(Told::Failure(failure)) => failure,
        };
        if message.get("id").is_some() {
            let sentence = failure.to_string();
            write(&error_to(&message["id"], SERVER_ERROR, &sentence))?;
        }
        match message["method"] == "initialize" {
            true => Err(failure),
            false => {
                *lock(&self.failure) = Some(failure);
                Ok(())
            }
        }
    }

    /// Posts a message; where the session is over, as after a restart of the server, begins a new one first.
    fn post(&self, message: &Value) -> Result<ureq::http::Response<ureq::Body>, Failure> {
        let is_opening = message["method"] == "initialize";
        if is_opening {
            *lock(&self.session) = Session {
                opening: Some(message.clone()),
                ..Session::default()
            };
        }
        let response = self.post_once(message)?;
        let opening = lock(&self.session).opening.clone();
        if response.status() != StatusCode::NOT_FOUND || is_opening {
            return Ok(response);
        }
        let Some(opening) = opening else {
            return Ok(response);
        };
        let opened = self.post(&opening)?;
        // Its answer was given once already; reading it to its end lets the server go on.
        let _ = Answers::of(opened, &AtomicBool::new(false)).map(Iterator::count);
        let _ =
            self.post_once(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))?;
        self.post_once(message)
    }

    fn post_once(&self, message: &Value) -> Result<ureq::http::Response<ureq::Body>, Failure> {
        let session = lock(&self.session).clone();
        let own_version = &message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"];
        let version = own_version.as_str().or(session.version.as_deref());
        let name = message["params"]["name"].as_str();
        let name = name.or(message["params"]["uri"].as_str());
        let pairs = [
            ("mcp-session-id", session.id.as_deref()),
            ("mcp-protocol-version", version),
            (
                "mcp-method",
                message["method"]
                    .as_str()
                    .filter(|_| own_version.is_string()),
            ),
            ("mcp-name", name.filter(|_| own_version.is_string())),
        ];
        let mut headers = vec![("accept", "application/json, text/event-stream")];
        headers.extend(
            pairs
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        let response = self
            .remote
            .post_mcp(&headers, message.to_string().into_bytes())?;
        let id = response.headers().get("mcp-session-id");
        if let Some(id) = id.and_then(|id| id.to_str().ok()) {
            lock(&self.session).id = Some(id.to_owned());
        }
        Ok(response)
    }

    fn write_answer(
        &self,
        message: &Value,
        response: ureq::http::Response<ureq::Body>,
        is_unwanted: &AtomicBool,
    ) -> Result<(), Told> {
        for answer in Answers::of(response, is_unwanted)? {
            let answer = match answer {
                Ok(answer) => answer,
                // The connection was let go because nobody wants the answer.
                Err(_) if is_unwanted.load(Ordering::Relaxed) => return Ok(()),
                Err(error) => return Err(Told::Failure(cannot("read the answer", &error))),
            };
            if message["method"] == "initialize"
                && let Ok(answer) = serde_json::from_str::<Value>(&answer)
                && let Some(version) = answer["result"]["protocolVersion"].as_str()
            {
                lock(&self.session).version = Some(version.to_owned());
            }
            write(&answer).map_err(Told::OutputGone)?;
        }
        Ok(())
    }

    /// Tells the server that nobody comes back to the session.
    fn end_session(&self) {
        if let Some(id) = lock(&self.session).id.clone() {
            let headers = [("mcp-session-id", &*id)];
            // A server that is gone needs no farewell.
            let _ = self
                .remote
                .send(ureq::http::Method::DELETE, "/mcp", &headers, None);
        }
    }
}

/// Why an answer was not handed on.
enum Told {
    Failure(Failure),
    OutputGone(Failure),
}

impl From<Failure> for Told {
    fn from(failure: Failure) -> Told {
        Told::Failure(failure)
    }
}

/// The messages of an answer: one, or those of a stream.
enum Answers<'a> {
    One(Option<String>),
    Stream(Events<Wanted<'a>>),
}

impl<'a> Answers<'a> {
    fn of(
        mut response: ureq::http::Response<ureq::Body>,
        is_unwanted: &'a AtomicBool,
    ) -> Result<Answers<'a>, Failure> {
        let kind = response.headers().get("content-type");
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.starts_with("text/event-stream") && response.status().is_success() {
            let stream = Wanted {
                stream: response.into_body().into_reader(),
                is_unwanted,
            };
            return Ok(Answers::Stream(Events::new(stream)));
        }
        let status = response.status();
        let body = response.body_mut().read_to_string();
        let body = body.map_err(|error| cannot("read the answer", &error))?;
        if !status.is_success() {
            let unknown = || Failure::new(format!("The server answered {status}: {body}"));
            return Err(failure_of(&body).unwrap_or_else(unknown));
        }
        Ok(Answers::One((!body.trim().is_empty()).then_some(body)))
    }
}

impl Iterator for Answers<'_> {
    type Item = io::Result<String>;

    fn next(&mut self) -> Option<io::Result<String>> {
        match self {
            Answers::One(answer) => answer.take().map(Ok),
            Answers::Stream(events) => loop {
                match events.next()? {
                    // The first event of a stream only says from where to take it up.
                    Ok(told) if told.data.trim().is_empty() => {}
                    Ok(told) => return Some(Ok(told.data)),
                    Err(error) => return Some(Err(error)),
                }
            },
        }
    }
}

/// A stream that breaks off when nobody wants it any more; the server then stops what it does for it. It is noticed at the next
/// sign of life, which the server gives every few seconds.
struct Wanted<'a> {
    stream: ureq::BodyReader<'static>,
    is_unwanted: &'a AtomicBool,
}

impl Read for Wanted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        match self.is_unwanted.load(Ordering::Relaxed) {
            true => Err(io::ErrorKind::ConnectionAborted.into()),
            false => Ok(read),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn error_to(id: &Value, code: i64, message: &str) -> String {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}).to_string()
}

/// One message, on a line of its own.
fn write(message: &str) -> Result<(), Failure> {
    let line = message.replace(['\n', '\r'], " ") + "\n";
    let mut out = stdout().lock();
    let written = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| cannot("write to standard output", &error))
}
