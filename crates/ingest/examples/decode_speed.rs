//! How fast bodies become batches, on one core: `decode_speed FILE [FORMAT] [ROUNDS]`.
//!
//! The file is cut at line ends into bodies of a mebibyte, as a shipper would send it. What counts is the time on the
//! processor, where the system tells it (Linux), so that a busy machine gives the same answer.

use std::time::Instant;

use cordwood_event::Timestamp;
use cordwood_ingest::{Format, Limits, decode};

const BODY_BYTES: usize = 1 << 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("which file?")?;
    let format: Format = arguments
        .next()
        .as_deref()
        .unwrap_or("1 ndjson identity")
        .parse()?;
    let rounds: u32 = arguments.next().as_deref().unwrap_or("5").parse()?;
    let file = std::fs::read(path)?;
    let bodies = cut(&file);
    let mut best = f64::MAX;
    for _ in 0..rounds {
        let start = Stopwatch::start();
        let mut events = 0;
        for body in &bodies {
            let decoded = decode(&format, body, Timestamp::from_nanos(0), &Limits::default())?;
            events += std::hint::black_box(decoded.batch).len();
        }
        let seconds = start.seconds();
        best = best.min(seconds);
        println!("{events} events in {:.0} ms", seconds * 1e3);
    }
    let megabytes = file.len() as f64 / 1e6;
    println!("best: {:.0} MB/s", megabytes / best);
    Ok(())
}

struct Stopwatch {
    wall: Instant,
    processor_nanos: Option<u64>,
}

impl Stopwatch {
    fn start() -> Stopwatch {
        Stopwatch {
            wall: Instant::now(),
            processor_nanos: processor_nanos(),
        }
    }

    fn seconds(&self) -> f64 {
        match (self.processor_nanos, processor_nanos()) {
            (Some(start), Some(now)) => (now - start) as f64 / 1e9,
            _ => self.wall.elapsed().as_secs_f64(),
        }
    }
}

/// The first number in the file is the time this process has run, in nanoseconds.
fn processor_nanos() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok()
}

fn cut(file: &[u8]) -> Vec<&[u8]> {
    let mut bodies = Vec::new();
    let mut rest = file;
    while !rest.is_empty() {
        let end = rest.iter().skip(BODY_BYTES).position(|byte| *byte == b'\n');
        let (body, tail) = rest.split_at(end.map_or(rest.len(), |at| BODY_BYTES + at + 1));
        bodies.push(body);
        rest = tail;
    }
    bodies
}
