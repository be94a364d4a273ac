//! The bucket trial: events go in, their segments to an S3 server, their files from here, and every answer stays the same.
//!
//! What must hold: a restart finds everything; while the S3 server is gone, answers say that they are not complete, and
//! fresh events are found; when it is back, so is everything; a deep check finds every object as it was written.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use cordwood_harness::{Api, Sending, Server, ServerOptions, Source};
use serde_json::Value;

const BATCHES: u64 = 12;
const EVENTS_PER_BATCH: u64 = 400;
/// What is awaited takes a second or two; after this it will not come.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(50);
const QUESTIONS: [&str; 6] = [
    "",
    "needle7",
    "level:error AND batch:>=6",
    "request:req-00000000*",
    "* | stats count(), avg(took) by level | sort by level",
    "* | timechart 1h count()",
];

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The S3 server to start: an example of `cordwood-bucket`.
    #[arg(long, value_name = "FILE")]
    s3_server: PathBuf,
}

/// An S3 server. Killed when dropped.
struct S3 {
    child: Child,
    /// Address, bucket, access key and secret key.
    words: Vec<String>,
}

impl S3 {
    fn start(binary: &Path, root: &Path, address: Option<SocketAddr>) -> anyhow::Result<S3> {
        let mut command = Command::new(binary);
        command.arg(root).args(address.map(|at| at.to_string()));
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.with_context(|| format!("start {}", binary.display()))?;
        let mut line = String::new();
        let out = child.stdout.take().context("the server's output")?;
        BufReader::new(out).read_line(&mut line)?;
        let words = line.split_whitespace().map(str::to_owned).collect();
        let s3 = S3 { child, words };
        ensure!(s3.words.len() == 4, "the S3 server said `{line}`");
        Ok(s3)
    }

    fn address(&self) -> anyhow::Result<SocketAddr> {
        let address = self.words[0].strip_prefix("http://");
        Ok(address.context("the address of the S3 server")?.parse()?)
    }

    fn config(&self) -> String {
        let [endpoint, bucket, access_key, secret_key] = &self.words[..] else {
            return String::new();
        };
        format!(
            "flush_age_ms = 100\n[bucket]\nendpoint = \"{endpoint}\"\nname = \"{bucket}\"\n\
             prefix = \"trial\"\naccess_key = \"{access_key}\"\nsecret_key = \"{secret_key}\"\n\
             allow_http = true\nlocal = \"0\"\ncache = \"16 MiB\"\n"
        )
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        // Already dead, or there is nobody left to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether everything held.
pub(crate) fn run(arguments: &Arguments, options: &ServerOptions) -> anyhow::Result<bool> {
    std::fs::create_dir_all(&options.data_dir)?;
    let objects = options.data_dir.with_file_name("objects");
    let s3 = S3::start(&arguments.s3_server, &objects, None)?;
    let config = options.data_dir.with_file_name("bucket.toml");
    std::fs::write(&config, s3.config())?;
    let options = ServerOptions {
        config: Some(config),
        ..options.clone()
    };
    let server = Server::start(&options)?;
    let source = server.api().create_source("bucket")?;
    let expected = fill(&server.api(), &source)?;
    wait_until_away(&server.api(), &options)?;
    compare("after the files went", &expected, &server.api(), &source)?;
    server.kill()?;
    let server = Server::start(&options)?;
    compare("after a kill", &expected, &server.api(), &source)?;
    without_s3(
        arguments,
        s3,
        &objects,
        (server, &source, &expected),
        &options,
    )?;
    println!("5 passed, 0 failed");
    Ok(true)
}

/// Sends events of an hour, long ago; gives the answers to all questions while everything is here.
fn fill(api: &Api, source: &Source) -> anyhow::Result<Vec<Value>> {
    for batch in 0..BATCHES {
        let lines = (0..EVENTS_PER_BATCH).map(|event| {
            let number = batch * EVENTS_PER_BATCH + event;
            let (minute, second) = (number / 100, number % 60);
            let level = ["debug", "info", "warn", "error"][(number % 4) as usize];
            format!(
                "{{\"dt\":\"2026-03-01T10:{minute:02}:{second:02}Z\",\"level\":\"{level}\",\
                 \"batch\":{batch},\"took\":{},\"request\":\"req-{:016x}\",\
                 \"message\":\"needle{number} took {event} ms\"}}\n",
                number * 7919 % 1000,
                number.wrapping_mul(0x9E37_79B9_7F4A_7C15),
            )
        });
        let body: String = lines.collect();
        let sending = Sending {
            source_token: &source.token,
            ..Sending::default()
        };
        let answer = api.send(&sending, body.as_bytes())?;
        ensure!(
            answer.status == 202,
            "the server answered {}",
            answer.status
        );
        if batch % 4 == 3 {
            // Several segments, not one.
            wait_for("a flush", || {
                Ok(api.metric("cordwood_store_unflushed_bytes")? == 0.0)
            })?;
        }
    }
    answers(api, source)
}

fn answers(api: &Api, source: &Source) -> anyhow::Result<Vec<Value>> {
    let ask = |query: &&str| {
        let answer = api.query(&[
            ("source_id", &source.id),
            ("query", query),
            ("from", "2026-03-01T00:00:00Z"),
            ("to", "2026-03-02T00:00:00Z"),
            ("batch_size", "1000"),
        ])?;
        ensure!(
            answer["meta"]["complete"] == Value::Bool(true),
            "`{query}` is not complete: {}",
            answer["meta"]
        );
        Ok(answer["data"].clone())
    };
    QUESTIONS.iter().map(ask).collect()
}

fn compare(when: &str, expected: &[Value], api: &Api, source: &Source) -> anyhow::Result<()> {
    let found = answers(api, source)?;
    for (question, (expected, found)) in QUESTIONS.iter().zip(expected.iter().zip(&found)) {
        let count = expected.as_array().map_or(0, Vec::len);
        ensure!(count > 0, "`{question}` finds nothing");
        ensure!(
            expected == found,
            "{when}: `{question}` is answered otherwise"
        );
    }
    println!("{when}: the answers are the same");
    Ok(())
}

/// Waits until all segments are in the bucket, and no file of one is here.
fn wait_until_away(api: &Api, options: &ServerOptions) -> anyhow::Result<()> {
    wait_for("the segments in the bucket", || {
        let segments = api.metric("cordwood_store_segments")?;
        Ok(segments > 0.0
            && api.metric("cordwood_store_unflushed_bytes")? == 0.0
            && api.metric("cordwood_bucket_segments_waiting")? == 0.0
            && api.metric("cordwood_bucket_segments_away")? == segments)
    })?;
    let left = std::fs::read_dir(options.data_dir.join("store/segments"))?
        .filter_map(Result::ok)
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "seg"))
        .count();
    ensure!(left == 0, "{left} files of segments are still here");
    Ok(())
}

/// The S3 server goes, and comes back.
fn without_s3(
    arguments: &Arguments,
    s3: S3,
    objects: &Path,
    (server, source, expected): (Server, &Source, &[Value]),
    options: &ServerOptions,
) -> anyhow::Result<()> {
    // What earlier questions left here must not answer these.
    server.stop()?;
    std::fs::remove_dir_all(options.data_dir.join("store/cache"))?;
    let server = Server::start(options)?;
    let address = s3.address()?;
    drop(s3);
    let api = server.api();
    let sending = Sending {
        source_token: &source.token,
        ..Sending::default()
    };
    let fresh = api.send(&sending, b"{\"message\": \"fresh straw\"}\n")?;
    ensure!(fresh.status == 202, "the server answered {}", fresh.status);
    let question = [("source_id", &*source.id), ("query", "needle7 OR straw")];
    let answer = api.query(&question)?;
    let meta = answer["meta"].to_string();
    ensure!(
        answer["meta"]["complete"] == Value::Bool(false),
        "complete: {meta}"
    );
    ensure!(meta.contains("the bucket failed"), "no reason: {meta}");
    let found = answer["data"].as_array().map_or(0, Vec::len);
    ensure!(found == 1, "{found} fresh events are found");
    println!("without the S3 server: fresh events are found, and what is missing is told");
    let s3 = S3::start(&arguments.s3_server, objects, Some(address))?;
    wait_for("the bucket to be read again", || {
        let answer = api.query(&question)?;
        let found = answer["data"].as_array().map_or(0, Vec::len);
        Ok(answer["meta"]["complete"] == Value::Bool(true) && found == 2)
    })?;
    compare("with the S3 server again", expected, &api, source)?;
    wait_until_away(&api, options)?;
    server.stop()?;
    check_deep(options)?;
    drop(s3);
    Ok(())
}

fn check_deep(options: &ServerOptions) -> anyhow::Result<()> {
    let mut check = Command::new(&options.binary);
    check
        .args(["check", "--deep", "--data-dir"])
        .arg(&options.data_dir);
    check.arg("--config").args(&options.config);
    let checked = check.output()?;
    let text = String::from_utf8_lossy(&checked.stdout);
    ensure!(checked.status.success(), "cordwood check: {text}");
    ensure!(text.contains("every byte as it was written"), "{text}");
    println!("a deep check finds every object as it was written");
    Ok(())
}

fn wait_for(what: &str, mut is_done: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !is_done()? {
        ensure!(Instant::now() < deadline, "{what} did not come");
        thread::sleep(POLL_INTERVAL);
    }
    Ok(())
}
