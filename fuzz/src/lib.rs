//! Fuzz targets: what any bytes at all must not do to the decoders, the parser and the readers.
//!
//! A target is a function of bytes that panics when an invariant is broken. The same functions are
//! run by the driver here, which needs nothing but the stable compiler and a time limit, and by
//! libFuzzer (`fuzz/libfuzzer`), which is guided by coverage. Their corpora are `fuzz/corpus/<target>`.

mod mutator;
mod targets;

pub use mutator::Mutator;
pub use targets::{TARGETS, Target, target};
