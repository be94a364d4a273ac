//! The alert machine, seen from outside: scenarios in files in which time is an argument, properties over random series, what is said of bad rules, and
//! what rules ask.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod bounds;
mod causes;
mod document;
mod oracle;
mod properties;
mod questions;
mod references;
mod rules;
mod scenario;
mod scenarios;
mod series;
