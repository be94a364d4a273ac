//! Rows of a table.

use cordwood_event::{EventId, Level, Scalar, SourceId, Timestamp};

use super::{FieldSet, Row};
use crate::Cell;
use crate::datum::Datum;
use crate::evaluate::Failure;

/// Which column each field of a set is, if it is one.
pub(crate) struct TableFields<'a> {
    columns: &'a [String],
    by_field: Vec<Option<usize>>,
    time: Option<usize>,
    level: Option<usize>,
    id: Option<usize>,
}

impl<'a> TableFields<'a> {
    pub(crate) fn new(columns: &'a [String], fields: &FieldSet) -> TableFields<'a> {
        let named = |name: &str| columns.iter().position(|column| column == name);
        TableFields {
            columns,
            by_field: fields
                .targets()
                .iter()
                .map(|target| named(target.name()))
                .collect(),
            time: named("dt"),
            level: named("level"),
            id: named("_id"),
        }
    }

    pub(crate) fn row(&'a self, index: usize, cells: &'a [Cell]) -> TableRow<'a> {
        TableRow {
            fields: self,
            index,
            cells,
        }
    }
}

/// One row of a table.
pub(crate) struct TableRow<'a> {
    fields: &'a TableFields<'a>,
    index: usize,
    cells: &'a [Cell],
}

impl TableRow<'_> {
    fn cell(&self, column: Option<usize>) -> Option<&Cell> {
        self.cells.get(column?)
    }
}

impl Row for TableRow<'_> {
    fn id(&self) -> EventId {
        match self.cell(self.fields.id) {
            Some(Cell::Str(text)) if let Ok(id) = text.parse() => id,
            _ => EventId {
                timestamp: self.time().unwrap_or(Timestamp::MIN),
                sequence: self.index as u64,
            },
        }
    }

    fn time(&self) -> Option<Timestamp> {
        match self.cell(self.fields.time) {
            Some(Cell::Time(time)) => Some(*time),
            _ => None,
        }
    }

    fn source(&self) -> Option<(SourceId, &str)> {
        None
    }

    fn level(&self) -> Option<Level> {
        match self.cell(self.fields.level) {
            Some(Cell::Str(text)) => Level::parse(text),
            _ => None,
        }
    }

    fn each(&self, field: usize, visit: &mut dyn FnMut(Datum<'_>)) -> Result<(), Failure> {
        let column = self.fields.by_field.get(field).copied().flatten();
        if let Some(cell) = self.cell(column) {
            cell.visit(visit);
        }
        Ok(())
    }

    fn each_stored(&self, visit: &mut dyn FnMut(&str, Datum<'_>)) -> Result<(), Failure> {
        for (name, cell) in self.fields.columns.iter().zip(self.cells) {
            cell.visit(&mut |datum| visit(name, datum));
        }
        Ok(())
    }
}

/// The values of a field as one cell: none is null, several are a JSON array.
pub(crate) fn cell_of(row: &dyn Row, field: usize) -> Result<Cell, Failure> {
    let mut cells = Vec::new();
    row.each(field, &mut |datum| cells.push(datum.to_cell()))?;
    if cells.len() < 2 {
        return Ok(cells.pop().unwrap_or(Cell::Null));
    }
    let mut json = String::from("[");
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        cell.visit(&mut |datum| match datum {
            Datum::Scalar(scalar) => cordwood_event::json::write_value(&mut json, scalar),
            Datum::Time(time) => {
                cordwood_event::json::write_value(&mut json, Scalar::Str(&time.to_string()));
            }
        });
    }
    json.push(']');
    Ok(Cell::Json(json.into()))
}
