//! Runs the binary: as a server on a free port, and as a command that ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// A server that is not ready by then has failed.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A directory to work in, empty at first.
pub(crate) struct Directory(TempDir);

/// What a command that has ended left behind.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// The output of a success.
    pub(crate) fn succeeded(self) -> Output {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// Each line of the output as JSON.
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        let lines = self.stdout.lines().map(serde_json::from_str);
        lines
            .collect::<Result<_, _>>()
            .unwrap_or_else(|_| panic!("no JSON lines: {self:?}"))
    }
}

impl Directory {
    pub(crate) fn new() -> Directory {
        Directory(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path().join(name), content).unwrap();
    }

    /// The binary, in this directory, knowing nothing of the machine it runs on.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cordwood"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        output(self.command(arguments).spawn().unwrap())
    }

    /// Runs a command that reads `input`.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        output(child)
    }

    /// Starts the server on a free port and waits until it is ready.
    pub(crate) fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    /// The same with more arguments.
    pub(crate) fn serve_with(&self, arguments: &[&str]) -> Server {
        let arguments = [&["--listen", "127.0.0.1:0"], arguments].concat();
        let mut child = self.command(&arguments).spawn().unwrap();
        let lines = lines_of(child.stderr.take().unwrap());
        let stdout = lines_of(child.stdout.take().unwrap());
        let mut server = Server {
            child,
            log: Vec::new(),
            lines,
            stdout,
            url: String::new(),
        };
        server.wait_until_ready();
        server
    }
}

fn output(child: Child) -> Output {
    let output = child.wait_with_output().unwrap();
    Output {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The lines of a stream, as they come.
pub(crate) fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { break };
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// A running server; killed at the end of the test unless it was stopped.
pub(crate) struct Server {
    child: Child,
    log: Vec<String>,
    lines: Receiver<String>,
    stdout: Receiver<String>,
    pub(crate) url: String,
}

impl Server {
    fn wait_until_ready(&mut self) {
        loop {
            let line = self.lines.recv_timeout(START_TIMEOUT);
            let line = line.unwrap_or_else(|_| panic!("not ready: {:?}", self.log));
            let entry: Value = serde_json::from_str(&line).unwrap_or_default();
            self.log.push(line);
            if entry["message"] == "ready" {
                self.url = entry["url"].as_str().unwrap().to_owned();
                return;
            }
        }
    }

    /// Stops it in good order; what it said on standard output and in its log.
    pub(crate) fn stop(mut self) -> (String, String) {
        self.signal("TERM");
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
        let stdout: Vec<String> = self.stdout.iter().collect();
        self.log.extend(self.lines.iter());
        (stdout.join("\n"), self.log.join("\n"))
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", signal, &id]).status();
        assert!(status.unwrap().success());
    }

    /// Sends one body to the source with this token; the status of the answer.
    pub(crate) fn ingest(&self, token: &str, body: &str) -> u16 {
        let request = ureq::post(format!("{}/", self.url))
            .config()
            .http_status_as_error(false)
            .build()
            .header("authorization", format!("Bearer {token}"));
        request.send(body).unwrap().status().as_u16()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
