//! What a filter can be asked about besides an event of a batch: what stages have made of events.

use std::borrow::Cow;

use cordwood_event::{Event, EventId, Level, Scalar, Timestamp};

use crate::{FieldName, IdPredicate, Reach, SourcePredicate, TimePredicate};

/// A row under test.
pub trait Row {
    /// The normalised level.
    fn level(&self) -> Option<Level>;

    /// Whether `holds` does for the level as it was sent, where it differs from the normalised name.
    fn any_raw_level(&self, holds: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool;

    /// Whether `holds` does for any field, whatever its name.
    fn any_field(&self, holds: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool;

    /// Whether `holds` does for any value that the field reaches, given how it does.
    fn any_value(
        &self,
        field: &FieldName,
        holds: &mut dyn FnMut(Reach<'_>, Scalar<'_>) -> bool,
    ) -> bool;

    /// Whether the row's time meets a test.
    fn meets_time(&self, predicate: &TimePredicate) -> bool;

    /// Whether the row's source meets a test.
    fn meets_source(&self, predicate: &SourcePredicate) -> bool;

    /// Whether the row's id meets a test.
    fn meets_id(&self, predicate: &IdPredicate) -> bool;
}

/// An event on its own, with the name of its source. Agrees with [`Matcher::matches`](crate::Matcher::matches) on the
/// event it was copied from.
#[derive(Clone, Copy, Debug)]
pub struct EventRow<'a> {
    /// The event; fields that stages added are among its fields.
    pub event: &'a Event,
    /// The name of its source.
    pub source_name: &'a str,
}

impl Row for EventRow<'_> {
    fn level(&self) -> Option<Level> {
        self.event.level
    }

    fn any_raw_level(&self, holds: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
        let mut fields = self.event.fields.iter();
        fields.any(|(path, value)| &**path == "level" && holds(value.as_scalar()))
    }

    fn any_field(&self, holds: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
        let mut fields = self.event.fields.iter();
        fields.any(|(_, value)| holds(value.as_scalar()))
    }

    fn any_value(
        &self,
        field: &FieldName,
        holds: &mut dyn FnMut(Reach<'_>, Scalar<'_>) -> bool,
    ) -> bool {
        self.event.fields.iter().any(|(path, value)| {
            field
                .reach(path)
                .is_some_and(|reach| holds(reach, value.as_scalar()))
        })
    }

    fn meets_time(&self, predicate: &TimePredicate) -> bool {
        predicate.matches(self.event.id.timestamp)
    }

    fn meets_source(&self, predicate: &SourcePredicate) -> bool {
        predicate.matches(self.event.source, self.source_name)
    }

    fn meets_id(&self, predicate: &IdPredicate) -> bool {
        predicate.matches(self.event.id)
    }
}

/// The value of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Column<'a> {
    /// A value as fields have them.
    Scalar(Scalar<'a>),
    /// A time. A test that is not about time sees it as its text in RFC 3339.
    Time(Timestamp),
}

/// The values of one row of a table, by the names of the columns.
pub trait ColumnValues {
    /// Visits the value of the column, if there is one of this name.
    fn visit(&self, column: &str, visit: &mut dyn FnMut(Column<'_>));

    /// Visits the values of all columns.
    fn visit_all(&self, visit: &mut dyn FnMut(Column<'_>));
}

/// A row of a table: each name is that of a column and means it as a whole. `dt`, `level`, `_source` and `_id` are
/// columns too, tested as those of an event are.
#[derive(Clone, Copy, Debug)]
pub struct TableRow<T>(pub T);

impl<T: ColumnValues> TableRow<T> {
    fn any(&self, column: &str, holds: &mut dyn FnMut(Column<'_>) -> bool) -> bool {
        let mut held = false;
        self.0.visit(column, &mut |value| held |= holds(value));
        held
    }
}

impl<T: ColumnValues> Row for TableRow<T> {
    fn level(&self) -> Option<Level> {
        let mut level = None;
        self.0.visit("level", &mut |value| {
            level = value.text().and_then(|text| Level::parse(&text));
        });
        level
    }

    fn any_raw_level(&self, holds: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
        self.any("level", &mut |value| value.is_scalar_and(holds))
    }

    fn any_field(&self, holds: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
        let mut held = false;
        self.0
            .visit_all(&mut |value| held = held || value.is_scalar_and(holds));
        held
    }

    fn any_value(
        &self,
        field: &FieldName,
        holds: &mut dyn FnMut(Reach<'_>, Scalar<'_>) -> bool,
    ) -> bool {
        self.any(field.as_str(), &mut |value| {
            value.is_scalar_and(&mut |scalar| holds(Reach::Whole, scalar))
        })
    }

    fn meets_time(&self, predicate: &TimePredicate) -> bool {
        self.any("dt", &mut |value| {
            value.time().is_some_and(|time| predicate.matches(time))
        })
    }

    fn meets_source(&self, predicate: &SourcePredicate) -> bool {
        self.any("_source", &mut |value| {
            value
                .text()
                .is_some_and(|text| predicate.matches_text(&text))
        })
    }

    fn meets_id(&self, predicate: &IdPredicate) -> bool {
        self.any("_id", &mut |value| {
            let id = value.text().and_then(|text| text.parse::<EventId>().ok());
            id.is_some_and(|id| predicate.matches(id))
        })
    }
}

impl Column<'_> {
    /// Asks of it as a scalar.
    fn is_scalar_and(&self, holds: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
        match self {
            Column::Scalar(scalar) => holds(*scalar),
            Column::Time(time) => holds(Scalar::Str(&time.to_string())),
        }
    }

    /// Its text; a number as JSON writes it.
    fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Column::Scalar(Scalar::Str(text) | Scalar::Json(text)) => Some(Cow::Borrowed(text)),
            Column::Scalar(Scalar::Null | Scalar::Bool(_)) => None,
            Column::Scalar(number) => Some(Cow::Owned(crate::predicate::number_text(*number))),
            Column::Time(time) => Some(Cow::Owned(time.to_string())),
        }
    }

    fn time(&self) -> Option<Timestamp> {
        match self {
            Column::Time(time) => Some(*time),
            Column::Scalar(_) => Timestamp::parse_rfc3339(&self.text()?),
        }
    }
}
