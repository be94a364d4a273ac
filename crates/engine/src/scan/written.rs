//! Rows written as JSON straight from their columns, the same to the byte as whole events are written, without making an event
//! of each.

use cordwood_event::{Event, EventId, Level, Scalar, json, path};
use cordwood_store::column::Column;

use super::rows::{Lie, ScannedRows, Unread};
use crate::block::OpenBlock;
use crate::evaluate::Failure;

/// The columns of a block in the orders that events are written in.
struct Columns<'a> {
    /// As the block has them.
    stored: Vec<(&'a str, &'a Column)>,
    /// The same as indexes, members of one object together.
    grouped: Vec<usize>,
}

impl<'a> Columns<'a> {
    fn new(block: &'a OpenBlock) -> Result<Columns<'a>, Failure> {
        let entries = block.directory().columns.iter().enumerate();
        let stored = entries.map(|(index, entry)| Ok((&*entry.path, block.column(index)?)));
        let stored: Vec<(&str, &Column)> = stored.collect::<Result<_, Failure>>()?;
        let mut grouped: Vec<usize> = (0..stored.len()).collect();
        grouped.sort_by(|a, b| {
            let keys = |index: &usize| stored.get(*index).map(|(path, _)| path::keys(path));
            keys(a)
                .into_iter()
                .flatten()
                .cmp(keys(b).into_iter().flatten())
        });
        Ok(Columns { stored, grouped })
    }

    /// The fields that a row has, in the order they are written.
    fn fields(&self, row: usize, fields: &mut Vec<(&'a str, Scalar<'a>)>) -> Result<(), Failure> {
        fields.clear();
        for index in &self.grouped {
            let Some((path, column)) = self.stored.get(*index) else {
                continue;
            };
            if let Some(value) = column.scalar(row)? {
                fields.push((path, value));
            }
        }
        if fields.iter().any(|(path, _)| path.contains('.')) {
            return Ok(());
        }
        // Without an object among them fields stand as they are stored.
        fields.clear();
        for (path, column) in &self.stored {
            if let Some(value) = column.scalar(row)? {
                fields.push((path, value));
            }
        }
        Ok(())
    }
}

impl ScannedRows<'_> {
    /// Appends each row as JSON, as [`json::write_event`] does; `written` is told of each.
    pub fn write_each(
        &self,
        out: &mut String,
        written: &mut dyn FnMut(EventId, &mut String),
    ) -> Result<(), Unread> {
        let outcome = match &self.lie {
            Lie::Block(block, _) => self.write_block(block, out, written),
            Lie::Open(open, _) => {
                for row in self.rows {
                    let event = open.batch().event(*row);
                    let event = Event::copy_of(event, self.source.id, open.sequence(*row));
                    json::write_event(out, &event, &self.source.name);
                    written(event.id, out);
                }
                Ok(())
            }
        };
        outcome.map_err(Unread)
    }

    fn write_block(
        &self,
        block: &OpenBlock,
        out: &mut String,
        written: &mut dyn FnMut(EventId, &mut String),
    ) -> Result<(), Failure> {
        /// How many rows are written between two looks at the budget.
        const ROWS_PER_CHECK: usize = 512;
        let columns = Columns::new(block)?;
        let levels = block.levels()?.of_ranks(self.rows)?;
        let rest = block.rest()?;
        let mut fields = Vec::new();
        for (index, (row, code)) in self.rows.iter().zip(levels).enumerate() {
            if index.is_multiple_of(ROWS_PER_CHECK) {
                self.budget.check()?;
            }
            columns.fields(*row, &mut fields)?;
            let level = u8::try_from(code).ok().and_then(Level::from_code);
            let rare = rest.map(|rest| rest.fields(*row)).transpose()?;
            let rare = rare.unwrap_or_default();
            let id = self.id(*row);
            if rare.is_empty() {
                json::write_fields(out, (id, level), &mut fields, &self.source.name);
            } else {
                self.write_with_rare(out, (id, level), (&columns, *row), rare)?;
            }
            written(id, out);
        }
        Ok(())
    }

    /// A row with fields that have no column of their own: which order they stand in is found out anew.
    fn write_with_rare(
        &self,
        out: &mut String,
        head: (EventId, Option<Level>),
        (columns, row): (&Columns<'_>, usize),
        rare: Vec<(&str, Scalar<'_>)>,
    ) -> Result<(), Failure> {
        let mut fields = Vec::new();
        for (path, column) in &columns.stored {
            if let Some(value) = column.scalar(row)? {
                fields.push((*path, value));
            }
        }
        fields.extend(rare);
        json::group_fields(&mut fields);
        json::write_fields(out, head, &mut fields, &self.source.name);
        Ok(())
    }
}
