//! Clauses on the encoded columns of one block.
//!
//! Must agree with [`cordwood_query::Matcher`] on every event: a column is only ever a faster way to ask the
//! same question of many values.

use crate::budget::Cut;

/// Why a block was not evaluated to its end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The search must stop.
    Cut(Cut),
    /// The block cannot be read; the text says why.
    Unreadable(String),
}

impl From<Cut> for Failure {
    fn from(cut: Cut) -> Failure {
        Failure::Cut(cut)
    }
}

/// Names an error and what caused it.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
