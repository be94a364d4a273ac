//! A server that takes notices: answers as it is told, and says what came.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;

/// A notice that takes longer than this to come does not come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) key: String,
    pub(crate) body: Value,
}

impl Received {
    /// `opened: the title`.
    pub(crate) fn told(&self) -> String {
        let data = &self.body["data"];
        format!(
            "{}: {}",
            data["kind"].as_str().unwrap(),
            data["title"].as_str().unwrap()
        )
    }
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    received: mpsc::Receiver<Received>,
    answers: Arc<Mutex<VecDeque<String>>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    pub(crate) fn start() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, received) = mpsc::channel();
        let answers = Arc::new(Mutex::new(VecDeque::new()));
        let is_over = Arc::new(AtomicBool::new(false));
        let (own_answers, own_is_over) = (Arc::clone(&answers), Arc::clone(&is_over));
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if own_is_over.load(Ordering::SeqCst) {
                    return;
                }
                take(stream.unwrap(), &own_answers, &tell);
            }
        });
        Receiver {
            url: format!("http://{address}"),
            received,
            answers,
            is_over,
            thread: Some(thread),
        }
    }

    /// What the next request is answered with, in place of 200: status and headers, and a body.
    pub(crate) fn answer_next(&self, head: &str, body: &str) {
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        self.answers.lock().unwrap().push_back(answer);
    }

    /// The next notice, which has to come.
    pub(crate) fn next(&self) -> Received {
        self.received.recv_timeout(PATIENCE).expect("a notice")
    }

    /// Those that came and were not asked for yet.
    pub(crate) fn others(&self) -> Vec<Received> {
        self.received.try_iter().collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn take(mut stream: TcpStream, answers: &Mutex<VecDeque<String>>, tell: &Sender<Received>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut key, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap() == 0 || line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        match name.to_ascii_lowercase().as_str() {
            "idempotency-key" => key = value.trim().to_owned(),
            "content-length" => length = value.trim().parse().unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let answer = answers.lock().unwrap().pop_front();
    let answer = answer.unwrap_or_else(|| {
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok".to_owned()
    });
    stream.write_all(answer.as_bytes()).unwrap();
    let body = serde_json::from_slice(&body).unwrap();
    let _ = tell.send(Received { key, body });
}
