//! Clients: those the organisation looks after. Making them comes with the rest of tenancy.

pub use cordwood_catalog::Client;

use crate::{Access, Caller, ClientId, Error, InvalidValue, Service};

impl Service {
    /// The clients the caller sees, by id.
    pub fn list_clients(&self, caller: &Caller) -> Result<Vec<Client>, Error> {
        caller.require(Access::Read)?;
        let mut clients = self.catalog.clients();
        clients.retain(|client| caller.sees(client.id));
        Ok(clients)
    }

    /// The client that a new record is for: the one named, or the first that the caller sees.
    pub(crate) fn client_named(
        &self,
        caller: &Caller,
        named: Option<ClientId>,
    ) -> Result<ClientId, Error> {
        let mut clients = self.catalog.clients();
        clients.retain(|client| caller.sees(client.id));
        let wrong = |message| Error::InvalidValues(vec![InvalidValue::new("client_id", message)]);
        match named {
            Some(id) if clients.iter().any(|client| client.id == id) => Ok(id),
            Some(_) => Err(wrong("does not exist")),
            None => {
                let first = clients.first().map(|client| client.id);
                first.ok_or_else(|| wrong("can't be blank"))
            }
        }
    }
}
