//! The operator between a field and its value; those of Better Stack's live tail are synonyms.

use std::ops::Range;

use super::{Parser, Step};
use crate::Diagnostic;

/// What stands between a field and a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// `:`
    Has,
    /// `!:`
    HasNot,
    /// `=`, `:=`, `==`
    Is,
    /// `!=`
    IsNot,
    /// `=~`
    Matches,
    /// `!~`
    MatchesNot,
    /// `>`, `>=`, `<`, `<=`
    Compare(Comparison),
}

/// The side and the end of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Above,
    AtLeast,
    Below,
    AtMost,
}

/// Longer ones first.
const OPERATORS: [(&str, Operator); 12] = [
    ("!=", Operator::IsNot),
    ("!:", Operator::HasNot),
    ("!~", Operator::MatchesNot),
    (":=", Operator::Is),
    (":", Operator::Has),
    ("=~", Operator::Matches),
    ("==", Operator::Is),
    ("=", Operator::Is),
    (">=", Operator::Compare(Comparison::AtLeast)),
    (">", Operator::Compare(Comparison::Above)),
    ("<=", Operator::Compare(Comparison::AtMost)),
    ("<", Operator::Compare(Comparison::Below)),
];

/// What other languages write, and what is meant.
const MISSPELT: [(&str, &str); 3] = [("=>", ">="), ("=<", "<="), ("<>", "!=")];

impl Parser<'_> {
    /// Steps over the operator here, also behind white space; leaves the place alone if there is none.
    pub(super) fn operator(&mut self) -> Step<Option<(Operator, Range<usize>)>> {
        let before = self.cursor.at();
        self.cursor.skip_space();
        let start = self.cursor.at();
        for (misspelt, meant) in MISSPELT {
            if self.cursor.eat(misspelt) {
                let span = start..self.cursor.at();
                return self.stop(
                    Diagnostic::new(span, format!("`{misspelt}` is not an operator."))
                        .hint(format!("Did you mean `{meant}`?")),
                );
            }
        }
        for (text, operator) in OPERATORS {
            if self.cursor.eat(text) {
                return Ok(Some((operator, start..self.cursor.at())));
            }
        }
        self.cursor.go_to(before);
        Ok(None)
    }

    /// Steps over a comparison sign.
    pub(super) fn comparison(&mut self) -> Option<Comparison> {
        OPERATORS
            .iter()
            .find_map(|(text, operator)| match operator {
                Operator::Compare(comparison) if self.cursor.eat(text) => Some(*comparison),
                _ => None,
            })
    }
}
