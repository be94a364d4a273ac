//! Statements over a real store.

mod aggregated;
mod documented;
mod formats;
mod functions;
mod isolation;
mod limits;
mod pushed;
mod refusals;
mod statements;
mod support;
