//! Secrets of channels: in requests, and nowhere else.

use std::fmt;

/// Shorter ones would hide half of a text.
const HIDDEN_LENGTH_MIN: usize = 4;

/// A secret; printed by no `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The secret itself, for a request.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// The text without the secret in it: some servers repeat what they were sent.
    pub(crate) fn hidden_in(&self, text: &str) -> String {
        match self.0.len() < HIDDEN_LENGTH_MIN {
            true => text.to_owned(),
            false => text.replace(&self.0, "…"),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
