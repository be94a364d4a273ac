//! Rows kept while the ones before them are still being looked for, and rows to which fields were added.

use std::sync::Arc;

use cordwood_event::{EventId, Level, SourceId, Timestamp};
use cordwood_query::Target;

use super::block::visit_head;
use super::{FieldSet, Row};
use crate::datum::Datum;
use crate::evaluate::Failure;
use crate::top::Found;
use crate::{Cell, SearchedSource};

/// A field that a stage added.
#[derive(Clone, Debug)]
pub(crate) struct Added {
    pub(crate) field: usize,
    pub(crate) name: Box<str>,
    pub(crate) value: Cell,
}

/// A row with fields that were added to it, which hide stored ones of the same name.
pub(crate) struct Extended<'a> {
    pub(crate) base: &'a dyn Row,
    pub(crate) added: &'a [Added],
}

impl Row for Extended<'_> {
    fn id(&self) -> EventId {
        self.base.id()
    }

    fn time(&self) -> Option<Timestamp> {
        self.base.time()
    }

    fn source(&self) -> Option<(SourceId, &str)> {
        self.base.source()
    }

    fn level(&self) -> Option<Level> {
        self.base.level()
    }

    fn each(&self, field: usize, visit: &mut dyn FnMut(Datum<'_>)) -> Result<(), Failure> {
        match self.added.iter().rev().find(|added| added.field == field) {
            Some(added) => {
                added.value.visit(visit);
                Ok(())
            }
            None => self.base.each(field, visit),
        }
    }

    fn each_stored(&self, visit: &mut dyn FnMut(&str, Datum<'_>)) -> Result<(), Failure> {
        self.base.each_stored(&mut |name, datum| {
            if self.added.iter().all(|added| *added.name != *name) {
                visit(name, datum);
            }
        })?;
        for (index, added) in self.added.iter().enumerate() {
            let later = self.added.get(index + 1..).unwrap_or_default();
            if later.iter().all(|later| later.name != added.name) {
                added.value.visit(&mut |datum| visit(&added.name, datum));
            }
        }
        Ok(())
    }
}

/// A copy of what stages read of an event.
#[derive(Clone, Debug)]
pub(crate) struct KeptRow {
    pub(crate) found: Found,
    source: SearchedSource,
    level: Option<Level>,
    targets: Arc<FieldSet>,
    /// By field, its values.
    values: Vec<Vec<Cell>>,
    /// Every stored field, where a stage looks at any.
    stored: Vec<(Box<str>, Cell)>,
    /// The fields that stages added.
    pub(crate) added: Vec<Added>,
}

impl KeptRow {
    pub(crate) fn copy_of(
        row: &dyn Row,
        found: Found,
        targets: Arc<FieldSet>,
        added: Vec<Added>,
    ) -> Result<KeptRow, Failure> {
        let mut values = Vec::with_capacity(targets.targets().len());
        let mut stored = Vec::new();
        for (field, target) in targets.targets().iter().enumerate() {
            let mut of_field = Vec::new();
            match target {
                Target::AnyField => row.each_stored(&mut |name, datum| {
                    stored.push((name.into(), datum.to_cell()));
                })?,
                Target::Time | Target::Source | Target::Id => {}
                Target::Field(_) | Target::Level => {
                    row.each(field, &mut |datum| of_field.push(datum.to_cell()))?;
                }
            }
            values.push(of_field);
        }
        let (id, name) = row.source().unwrap_or((SourceId(0), ""));
        Ok(KeptRow {
            found,
            source: SearchedSource {
                id,
                name: name.to_owned(),
                kept_from: None,
            },
            level: row.level(),
            targets,
            values,
            stored,
            added,
        })
    }

    /// The row with what was added to it.
    pub(crate) fn extended(&self) -> Extended<'_> {
        Extended {
            base: self,
            added: &self.added,
        }
    }

    /// About the memory it takes.
    pub(crate) fn bytes(&self) -> u64 {
        let values: u64 = self.values.iter().flatten().map(Cell::bytes).sum();
        let stored = self.stored.iter();
        let stored: u64 = stored
            .map(|(name, cell)| name.len() as u64 + 16 + cell.bytes())
            .sum();
        let added = self.added.iter();
        let added: u64 = added
            .map(|added| added.name.len() as u64 + 24 + added.value.bytes())
            .sum();
        let lists = (self.values.len() * size_of::<Vec<Cell>>() + self.source.name.len()) as u64;
        size_of::<KeptRow>() as u64 + lists + values + stored + added
    }
}

impl Row for KeptRow {
    fn id(&self) -> EventId {
        self.found.id
    }

    fn time(&self) -> Option<Timestamp> {
        Some(self.found.id.timestamp)
    }

    fn source(&self) -> Option<(SourceId, &str)> {
        Some((self.source.id, &self.source.name))
    }

    fn level(&self) -> Option<Level> {
        self.level
    }

    fn each(&self, field: usize, visit: &mut dyn FnMut(Datum<'_>)) -> Result<(), Failure> {
        if !visit_head(self, self.targets.targets().get(field), visit) {
            for cell in self.values.get(field).into_iter().flatten() {
                cell.visit(visit);
            }
        }
        Ok(())
    }

    fn each_stored(&self, visit: &mut dyn FnMut(&str, Datum<'_>)) -> Result<(), Failure> {
        for (name, cell) in &self.stored {
            cell.visit(&mut |datum| visit(name, datum));
        }
        Ok(())
    }
}
