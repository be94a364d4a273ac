//! Searching text as the language means it, over raw UTF-8 bytes: ignoring case, between word boundaries,
//! with wildcards; in one value, or in many values laid end to end.

mod any;
mod finder;
mod fold;
mod glob;
mod pattern;
mod run;

pub(crate) use any::AnyLiteral;
pub use fold::{fold, is_word};
pub use glob::WildcardPattern;
pub use pattern::TextPattern;
pub(crate) use run::{each_value, select_by_candidates};
