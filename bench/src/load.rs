//! The load generator: the corpus in bodies of whole lines, over a few kept connections.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::ValueEnum;
use cordwood_harness::{Api, Sending, Source};

/// A wait the server asks for is honoured up to this.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(10);

/// How the corpus is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) connections: usize,
    pub(crate) body_bytes: usize,
    pub(crate) encoding: Encoding,
}

/// How bodies are compressed on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Encoding {
    None,
    Gzip,
    Zstd,
}

/// What sending took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    pub(crate) bytes: u64,
    pub(crate) bodies: u64,
    /// Bodies the server asked to send again later.
    pub(crate) postponed: u64,
    /// From the first byte sent to the last acknowledgement.
    pub(crate) elapsed: Duration,
    /// The longest wait for an acknowledgement.
    pub(crate) slowest: Duration,
}

/// Sends the whole corpus; every body is acknowledged when this returns.
pub(crate) fn send(
    corpus: &Path,
    shape: Shape,
    source: &Source,
    connect: &(dyn Fn() -> Api + Sync),
) -> anyhow::Result<Sent> {
    let bodies = Mutex::new(Bodies::open(corpus, shape.body_bytes)?);
    let started = Instant::now();
    let parts = thread::scope(|scope| {
        let threads: Vec<_> = (0..shape.connections)
            .map(|_| scope.spawn(|| send_bodies(&bodies, shape.encoding, source, &connect())))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("sending does not panic"))
            .collect::<anyhow::Result<Vec<Sent>>>()
    })?;
    let mut sent = Sent {
        elapsed: started.elapsed(),
        ..Sent::default()
    };
    for part in parts {
        sent.bytes += part.bytes;
        sent.bodies += part.bodies;
        sent.postponed += part.postponed;
        sent.slowest = sent.slowest.max(part.slowest);
    }
    Ok(sent)
}

fn send_bodies(
    bodies: &Mutex<Bodies>,
    encoding: Encoding,
    source: &Source,
    api: &Api,
) -> anyhow::Result<Sent> {
    let mut sent = Sent::default();
    let sending = Sending {
        source_token: &source.token,
        content_encoding: match encoding {
            Encoding::None => None,
            Encoding::Gzip => Some("gzip"),
            Encoding::Zstd => Some("zstd"),
        },
        batch_key: None,
    };
    while let Some(body) = next_body(bodies)? {
        let on_wire = compress(&body, encoding)?;
        let asked = Instant::now();
        loop {
            let answer = api.send(&sending, on_wire.as_deref().unwrap_or(&body))?;
            if answer.status != 429 {
                ensure!(
                    answer.status == 202,
                    "the server answered {}",
                    answer.status
                );
                break;
            }
            sent.postponed += 1;
            thread::sleep(answer.retry_after.unwrap_or_default().min(RETRY_AFTER_MAX));
        }
        sent.slowest = sent.slowest.max(asked.elapsed());
        sent.bytes += body.len() as u64;
        sent.bodies += 1;
    }
    Ok(sent)
}

fn next_body(bodies: &Mutex<Bodies>) -> anyhow::Result<Option<Vec<u8>>> {
    bodies
        .lock()
        .expect("no sender panics with the file")
        .next_body()
}

fn compress(body: &[u8], encoding: Encoding) -> anyhow::Result<Option<Vec<u8>>> {
    Ok(match encoding {
        Encoding::None => None,
        Encoding::Zstd => Some(zstd::bulk::compress(body, 1)?),
        Encoding::Gzip => {
            let level = flate2::Compression::fast();
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
            encoder.write_all(body)?;
            Some(encoder.finish()?)
        }
    })
}

/// A file cut into bodies that end with a line.
#[derive(Debug)]
struct Bodies {
    file: File,
    body_bytes: usize,
    /// The beginning of a line that the body before had no room for.
    rest: Vec<u8>,
}

impl Bodies {
    fn open(path: &Path, body_bytes: usize) -> anyhow::Result<Bodies> {
        Ok(Bodies {
            file: File::open(path).with_context(|| format!("open {}", path.display()))?,
            body_bytes,
            rest: Vec::new(),
        })
    }

    fn next_body(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        let mut body = std::mem::take(&mut self.rest);
        let room = self.body_bytes.saturating_sub(body.len()) as u64;
        (&self.file).take(room).read_to_end(&mut body)?;
        if body.is_empty() {
            return Ok(None);
        }
        let newline = body.iter().rposition(|&byte| byte == b'\n');
        let end = newline.context("a line is longer than a body, or the last is not ended")?;
        self.rest = body.split_off(end + 1);
        Ok(Some(body))
    }
}

#[cfg(test)]
mod tests {
    use super::Bodies;

    #[test]
    fn bodies_are_whole_lines_and_lose_nothing() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("lines");
        let text: String = (0..1000).map(|n| format!("{{\"n\":{n}}}\n")).collect();
        std::fs::write(&path, &text).expect("the file is written");
        for body_bytes in [16, 100, 4096, 1 << 20] {
            let mut bodies = Bodies::open(&path, body_bytes).expect("the file is there");
            let mut read = Vec::new();
            while let Some(body) = bodies.next_body().expect("the lines fit") {
                assert!(body.ends_with(b"\n") && body.len() <= body_bytes);
                read.extend_from_slice(&body);
            }
            assert_eq!(read, text.as_bytes());
        }
    }
}
