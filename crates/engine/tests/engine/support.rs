//! What the tests share: events, questions, and a store to search.

pub(crate) mod document;
pub(crate) mod fixture;
pub(crate) mod question;
