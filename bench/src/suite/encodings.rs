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

/// Sends the first so many bytes of lines, each encoding to a server with a directory of its own. The bodies are all made
/// before the clock starts, so that compressing them is not in the figures, and lie in memory meanwhile.
pub(super) fn measure(
    corpus: &Path,
    body_bytes: usize,
    raw_bytes: u64,
    ingestion_in: impl Fn(&str) -> anyhow::Result<Ingestion>,
) -> anyhow::Result<Vec<Encoded>> {
    [Encoding::Plain, Encoding::Gzip, Encoding::Zstd]
        .into_iter()
        .map(|encoding| {
            let bodies = Bodies::open(corpus, body_bytes, encoding)?;
            let bodies = first_bodies(bodies, raw_bytes)?;
            let ingestion = ingestion_in(encoding.name().unwrap_or("plain"))?;
            let (_, ingest) = ingestion.measure(bodies.into_iter().map(Ok), encoding)?;
            Ok(Encoded { encoding, ingest })
        })
        .collect()
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
