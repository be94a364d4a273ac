//! Incidents that an alert opens and closes, of events that were acknowledged before or while the server is killed.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::process::{Directory, Server};
use crate::receiver::{Ledger, receive};
use crate::{Random, add_channel, directory, rounds, token};

/// Groups that fire in a round. Each is told to have opened and to be over, and a channel takes sixty notices a minute, six rounds at least.
const GROUPS_PER_ROUND: u64 = 3;
/// As often as alerts can be checked: at full ten seconds, which a thread notices within a second.
const CHECK_EVERY: Duration = Duration::from_secs(10);
/// From a full ten seconds until a check is over, on a busy machine.
const CHECKED_WITHIN_MS: u64 = 1_500;
/// From the first notice of a check until the last, about.
const TOLD_WITHIN_US: u64 = 60_000;

/// A batch of events that the server may not have acknowledged yet.
struct Batch {
    key: String,
    body: String,
}

/// Each group has one event, so that it has one episode: each opens one incident.
#[test]
fn of_what_an_alert_finds_no_notice_is_lost_and_none_comes_twice() {
    let rounds = rounds();
    let mut random = Random::of_clock();
    let directory = directory();
    let (url, mut ledger) = receive();
    let source = prepare(&directory, &url);

    let mut pending: Vec<Batch> = Vec::new();
    for round in 0..rounds {
        pending.push(batch(round));
        kill_once(&directory, &source, &mut pending, &mut ledger, &mut random);
    }
    let server = directory.serve();
    send_all(&server, &source, &mut pending);
    assert_eq!(pending.len(), 0, "a server that is not killed acknowledges");
    let groups = rounds * GROUPS_PER_ROUND;
    ledger.wait_for(2 * groups, &directory);
    let incidents = incidents(&server, &token(&directory));
    server.kill();
    let kinds = ["opened", "resolved"];
    let expected = (0..groups).flat_map(|group| kinds.map(|kind| told(kind, group)));
    ledger.assert_told(expected);
    let mut expected: Vec<String> = (0..groups).map(title).collect();
    expected.sort();
    assert_eq!(incidents, expected, "an incident for each episode");
    println!(
        "{rounds} kills, {groups} episodes, each told twice: that it began and that it is over"
    );
}

fn title(group: u64) -> String {
    format!("trial: {group}")
}

fn told(kind: &str, group: u64) -> String {
    format!("{kind}: {}", title(group))
}

/// A source, a channel and an alert that fires once for each value of a field; the source's token.
fn prepare(directory: &Directory, url: &str) -> String {
    let server = directory.serve();
    add_channel(directory, url);
    let token = token(directory);
    let source = json!({"name": "trial", "platform": "http"});
    let source = post(&server, &token, "/api/v1/sources", &source);
    let alert = json!({
        "name": "trial",
        "query": "burst:*",
        "group_by": ["burst"],
        "window_s": 10,
        "check_every_s": 10,
        "recovery_s": 0,
        "condition": {"type": "matches"},
    });
    post(&server, &token, "/api/v1/alerts", &alert);
    server.kill();
    let token = &source["data"]["attributes"]["token"];
    token.as_str().unwrap().to_owned()
}

fn batch(round: u64) -> Batch {
    let first = round * GROUPS_PER_ROUND;
    let events = (first..first + GROUPS_PER_ROUND)
        .map(|group| json!({"message": format!("burst {group}"), "burst": group.to_string()}));
    Batch {
        key: format!("round {round}"),
        body: Value::Array(events.collect()).to_string(),
    }
}

/// Starts the server, sends it what it does not have, and kills it at some moment: while the alert is checked, or while that is told.
fn kill_once(
    directory: &Directory,
    source: &str,
    pending: &mut Vec<Batch>,
    ledger: &mut Ledger,
    random: &mut Random,
) {
    let server = directory.serve();
    send_all(&server, source, pending);
    match random.below(2) {
        0 => {
            let after = Duration::from_micros(random.below(CHECKED_WITHIN_MS * 1_000));
            ledger.listen(until_full_period() + after);
        }
        _ => {
            ledger.wait_for_news(CHECK_EVERY + Duration::from_millis(CHECKED_WITHIN_MS));
            ledger.listen(Duration::from_micros(random.below(TOLD_WITHIN_US)));
        }
    }
    server.kill();
}

/// How long it is until the next full ten seconds.
fn until_full_period() -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let into = now.unwrap().as_nanos() % CHECK_EVERY.as_nanos();
    CHECK_EVERY - Duration::from_nanos(u64::try_from(into).unwrap())
}

/// Sends batches under their keys, so that one whose acknowledgement did not come is stored once.
fn send_all(server: &Server, source: &str, pending: &mut Vec<Batch>) {
    pending.retain(|batch| {
        let request = ureq::post(format!("{}/", server.url))
            .config()
            .http_status_as_error(false)
            .build()
            .header("authorization", format!("Bearer {source}"))
            .header("x-batch-key", &batch.key)
            .content_type("application/json");
        let answer = request.send(&batch.body);
        !answer.is_ok_and(|answer| answer.status() == 202)
    });
}

fn post(server: &Server, token: &str, path: &str, body: &Value) -> Value {
    let request = ureq::post(format!("{}{path}", server.url))
        .header("authorization", format!("Bearer {token}"))
        .content_type("application/json");
    let mut answer = request.send(body.to_string()).unwrap();
    serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
}

/// The names of all incidents, sorted; each has to be over.
fn incidents(server: &Server, token: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut next = Some(format!("{}/api/v1/incidents?per_page=50", server.url));
    while let Some(url) = next {
        let request = ureq::get(url).header("authorization", format!("Bearer {token}"));
        let text = request.call().unwrap().body_mut().read_to_string().unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        for incident in answer["data"].as_array().unwrap() {
            let attributes = &incident["attributes"];
            assert_eq!(attributes["status"], "resolved", "{incident}");
            names.push(attributes["name"].as_str().unwrap().to_owned());
        }
        next = answer["pagination"]["next"].as_str().map(str::to_owned);
    }
    names.sort();
    names
}
