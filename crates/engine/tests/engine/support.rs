//! What the tests share: events, questions, and a store to search.

pub(crate) mod document;
pub(crate) mod fixture;
pub(crate) mod naive;
pub(crate) mod question;
pub(crate) mod stage_text;
