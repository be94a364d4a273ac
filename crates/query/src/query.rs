//! A whole query: a filter, and the stages after it.

use std::fmt;

use crate::{Diagnostic, Filter, Stage};

/// A checked query. Displays as canonical text, which parses to an equal query; unless what canonical text spells out,
/// `AND` for a space for instance, carries it over the limit on a query's length.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Which events.
    pub filter: Filter,
    /// What is made of them, step by step.
    pub stages: Vec<Stage>,
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.filter.fmt(f)?;
        for stage in &self.stages {
            write!(f, " | {stage}")?;
        }
        Ok(())
    }
}

/// A query and what should be said to its author all the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The query.
    pub query: Query,
    /// Readings that may not be what was meant, such as the word `and` where `AND` was.
    pub hints: Vec<Diagnostic>,
}
