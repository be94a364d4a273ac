//! Clients: those the organisation looks after. Making them comes with the rest of tenancy.

pub use cordwood_catalog::Client;

use crate::{Access, Caller, ClientId, Error, InvalidValue, Service};

/// Clients that are named where one has to be chosen: more would hide what the sentence says.
const CLIENTS_TOLD_MAX: usize = 10;

impl Service {
    /// The clients the caller sees, by id.
    pub fn list_clients(&self, caller: &Caller) -> Result<Vec<Client>, Error> {
        caller.require(Access::Read)?;
        Ok(self.visible_clients(caller))
    }

    pub(crate) fn visible_clients(&self, caller: &Caller) -> Vec<Client> {
        let mut clients = self.catalog.clients();
        clients.retain(|client| caller.sees(client.id));
        clients
    }

    /// The client that a new record is for: the one named, or the only one that the caller sees. Of several none is taken for granted: what
    /// is meant for one client must not end up with another.
    pub(crate) fn client_meant(
        &self,
        caller: &Caller,
        named: Option<ClientId>,
    ) -> Result<ClientId, Error> {
        let clients = self.visible_clients(caller);
        let wrong =
            |message: &str| Error::InvalidValues(vec![InvalidValue::new("client_id", message)]);
        match (named, clients.as_slice()) {
            (Some(id), clients) if clients.iter().any(|client| client.id == id) => Ok(id),
            (Some(_), _) => Err(wrong("does not exist")),
            (None, [client]) => Ok(client.id),
            (None, []) => Err(wrong("can't be blank")),
            (None, several) => {
                let names = several.iter().map(|client| client.name.as_str());
                let names: Vec<&str> = names.take(CLIENTS_TOLD_MAX).collect();
                let names = names.join(", ");
                Err(wrong(&format!("has to be given: this token sees {names}")))
            }
        }
    }
}
