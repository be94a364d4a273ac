//! The engine over a real store.

mod cut;
mod explain;
mod oracle;
mod pruning;
mod stages;
mod support;
mod unreadable;
