//! The engine over a real store.

mod cut;
mod explain;
mod oracle;
mod pruning;
mod support;
mod templates;
mod unreadable;
