//! The list of targets.

mod block;
mod compressed;
mod data_directory;
mod events;
mod query;
mod tokens;

/// A function of bytes that panics when an invariant is broken.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Names the target and its corpus.
    pub name: &'static str,
    /// Panics if it finds a fault.
    pub run: fn(&[u8]),
    /// Words of the format, which a mutator would be long in finding.
    pub dictionary: &'static [&'static str],
}

/// Every target.
pub const TARGETS: &[Target] = &[
    events::JSON,
    events::NDJSON,
    events::MSGPACK,
    events::LINES,
    compressed::GZIP,
    compressed::DEFLATE,
    compressed::ZSTD,
    compressed::BROTLI,
    query::QUERY,
    block::BLOCK,
    block::DIRECTORIES,
    data_directory::DATA_DIRECTORY,
    tokens::TOKENS,
];

/// The target of this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
