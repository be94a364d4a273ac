//! The rows of one part as whoever gathers them sees them: value after value of one field, event after event.

use cordwood_event::{Batch, Event, EventId, Scalar, SourceId, path};
use cordwood_store::column::{Column, DictCodes, Values};
use cordwood_store::{Encoding, OpenRows};

use crate::block::OpenBlock;
use crate::budget::Budget;
use crate::evaluate::Failure;
use crate::fetch;
use crate::row::block::BlockFields;
use crate::row::open::OpenFields;
use crate::row::tabular::cell_of;
use crate::row::{FieldSet, Row};
use crate::{Cell, SearchedSource};

/// The part could not be read, or the question was cut short meanwhile; the account says which.
#[derive(Debug)]
pub struct Unread(pub(crate) Failure);

/// Rows of one part, at least one, in no order.
pub struct ScannedRows<'a> {
    pub(super) lie: Lie<'a>,
    pub(super) places: &'a [usize],
    pub(super) budget: &'a Budget,
    pub(super) source: &'a SearchedSource,
    pub(super) rows: &'a [usize],
}

/// Where the rows lie.
pub(super) enum Lie<'a> {
    Block(&'a OpenBlock, BlockFields<'a>),
    Open(&'a OpenRows, OpenFields<'a>),
}

impl<'a> Lie<'a> {
    pub(super) fn of_block(
        block: &'a OpenBlock,
        fields: &'a FieldSet,
        source: &'a SearchedSource,
    ) -> Result<Lie<'a>, Failure> {
        Ok(Lie::Block(block, BlockFields::new(block, fields, source)?))
    }

    pub(super) fn of_open(
        open: &'a OpenRows,
        fields: &'a FieldSet,
        source: &'a SearchedSource,
    ) -> Lie<'a> {
        Lie::Open(open, OpenFields::new(open.batch(), fields, source))
    }
}

impl std::fmt::Debug for ScannedRows<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScannedRows")
            .field("source", &self.source.id)
            .field("rows", &self.rows.len())
            .finish_non_exhaustive()
    }
}

impl ScannedRows<'_> {
    /// How many rows there are.
    #[expect(clippy::len_without_is_empty, reason = "there is always a row")]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The source they all came from.
    pub fn source(&self) -> &SearchedSource {
        self.source
    }

    /// Visits the id of each row, which holds its time.
    pub fn each_id(&self, visit: &mut dyn FnMut(EventId)) {
        for row in self.rows {
            visit(self.id(*row));
        }
    }

    /// Visits the value that each row has of a field, by its index in the request: nothing where the field is absent or
    /// null, and a JSON array where it has several.
    pub fn each_value(
        &self,
        field: usize,
        visit: &mut dyn FnMut(Option<Scalar<'_>>),
    ) -> Result<(), Unread> {
        let field = self.places.get(field).copied().unwrap_or(usize::MAX);
        self.values_of(field, visit).map_err(Unread)
    }

    fn values_of(
        &self,
        field: usize,
        visit: &mut dyn FnMut(Option<Scalar<'_>>),
    ) -> Result<(), Failure> {
        match &self.lie {
            Lie::Block(_, fields) => {
                if let Some(column) = fields.only_column(field) {
                    for row in self.rows {
                        let value = column.scalar(*row)?;
                        visit(value.filter(|value| *value != Scalar::Null));
                    }
                    return Ok(());
                }
                for row in self.rows {
                    visit_cell(&fields.row(*row), field, visit)?;
                }
            }
            Lie::Open(open, fields) => {
                for row in self.rows {
                    visit_cell(&fields.row(*row, open.sequence(*row)), field, visit)?;
                }
            }
        }
        Ok(())
    }

    /// Visits the values that rows have of a field, as [`each_value`](Self::each_value) does but for rows that have none, and in
    /// how many rows each is; in no order, some of them several times.
    pub(crate) fn each_different(
        &self,
        field: usize,
        visit: &mut dyn FnMut(Scalar<'_>, u64),
    ) -> Result<(), Unread> {
        let place = self.places.get(field).copied().unwrap_or(usize::MAX);
        let column = match &self.lie {
            Lie::Block(_, fields) => fields.only_column(place),
            Lie::Open(..) => None,
        };
        if let Some(column) = column
            && let Values::Dict { values, codes } = &column.values
        {
            let counts = self.rows_of_codes(column, codes);
            let counts = counts.map_err(Unread)?;
            for (value, rows) in values.iter().zip(counts) {
                if rows > 0 && value != Scalar::Null {
                    visit(value, rows);
                }
            }
            return Ok(());
        }
        self.each_value(field, &mut |value| {
            if let Some(value) = value {
                visit(value, 1);
            }
        })
    }

    fn rows_of_codes(&self, column: &Column, codes: &DictCodes) -> Result<Vec<u64>, Failure> {
        let codes = codes.get()?;
        let mut counts = Vec::new();
        for row in self.rows {
            let rank = column.presence.rank(*row);
            let Some(code) = rank.and_then(|rank| codes.get(rank)) else {
                continue;
            };
            let code = usize::from(*code);
            if code >= counts.len() {
                counts.resize(code + 1, 0);
            }
            if let Some(count) = counts.get_mut(code) {
                *count += 1;
            }
        }
        Ok(counts)
    }

    /// How many rows have a field of a name, by whatever path: there and not null. Texts are not read for it.
    pub(crate) fn count_having(&self, name: &str) -> Result<u64, Unread> {
        match &self.lie {
            Lie::Block(block, _) => self.count_in_block(block, name).map_err(Unread),
            Lie::Open(open, _) => Ok(self.count_in_batch(open.batch(), name)),
        }
    }

    fn count_in_block(&self, block: &OpenBlock, name: &str) -> Result<u64, Failure> {
        let mut having: Vec<bool> = vec![false; self.rows.len()];
        for (index, entry) in block.directory().columns.iter().enumerate() {
            if path::name(&entry.path) != name {
                continue;
            }
            let presence = block.presence(index)?;
            let has_nulls = matches!(
                entry.encoding,
                Encoding::Const | Encoding::Dict | Encoding::Mixed
            );
            let column = match has_nulls {
                true => Some(block.column(index)?),
                false => None,
            };
            for (row, has) in self.rows.iter().zip(&mut having) {
                *has |= match column {
                    Some(column) => column
                        .scalar(*row)?
                        .is_some_and(|value| value != Scalar::Null),
                    None => presence.contains(*row),
                };
            }
        }
        if let Some(rest) = block.rest()? {
            let paths = rest.paths().enumerate();
            for (index, _) in paths.filter(|(_, stored)| path::name(stored) == name) {
                let column = rest.column(index)?;
                for (row, has) in self.rows.iter().zip(&mut having) {
                    *has |= column
                        .scalar(*row)?
                        .is_some_and(|value| value != Scalar::Null);
                }
            }
        }
        Ok(having.into_iter().filter(|has| *has).count() as u64)
    }

    fn count_in_batch(&self, batch: &Batch, name: &str) -> u64 {
        let paths = batch.paths().iter();
        let is_meant: Vec<bool> = paths.map(|stored| path::name(stored) == name).collect();
        let has = |row: &&usize| {
            let mut fields = batch.event(**row).fields();
            fields.any(|(field, value)| {
                value != Scalar::Null && is_meant.get(field.index()).copied().unwrap_or(false)
            })
        };
        self.rows.iter().filter(has).count() as u64
    }

    /// Visits each row as a whole event.
    pub fn each_event(&self, visit: &mut dyn FnMut(&Event)) -> Result<(), Unread> {
        self.events_of(visit).map_err(Unread)
    }

    fn events_of(&self, visit: &mut dyn FnMut(&Event)) -> Result<(), Failure> {
        /// Events are made so many together, columns after columns; more would only take more memory.
        const EVENTS_AT_ONCE: usize = 1024;
        let source: SourceId = self.source.id;
        for rows in self.rows.chunks(EVENTS_AT_ONCE) {
            match &self.lie {
                Lie::Block(block, _) => {
                    let ids: Vec<(usize, EventId)> =
                        rows.iter().map(|row| (*row, self.id(*row))).collect();
                    let events = fetch::events_of_block(block, source, &ids, self.budget)?;
                    events.iter().for_each(&mut *visit);
                }
                Lie::Open(open, _) => {
                    for row in rows {
                        let event = open.batch().event(*row);
                        visit(&Event::copy_of(event, source, open.sequence(*row)));
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn id(&self, row: usize) -> EventId {
        match &self.lie {
            Lie::Block(_, fields) => fields.row(row).id(),
            Lie::Open(open, fields) => fields.row(row, open.sequence(row)).id(),
        }
    }
}

fn visit_cell(
    row: &dyn Row,
    field: usize,
    visit: &mut dyn FnMut(Option<Scalar<'_>>),
) -> Result<(), Failure> {
    match cell_of(row, field)? {
        Cell::Null => visit(None),
        Cell::Bool(boolean) => visit(Some(Scalar::Bool(boolean))),
        Cell::Float(float) => visit(Some(Scalar::Float(float))),
        Cell::Str(text) => visit(Some(Scalar::Str(&text))),
        Cell::Json(text) => visit(Some(Scalar::Json(&text))),
        Cell::Time(time) => visit(Some(Scalar::Str(&time.to_string()))),
        Cell::Int(integer) => match i64::try_from(integer) {
            Ok(integer) => visit(Some(Scalar::Int(integer))),
            Err(_) => visit(Some(Scalar::Json(&integer.to_string()))),
        },
    }
    Ok(())
}
