//! The query language: text to a checked syntax tree with diagnostics, canonical text, and the one-event matcher.
//!
//! [`parse`] reads a query: a [`Filter`] and the [`Stage`]s after it. It prints itself as canonical text that
//! parses to the same tree. [`Matcher`] decides for one event and is the meaning of the language: whatever
//! evaluates a filter faster must agree with it. For that, [`Predicate`] shows what a test asks of
//! numbers and text, so that encoded columns can be tested without making values of them.
//!
//! This crate must not know blocks, segments or sources' catalogs, and reads no clock: `now` is an argument.
#![warn(missing_docs)]

mod bounds;
mod captures;
mod clause;
mod compiled;
mod completion;
mod diagnostic;
mod field;
mod filter;
mod interrupt;
mod interval;
mod leaf;
pub mod limits;
mod matcher;
mod near;
mod parse;
mod predicate;
mod print;
mod query;
mod row;
mod stage;
mod test;
mod text;
mod words;

pub use bounds::TimeBounds;
pub use captures::CompiledPattern;
pub use clause::{Clause, Target};
pub use compiled::{CompiledClause, IdPredicate, LevelPredicate, SourcePredicate, TimePredicate};
pub use completion::{Completion, Expected, WordKind, complete, written_name, written_value};
pub use diagnostic::{Diagnostic, Diagnostics};
pub use field::{FieldName, Reach};
pub use filter::Filter;
pub use interrupt::Interrupt;
pub use interval::NumberInterval;
pub use leaf::each_element;
pub use matcher::{BatchMatcher, Matcher, Origin};
pub use near::near_names;
pub use parse::parse;
pub use predicate::{Predicate, TextTest};
pub use query::{Parsed, Query};
pub use row::{Column, ColumnValues, EventRow, Row, TableRow};
pub use stage::{
    Aggregate, Capture, CaptureKind, Direction, Function, GroupKey, Interval, PATTERN_COLUMNS,
    ParsePattern, PatternPart, Percentile, SortKey, Stage,
};
pub use test::{
    Cidr, GlobToken, InvalidRegex, InvalidTime, Range, RegexTest, Test, TimePoint, TimeTest,
    TimeUnit, Wildcard,
};
pub use text::{TextPattern, WildcardPattern, fold, is_word};
pub use words::RequiredWords;
