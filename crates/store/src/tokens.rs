//! The token map: which blocks hold a word. It rules blocks out before anything of them is read.
//!
//! A word is a maximal run of ASCII letters, digits and `_`, in lower case; everything else separates. So words are
//! the same whatever a reader of text takes for a letter beyond ASCII, as long as it never takes such a character for one of
//! ASCII. A word is known by a hash of up to 32 bits: two words may share one, so that a map can only say where a word
//! is *not*. `docs/format.md` says what the bytes are. Nothing here knows files, columns or the query language.

mod block_set;
mod build;
mod collect;
mod hash_bits;
mod leaves;
mod map;
mod page;
#[cfg(test)]
mod tests;
mod words;

pub use block_set::BlockSet;
pub use build::TokenMapBytes;
pub(crate) use build::{BlockTarget, MapInput, map_blocks, merge};
pub use collect::BlockTokens;
use hash_bits::HashBits;
pub use map::{ReadPages, TokenMap};
pub use words::WordHash;
