//! What an API token allows, and for which clients.

use std::collections::BTreeSet;
use std::fmt;

/// A client of the organisation. Every source belongs to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a token allows; each includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// Searching and listing.
    Read,
    /// Sending events too.
    Write,
    /// Making and changing sources and tokens too.
    Admin,
}

impl Access {
    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Access::Read => "read",
            Access::Write => "write",
            Access::Admin => "admin",
        }
    }

    /// The inverse of [`Access::name`].
    pub fn parse(name: &str) -> Option<Access> {
        [Access::Read, Access::Write, Access::Admin]
            .into_iter()
            .find(|access| access.name() == name)
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The clients a token is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All clients, those made later too.
    AllClients,
    /// These.
    Clients(BTreeSet<ClientId>),
}
