//! Exports from the command line: to a file, on from where a download ended, through a crash; and evidence.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::process::{Directory, Server};

fn filled(directory: &Directory, events: usize) -> Server {
    let server = directory.serve();
    let lines = (0..events).map(|event| {
        let level = if event % 3 == 0 { "error" } else { "info" };
        format!(
            "{{\"dt\":\"2026-03-27T10:{:02}:{:02}Z\",\"level\":\"{level}\",\"message\":\"took {event} ms\"}}\n",
            event / 60 % 60,
            event % 60
        )
    });
    directory.write("events.ndjson", lines.collect::<String>());
    let url = server.url.as_str();
    let import = [
        "--url",
        url,
        "import",
        "--source",
        "default",
        "events.ndjson",
    ];
    directory.run(&import).succeeded();
    server
}

fn read(directory: &Directory, name: &str) -> String {
    fs::read_to_string(directory.path().join(name)).unwrap()
}

#[test]
fn everything_comes_into_a_file() {
    let directory = Directory::new();
    let server = filled(&directory, 2500);
    let url = server.url.as_str();
    let run = |arguments: &[&str]| directory.run(&[&["--url", url], arguments].concat());
    let export = run(&["export", "level:error", "-o", "errors.ndjson"]).succeeded();
    assert!(
        export.stdout.starts_with("errors.ndjson: 834 events"),
        "{export:?}"
    );
    let lines = read(&directory, "errors.ndjson");
    assert_eq!(lines.lines().count(), 834);
    let all = run(&[
        "query",
        "level:error",
        "--all",
        "--order",
        "oldest",
        "--output",
        "json",
    ]);
    assert_eq!(all.succeeded().stdout, lines);
    let again = run(&["export", "level:error", "-o", "errors.ndjson"]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("--overwrite"), "{again:?}");
    run(&[
        "export",
        "message:500",
        "--fields",
        "dt,message",
        "-o",
        "one.csv",
    ])
    .succeeded();
    let expected = "dt,message\r\n2026-03-27T10:08:20.000Z,took 500 ms\r\n";
    assert_eq!(read(&directory, "one.csv"), expected);
    run(&["export", "-o", "all.ndjson.zst"]).succeeded();
    let packed = fs::read(directory.path().join("all.ndjson.zst")).unwrap();
    let unpacked = zstd::decode_all(&*packed).unwrap();
    assert_eq!(unpacked.iter().filter(|byte| **byte == b'\n').count(), 2500);
    let wrong = run(&["export", "level:", "-o", "x.csv"]);
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains("level:"), "{wrong:?}");
    let parquet = run(&["export", "-o", "x.parquet"]);
    if cfg!(not(feature = "parquet")) {
        assert!(parquet.stderr.contains("--features parquet"), "{parquet:?}");
    }
    // What was fetched is not left on the server.
    let left = fs::read_dir(directory.path().join("cordwood-data/exports")).unwrap();
    assert_eq!(left.count(), 0);
    let csv = run(&["query", "--all", "--output", "csv"]);
    assert!(csv.stderr.contains("cordwood export"), "{csv:?}");
}

#[test]
fn a_download_goes_on_where_it_ended() {
    let directory = Directory::new();
    let server = filled(&directory, 300);
    let url = server.url.as_str();
    let arguments = ["--url", url, "--json", "export", "-o", "a.ndjson", "--keep"];
    let exported = directory.run(&arguments).succeeded().json();
    let id = exported["data"]["id"].as_str().unwrap();
    let whole = read(&directory, "a.ndjson");
    let part = format!("b.ndjson.{id}.part");
    // What is here is not fetched again: it is as it was found, however wrong.
    let found = whole
        .as_bytes()
        .iter()
        .take(1000)
        .map(u8::to_ascii_uppercase);
    directory.write(&part, found.collect::<Vec<u8>>());
    let go_on = ["--url", url, "export", "--id", id, "-o", "b.ndjson"];
    directory.run(&go_on).succeeded();
    let resumed = read(&directory, "b.ndjson");
    assert_eq!(resumed.len(), whole.len());
    let (found, rest) = resumed.as_bytes().split_at(1000);
    assert_eq!(found, whole.as_bytes()[..1000].to_ascii_uppercase());
    assert_eq!(rest, &whole.as_bytes()[1000..]);
    assert!(!directory.path().join(part).exists());
}

#[test]
fn evidence_is_verified_without_a_server() {
    let directory = Directory::new();
    let server = filled(&directory, 1200);
    let url = server.url.clone();
    let export = [
        "--url",
        &url,
        "export",
        "level:error",
        "--evidence",
        "-o",
        "e.ndjson.gz",
    ];
    directory.run(&export).succeeded();
    let key = directory
        .run(&["--url", &url, "evidence-key"])
        .succeeded()
        .stdout;
    server.stop();
    let verify = |file: &str| {
        let arguments = ["verify-export", file, "--public-key", key.trim()];
        let output = directory.run(&arguments);
        (output.code, output.stdout)
    };
    let (code, text) = verify("e.ndjson.gz");
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("Good") && text.contains("query     level:error"),
        "{text}"
    );
    let packed = fs::read(directory.path().join("e.ndjson.gz")).unwrap();
    let mut unpacked = String::new();
    let mut decoder = flate2::read::GzDecoder::new(&*packed);
    std::io::Read::read_to_string(&mut decoder, &mut unpacked).unwrap();
    directory.write(
        "edited.ndjson",
        unpacked.replacen("took 30 ms", "took 3 ms", 1),
    );
    let (code, text) = verify("edited.ndjson");
    assert_eq!(code, Some(1));
    assert!(text.contains("WRONG     record 11 was edited"), "{text}");
    directory.write("other.ndjson", "{\"dt\":\"T\"}\n");
    assert_eq!(verify("other.ndjson").0, Some(2));
    assert_eq!(verify("missing.ndjson").0, Some(2));
    let wrong_key = ["verify-export", "e.ndjson.gz", "--public-key", "00"];
    assert_eq!(directory.run(&wrong_key).code, Some(2));
    let other_key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let other = [
        "--json",
        "verify-export",
        "e.ndjson.gz",
        "--public-key",
        other_key,
    ];
    let output = directory.run(&other);
    assert_eq!(output.code, Some(1));
    assert_eq!(output.json()["data"]["good"], false);
}

/// Whatever a kill leaves, each export has its whole file or says that it has none; and nothing else is in the directory.
#[test]
fn a_kill_leaves_no_export_in_doubt() {
    let directory = Directory::new();
    let server = filled(&directory, 3000);
    let token = read(&directory, "cordwood-data/cli-token");
    let url = format!("{}/api/v1/exports", server.url);
    let mut ids = Vec::new();
    for _ in 0..20 {
        let request = ureq::post(&url).header("authorization", format!("Bearer {}", token.trim()));
        let answer = request
            .send("{}")
            .unwrap()
            .into_body()
            .read_to_string()
            .unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        ids.push(answer["data"]["id"].as_str().unwrap().to_owned());
    }
    server.kill();
    let server = directory.serve();
    let files: Vec<PathBuf> = fs::read_dir(directory.path().join("cordwood-data/exports"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let mut done = 0;
    for id in &ids {
        let url = server.url.as_str();
        let fetched = directory.run(&["--url", url, "export", "--id", id, "-o", id]);
        if fetched.code == Some(0) {
            assert_eq!(read(&directory, id).lines().count(), 3000);
            done += 1;
        } else {
            assert!(fetched.stderr.contains("start it again"), "{fetched:?}");
        }
    }
    assert_eq!(files.len(), ids.len() + done);
}
