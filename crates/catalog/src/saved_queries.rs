//! Saved queries: what somebody asks again and again, under a name.

use std::sync::Arc;

use cordwood_event::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::database::{id_from, id_to};
use crate::{ApiTokenId, Catalog, ClientId, Error};

/// The number of a saved query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SavedQueryId(pub u64);

/// Who sees a saved query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Its owner.
    Private,
    /// All who see its client.
    Shared,
}

/// A saved query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedQuery {
    /// Its number.
    pub id: SavedQueryId,
    /// What of it can be chosen.
    pub content: SavedQueryContent,
    /// The client it belongs to.
    pub client: ClientId,
    /// The token that made it; `None` if it was made with the client.
    pub owner: Option<ApiTokenId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What of a saved query can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedQueryContent {
    /// Unique among those that its client shares, or that its owner keeps for themselves; whatever the case of ASCII letters.
    pub name: String,
    /// Who sees it.
    pub visibility: Visibility,
    /// What it is for.
    pub description: String,
    /// The query.
    pub query: String,
    /// From when, as written: `now-1h`.
    pub from: Option<String>,
    /// Until when.
    pub to: Option<String>,
    /// Whether the oldest events come first.
    pub is_oldest_first: bool,
    /// The columns to show.
    pub columns: Vec<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The sources to search, as written; none for all.
    pub sources: Vec<String>,
}

impl Catalog {
    /// All saved queries, by id.
    pub fn saved_queries(&self) -> Vec<Arc<SavedQuery>> {
        self.read().saved_queries.values().cloned().collect()
    }

    /// Saves a query.
    pub fn create_saved_query(
        &self,
        client: ClientId,
        owner: ApiTokenId,
        content: SavedQueryContent,
        now: Timestamp,
    ) -> Result<Arc<SavedQuery>, Error> {
        self.change(
            "saving a query",
            |transaction| insert(transaction, client, Some(owner), content, now),
            |memory, saved| memory.show_saved_query(saved),
        )
    }

    /// Changes a saved query.
    pub fn update_saved_query(
        &self,
        id: SavedQueryId,
        content: SavedQueryContent,
        now: Timestamp,
    ) -> Result<Arc<SavedQuery>, Error> {
        let known = self.read().saved_queries.get(&id).cloned();
        let known = known.ok_or(Error::NotFound {
            kind: "saved query",
        })?;
        let saved = SavedQuery {
            content,
            updated_at: now,
            ..(*known).clone()
        };
        self.change(
            "changing a saved query",
            |transaction| update(transaction, &saved).map(|()| saved),
            |memory, saved| memory.show_saved_query(saved),
        )
    }

    /// Deletes a saved query.
    pub fn delete_saved_query(&self, id: SavedQueryId) -> Result<(), Error> {
        self.change(
            "deleting a saved query",
            |transaction| {
                let deleted = transaction
                    .execute("DELETE FROM saved_queries WHERE id = ?1", [id_to(id.0)])
                    .map_err(Error::database("deleting a saved query"))?;
                match deleted {
                    0 => Err(Error::NotFound {
                        kind: "saved query",
                    }),
                    _ => Ok(()),
                }
            },
            |memory, ()| memory.forget_saved_query(id),
        )
    }

    /// Makes the first saved queries of each client that never had any. What was deleted of them does not come back.
    pub fn make_starters(
        &self,
        starters: &[SavedQueryContent],
        now: Timestamp,
    ) -> Result<(), Error> {
        let doing = "making the first saved queries";
        self.change(
            doing,
            |transaction| {
                let mut made = Vec::new();
                for client in without_starters(transaction).map_err(Error::database(doing))? {
                    for content in starters {
                        made.push(insert(transaction, client, None, content.clone(), now)?);
                    }
                }
                transaction
                    .execute("UPDATE clients SET has_starters = 1", [])
                    .map_err(Error::database(doing))?;
                Ok(made)
            },
            |memory, made| {
                for saved in made {
                    memory.show_saved_query(saved);
                }
            },
        )
    }
}

fn without_starters(connection: &Connection) -> rusqlite::Result<Vec<ClientId>> {
    let mut statement =
        connection.prepare("SELECT id FROM clients WHERE has_starters = 0 ORDER BY id")?;
    let rows = statement.query_map([], |row| Ok(ClientId(id_from(row.get(0)?))))?;
    rows.collect()
}

fn insert(
    connection: &Connection,
    client: ClientId,
    owner: Option<ApiTokenId>,
    content: SavedQueryContent,
    now: Timestamp,
) -> Result<SavedQuery, Error> {
    connection
        .execute(
            "INSERT INTO saved_queries (client_id, owner_token_id, is_private, name, description, query,
                range_from, range_to, is_oldest_first, columns, tags, sources, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13)",
            params![
                id_to(client.0),
                owner.map(|owner| id_to(owner.0)),
                content.visibility == Visibility::Private,
                content.name,
                content.description,
                content.query,
                content.from,
                content.to,
                content.is_oldest_first,
                content.columns.join("\n"),
                content.tags.join("\n"),
                content.sources.join("\n"),
                now.as_nanos(),
            ],
        )
        .map_err(Error::unless_taken("saving a query"))?;
    Ok(SavedQuery {
        id: SavedQueryId(id_from(connection.last_insert_rowid())),
        content,
        client,
        owner,
        created_at: now,
        updated_at: now,
    })
}

fn update(connection: &Connection, saved: &SavedQuery) -> Result<(), Error> {
    let content = &saved.content;
    let updated = connection
        .execute(
            "UPDATE saved_queries SET is_private = ?2, name = ?3, description = ?4, query = ?5, range_from = ?6,
                range_to = ?7, is_oldest_first = ?8, columns = ?9, tags = ?10, sources = ?11, updated_at = ?12
             WHERE id = ?1",
            params![
                id_to(saved.id.0),
                content.visibility == Visibility::Private,
                content.name,
                content.description,
                content.query,
                content.from,
                content.to,
                content.is_oldest_first,
                content.columns.join("\n"),
                content.tags.join("\n"),
                content.sources.join("\n"),
                saved.updated_at.as_nanos(),
            ],
        )
        .map_err(Error::unless_taken("changing a saved query"))?;
    match updated {
        0 => Err(Error::NotFound {
            kind: "saved query",
        }),
        _ => Ok(()),
    }
}

pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Vec<SavedQuery>> {
    let mut statement = connection.prepare(
        "SELECT id, client_id, owner_token_id, is_private, name, description, query, range_from, range_to,
            is_oldest_first, columns, tags, sources, created_at, updated_at
         FROM saved_queries ORDER BY id",
    )?;
    let rows = statement.query_map([], from_row)?;
    rows.collect()
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<SavedQuery> {
    let owner: Option<i64> = row.get(2)?;
    let list = |index: usize| -> rusqlite::Result<Vec<String>> {
        let text: String = row.get(index)?;
        Ok(text.lines().map(str::to_owned).collect())
    };
    Ok(SavedQuery {
        id: SavedQueryId(id_from(row.get(0)?)),
        client: ClientId(id_from(row.get(1)?)),
        owner: owner.map(|owner| ApiTokenId(id_from(owner))),
        content: SavedQueryContent {
            visibility: match row.get(3)? {
                true => Visibility::Private,
                false => Visibility::Shared,
            },
            name: row.get(4)?,
            description: row.get(5)?,
            query: row.get(6)?,
            from: row.get(7)?,
            to: row.get(8)?,
            is_oldest_first: row.get(9)?,
            columns: list(10)?,
            tags: list(11)?,
            sources: list(12)?,
        },
        created_at: Timestamp::from_nanos(row.get(13)?),
        updated_at: Timestamp::from_nanos(row.get(14)?),
    })
}
