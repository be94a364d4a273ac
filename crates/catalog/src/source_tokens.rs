//! Tokens of sources: several may be live at once, so that a rotation loses no event.

use std::sync::Arc;

use cordwood_event::{SourceId, Timestamp};
use rusqlite::{Connection, params};

use crate::database::{id_from, id_to};
use crate::memory::{LastUse, LiveSource};
use crate::sources::NO_SOURCE;
use crate::{Catalog, Error, NewToken, Source, SourceUsage, TokenHash};

/// Live tokens a source may have; more are a script rotating in a loop.
pub const LIVE_TOKENS_MAX: usize = 16;

/// What is known of a source's token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceToken {
    /// Its last characters.
    pub ending: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// When it stops being good; `None` for never.
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug)]
pub(crate) struct LiveSourceToken {
    pub(crate) id: u64,
    pub(crate) source: SourceId,
    pub(crate) hash: TokenHash,
    pub(crate) ending: String,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) last_use: Arc<LastUse>,
}

impl LiveSourceToken {
    fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expires_at| now < expires_at)
    }

    fn with_expiry(&self, expires_at: Timestamp) -> LiveSourceToken {
        LiveSourceToken {
            expires_at: Some(expires_at),
            ending: self.ending.clone(),
            last_use: Arc::clone(&self.last_use),
            ..*self
        }
    }
}

impl Catalog {
    /// The source a token is good for at `now`, and its usage. Notes the use. Never waits for a disk.
    pub fn find_source_token(
        &self,
        hash: TokenHash,
        now: Timestamp,
    ) -> Option<(Arc<Source>, Arc<SourceUsage>)> {
        let memory = self.read();
        let token = memory.source_tokens.get(&hash)?;
        let live = memory.sources.get(&token.source)?;
        if !token.is_live(now) {
            return None;
        }
        token.last_use.note(now);
        Some((Arc::clone(&live.source), Arc::clone(&live.usage)))
    }

    /// The tokens of a source that are good at `now`, newest first.
    pub fn source_tokens(&self, source: SourceId, now: Timestamp) -> Vec<SourceToken> {
        let memory = self.read();
        let tokens = memory.sources.get(&source).map(|live| &live.tokens);
        let live = tokens.into_iter().flatten().rev();
        live.filter(|token| token.is_live(now))
            .map(|token| SourceToken {
                ending: token.ending.clone(),
                created_at: token.created_at,
                last_used_at: token.last_use.at(),
                expires_at: token.expires_at,
            })
            .collect()
    }

    /// Gives a source a new token. Those before it are good until `old_expire_at`, or until their own
    /// expiry if that is sooner; the dead ones are forgotten.
    pub fn rotate_source_token(
        &self,
        source: SourceId,
        token: &NewToken,
        old_expire_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.change(
            "rotating a token",
            |transaction| {
                let live = self.read().sources.get(&source).cloned();
                let kept = kept_tokens(&live.ok_or(NO_SOURCE)?, old_expire_at, now);
                if kept.len() >= LIVE_TOKENS_MAX {
                    return Err(Error::TooManyTokens {
                        max: LIVE_TOKENS_MAX,
                    });
                }
                write_expiry(transaction, source, old_expire_at, now)
                    .map_err(Error::database("rotating a token"))?;
                Ok((kept, insert_token(transaction, source, token, now)?))
            },
            |memory, (kept, token)| {
                memory
                    .source_tokens
                    .retain(|_, token| token.source != source);
                if let Some(live) = memory.sources.get_mut(&source) {
                    live.tokens.clear();
                }
                for token in kept {
                    memory.show_source_token(token);
                }
                memory.show_source_token(token);
            },
        )
    }
}

/// The tokens that outlive a rotation, with their new expiry.
fn kept_tokens(
    live: &LiveSource,
    old_expire_at: Timestamp,
    now: Timestamp,
) -> Vec<LiveSourceToken> {
    let tokens = live.tokens.iter().map(|token| {
        let own = token.expires_at.unwrap_or(old_expire_at);
        token.with_expiry(own.min(old_expire_at))
    });
    tokens.filter(|token| token.is_live(now)).collect()
}

/// The same on disk.
fn write_expiry(
    connection: &Connection,
    source: SourceId,
    old_expire_at: Timestamp,
    now: Timestamp,
) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE source_tokens SET expires_at = min(coalesce(expires_at, ?2), ?2)
         WHERE source_id = ?1",
        params![id_to(source.0), old_expire_at.as_nanos()],
    )?;
    connection.execute(
        "DELETE FROM source_tokens WHERE source_id = ?1 AND expires_at <= ?2",
        params![id_to(source.0), now.as_nanos()],
    )?;
    Ok(())
}

pub(crate) fn insert_token(
    connection: &Connection,
    source: SourceId,
    token: &NewToken,
    now: Timestamp,
) -> Result<LiveSourceToken, Error> {
    connection
        .execute(
            "INSERT INTO source_tokens (source_id, hash, ending, created_at) VALUES (?1, ?2, ?3, ?4)",
            params![id_to(source.0), token.hash.as_bytes(), token.ending, now.as_nanos()],
        )
        .map_err(Error::database("making a source token"))?;
    Ok(LiveSourceToken {
        id: id_from(connection.last_insert_rowid()),
        source,
        hash: token.hash,
        ending: token.ending.clone(),
        created_at: now,
        expires_at: None,
        last_use: Arc::new(LastUse::new(None)),
    })
}

pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Vec<LiveSourceToken>> {
    let mut statement = connection.prepare(
        "SELECT id, source_id, hash, ending, created_at, expires_at, last_used_at
         FROM source_tokens ORDER BY id",
    )?;
    let rows = statement.query_map([], |row| {
        let last_used_at: Option<i64> = row.get(6)?;
        let expires_at: Option<i64> = row.get(5)?;
        Ok(LiveSourceToken {
            id: id_from(row.get(0)?),
            source: SourceId(id_from(row.get(1)?)),
            hash: TokenHash::from_bytes(row.get(2)?),
            ending: row.get(3)?,
            created_at: Timestamp::from_nanos(row.get(4)?),
            expires_at: expires_at.map(Timestamp::from_nanos),
            last_use: Arc::new(LastUse::new(last_used_at.map(Timestamp::from_nanos))),
        })
    })?;
    rows.collect()
}
