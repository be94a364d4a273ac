//! How much a block holds, and when it is full. Knows neither where rows come from nor how they are encoded.

use cordwood_event::EventRef;

use crate::Options;
use crate::block::BlockDirectory;

/// Events with fewer values than this, on average, may have more bytes in a block, in proportion: to fetch a row costs something for
/// each of its fields, and of events with few fields most is text, which takes less the more there is.
const VALUES_OF_MANY: u64 = 8;

/// But no more than so many times [`Options::block_event_bytes`].
const TIMES_MAX: u64 = 2;

/// Rows with what they weigh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fill {
    pub(crate) rows: u64,
    /// Bytes of the events as sent.
    pub(crate) event_bytes: u64,
    /// Values of all fields; the time and the level of an event are none.
    pub(crate) values: u64,
}

impl Fill {
    pub(crate) fn of_event(event: EventRef<'_>) -> Fill {
        Fill {
            rows: 1,
            event_bytes: event.source_bytes() as u64,
            values: event.fields().len() as u64,
        }
    }

    pub(crate) fn of_block(directory: &BlockDirectory) -> Fill {
        let columns = directory.columns.iter();
        let in_columns: u64 = columns.map(|column| u64::from(column.present)).sum();
        let rest = directory.rest.as_ref();
        Fill {
            rows: directory.rows.into(),
            event_bytes: directory.source_bytes,
            values: in_columns + rest.map_or(0, |rest| rest.cells.into()),
        }
    }

    pub(crate) fn plus(self, other: Fill) -> Fill {
        Fill {
            rows: self.rows + other.rows,
            event_bytes: self.event_bytes + other.event_bytes,
            values: self.values + other.values,
        }
    }

    /// Whether these rows are at least a full block.
    pub(crate) fn is_full(self, options: &Options) -> bool {
        self.rows >= options.block_rows as u64
            || self.event_bytes >= self.event_bytes_of_block(options)
    }

    /// Whether these rows fit into one full block.
    pub(crate) fn fits(self, options: &Options) -> bool {
        self.rows <= options.block_rows as u64
            && self.event_bytes <= self.event_bytes_of_block(options)
    }

    /// Whether so many times these rows are less than a full block.
    pub(crate) fn is_below_part(self, times: u64, options: &Options) -> bool {
        self.rows * times < options.block_rows as u64
            && self.event_bytes * times < self.event_bytes_of_block(options)
    }

    /// How many full blocks these rows come nearest to.
    pub(crate) fn blocks(self, options: &Options) -> u64 {
        nearest(self.event_bytes, self.event_bytes_of_block(options))
            .max(nearest(self.rows, options.block_rows as u64))
    }

    /// The bytes of a full block of such rows.
    fn event_bytes_of_block(self, options: &Options) -> u64 {
        let least = options.block_event_bytes as u64;
        let most = least.saturating_mul(TIMES_MAX);
        let rows = least.saturating_mul(self.rows.saturating_mul(VALUES_OF_MANY));
        let bytes = rows.checked_div(self.values);
        bytes.map_or(most, |bytes| bytes.clamp(least, most))
    }
}

/// How many times `unit` goes into `whole`, to the nearest.
fn nearest(whole: u64, unit: u64) -> u64 {
    (whole + unit / 2) / unit
}

#[cfg(test)]
mod tests {
    use super::Fill;
    use crate::Options;

    fn options() -> Options {
        Options {
            block_rows: 100,
            block_event_bytes: 1000,
            ..Options::default()
        }
    }

    /// The first number of alike rows that is full, and how many blocks three times as many are nearest to.
    fn check(event_bytes: u64, values: u64, full_rows: u64, blocks: u64) {
        let options = options();
        let of_rows = |rows| Fill {
            rows,
            event_bytes: rows * event_bytes,
            values: rows * values,
        };
        let full = (1..).find(|rows| of_rows(*rows).is_full(&options));
        assert_eq!(
            full,
            Some(full_rows),
            "{event_bytes} bytes, {values} values"
        );
        assert!(of_rows(full_rows - 1).fits(&options));
        assert!(!of_rows(full_rows + 1).fits(&options));
        let quarter = full_rows / 4;
        assert!(of_rows(quarter - 1).is_below_part(4, &options));
        assert!(!of_rows(quarter + 1).is_below_part(4, &options));
        assert_eq!(of_rows(full_rows * 3).blocks(&options), blocks);
    }

    #[test]
    fn rows_of_many_values_fill_a_block_with_fewer_bytes() {
        check(5, 1, 100, 3);
        check(20, 1, 100, 3);
        check(50, 0, 40, 3);
        check(50, 4, 40, 3);
        check(50, 6, 27, 3);
        check(50, 8, 20, 3);
        check(50, 100, 20, 3);
        check(25, 100, 40, 3);
    }

    #[test]
    fn nothing_is_no_block() {
        assert!(!Fill::default().is_full(&options()));
        assert_eq!(Fill::default().blocks(&options()), 0);
    }
}
