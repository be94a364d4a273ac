//! The same bodies plain and compressed.

use std::path::Path;

use super::ingest::{Ingest, Ingestion};
use crate::load::{Bodies, Body, Encoding};

/// As much of the corpus as is sent in each encoding: about a million events. The bodies are all made before the clock
/// starts, so that compressing them is not in the figures, and lie in memory meanwhile.
const RAW_BYTES: u64 = 375_000_000;

/// What ingest of bodies in one encoding took.
#[derive(Clone, Debug)]
pub(crate) struct Encoded {
    pub(crate) encoding: Encoding,
    pub(crate) ingest: Ingest,
}

/// Each encoding to a server with a directory of its own.
pub(super) fn measure(
    corpus: &Path,
    body_bytes: usize,
    ingestion_in: impl Fn(&str) -> anyhow::Result<Ingestion>,
) -> anyhow::Result<Vec<Encoded>> {
    [Encoding::Plain, Encoding::Gzip, Encoding::Zstd]
        .into_iter()
        .map(|encoding| {
            let bodies = first_bodies(Bodies::open(corpus, body_bytes, encoding)?)?;
            let ingestion = ingestion_in(encoding.name().unwrap_or("plain"))?;
            let (_, ingest) = ingestion.measure(bodies.into_iter().map(Ok), encoding)?;
            Ok(Encoded { encoding, ingest })
        })
        .collect()
}

fn first_bodies(bodies: Bodies) -> anyhow::Result<Vec<Body>> {
    let mut raw_bytes = 0;
    bodies
        .take_while(|body| {
            let is_wanted = raw_bytes < RAW_BYTES;
            raw_bytes += body.as_ref().map_or(0, |body| body.raw_bytes);
            is_wanted
        })
        .collect()
}
