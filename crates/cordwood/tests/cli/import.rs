//! `import`: text and JSON, from files and standard input, stopped and gone on with, and twice.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::process::{Directory, Server};

fn imported(directory: &Directory, arguments: &[&str]) -> Value {
    let arguments = [&["import", "--source", "web", "--json"], arguments].concat();
    directory.run(&arguments).succeeded().json()["data"].take()
}

fn records_count(directory: &Directory) -> u64 {
    let source = directory
        .run(&["source", "show", "web", "--json"])
        .succeeded();
    source.json()["data"]["attributes"]["records_count"]
        .as_u64()
        .unwrap()
}

fn start(directory: &Directory) -> Server {
    let server = directory.serve();
    directory.run(&["source", "create", "web"]).succeeded();
    server
}

#[test]
fn text_json_and_compressed_files() {
    let directory = Directory::new();
    let _server = start(&directory);
    directory.write(
        "app.log",
        "2026-03-27 10:00:00,123 ERROR [main] Shop - no stock\n\
         2026-03-27 10:00:01,000 INFO  [main] Shop - ok\n",
    );
    let text = imported(&directory, &["app.log"]);
    assert_eq!(
        (&text["lines"], &text["accepted"], &text["rejected"]),
        (&json!(2), &json!(2), &json!(0))
    );
    let found = directory
        .run(&["query", "level:error stock"])
        .succeeded()
        .json_lines();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["dt"], "2026-03-27T10:00:00.123Z");

    let json = "{\"at\":\"2026-03-27T11:00:00Z\",\"message\":\"one\"}\nbroken\n";
    directory.write("app.json", json);
    directory.write("app.json.gz", gzip(json));
    let plain = imported(&directory, &["app.json", "--dt-field", "at"]);
    assert_eq!(plain["accepted"], 2, "a broken line is kept: {plain}");
    let packed = imported(&directory, &["app.json.gz", "--dt-field", "at"]);
    assert_eq!(packed["accepted"], 2, "{packed}");
    let found = directory
        .run(&["query", "dt:2026-03-27T11:00:00Z"])
        .succeeded();
    assert_eq!(found.json_lines().len(), 2);

    let input = b"{\"message\":\"from standard input\"}\n";
    let arguments = ["import", "-", "--source", "web"];
    let piped = directory.run_with_input(&arguments, input).succeeded();
    assert!(
        piped
            .stdout
            .starts_with("1 lines, 1 events stored, 0 rejected"),
        "{piped:?}"
    );
    assert_eq!(piped.stderr, "", "nobody watches a pipe");
}

fn gzip(text: &str) -> Vec<u8> {
    use std::io::Write;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn a_file_is_imported_once_unless_asked_and_then_what_was_added() {
    let directory = Directory::new();
    let _server = start(&directory);
    directory.write("a.json", "{\"message\":\"1\"}\n{\"message\":\"2\"}\n");
    assert_eq!(imported(&directory, &["a.json"])["accepted"], 2);
    assert_eq!(imported(&directory, &["a.json"])["lines"], 0);

    directory.write(
        "a.json",
        "{\"message\":\"1\"}\n{\"message\":\"2\"}\n{\"message\":\"3\"}\n",
    );
    assert_eq!(imported(&directory, &["a.json"])["accepted"], 1);
    assert_eq!(records_count(&directory), 3);

    assert_eq!(
        imported(&directory, &["a.json", "--restart"])["accepted"],
        3
    );
    assert_eq!(records_count(&directory), 6);

    // Another file under the same name.
    directory.write(
        "a.json",
        "{\"message\":\"new 1\"}\n{\"message\":\"new 2\"}\n",
    );
    assert_eq!(imported(&directory, &["a.json"])["accepted"], 2);
    assert_eq!(records_count(&directory), 8);
}

fn journal(directory: &Directory) -> PathBuf {
    let journals = directory.path().join("cordwood-data/imports");
    let mut paths = fs::read_dir(journals).unwrap();
    paths.next().unwrap().unwrap().path()
}

#[test]
fn a_batch_that_may_have_arrived_is_sent_again_and_stored_once() {
    let directory = Directory::new();
    let _server = start(&directory);
    let text = "{\"message\":\"1\"}\n{\"message\":\"2\"}\n";
    directory.write("a.json", text);
    imported(&directory, &["a.json"]);

    // As after a crash between the server's answer and the note of it.
    let path = journal(&directory);
    let mut record: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(
        (&record["next"], &record["unsettled"]),
        (&json!(text.len()), &json!([]))
    );
    record["unsettled"] = json!([[0, text.len()]]);
    fs::write(&path, record.to_string()).unwrap();
    directory.write("a.json", format!("{text}{{\"message\":\"3\"}}\n"));

    let resumed = imported(&directory, &["a.json"]);
    assert_eq!(resumed["batches_repeated"], 1, "{resumed}");
    assert_eq!(resumed["accepted"], 1, "{resumed}");
    assert_eq!(records_count(&directory), 3);

    // The same where the journal itself is lost.
    fs::remove_file(&path).unwrap();
    directory.write("a.json", text);
    imported(&directory, &["a.json"]);
    assert_eq!(records_count(&directory), 3);
}

#[test]
fn an_import_goes_on_when_the_server_is_back_on_another_port() {
    let directory = Directory::new();
    let server = start(&directory);
    directory.write("a.json", "{\"message\":\"1\"}\n{\"message\":\"2\"}\n");
    assert_eq!(imported(&directory, &["a.json"])["accepted"], 2);
    server.kill();

    let _server = directory.serve();
    assert_eq!(imported(&directory, &["a.json"])["lines"], 0);
    assert_eq!(records_count(&directory), 2);
}

#[test]
fn an_import_killed_half_way_goes_on_without_doubling() {
    const LINES: usize = 200_000;
    let directory = Directory::new();
    let server = start(&directory);
    let padding = "x".repeat(60);
    let lines = (0..LINES).map(|number| format!("{{\"n\":{number},\"message\":\"{padding}\"}}\n"));
    directory.write("large.json", lines.collect::<String>());
    let import = ["import", "large.json", "--source", "web"];
    let mut child = directory.command(&import).spawn().unwrap();
    while accepted(&server) == 0 && child.try_wait().unwrap().is_none() {}
    child.kill().unwrap();
    child.wait().unwrap();

    imported(&directory, &["large.json"]);
    assert_eq!(records_count(&directory), LINES as u64);
    let last = format!("n={}", LINES - 1);
    assert_eq!(
        directory
            .run(&["query", &last])
            .succeeded()
            .json_lines()
            .len(),
        1
    );
}

/// Events acknowledged so far, by the server's own count.
fn accepted(server: &Server) -> u64 {
    let mut answer = ureq::get(format!("{}/metrics", server.url)).call().unwrap();
    let metrics = answer.body_mut().read_to_string().unwrap();
    let line = metrics
        .lines()
        .find_map(|line| line.strip_prefix("cordwood_http_events_accepted_total "));
    line.unwrap().parse().unwrap()
}

#[test]
fn mistakes() {
    let directory = Directory::new();
    let _server = start(&directory);
    directory.write("a.json", "{\"message\":\"1\"}\n");
    directory.write("array.json", "[\n {\"message\":\"1\"}\n]\n");
    let cases: [(&[&str], &[&str]); 4] = [
        (
            &["a.json", "--source", "webb"],
            &[
                "Source `webb` was not found",
                "did you mean web?",
                "`cordwood source create webb`",
            ],
        ),
        (
            &["missing.json", "--source", "web"],
            &["Cannot read missing.json"],
        ),
        (&[".", "--source", "web"], &["is a directory"]),
        (
            &["array.json", "--source", "web"],
            &["one JSON document", "jq -c"],
        ),
    ];
    for (arguments, wanted) in cases {
        let failed = directory.run(&[&["import"], arguments].concat());
        assert_eq!(failed.code, Some(1), "{failed:?}");
        for part in wanted {
            assert!(failed.stderr.contains(part), "{part}\n{}", failed.stderr);
        }
    }
    directory.run(&["source", "pause", "web"]).succeeded();
    let paused = directory.run(&["import", "a.json", "--source", "web"]);
    assert!(
        paused
            .stderr
            .contains("Ingesting is paused for this source"),
        "{paused:?}"
    );
    directory.run(&["source", "resume", "web"]).succeeded();
    assert_eq!(imported(&directory, &["a.json"])["accepted"], 1);
}
