//! An event on its own as a row: what stages see of one that has just arrived.

use cordwood_event::{Event, EventId, Level, Scalar, SourceId, Timestamp, path};
use cordwood_query::{Reach, Target};

use crate::datum::Datum;
use crate::evaluate::Failure;
use crate::row::block::{is_level, visit_head};
use crate::row::{FieldSet, Row};

/// An event, and the fields that stages read of it.
pub(super) struct LooseRow<'a> {
    pub(super) event: &'a Event,
    pub(super) source_name: &'a str,
    pub(super) fields: &'a FieldSet,
}

impl Row for LooseRow<'_> {
    fn id(&self) -> EventId {
        self.event.id
    }

    fn time(&self) -> Option<Timestamp> {
        Some(self.event.id.timestamp)
    }

    fn source(&self) -> Option<(SourceId, &str)> {
        Some((self.event.source, self.source_name))
    }

    fn level(&self) -> Option<Level> {
        self.event.level
    }

    fn each(&self, field: usize, visit: &mut dyn FnMut(Datum<'_>)) -> Result<(), Failure> {
        let target = self.fields.targets().get(field);
        if visit_head(self, target, visit) {
            return Ok(());
        }
        let reach = |path| match target {
            Some(Target::Field(field)) => field.reach(path),
            Some(target) => is_level(target, path).then_some(Reach::Whole),
            None => None,
        };
        let fields = self.event.fields.iter();
        let reached = fields.filter_map(|(path, value)| Some((&**path, reach(path)?, value)));
        let mut values: Vec<(&str, Reach<'_>, &cordwood_event::Value)> = reached.collect();
        values.sort_by_key(|(path, ..)| *path);
        for (_, reach, value) in values {
            reach.each_value(value.as_scalar(), &mut |value: Scalar<'_>| {
                visit(Datum::Scalar(value));
            });
        }
        Ok(())
    }

    fn each_stored(&self, visit: &mut dyn FnMut(&str, Datum<'_>)) -> Result<(), Failure> {
        for (path, value) in &self.event.fields {
            visit(&path::name(path), Datum::Scalar(value.as_scalar()));
        }
        Ok(())
    }
}
