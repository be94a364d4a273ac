//! A clause: one target and one test.

use cordwood_event::Timestamp;

use crate::{FieldName, Test};

/// What a clause looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Any stored field, and the normalised level's name; not the time, the source or the id.
    AnyField,
    /// One field by name, `message` too.
    Field(FieldName),
    /// `level`: the normalised level and the raw value.
    Level,
    /// `dt`: the event's time.
    Time,
    /// `_source`: the source, by id, `src-<id>` or name.
    Source,
    /// `_id`: the event's own id.
    Id,
}

impl Target {
    /// The target a name stands for; reserved names have their own.
    pub fn named(name: &str) -> Target {
        match name {
            "*" => Target::AnyField,
            "level" => Target::Level,
            "dt" => Target::Time,
            "_source" => Target::Source,
            "_id" => Target::Id,
            _ => Target::Field(FieldName::new(name)),
        }
    }

    /// The name as a query writes it, unquoted.
    pub fn name(&self) -> &str {
        match self {
            Target::AnyField => "*",
            Target::Field(field) => field.as_str(),
            Target::Level => "level",
            Target::Time => "dt",
            Target::Source => "_source",
            Target::Id => "_id",
        }
    }
}

/// One condition on an event. Displays as canonical text.
///
/// The parser makes only clauses whose test suits the target: [`Test::Time`] goes with [`Target::Time`]
/// alone, [`Test::Id`] with [`Target::Id`] alone, the ends of a range on [`Target::Level`] are levels.
/// Any other pairing holds for no event.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    /// What it looks at.
    pub target: Target,
    /// What must hold there.
    pub test: Test,
}

impl Clause {
    /// The clause compiled, with relative times counted from `now`.
    pub fn compile(&self, now: Timestamp) -> crate::CompiledClause {
        crate::CompiledClause::new(self, now)
    }
}
