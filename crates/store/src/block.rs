//! A block: up to 65 536 events of one source as encoded columns, and the directory that says where they lie.
//!
//! [`encode`] makes one from rows sorted by time; a [`BlockReader`] gives its columns back from wherever
//! its bytes are. What the bytes mean is written in `docs/format.md`. Nothing here knows files, logs,
//! segments or the query language.

mod directory;
mod encode;
mod gather;
mod reader;
mod rest;
#[cfg(test)]
mod tests;

pub use directory::{
    BlockDirectory, Chunk, ColumnEntry, CountedValue, EncodedDirectories, LevelCounts,
    MinuteCounts, NumberRange, RestEntry, TextEntry, ValueCounts, decode_directories,
    encode_directories,
};
pub use encode::{EncodeError, EncodedBlock, encode};
pub use gather::BlockRow;
pub use reader::{BlockReader, ReadChunk, RowFields};
pub use rest::Rest;

/// Most rows a block can have: a row number fits 16 bits, and the working set of a scan of one column
/// (512 KiB of integers) fits the cache of one core.
pub const ROWS_MAX: usize = 1 << 16;

/// Most columns a block has of its own; the rarest fields beyond share one chunk. Keeps the directory of a
/// block with a million field names as small as any other's.
pub const COLUMNS_MAX: usize = 256;

/// Most values the shared chunk of rare fields can hold. A value takes five bytes of a request at the least, so
/// a block of 4 MiB whose last event has the largest size allowed, 10 MiB, holds 3 million. Bounds what a reader
/// allocates for damaged bytes.
pub const REST_CELLS_MAX: usize = 1 << 22;

/// Most bytes of text in a block. Bounds what a reader allocates for damaged bytes, and keeps every offset in 32 bits.
pub const TEXT_BYTES_MAX: usize = 1 << 30;
