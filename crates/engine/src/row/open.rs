//! Rows that are in no block yet.

use cordwood_event::{Batch, EventId, EventRef, Level, Scalar, SourceId, Timestamp, path};
use cordwood_query::{Reach, Target};

use super::block::{is_level, visit_head};
use super::{FieldSet, Row};
use crate::SearchedSource;
use crate::datum::Datum;
use crate::evaluate::Failure;

/// The fields of a batch that stages read.
pub(crate) struct OpenFields<'a> {
    targets: &'a [Target],
    source: &'a SearchedSource,
    batch: &'a Batch,
    /// By field, how it reaches each field of the batch.
    reaches: Vec<Vec<Option<Reach<'a>>>>,
    /// By field of the batch, the named fields that are reached through it, and how.
    reached: Vec<Vec<(usize, Reach<'a>)>>,
}

impl<'a> OpenFields<'a> {
    pub(crate) fn new(
        batch: &'a Batch,
        fields: &'a FieldSet,
        source: &'a SearchedSource,
    ) -> OpenFields<'a> {
        let reaches = fields.targets().iter().map(|target| {
            let paths = batch.paths().iter();
            paths
                .map(|path| match target {
                    Target::Field(field) => field.reach(path),
                    target => is_level(target, path).then_some(Reach::Whole),
                })
                .collect()
        });
        let reaches: Vec<Vec<Option<Reach<'_>>>> = reaches.collect();
        let mut reached = vec![Vec::new(); batch.paths().len()];
        for (field, (target, of_paths)) in fields.targets().iter().zip(&reaches).enumerate() {
            if is_named(target) {
                let of_paths = reached.iter_mut().zip(of_paths);
                of_paths.for_each(|(reached, reach)| reached.extend(reach.map(|by| (field, by))));
            }
        }
        OpenFields {
            targets: fields.targets(),
            source,
            batch,
            reaches,
            reached,
        }
    }

    pub(crate) fn row(&self, row: usize, sequence: u64) -> OpenRow<'_> {
        OpenRow {
            fields: self,
            event: self.batch.event(row),
            sequence,
        }
    }
}

/// One open row.
pub(crate) struct OpenRow<'a> {
    fields: &'a OpenFields<'a>,
    event: EventRef<'a>,
    sequence: u64,
}

/// Whether a target is nothing but a field of its name.
fn is_named(target: &Target) -> bool {
    matches!(target, Target::Field(_))
}

impl OpenRow<'_> {
    /// Visits the values of every field with its index, in no particular order: the event is gone through once.
    pub(crate) fn each_field(
        &self,
        visit: &mut dyn FnMut(usize, Datum<'_>),
    ) -> Result<(), Failure> {
        for (path, value) in self.event.fields() {
            let reached = self.fields.reached.get(path.index()).into_iter().flatten();
            for (field, reach) in reached {
                reach.each_value(value, &mut |value| visit(*field, Datum::Scalar(value)));
            }
        }
        for (field, target) in self.fields.targets.iter().enumerate() {
            if !is_named(target) {
                self.each(field, &mut |datum| visit(field, datum))?;
            }
        }
        Ok(())
    }
}

impl Row for OpenRow<'_> {
    fn id(&self) -> EventId {
        EventId {
            timestamp: self.event.timestamp(),
            sequence: self.sequence,
        }
    }

    fn time(&self) -> Option<Timestamp> {
        Some(self.event.timestamp())
    }

    fn source(&self) -> Option<(SourceId, &str)> {
        Some((self.fields.source.id, &self.fields.source.name))
    }

    fn level(&self) -> Option<Level> {
        self.event.level()
    }

    fn each(&self, field: usize, visit: &mut dyn FnMut(Datum<'_>)) -> Result<(), Failure> {
        if visit_head(self, self.fields.targets.get(field), visit) {
            return Ok(());
        }
        let Some(reaches) = self.fields.reaches.get(field) else {
            return Ok(());
        };
        let mut values: Vec<(&str, Reach<'_>, Scalar<'_>)> = Vec::new();
        for (field, value) in self.event.fields() {
            if let Some(reach) = reaches.get(field.index()).copied().flatten() {
                values.push((&self.fields.batch.paths()[field.index()], reach, value));
            }
        }
        values.sort_by_key(|(path, ..)| *path);
        for (_, reach, value) in values {
            reach.each_value(value, &mut |value| visit(Datum::Scalar(value)));
        }
        Ok(())
    }

    fn each_stored(&self, visit: &mut dyn FnMut(&str, Datum<'_>)) -> Result<(), Failure> {
        for (field, value) in self.event.fields() {
            let name = path::name(&self.fields.batch.paths()[field.index()]);
            visit(&name, Datum::Scalar(value));
        }
        Ok(())
    }
}
