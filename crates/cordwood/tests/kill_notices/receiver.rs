//! A receiver that says what came, answers late, and one time in twenty-four takes a notice without a word; and the book of what it said.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::Directory;
use crate::{PATIENCE, Random};

/// A notice that came.
struct Told {
    key: String,
    /// `opened: incident number 7`.
    what: String,
}

/// What came, by what was told: the keys it came under.
pub(crate) struct Ledger {
    heard: Receiver<Told>,
    pub(crate) keys: BTreeMap<String, BTreeSet<String>>,
}

impl Ledger {
    /// Waits until so many different things were told.
    pub(crate) fn wait_for(&mut self, expected: u64, directory: &Directory) {
        while self.keys.len() < usize::try_from(expected).unwrap() {
            let Ok(told) = self.heard.recv_timeout(PATIENCE) else {
                let log = ["channels", "deliveries", "trial", "--limit", "100"];
                let log = directory.run(&log).stdout;
                panic!("{} of {expected} came: {log}", self.keys.len());
            };
            self.note(told);
        }
    }

    /// Notes what comes for some time.
    pub(crate) fn listen(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Ok(told) = self
            .heard
            .recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            self.note(told);
        }
    }

    /// Waits until something comes that did not come before, for so long at most.
    pub(crate) fn wait_for_news(&mut self, time: Duration) {
        let (until, known) = (Instant::now() + time, self.keys.len());
        while self.keys.len() == known {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(told) = self.heard.recv_timeout(left) else {
                return;
            };
            self.note(told);
        }
    }

    /// All that was expected has come, and each under one key.
    pub(crate) fn assert_told(&mut self, expected: impl Iterator<Item = String>) {
        self.listen(Duration::ZERO);
        let expected: BTreeSet<String> = expected.collect();
        let told: BTreeSet<String> = self.keys.keys().cloned().collect();
        assert_eq!(told, expected);
        for (what, keys) in &self.keys {
            assert_eq!(keys.len(), 1, "{what} came under {keys:?}");
        }
    }

    fn note(&mut self, told: Told) {
        self.keys.entry(told.what).or_default().insert(told.key);
    }
}

/// Starts a receiver; its URL.
pub(crate) fn receive() -> (String, Ledger) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (tell, heard) = channel();
    thread::spawn(move || {
        let mut random = Random(4711);
        for stream in listener.incoming() {
            let moment = Duration::from_millis(random.below(15));
            let is_silent = random.below(24) == 0;
            // A server that is killed leaves requests half sent.
            let _ = take(stream.unwrap(), moment, is_silent, &tell);
        }
    });
    let keys = BTreeMap::new();
    (url, Ledger { heard, keys })
}

fn take(stream: TcpStream, moment: Duration, is_silent: bool, tell: &Sender<Told>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut key, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        match name.to_ascii_lowercase().as_str() {
            "idempotency-key" => key = value.trim().to_owned(),
            "content-length" => length = value.trim().parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body: Value = serde_json::from_slice(&body).ok()?;
    let [kind, title] = ["kind", "title"].map(|name| body["data"][name].as_str());
    let what = format!("{}: {}", kind?, title?);
    tell.send(Told { key, what }).ok()?;
    thread::sleep(moment);
    if !is_silent {
        let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        (&stream).write_all(answer).ok()?;
    }
    Some(())
}
