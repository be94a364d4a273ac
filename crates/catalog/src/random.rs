//! Randomness, as an argument.

use std::fmt::Debug;

/// Where tokens come from.
pub trait Random: Debug + Send + Sync {
    /// Fills `bytes` with bytes nobody can guess.
    fn fill(&self, bytes: &mut [u8]);
}
