//! For whom a use case acts, and what that allows.

use crate::Error;

pub use cordwood_catalog::{Access, ClientId, Scope};

/// Who asks: made by [`Service::authenticate`](crate::Service::authenticate) from an API token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub(crate) access: Access,
    pub(crate) scope: Scope,
    pub(crate) token_name: String,
}

impl Caller {
    /// What the caller may do.
    pub fn access(&self) -> Access {
        self.access
    }

    /// The name of the API token, for logs.
    pub fn token_name(&self) -> &str {
        &self.token_name
    }

    /// Whether the caller may know of this client at all.
    pub fn sees(&self, client: ClientId) -> bool {
        match &self.scope {
            Scope::AllClients => true,
            Scope::Clients(clients) => clients.contains(&client),
        }
    }

    /// The one place where access is checked.
    pub fn require(&self, needed: Access) -> Result<(), Error> {
        if self.access >= needed {
            Ok(())
        } else {
            Err(Error::Forbidden {
                needed,
                has: self.access,
            })
        }
    }
}
