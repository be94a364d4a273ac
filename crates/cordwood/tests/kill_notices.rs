//! A real server that tells of incidents, killed with SIGKILL at random moments and started again: of every incident that was opened, a
//! receiver that honours the key of notices hears once.
//!
//! The moments lie anywhere between the write of a notice, its attempt and what came of that: the receiver answers late, and now and then
//! takes a notice without answering. `CORDWOOD_KILL_ROUNDS` makes it longer.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "cli/process.rs"]
#[expect(dead_code, reason = "shared with the tests of the command line")]
mod process;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::process::Directory;

const ROUNDS_DEFAULT: u64 = 5;
/// Incidents of a round: below what a channel takes in a minute.
const INCIDENTS_PER_ROUND: u64 = 12;
/// A notice that does not come by then is lost. A channel that could not be reached is tried again after 15 s.
const PATIENCE: Duration = Duration::from_secs(150);

/// Xorshift (Marsaglia, 2003): moments need no better.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// A notice that came.
struct Told {
    key: String,
    title: String,
}

/// What came, by title: the keys it came under.
struct Ledger {
    heard: Receiver<Told>,
    keys: BTreeMap<String, BTreeSet<String>>,
}

impl Ledger {
    /// Waits until all incidents that were opened were told.
    fn wait_for(&mut self, opened: u64, directory: &Directory) {
        while self.keys.len() < usize::try_from(opened).unwrap() {
            let Ok(told) = self.heard.recv_timeout(PATIENCE) else {
                let log = ["channels", "deliveries", "trial", "--limit", "100"];
                let log = directory.run(&log).stdout;
                panic!("{} of {opened} came: {log}", self.keys.len());
            };
            self.note(told);
        }
    }

    fn note(&mut self, told: Told) {
        self.keys.entry(told.title).or_default().insert(told.key);
    }
}

#[test]
fn no_notice_is_lost_and_none_comes_twice() {
    let rounds = env::var("CORDWOOD_KILL_ROUNDS").ok();
    let rounds = rounds.map_or(ROUNDS_DEFAULT, |text| text.parse().unwrap());
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let mut random = Random(u64::from(clock.unwrap().subsec_nanos()) | 1);
    let directory = Directory::new();
    directory.write("cordwood.toml", "[outbound]\nallow = [\"127.0.0.1\"]\n");
    let (url, heard) = receive();
    make_channel(&directory, &url);
    let keys = BTreeMap::new();
    let mut ledger = Ledger { heard, keys };

    let mut opened = 0;
    for _ in 0..rounds {
        opened = kill_once(&directory, &mut ledger, opened, &mut random);
    }
    let server = directory.serve();
    // The answer to the last one may not have come, and it be open all the same.
    assert!(open(&server.url, &token(&directory), opened));
    opened += 1;
    ledger.wait_for(opened, &directory);
    server.kill();
    for told in ledger.heard.try_iter().collect::<Vec<Told>>() {
        ledger.note(told);
    }
    let expected: BTreeSet<String> = (0..opened).map(title).collect();
    let told: BTreeSet<String> = ledger.keys.keys().cloned().collect();
    assert_eq!(told, expected);
    for (title, keys) in &ledger.keys {
        assert_eq!(keys.len(), 1, "{title} came under {keys:?}");
    }
    println!("{rounds} kills, {opened} incidents, each told under one key");
}

fn title(number: u64) -> String {
    format!("incident number {number}")
}

/// Starts the server, waits for what it owes, has incidents opened until it is killed at some moment; the number of the next one.
fn kill_once(directory: &Directory, ledger: &mut Ledger, first: u64, random: &mut Random) -> u64 {
    let server = directory.serve();
    ledger.wait_for(first, directory);
    let (url, token) = (server.url.clone(), token(directory));
    let (opened, openings) = channel();
    let opener = thread::spawn(move || {
        let mut next = first;
        while next < first + INCIDENTS_PER_ROUND && open(&url, &token, next) {
            next += 1;
            let _ = opened.send(());
        }
        next
    });
    for _ in 0..=random.below(INCIDENTS_PER_ROUND - 1) {
        openings
            .recv_timeout(PATIENCE)
            .expect("incidents are opened");
    }
    // The moment within the write, the attempt or its account is left to chance.
    let moment = Duration::from_micros(random.below(30_000));
    let _ = openings.recv_timeout(moment);
    server.kill();
    opener.join().unwrap()
}

/// Opens an incident under a key of its own, so that one whose answer did not come is not opened twice; whether the server answered.
fn open(url: &str, token: &str, number: u64) -> bool {
    let body = json!({"name": title(number), "key": format!("key {number}")});
    let request = ureq::post(format!("{url}/api/v1/incidents"))
        .config()
        .http_status_as_error(false)
        .build()
        .header("authorization", format!("Bearer {token}"))
        .content_type("application/json");
    match request.send(body.to_string()) {
        Ok(answer) => {
            assert!(answer.status().is_success(), "{answer:?}");
            true
        }
        Err(_) => false,
    }
}

fn token(directory: &Directory) -> String {
    let path = directory.path().join("cordwood-data/cli-token");
    std::fs::read_to_string(path).unwrap().trim().to_owned()
}

fn make_channel(directory: &Directory, url: &str) {
    let server = directory.serve();
    let add = [
        "channels",
        "add",
        "webhook",
        "trial",
        "--hook",
        url,
        "--default",
        "--per-minute",
        "60",
    ];
    directory.run(&add).succeeded();
    server.kill();
}

/// A receiver that says what came, answers late, and one time in twenty-four takes a notice without a word.
fn receive() -> (String, Receiver<Told>) {
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
    (url, heard)
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
    let title = body["data"]["title"].as_str()?.to_owned();
    tell.send(Told { key, title }).ok()?;
    thread::sleep(moment);
    if !is_silent {
        let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        (&stream).write_all(answer).ok()?;
    }
    Some(())
}
