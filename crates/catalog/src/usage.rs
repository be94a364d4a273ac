//! What each source took in and refused, by calendar month: counted in memory, written now and then.
//!
//! A crash loses what was counted since the last [`Catalog::write_usage`]; the events themselves
//! are the store's and are not lost with it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cordwood_event::{SourceId, Timestamp};
use rusqlite::{Connection, params};

use crate::database::{id_from, id_to};
use crate::memory::{LastUse, LiveSource, Memory};
use crate::{Catalog, Error};

/// A calendar month in UTC. Written `2026-03`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i64);

impl Month {
    /// The month of an instant.
    pub fn of(instant: Timestamp) -> Month {
        let date = jiff::Timestamp::from_nanosecond(i128::from(instant.as_nanos()))
            .unwrap_or_default()
            .to_zoned(jiff::tz::TimeZone::UTC)
            .date();
        Month(i64::from(date.year()) * 100 + i64::from(date.month()))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0 / 100, self.0 % 100)
    }
}

/// The usage of one month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MonthUsage {
    /// Which month.
    pub month: Month,
    /// Bytes accepted, before compression.
    pub bytes: u64,
    /// Events accepted.
    pub events: u64,
    /// Requests and events refused, by reason.
    pub refused: BTreeMap<String, u64>,
}

/// The counters of one source.
#[derive(Debug, Default)]
pub struct SourceUsage {
    counted: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    current: MonthUsage,
    /// Months that ended and were not written since.
    ended: Vec<MonthUsage>,
    has_unwritten: bool,
}

impl Counted {
    /// The counters to add to at `now`. A clock set back goes on counting in the later month.
    fn at(&mut self, now: Timestamp) -> &mut MonthUsage {
        let month = Month::of(now);
        if month > self.current.month {
            let started = MonthUsage {
                month,
                ..MonthUsage::default()
            };
            let ended = std::mem::replace(&mut self.current, started);
            if self.has_unwritten {
                self.ended.push(ended);
            }
        }
        &mut self.current
    }
}

impl SourceUsage {
    /// Counts events taken.
    pub fn accept(&self, bytes: u64, events: u64, now: Timestamp) {
        let mut counted = self.lock();
        let current = counted.at(now);
        current.bytes += bytes;
        current.events += events;
        counted.has_unwritten = true;
    }

    /// Counts requests or events refused.
    pub fn refuse(&self, reason: &str, count: u64, now: Timestamp) {
        let mut counted = self.lock();
        let refused = &mut counted.at(now).refused;
        match refused.get_mut(reason) {
            Some(so_far) => *so_far += count,
            None => drop(refused.insert(reason.to_owned(), count)),
        }
        counted.has_unwritten = true;
    }

    /// The usage of the month of `now`.
    pub fn in_month_of(&self, now: Timestamp) -> MonthUsage {
        self.lock().at(now).clone()
    }

    /// The bytes accepted in the month of `now`.
    pub fn bytes_in_month_of(&self, now: Timestamp) -> u64 {
        self.lock().at(now).bytes
    }

    /// The months that are not on disk as they are here.
    fn take_unwritten(&self) -> Vec<MonthUsage> {
        let mut counted = self.lock();
        let mut unwritten = std::mem::take(&mut counted.ended);
        if std::mem::take(&mut counted.has_unwritten) {
            unwritten.push(counted.current.clone());
        }
        unwritten
    }

    /// Gives back what could not be written.
    fn put_back(&self, mut unwritten: Vec<MonthUsage>) {
        let mut counted = self.lock();
        unwritten.retain(|month| month.month < counted.current.month);
        counted.ended.append(&mut unwritten);
        counted.has_unwritten = true;
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Catalog {
    /// The usage of a source.
    pub fn usage(&self, source: SourceId) -> Option<Arc<SourceUsage>> {
        let memory = self.read();
        memory
            .sources
            .get(&source)
            .map(|live| Arc::clone(&live.usage))
    }

    /// Writes usage and the last use of tokens, as far as they changed, in one transaction.
    pub fn write_usage(&self) -> Result<(), Error> {
        let mut connection = self.connection();
        let memory = self.read();
        let unwritten = Unwritten::take(&memory);
        drop(memory);
        if unwritten.is_empty() {
            return Ok(());
        }
        match unwritten.write(&mut connection) {
            Ok(()) => {
                unwritten.wrote();
                Ok(())
            }
            Err(source) => {
                unwritten.put_back();
                Err(Error::Database {
                    doing: "writing usage",
                    source,
                })
            }
        }
    }
}

/// What memory knows and the disk does not.
struct Unwritten {
    usage: Vec<(SourceId, Arc<SourceUsage>, Vec<MonthUsage>)>,
    source_tokens: Vec<TokenUse>,
    api_tokens: Vec<TokenUse>,
}

struct TokenUse {
    id: u64,
    last_use: Arc<LastUse>,
    at: Timestamp,
}

impl TokenUse {
    fn unwritten(id: u64, last_use: &Arc<LastUse>) -> Option<TokenUse> {
        Some(TokenUse {
            id,
            last_use: Arc::clone(last_use),
            at: last_use.unwritten()?,
        })
    }
}

impl Unwritten {
    fn take(memory: &Memory) -> Unwritten {
        let usage = memory.sources.iter().filter_map(|(id, live)| {
            let months = live.usage.take_unwritten();
            (!months.is_empty()).then(|| (*id, Arc::clone(&live.usage), months))
        });
        let source_tokens = memory.source_tokens.values();
        let api_tokens = memory.api_tokens.values();
        Unwritten {
            usage: usage.collect(),
            source_tokens: source_tokens
                .filter_map(|token| TokenUse::unwritten(token.id, &token.last_use))
                .collect(),
            api_tokens: api_tokens
                .filter_map(|token| TokenUse::unwritten(token.record.id.0, &token.last_use))
                .collect(),
        }
    }

    fn is_empty(&self) -> bool {
        self.usage.is_empty() && self.source_tokens.is_empty() && self.api_tokens.is_empty()
    }

    fn write(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        let transaction = connection.transaction()?;
        for (source, _, months) in &self.usage {
            for month in months {
                write_month(&transaction, *source, month)?;
            }
        }
        let set_source_token = "UPDATE source_tokens SET last_used_at = ?2 WHERE id = ?1";
        write_uses(&transaction, set_source_token, &self.source_tokens)?;
        let set_api_token = "UPDATE api_tokens SET last_used_at = ?2 WHERE id = ?1";
        write_uses(&transaction, set_api_token, &self.api_tokens)?;
        transaction.commit()
    }

    fn wrote(&self) {
        for token in self.source_tokens.iter().chain(&self.api_tokens) {
            token.last_use.wrote(token.at);
        }
    }

    fn put_back(self) {
        for (_, usage, months) in self.usage {
            usage.put_back(months);
        }
    }
}

fn write_uses(connection: &Connection, set: &str, uses: &[TokenUse]) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(set)?;
    for token in uses {
        statement.execute(params![id_to(token.id), token.at.as_nanos()])?;
    }
    Ok(())
}

fn write_month(
    connection: &Connection,
    source: SourceId,
    usage: &MonthUsage,
) -> rusqlite::Result<()> {
    let source = id_to(source.0);
    connection
        .prepare_cached(
            "INSERT INTO usage (source_id, month, bytes, events) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET bytes = excluded.bytes, events = excluded.events",
        )?
        .execute(params![
            source,
            usage.month.0,
            count_to(usage.bytes),
            count_to(usage.events)
        ])?;
    let mut refused = connection.prepare_cached(
        "INSERT INTO usage_refused (source_id, month, reason, count) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET count = excluded.count",
    )?;
    for (reason, count) in &usage.refused {
        refused.execute(params![source, usage.month.0, reason, count_to(*count)])?;
    }
    Ok(())
}

/// Counts stay far below 2^63.
fn count_to(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Loads the latest month of each source into its counters.
pub(crate) fn load(
    connection: &Connection,
    sources: &BTreeMap<SourceId, LiveSource>,
) -> rusqlite::Result<()> {
    let mut months = connection
        .prepare("SELECT source_id, max(month), bytes, events FROM usage GROUP BY source_id")?;
    let mut refused = connection
        .prepare("SELECT reason, count FROM usage_refused WHERE source_id = ?1 AND month = ?2")?;
    let mut rows = months.query([])?;
    while let Some(row) = rows.next()? {
        let (id, month): (i64, i64) = (row.get(0)?, row.get(1)?);
        let Some(live) = sources.get(&SourceId(id_from(id))) else {
            continue;
        };
        let reasons = refused.query_map([id, month], |row| {
            let count: i64 = row.get(1)?;
            Ok((row.get(0)?, count.unsigned_abs()))
        })?;
        live.usage.lock().current = MonthUsage {
            month: Month(month),
            bytes: row.get::<_, i64>(2)?.unsigned_abs(),
            events: row.get::<_, i64>(3)?.unsigned_abs(),
            refused: reasons.collect::<rusqlite::Result<_>>()?,
        };
    }
    Ok(())
}
