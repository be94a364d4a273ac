//! The same bodies plain and compressed.

use std::path::Path;

use super::ingest::{Ingest, Ingestion};
use crate::load::{Bodies, Body, Encoding};

/// What ingest of bodies in one encoding took.
#[derive(Clone, Debug)]
pub(crate) struct Encoded {
    pub(crate) encoding: Encoding,
    pub(crate) ingest: Ingest,
}

/// Learning patterns and merging come when they come, and take a fifth of the processor's time of so few bodies: each encoding is measured
/// so often, in turn with the others.
const ROUNDS: usize = 3;

/// Sends the first so many bytes of lines, each encoding to a server with a directory of its own; of all rounds, the one whose
/// processor time is in the middle. The bodies are all made before the clock starts, so that compressing them is not in the figures, and
/// lie in memory meanwhile.
pub(super) fn measure(
    corpus: &Path,
    body_bytes: usize,
    raw_bytes: u64,
    ingestion_in: impl Fn(&str) -> anyhow::Result<Ingestion>,
) -> anyhow::Result<Vec<Encoded>> {
    let encodings = [Encoding::Plain, Encoding::Gzip, Encoding::Zstd];
    let mut measured = encodings.map(|_| Vec::with_capacity(ROUNDS));
    let bodies = encodings
        .map(|encoding| first_bodies(Bodies::open(corpus, body_bytes, encoding)?, raw_bytes));
    let bodies = bodies.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    for round in 0..ROUNDS {
        for ((encoding, bodies), measured) in encodings.iter().zip(&bodies).zip(&mut measured) {
            let name = encoding.name().unwrap_or("plain");
            let ingestion = ingestion_in(&format!("{name}{round}"))?;
            let (_, ingest) = ingestion.measure(bodies.iter().cloned().map(Ok), *encoding)?;
            measured.push(ingest);
        }
    }
    let encoded = encodings
        .into_iter()
        .zip(measured)
        .filter_map(|(encoding, mut ingests)| {
            ingests.sort_by(|a, b| a.processor_seconds.total_cmp(&b.processor_seconds));
            let ingest = ingests.into_iter().nth(ROUNDS / 2)?;
            Some(Encoded { encoding, ingest })
        });
    Ok(encoded.collect())
}

/// The bodies in which the first so many bytes of lines are.
fn first_bodies(bodies: Bodies, raw_bytes: u64) -> anyhow::Result<Vec<Body>> {
    let mut taken = 0;
    bodies
        .take_while(|body| {
            let is_wanted = taken < raw_bytes;
            taken += body.as_ref().map_or(0, |body| body.raw_bytes);
            is_wanted
        })
        .collect()
}
