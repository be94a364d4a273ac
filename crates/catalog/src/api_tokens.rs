//! Tokens of the API: what they allow, for which clients, until when.

use std::collections::BTreeSet;
use std::sync::Arc;

use cordwood_event::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::database::{id_from, id_to};
use crate::memory::LastUse;
use crate::{Access, Catalog, ClientId, Error, NewToken, Scope, TokenHash};

/// The number of an API token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiTokenId(pub u64);

/// Who holds a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiTokenPurpose {
    /// Whoever it was made for.
    General,
    /// The command line on this machine; made at the first start.
    CommandLine,
}

impl ApiTokenPurpose {
    fn name(self) -> &'static str {
        match self {
            ApiTokenPurpose::General => "general",
            ApiTokenPurpose::CommandLine => "command_line",
        }
    }
}

/// What is known of an API token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Its number.
    pub id: ApiTokenId,
    /// What it is for, in the words of its maker.
    pub name: String,
    /// Who holds it.
    pub purpose: ApiTokenPurpose,
    /// What it allows.
    pub access: Access,
    /// For which clients.
    pub scope: Scope,
    /// Its last characters.
    pub ending: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// When it stops being good; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl ApiToken {
    fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

/// An API token to be made; fields as in [`ApiToken`].
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "documented on ApiToken")]
pub struct NewApiToken {
    pub name: String,
    pub purpose: ApiTokenPurpose,
    pub access: Access,
    pub scope: Scope,
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug)]
pub(crate) struct LiveApiToken {
    /// Without its last use, which changes beneath it.
    pub(crate) record: ApiToken,
    pub(crate) hash: TokenHash,
    pub(crate) last_use: Arc<LastUse>,
}

impl LiveApiToken {
    fn to_record(&self) -> ApiToken {
        ApiToken {
            last_used_at: self.last_use.at(),
            ..self.record.clone()
        }
    }
}

impl Catalog {
    /// The API token with this hash, if it is good at `now`. Notes the use. Never waits for a disk.
    pub fn find_api_token(&self, hash: TokenHash, now: Timestamp) -> Option<ApiToken> {
        let memory = self.read();
        let id = memory.api_token_hashes.get(&hash)?;
        let token = memory.api_tokens.get(id)?;
        if !token.record.is_live(now) {
            return None;
        }
        token.last_use.note(now);
        Some(token.to_record())
    }

    /// Whether the API token is good at `now`. Notes no use.
    pub fn is_live_api_token(&self, id: ApiTokenId, now: Timestamp) -> bool {
        let memory = self.read();
        let token = memory.api_tokens.get(&id);
        token.is_some_and(|token| token.record.is_live(now))
    }

    /// The API token with this hash, good or not.
    pub fn known_api_token(&self, hash: TokenHash) -> Option<ApiToken> {
        let memory = self.read();
        let id = memory.api_token_hashes.get(&hash)?;
        memory.api_tokens.get(id).map(|token| token.to_record())
    }

    /// All API tokens, by id, revoked ones too.
    pub fn api_tokens(&self) -> Vec<ApiToken> {
        let memory = self.read();
        let tokens = memory.api_tokens.values();
        tokens.map(|token| token.to_record()).collect()
    }

    /// Makes an API token.
    pub fn create_api_token(
        &self,
        new: &NewApiToken,
        token: &NewToken,
        now: Timestamp,
    ) -> Result<ApiToken, Error> {
        let organisation = self.organisation().id;
        self.change(
            "making an API token",
            |transaction| insert(transaction, organisation, new, token, now),
            |memory, token| {
                let record = token.record.clone();
                memory.show_api_token(token);
                record
            },
        )
    }

    /// Revokes an API token. One that is revoked already stays as it is.
    pub fn revoke_api_token(&self, id: ApiTokenId, now: Timestamp) -> Result<ApiToken, Error> {
        self.change(
            "revoking an API token",
            |transaction| {
                let known = self.read().api_tokens.get(&id).cloned();
                let token = known.ok_or(Error::NotFound { kind: "API token" })?;
                transaction
                    .execute(
                        "UPDATE api_tokens SET revoked_at = coalesce(revoked_at, ?2) WHERE id = ?1",
                        params![id_to(id.0), now.as_nanos()],
                    )
                    .map_err(Error::database("revoking an API token"))?;
                Ok(token)
            },
            |memory, token| {
                let revoked = LiveApiToken {
                    record: ApiToken {
                        revoked_at: token.record.revoked_at.or(Some(now)),
                        ..token.record.clone()
                    },
                    hash: token.hash,
                    last_use: Arc::clone(&token.last_use),
                };
                let record = revoked.to_record();
                memory.show_api_token(revoked);
                record
            },
        )
    }
}

fn insert(
    connection: &Connection,
    organisation: u64,
    new: &NewApiToken,
    token: &NewToken,
    now: Timestamp,
) -> Result<LiveApiToken, Error> {
    let making = "making an API token";
    connection
        .execute(
            "INSERT INTO api_tokens (organisation_id, name, purpose, hash, ending, access,
                 all_clients, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                id_to(organisation),
                new.name,
                new.purpose.name(),
                token.hash.as_bytes(),
                token.ending,
                new.access.name(),
                new.scope == Scope::AllClients,
                now.as_nanos(),
                new.expires_at.map(Timestamp::as_nanos),
            ],
        )
        .map_err(Error::database(making))?;
    let id = connection.last_insert_rowid();
    if let Scope::Clients(clients) = &new.scope {
        for client in clients {
            connection
                .execute(
                    "INSERT INTO api_token_clients (api_token_id, client_id) VALUES (?1, ?2)",
                    [id, id_to(client.0)],
                )
                .map_err(Error::database(making))?;
        }
    }
    let record = ApiToken {
        id: ApiTokenId(id_from(id)),
        name: new.name.clone(),
        purpose: new.purpose,
        access: new.access,
        scope: new.scope.clone(),
        ending: token.ending.clone(),
        created_at: now,
        last_used_at: None,
        expires_at: new.expires_at,
        revoked_at: None,
    };
    Ok(LiveApiToken {
        record,
        hash: token.hash,
        last_use: Arc::new(LastUse::new(None)),
    })
}

pub(crate) fn load(connection: &Connection) -> Result<Vec<LiveApiToken>, Error> {
    let reading = "reading API tokens";
    let mut clients = connection
        .prepare("SELECT client_id FROM api_token_clients WHERE api_token_id = ?1")
        .map_err(Error::database(reading))?;
    let mut statement = connection
        .prepare(
            "SELECT id, name, purpose, hash, ending, access, all_clients, created_at,
                 last_used_at, expires_at, revoked_at
             FROM api_tokens ORDER BY id",
        )
        .map_err(Error::database(reading))?;
    let mut rows = statement.query([]).map_err(Error::database(reading))?;
    let mut tokens = Vec::new();
    while let Some(row) = rows.next().map_err(Error::database(reading))? {
        let id: i64 = row.get(0).map_err(Error::database(reading))?;
        let limited_to = clients
            .query_map([id], |row| Ok(ClientId(id_from(row.get(0)?))))
            .and_then(Iterator::collect)
            .map_err(Error::database(reading))?;
        tokens.push(from_row(row, limited_to)?);
    }
    Ok(tokens)
}

fn from_row(row: &Row<'_>, limited_to: BTreeSet<ClientId>) -> Result<LiveApiToken, Error> {
    let stored = StoredToken::from_row(row).map_err(Error::database("reading API tokens"))?;
    let access = Access::parse(&stored.access).ok_or(Error::Corrupt {
        expected: "an access",
        value: stored.access,
    })?;
    let purpose = [ApiTokenPurpose::General, ApiTokenPurpose::CommandLine]
        .into_iter()
        .find(|purpose| purpose.name() == stored.purpose)
        .ok_or(Error::Corrupt {
            expected: "a purpose",
            value: stored.purpose,
        })?;
    let scope = match stored.all_clients {
        true => Scope::AllClients,
        false => Scope::Clients(limited_to),
    };
    let record = ApiToken {
        id: stored.id,
        name: stored.name,
        purpose,
        access,
        scope,
        ending: stored.ending,
        created_at: stored.created_at,
        last_used_at: stored.last_used_at,
        expires_at: stored.expires_at,
        revoked_at: stored.revoked_at,
    };
    Ok(LiveApiToken {
        record,
        hash: stored.hash,
        last_use: Arc::new(LastUse::new(stored.last_used_at)),
    })
}

/// A row as SQLite holds it.
struct StoredToken {
    id: ApiTokenId,
    name: String,
    purpose: String,
    hash: TokenHash,
    ending: String,
    access: String,
    all_clients: bool,
    created_at: Timestamp,
    last_used_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

impl StoredToken {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<StoredToken> {
        let time = |index: usize| -> rusqlite::Result<Option<Timestamp>> {
            let nanos: Option<i64> = row.get(index)?;
            Ok(nanos.map(Timestamp::from_nanos))
        };
        Ok(StoredToken {
            id: ApiTokenId(id_from(row.get(0)?)),
            name: row.get(1)?,
            purpose: row.get(2)?,
            hash: TokenHash::from_bytes(row.get(3)?),
            ending: row.get(4)?,
            access: row.get(5)?,
            all_clients: row.get(6)?,
            created_at: Timestamp::from_nanos(row.get(7)?),
            last_used_at: time(8)?,
            expires_at: time(9)?,
            revoked_at: time(10)?,
        })
    }
}
