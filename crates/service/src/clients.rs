//! Clients: those the organisation looks after. Making them comes with the rest of tenancy.

pub use cordwood_catalog::Client;

use crate::{Access, Caller, Error, Service};

impl Service {
    /// The clients the caller sees, by id.
    pub fn list_clients(&self, caller: &Caller) -> Result<Vec<Client>, Error> {
        caller.require(Access::Read)?;
        let mut clients = self.catalog.clients();
        clients.retain(|client| caller.sees(client.id));
        Ok(clients)
    }
}
