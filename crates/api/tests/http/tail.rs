//! Live tails over HTTP: what comes, what happens after a break, beside a reader that stalls, and at the end.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{connect, head};
use crate::server::Server;

/// A test that waits longer has failed.
const TIMEOUT: Duration = Duration::from_secs(60);

/// One event of a stream.
#[derive(Clone, Debug)]
struct Told {
    kind: String,
    id: Option<u64>,
    data: Value,
}

/// A tail being read.
struct Reading {
    stream: TcpStream,
    /// As received, chunk sizes and all.
    raw: Vec<u8>,
    text: String,
    told: VecDeque<Told>,
}

impl Reading {
    /// Sends the request and reads nothing.
    fn begin(server: &Server, parameters: &str, headers: &[&str]) -> Reading {
        let authorization = format!("Authorization: Bearer {}", server.api_token);
        let headers = [&[&*authorization], headers].concat();
        let mut stream = connect(server.address);
        let request_line = format!("GET /api/v1/tail{parameters}");
        write!(stream, "{}\r\n", head(&request_line, &headers)).unwrap();
        Reading {
            stream,
            raw: Vec::new(),
            text: String::new(),
            told: VecDeque::new(),
        }
    }

    /// Opens a tail and reads its `hello`.
    fn open(server: &Server, parameters: &str, headers: &[&str]) -> (Reading, Told) {
        let mut reading = Reading::begin(server, parameters, headers);
        let hello = reading.hello();
        (reading, hello)
    }

    fn hello(&mut self) -> Told {
        while !self.raw.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
            assert!(self.receive(), "the head comes");
        }
        let raw = String::from_utf8(self.raw.clone()).unwrap();
        let (head, rest) = raw.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{raw}");
        assert!(head.contains("content-type: text/event-stream"), "{head}");
        assert!(head.contains("x-request-id: "), "{head}");
        self.raw = rest.as_bytes().to_vec();
        let hello = self.next().unwrap();
        assert_eq!(hello.kind, "hello");
        hello
    }

    /// The next event; `None` at the end of the stream.
    fn next(&mut self) -> Option<Told> {
        loop {
            self.take_chunks();
            if let Some(told) = self.told.pop_front() {
                return Some(told);
            }
            if !self.receive() {
                return None;
            }
        }
    }

    fn logs(&mut self, count: usize) -> Vec<Told> {
        let mut logs = Vec::new();
        while logs.len() < count {
            let told = self.next().unwrap();
            assert_eq!(told.kind, "log", "{told:?}");
            logs.push(told);
        }
        logs
    }

    fn receive(&mut self) -> bool {
        let mut bytes = [0; 64 << 10];
        let length = self.stream.read(&mut bytes).unwrap();
        self.raw.extend_from_slice(&bytes[..length]);
        length > 0
    }

    /// RFC 9112 section 7.1, as far as it has come.
    fn take_chunks(&mut self) {
        let mut start = 0;
        loop {
            let rest = &self.raw[start..];
            let Some(end) = rest.windows(2).position(|bytes| bytes == b"\r\n") else {
                break;
            };
            let size = std::str::from_utf8(&rest[..end]).unwrap();
            let size = usize::from_str_radix(size, 16).unwrap();
            let Some(chunk) = rest.get(end + 2..end + 2 + size + 2) else {
                break;
            };
            self.text
                .push_str(std::str::from_utf8(&chunk[..size]).unwrap());
            start += end + 2 + size + 2;
        }
        self.raw.drain(..start);
        while let Some((event, rest)) = self.text.split_once("\n\n") {
            self.told.extend(told(event));
            self.text = rest.to_owned();
        }
    }
}

/// An event; `None` of one without data, which is only a sign of life.
fn told(text: &str) -> Option<Told> {
    let field = |name: &str| {
        let lines = text.lines();
        let values = lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        values.collect::<Vec<_>>()
    };
    let data = field("data").join("\n");
    (!data.is_empty()).then(|| Told {
        kind: field("event").concat(),
        id: field("id").first().map(|id| id.parse().unwrap()),
        data: serde_json::from_str(&data).unwrap(),
    })
}

fn metric(server: &Server, name: &str) -> u64 {
    let metrics = server.send("GET /metrics", &[], b"").body;
    let line = metrics.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap().trim().parse().unwrap()
}

fn wait_for(server: &Server, name: &str, expected: u64) {
    let began = Instant::now();
    while metric(server, name) != expected {
        assert!(
            began.elapsed() < TIMEOUT,
            "{name} does not come to be {expected}"
        );
    }
}

fn send(server: &Server, body: &str) {
    assert_eq!(server.ingest(&[], body.as_bytes()).status, 202);
}

fn numbered(range: std::ops::Range<u64>) -> String {
    range
        .map(|number| format!("{{\"number\":{number}}}\n"))
        .collect()
}

#[test]
fn events_come_as_a_query_gives_them() {
    let server = Server::start();
    send(&server, "{\"message\":\"before\",\"level\":\"error\"}");
    let (mut reading, hello) = Reading::open(&server, "?query=level:error&source_id=default", &[]);
    let meta = &hello.data["meta"];
    assert_eq!(hello.id, Some(1));
    assert_eq!(meta["query"], "level:error");
    assert_eq!(
        meta["sources"],
        json!([{"id": "1", "name": "default", "paused": false}])
    );
    assert_eq!(
        (&meta["complete"], &meta["columns"]),
        (&json!(true), &Value::Null)
    );
    send(&server, "{\"message\":\"fine\",\"level\":\"info\"}");
    let odd =
        "{\"message\":\"bad\\nline\",\"level\":\"ERROR\",\"a\":{\"b\":[1,\n 2]},\"a.b\":null}";
    send(&server, odd);
    let log = reading.logs(1).remove(0);
    let found = server
        .rest("GET /api/v1/query?query=level:error&batch_size=1", "")
        .json();
    assert_eq!(log.data, found["data"][0]);
    assert_eq!(log.id, Some(3));
    drop(reading);
    wait_for(&server, "cordwood_tails", 0);
}

#[test]
fn the_newest_come_first_and_fields_are_columns() {
    let server = Server::start();
    send(&server, &numbered(0..20));
    let query = "?query=number:%3C10+%7C+fields+number,_source&last=2";
    let (mut reading, hello) = Reading::open(&server, query, &[]);
    assert_eq!(hello.id, None, "what came before is still to be told");
    assert_eq!(hello.data["meta"]["columns"], json!(["number", "_source"]));
    assert_eq!(hello.data["meta"]["rows_scanned"], 20);
    send(&server, &numbered(3..5));
    let rows: Vec<Value> = reading.logs(4).into_iter().map(|log| log.data).collect();
    let expected = [8, 9, 3, 4].map(|number| json!({"number": number, "_source": "default"}));
    assert_eq!(rows, expected);
}

#[test]
fn a_reader_comes_back_after_breaks_without_gap_or_double() {
    const EVENTS: u64 = 6000;
    let server = Server::start();
    let (mut reading, hello) = Reading::open(&server, "?query=number:*", &[]);
    let mut last = hello.id.unwrap();
    std::thread::scope(|scope| {
        for part in 0..2 {
            let server = &server;
            scope.spawn(move || {
                let numbers = part * EVENTS / 2..(part + 1) * EVENTS / 2;
                for start in numbers.step_by(50) {
                    send(server, &numbered(start..start + 50));
                }
            });
        }
        let mut seen = Vec::new();
        let mut breaks = 0;
        while seen.len() < usize::try_from(EVENTS).unwrap() {
            let log = reading.logs(1).remove(0);
            assert!(log.id.unwrap() > last, "{log:?} after {last}");
            last = log.id.unwrap();
            seen.push(log.data["number"].as_u64().unwrap());
            if seen.len() % 700 == 0 {
                breaks += 1;
                drop(reading);
                let (header, parameters) = match breaks % 2 {
                    0 => (
                        format!("Last-Event-ID: {last}"),
                        "?query=number:*".to_owned(),
                    ),
                    _ => (
                        "X: y".to_owned(),
                        format!("?query=number:*&last_event_id={last}"),
                    ),
                };
                reading = Reading::open(&server, &parameters, &[&header]).0;
            }
        }
        assert_eq!(breaks, 8);
        seen.sort_unstable();
        assert_eq!(seen, (0..EVENTS).collect::<Vec<_>>());
    });
}

#[test]
fn a_stalled_reader_holds_little_and_is_told_what_it_missed() {
    const EVENTS: u64 = 60;
    const BATCHES: u64 = 200;
    let server = Server::start();
    let mut stalled = Reading::begin(&server, "", &[]);
    wait_for(&server, "cordwood_tails", 1);
    let (mut keen, _) = Reading::open(&server, "?query=number:*", &[]);
    let filling = "x".repeat(2000);
    let mut most = 0;
    let mut seen = 0;
    for batch in 0..BATCHES {
        let events = batch * EVENTS..(batch + 1) * EVENTS;
        let body =
            events.map(|number| format!("{{\"number\":{number},\"filling\":\"{filling}\"}}\n"));
        send(&server, &body.collect::<String>());
        for log in keen.logs(60) {
            assert_eq!(log.data["number"], seen);
            seen += 1;
        }
        most = most.max(metric(&server, "cordwood_tail_memory_bytes"));
    }
    assert!(
        most < 16 << 20,
        "{most} bytes for one that stalls and one that does not"
    );

    stalled.hello();
    let (mut dropped, mut received) = (0, 0);
    let mut last = 0;
    while dropped + received < EVENTS * BATCHES {
        let told = stalled.next().unwrap();
        match &*told.kind {
            "log" => {
                received += 1;
                assert!(told.id.unwrap() > last, "{told:?}");
                last = told.id.unwrap();
            }
            "dropped" => {
                assert_eq!(told.data["reason"], "slow_reader");
                dropped += told.data["count"].as_u64().unwrap();
            }
            _ => panic!("{told:?}"),
        }
    }
    assert_eq!(dropped + received, EVENTS * BATCHES);
    assert!(
        dropped > 0 && last == EVENTS * BATCHES,
        "the newest are kept"
    );
    assert_eq!(metric(&server, "cordwood_tail_dropped_total"), dropped);
}

#[test]
fn a_revoked_token_reads_no_more() {
    let server = Server::start();
    let body = json!({"name": "reader", "access": "read"}).to_string();
    let made = server.rest("POST /api/v1/tokens", &body).json();
    let token = made["data"]["attributes"]["token"].as_str().unwrap();
    let mut by_admin = Reading::open(&server, "", &[]).0;
    let reader = format!("Authorization: Bearer {token}");
    let mut stream = connect(server.address);
    write!(stream, "{}\r\n", head("GET /api/v1/tail", &[&reader])).unwrap();
    let mut reading = Reading {
        stream,
        raw: Vec::new(),
        text: String::new(),
        told: VecDeque::new(),
    };
    reading.hello();
    let id = made["data"]["id"].as_str().unwrap();
    let revoked = server.rest(&format!("DELETE /api/v1/tokens/{id}"), "");
    assert!(revoked.status < 300, "{revoked:?}");
    send(&server, "{\"message\":\"too late\"}");
    assert_eq!(by_admin.logs(1)[0].data["message"], "too late");
    let end = reading.next().unwrap();
    assert_eq!(
        (&*end.kind, &end.data["reason"]),
        ("end", &json!("unauthenticated"))
    );
    assert!(reading.next().is_none(), "the connection is closed");
}

#[test]
fn stopping_ends_tails() {
    let mut server = Server::start();
    let (mut reading, _) = Reading::open(&server, "", &[]);
    send(&server, "{\"message\":\"last words\"}");
    assert_eq!(reading.logs(1)[0].data["message"], "last words");
    let began = Instant::now();
    server.stop();
    let end = reading.next().unwrap();
    assert_eq!(
        (&*end.kind, &end.data["reason"]),
        ("end", &json!("stopping"))
    );
    server.wait();
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "before requests are cut off"
    );
}
