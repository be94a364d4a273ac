//! Keys of this server that are in no file of their own: made once, the same for as long as the catalog is.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{Catalog, Error, Random};

/// The bytes of a key, as many as SHA-256 gives.
pub const SERVER_KEY_BYTES: usize = 32;

impl Catalog {
    /// The key of this name; made when it is first asked for.
    pub fn server_key(
        &self,
        name: &str,
        random: &dyn Random,
    ) -> Result<[u8; SERVER_KEY_BYTES], Error> {
        let doing = "reading a key of the server";
        self.change(
            doing,
            |transaction| {
                if let Some(key) = known(transaction, name).map_err(Error::database(doing))? {
                    return Ok(key);
                }
                let mut key = [0; SERVER_KEY_BYTES];
                random.fill(&mut key);
                transaction
                    .execute(
                        "INSERT INTO server_keys (name, key) VALUES (?1, ?2)",
                        params![name, key],
                    )
                    .map_err(Error::database(doing))?;
                Ok(key)
            },
            |_, key| key,
        )
    }
}

fn known(connection: &Connection, name: &str) -> rusqlite::Result<Option<[u8; SERVER_KEY_BYTES]>> {
    connection
        .query_row(
            "SELECT key FROM server_keys WHERE name = ?1",
            [name],
            |row| row.get(0),
        )
        .optional()
}
