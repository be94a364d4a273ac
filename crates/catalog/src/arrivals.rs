//! Up to which sequence number events had come when, so that a window of arrival is a range of sequence numbers after any restart.

use cordwood_event::Timestamp;
use rusqlite::params;

use crate::database::{id_from, id_to};
use crate::{Catalog, Error};

/// What had come by some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrival {
    /// When it was looked.
    pub at: Timestamp,
    /// The last sequence number then.
    pub sequence: u64,
}

impl Catalog {
    /// All that is kept, oldest first.
    pub fn arrivals(&self) -> Result<Vec<Arrival>, Error> {
        let reading = || Error::database("reading arrivals");
        let connection = self.connection();
        let mut statement = connection
            .prepare("SELECT at, sequence FROM arrivals ORDER BY at")
            .map_err(reading())?;
        let rows = statement
            .query_map([], |row| {
                Ok(Arrival {
                    at: Timestamp::from_nanos(row.get(0)?),
                    sequence: id_from(row.get(1)?),
                })
            })
            .map_err(reading())?;
        rows.collect::<rusqlite::Result<_>>().map_err(reading())
    }

    /// Keeps what had come now, and forgets what is from before `kept_from`.
    pub fn note_arrival(&self, arrival: Arrival, kept_from: Timestamp) -> Result<(), Error> {
        let doing = "noting arrivals";
        self.change(
            doing,
            |transaction| {
                transaction
                    .execute(
                        "INSERT INTO arrivals (at, sequence) VALUES (?1, ?2)
                         ON CONFLICT (at) DO UPDATE SET sequence = excluded.sequence",
                        params![arrival.at.as_nanos(), id_to(arrival.sequence)],
                    )
                    .and_then(|_| {
                        transaction
                            .execute("DELETE FROM arrivals WHERE at < ?1", [kept_from.as_nanos()])
                    })
                    .map(drop)
                    .map_err(Error::database(doing))
            },
            |_, ()| (),
        )
    }
}
