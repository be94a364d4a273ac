//! What a rule asks of a window: one query that gives all values of all groups, and how its rows are read.
//!
//! Questions of different rules that ask the same are equal, so that they are run once. Where a measure adds up, the same question can be asked
//! for many windows at once, in steps of time that each window is a row of.

mod build;
mod cell;
mod column;
mod tally;

use std::hash::{Hash, Hasher};

use cordwood_event::Timestamp;
use cordwood_query::Query;

use crate::Group;
use crate::excerpt::excerpt;
use crate::limits::VALUE_BYTES_MAX;

pub use cell::Cell;
pub use tally::Tally;

pub(crate) use column::{Fold, Source};

/// A query, and which of its columns are what. Equal questions are answered by the same rows, though rules make different readings of them.
#[derive(Clone, Debug)]
pub struct Question {
    query: Query,
    /// Canonical text: what makes questions equal.
    key: String,
    /// The names of the fields of groups, which come first in a row, behind the step's time if there is one.
    group_by: Vec<String>,
    columns: usize,
    shape: Shape,
}

/// What kind of table answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// A row for each group.
    Groups,
    /// A row for each group and step of time.
    Steps,
    /// A row for each pattern.
    Patterns,
}

/// A row read: what was found of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundRow {
    /// When the step begins, of a question in steps.
    pub step: Option<Timestamp>,
    /// The group.
    pub group: Group,
    /// What was computed.
    pub tally: Tally,
}

impl Question {
    /// The query to run over the window. It says nothing of time.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// The canonical text of the query: equal for equal questions.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Reads a row of the table. `None` for one that is of no group: of the texts that have no pattern, for instance.
    pub fn read(&self, row: &[Cell<'_>]) -> Option<FoundRow> {
        if self.shape == Shape::Patterns {
            return read_pattern(row);
        }
        let (step, row) = match (self.shape, row.split_first()) {
            (Shape::Steps, Some((Cell::Time(step), row))) => (Some(*step), row),
            (Shape::Steps, _) => return None,
            _ => (None, row),
        };
        let (values, computed) = row.split_at_checked(self.group_by.len())?;
        if computed.len() != self.columns {
            return None;
        }
        let names = self.group_by.iter().cloned();
        let group = names
            .zip(values.iter().map(|cell| cell.to_text()))
            .collect();
        Some(FoundRow {
            step,
            group: Group::new(group),
            tally: Tally::new(computed.iter().map(|cell| cell.to_value()).collect(), None),
        })
    }
}

/// The columns of `patterns`: pattern, id, count, and more that says nothing of a window.
fn read_pattern(row: &[Cell<'_>]) -> Option<FoundRow> {
    let [pattern, id, count, ..] = row else {
        return None;
    };
    let text = pattern.to_text();
    let text = text.map(|text| excerpt(&text, VALUE_BYTES_MAX, "…"));
    let group = Group::new(vec![("pattern".to_owned(), Some(id.to_text()?))]);
    Some(FoundRow {
        step: None,
        group,
        tally: Tally::new(vec![count.to_value()], text),
    })
}

impl PartialEq for Question {
    fn eq(&self, other: &Question) -> bool {
        self.key == other.key
    }
}

impl Eq for Question {}

impl Hash for Question {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}
