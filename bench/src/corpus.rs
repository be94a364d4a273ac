//! The corpus generator: the same seed gives the same bytes, on any machine, for ever.
//!
//! A corpus is a file of NDJSON and a [`Meta`] beside it. It knows nothing of the server.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "draws from bounded ranges, converted as the recorded checksums fix them"
)]

mod app;
mod day;
mod expand;
pub(crate) mod incident;
mod loghub;
mod rng;
mod template;
mod text;
pub(crate) mod vocabulary;
mod wide;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// What to generate.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) kind: Kind,
    pub(crate) events: u64,
    pub(crate) seed: u64,
    /// The day in UTC, such as `2026-06-10`.
    pub(crate) day: String,
}

/// The shapes of corpus there are.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// Twenty services of a web shop.
    App,
    /// Real lines, from the directory that holds the `*_2k.log` files.
    Loghub(PathBuf),
    /// Events that share few fields.
    Wide,
}

impl Kind {
    /// The day in UTC that recorded corpora of the kind span.
    pub(crate) fn day(&self) -> &'static str {
        match self {
            Kind::App => "2026-06-10",
            Kind::Loghub(_) => "2026-06-11",
            Kind::Wide => "2026-06-12",
        }
    }
}

/// What is known of a corpus without reading it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Meta {
    pub(crate) corpus: String,
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    pub(crate) seed: u64,
    pub(crate) day: String,
    pub(crate) t0_ms: u64,
    pub(crate) t1_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) templates: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) needle_request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) needle_hits: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rare_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rare_hits: Option<u64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) levels: BTreeMap<String, u64>,
}

/// Writes the corpus to `path` and its meta beside it.
pub(crate) fn write(spec: &Spec, path: &Path) -> anyhow::Result<Meta> {
    let file = File::create(path).with_context(|| format!("create {}", path.display()))?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let meta = match &spec.kind {
        Kind::App => app::generate(spec, &mut out)?,
        Kind::Loghub(dir) => loghub::generate(spec, dir, &mut out)?,
        Kind::Wide => wide::generate(spec, &mut out)?,
    };
    out.flush()?;
    std::fs::write(meta_path(path), serde_json::to_string(&meta)? + "\n")?;
    Ok(meta)
}

/// The corpus at `path`: what is there if it is what `spec` says, else generated now.
pub(crate) fn ensure(spec: &Spec, path: &Path) -> anyhow::Result<Meta> {
    if let Ok(text) = std::fs::read_to_string(meta_path(path)) {
        let meta: Meta = serde_json::from_str(&text).context("read the corpus's meta")?;
        let is_whole = std::fs::metadata(path).is_ok_and(|file| file.len() == meta.bytes);
        if is_whole && (meta.events, meta.seed) == (spec.events, spec.seed) && meta.day == spec.day
        {
            return Ok(meta);
        }
    }
    write(spec, path)
}

fn meta_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".meta.json");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests;
