//! Sessions of the protocol over HTTP: how many there may be, and whose each is.
//!
//! A session remembers streams that can be taken up again, with answers on them; only the token that began it may.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Sessions at once. Each costs a few tasks and what its last answers take.
pub(crate) const SESSIONS_MAX: usize = 256;

/// Which API token began which session.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    token_of: Mutex<HashMap<String, u64>>,
}

impl Sessions {
    /// Remembers the session `id` as that of a token, and forgets those that are not alive any more.
    pub(crate) fn begin(&self, id: &str, token: u64, is_alive: impl Fn(&str) -> bool) {
        let mut token_of = self.lock();
        token_of.retain(|id, _| is_alive(id));
        token_of.insert(id.to_owned(), token);
    }

    /// Whether the session is one that this token began.
    pub(crate) fn is_of(&self, id: &str, token: u64) -> bool {
        self.lock().get(id) == Some(&token)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, u64>> {
        self.token_of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_of_the_token_that_began_it_and_dies() {
        let sessions = Sessions::default();
        sessions.begin("a", 1, |_| true);
        assert!(sessions.is_of("a", 1));
        assert!(!sessions.is_of("a", 2));
        assert!(!sessions.is_of("b", 1));
        sessions.begin("b", 2, |id| id != "a");
        assert!(!sessions.is_of("a", 1));
        assert!(sessions.is_of("b", 2));
    }
}
