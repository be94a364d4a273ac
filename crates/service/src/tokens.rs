//! API tokens: create, list, revoke.

use cordwood_event::Timestamp;

use crate::{Access, Scope, Secret};

/// What is known of an API token; the token itself is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Its number, never reused.
    pub id: u64,
    /// What it is for.
    pub name: String,
    /// What it allows.
    pub access: Access,
    /// For which clients.
    pub scope: Scope,
    /// Its last four characters, to tell tokens apart.
    pub ending: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used; kept up to date to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it stops being good; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// An API token to be made.
#[derive(Clone, Debug)]
pub struct NewApiToken {
    /// What it is for; required.
    pub name: String,
    /// What it allows; no more than its maker has.
    pub access: Access,
    /// For which clients; no more than its maker sees.
    pub scope: Scope,
    /// When it stops being good; `None` for never.
    pub expires_at: Option<Timestamp>,
}

/// An API token just made: its text is shown here and never again.
#[derive(Clone, Debug)]
pub struct CreatedApiToken {
    /// What is known of it.
    pub api_token: ApiToken,
    /// Its text.
    pub token: Secret,
}
