//! A row as stages see it, wherever it lies: in a block, among open rows, kept for later, or in a table.

pub(crate) mod block;
pub(crate) mod filter;
pub(crate) mod kept;
pub(crate) mod open;
pub(crate) mod tabular;

use cordwood_event::{EventId, Level, SourceId, Timestamp};
use cordwood_query::{FieldName, Target};

use crate::datum::Datum;
use crate::evaluate::Failure;

/// The fields that the stages of a question read; a field goes by its index here.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldSet(Vec<Target>);

impl FieldSet {
    /// The index of a target, which is added unless it is there.
    pub(crate) fn index(&mut self, target: Target) -> usize {
        let found = self.0.iter().position(|other| *other == target);
        found.unwrap_or_else(|| {
            self.0.push(target);
            self.0.len() - 1
        })
    }

    pub(crate) fn named(&mut self, name: &FieldName) -> usize {
        self.index(match Target::named(name.as_str()) {
            Target::AnyField => Target::Field(name.clone()),
            target => target,
        })
    }

    pub(crate) fn targets(&self) -> &[Target] {
        &self.0
    }
}

/// The field that holds the level as it was sent, where that differs from its normalised name.
pub(crate) fn raw_level() -> Target {
    Target::Field(FieldName::new("level"))
}

/// One row.
pub(crate) trait Row {
    /// The event it is; of a row in a table, the place it has there.
    fn id(&self) -> EventId;

    /// Its time, if it has one.
    fn time(&self) -> Option<Timestamp>;

    /// Its source, if that is known.
    fn source(&self) -> Option<(SourceId, &str)>;

    /// Its normalised level.
    fn level(&self) -> Option<Level>;

    /// Visits the values of a field, arrays whole, by their paths; no null is among them.
    fn each(&self, field: usize, visit: &mut dyn FnMut(Datum<'_>)) -> Result<(), Failure>;

    /// Visits every stored value with the name of its field.
    fn each_stored(&self, visit: &mut dyn FnMut(&str, Datum<'_>)) -> Result<(), Failure>;
}
