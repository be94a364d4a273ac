//! The load generator: bodies of whole lines, over a few kept connections.

mod bodies;

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;
use cordwood_harness::{Api, Sending};

pub(crate) use bodies::{Bodies, Body, Encoding};

use crate::latency::Latencies;

/// A wait the server asks for is honoured up to this.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(10);

/// What sending took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent {
    /// Bytes of the lines, before they were compressed.
    pub(crate) raw_bytes: u64,
    pub(crate) bytes_on_wire: u64,
    /// Bodies the server asked to send again later.
    pub(crate) postponed: u64,
    /// From the first byte sent to the last acknowledgement.
    pub(crate) elapsed: Duration,
    /// Of each body, from sending it, with the waits that the server asked for.
    pub(crate) acknowledgements: Latencies,
}

/// What one connection sent.
#[derive(Debug, Default)]
struct Part {
    raw_bytes: u64,
    bytes_on_wire: u64,
    postponed: u64,
    times: Vec<Duration>,
}

/// Sends all bodies; every one of them is acknowledged when this returns.
pub(crate) fn send(
    bodies: impl Iterator<Item = anyhow::Result<Body>> + Send,
    connections: usize,
    sending: &Sending<'_>,
    connect: &(dyn Fn() -> Api + Sync),
) -> anyhow::Result<Sent> {
    let bodies = Mutex::new(bodies);
    let next = || bodies.lock().expect("no sender panics with them").next();
    let started = Instant::now();
    let parts = thread::scope(|scope| {
        let threads: Vec<_> = (0..connections)
            .map(|_| scope.spawn(|| send_bodies(&next, sending, &connect())))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("sending does not panic"))
            .collect::<anyhow::Result<Vec<Part>>>()
    })?;
    let elapsed = started.elapsed();
    Ok(Sent {
        raw_bytes: parts.iter().map(|part| part.raw_bytes).sum(),
        bytes_on_wire: parts.iter().map(|part| part.bytes_on_wire).sum(),
        postponed: parts.iter().map(|part| part.postponed).sum(),
        elapsed,
        acknowledgements: Latencies::sorted(
            parts.into_iter().flat_map(|part| part.times).collect(),
        ),
    })
}

fn send_bodies(
    next: &dyn Fn() -> Option<anyhow::Result<Body>>,
    sending: &Sending<'_>,
    api: &Api,
) -> anyhow::Result<Part> {
    let mut part = Part::default();
    while let Some(body) = next() {
        let body = body?;
        let asked = Instant::now();
        part.postponed += send_body(&body, sending, api)?;
        part.times.push(asked.elapsed());
        part.raw_bytes += body.raw_bytes;
        part.bytes_on_wire += body.on_wire.len() as u64;
    }
    Ok(part)
}

/// Sends until it is acknowledged. How often the server asked to wait.
pub(crate) fn send_body(body: &Body, sending: &Sending<'_>, api: &Api) -> anyhow::Result<u64> {
    let mut postponed = 0;
    loop {
        let answer = api.send(sending, &body.on_wire)?;
        if answer.status != 429 {
            ensure!(
                answer.status == 202,
                "the server answered {}",
                answer.status
            );
            return Ok(postponed);
        }
        postponed += 1;
        thread::sleep(answer.retry_after.unwrap_or_default().min(RETRY_AFTER_MAX));
    }
}
