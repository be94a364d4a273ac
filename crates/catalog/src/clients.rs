//! Organisations and their clients. One of each is made with the catalog; the rest of tenancy
//! grows from here.

use cordwood_event::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::database::{id_from, id_to};
use crate::{Catalog, ClientId, Error};

/// The name of the organisation and the client made with the catalog.
const DEFAULT_NAME: &str = "default";

/// Who runs this Cordwood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
}

/// One of those the organisation looks after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its number.
    pub id: ClientId,
    /// Unique within the organisation, whatever the case of ASCII letters.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Catalog {
    /// The organisation.
    pub fn organisation(&self) -> Organisation {
        self.read().organisation.clone()
    }

    /// All clients, by id; never none.
    pub fn clients(&self) -> Vec<Client> {
        self.read().clients.clone()
    }

    /// Makes a client.
    pub fn create_client(&self, name: &str, now: Timestamp) -> Result<Client, Error> {
        let organisation = self.organisation().id;
        self.change(
            "making a client",
            |transaction| insert_client(transaction, organisation, name, now),
            |memory, client| {
                memory.clients.push(client.clone());
                client
            },
        )
    }
}

/// Loads the organisation, or makes it and its first client in a new catalog.
pub(crate) fn load_or_make(
    connection: &Connection,
    now: Timestamp,
) -> Result<(Organisation, Vec<Client>), Error> {
    let found = connection
        .query_row(
            "SELECT id, name FROM organisations ORDER BY id LIMIT 1",
            [],
            |row| {
                Ok(Organisation {
                    id: id_from(row.get(0)?),
                    name: row.get(1)?,
                })
            },
        )
        .optional()
        .map_err(Error::database("reading the organisation"))?;
    match found {
        Some(organisation) => {
            let clients = load_clients(connection).map_err(Error::database("reading clients"))?;
            Ok((organisation, clients))
        }
        None => make(connection, now),
    }
}

fn make(connection: &Connection, now: Timestamp) -> Result<(Organisation, Vec<Client>), Error> {
    connection
        .execute(
            "INSERT INTO organisations (name, created_at) VALUES (?1, ?2)",
            params![DEFAULT_NAME, now.as_nanos()],
        )
        .map_err(Error::database("making the organisation"))?;
    let organisation = Organisation {
        id: id_from(connection.last_insert_rowid()),
        name: DEFAULT_NAME.to_owned(),
    };
    let client = insert_client(connection, organisation.id, DEFAULT_NAME, now)?;
    Ok((organisation, vec![client]))
}

fn insert_client(
    connection: &Connection,
    organisation: u64,
    name: &str,
    now: Timestamp,
) -> Result<Client, Error> {
    connection
        .execute(
            "INSERT INTO clients (organisation_id, name, created_at) VALUES (?1, ?2, ?3)",
            params![id_to(organisation), name, now.as_nanos()],
        )
        .map_err(Error::unless_taken("making a client"))?;
    Ok(Client {
        id: ClientId(id_from(connection.last_insert_rowid())),
        name: name.to_owned(),
        created_at: now,
    })
}

fn load_clients(connection: &Connection) -> rusqlite::Result<Vec<Client>> {
    let mut statement =
        connection.prepare("SELECT id, name, created_at FROM clients ORDER BY id")?;
    let rows = statement.query_map([], |row| {
        Ok(Client {
            id: ClientId(id_from(row.get(0)?)),
            name: row.get(1)?,
            created_at: Timestamp::from_nanos(row.get(2)?),
        })
    })?;
    rows.collect()
}
