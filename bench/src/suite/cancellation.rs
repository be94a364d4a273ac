//! How soon a search ends that nobody waits for any more: its connection is closed in the middle of it.

use std::io::Write as _;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use cordwood_harness::{Api, Server};

use super::questions::Stage;
use crate::latency::Latencies;

/// All slots of letters and all numbers of messages have to be put together for it.
const QUERY: &str = "message:/[0-9]{4,}[^0-9]+zqxv/";
/// How long a search runs before it is given up.
const RUN_FOR: Duration = Duration::from_millis(30);
const POLL: Duration = Duration::from_millis(1);
/// When something is wrong.
const END_MAX: Duration = Duration::from_secs(10);
const SEARCHES: &str = "cordwood_http_in_flight{lane=\"query\"}";

/// Gives up so many searches; a corpus so small that a search was over before it could be given up gives no times.
pub(super) fn measure(stage: &Stage<'_>, runs: usize) -> anyhow::Result<Latencies> {
    let server = Server::start(&stage.options)?;
    let api = server.api();
    let mut times = Vec::new();
    for _ in 0..runs {
        times.extend(give_up(stage, &server, &api)?);
    }
    server.stop()?;
    Ok(Latencies::sorted(times))
}

fn give_up(stage: &Stage<'_>, server: &Server, api: &Api) -> anyhow::Result<Option<Duration>> {
    let address = server.url().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address)?;
    let query = percent_encoded(QUERY);
    write!(
        stream,
        "GET /api/v1/query?source_id={}&query={query}&total=true HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\r\n",
        stage.source.id,
        server.token(),
    )?;
    thread::sleep(RUN_FOR);
    if api.metric(SEARCHES)? == 0.0 {
        return Ok(None);
    }
    drop(stream);
    let given_up = Instant::now();
    while api.metric(SEARCHES)? > 0.0 {
        anyhow::ensure!(
            given_up.elapsed() < END_MAX,
            "a search that was given up goes on"
        );
        thread::sleep(POLL);
    }
    Ok(Some(given_up.elapsed()))
}

fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
