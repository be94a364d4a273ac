//! SQL over a snapshot: one statement of text to rows in columns, planned and run by DataFusion over the engine.
//!
//! [`Sql::run`] reads a statement, makes a table of each source it names, with the columns the snapshot has, and hands
//! to the engine what the engine does itself: which rows, which columns, how many, and plain grouping. DataFusion does
//! the rest, within a budget of memory and until a deadline.
//!
//! This crate must not know HTTP, tokens or permissions, and reads no clock of its own: who may see which source was
//! decided before. It runs DataFusion's async code on a runtime of its own and is called like any other function.
#![warn(missing_docs)]

mod account;
mod aggregate;
mod answer;
mod columns;
mod dialect;
mod error;
mod format;
mod functions;
mod gather;
mod memory;
mod newest;
mod pushdown;
mod run;
mod scan;
mod session;
mod statement;
mod table;
mod tables;
mod watch;

pub use account::Account;
pub use answer::{Answer, AnswerColumn};
pub use error::{Error, Problem};
pub use format::Format;
pub use run::{Request, Sql};
pub use statement::FORMAT_NAMES;
