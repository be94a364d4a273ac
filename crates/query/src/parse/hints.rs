//! What is said of good queries: readings that may not be what was meant.

use std::ops::Range;

use super::word::Literal;
use super::{DIAGNOSTICS_MAX, Parser};
use crate::{Diagnostic, Target};

/// Units that people write behind numbers in comparisons.
const UNITS: &[&str] = &[
    "ns", "us", "ms", "s", "sec", "m", "min", "h", "d", "b", "k", "kb", "kib", "mb", "mib", "gb",
    "gib", "%",
];

impl Parser<'_> {
    pub(super) fn hint(&mut self, span: Range<usize>, message: String, hint: String) {
        if self.hints.len() < DIAGNOSTICS_MAX {
            self.hints.push(Diagnostic::new(span, message).hint(hint));
        }
    }

    /// `and`, `or` and `not` are words.
    pub(super) fn hint_at_lower_case(&mut self, literal: &Literal) {
        let text = literal.text();
        if !literal.is_quoted && matches!(&*text, "and" | "or" | "not" | "And" | "Or" | "Not") {
            self.hint(
                literal.span.clone(),
                format!("`{text}` is searched for as a word."),
                format!("Did you mean `{}`?", text.to_uppercase()),
            );
        }
    }

    /// `error: could not open`, pasted from a log, is a field and its value.
    pub(super) fn hint_at_pasted_text(
        &mut self,
        target: &Target,
        field: &Literal,
        operator: &Range<usize>,
    ) {
        let is_colon = self.cursor.slice(operator.clone()) == ":";
        let is_spaced_as_text = is_colon
            && field.span.end == operator.start
            && self.cursor.peek().is_some_and(char::is_whitespace);
        let name = target.name();
        if is_spaced_as_text && matches!(target, Target::Field(_)) && name != "message" {
            self.hint(
                field.span.start..operator.end,
                format!("`{name}` is read as the name of a field."),
                "To search for text that holds a colon, write it in quotes.".to_owned(),
            );
        }
    }

    /// What belongs to a language of patterns is text after `=`.
    pub(super) fn hint_at_pattern(&mut self, target: &Target, literal: &Literal, is_block: bool) {
        let (name, text) = (target.name(), literal.text());
        if literal.has_wildcard() {
            self.hint(
                literal.span.clone(),
                "After `=`, `*` and `?` are ordinary characters.".to_owned(),
                format!("For a pattern write `{name}:{text}`."),
            );
        } else if is_block {
            self.hint(
                literal.span.clone(),
                format!("After `=`, `{text}` is text, not a block of addresses."),
                format!("For the addresses in it write `{name}:{text}`."),
            );
        }
    }

    /// `level:!error` asks for the text `!error`.
    pub(super) fn hint_at_negated_value(&mut self, target: &Target, literal: &Literal) {
        let text = self.cursor.slice(literal.span.clone());
        let Some(value) = text.strip_prefix('!') else {
            return;
        };
        if !literal.is_quoted && value.starts_with(char::is_alphanumeric) {
            let message = format!("`{text}` is searched for as it is written.");
            let hint = format!("Did you mean `NOT {}:{value}`?", target.name());
            self.hint(literal.span.clone(), message, hint);
        }
    }

    /// `host:(a, b)` asks for the text `a,`.
    pub(super) fn hint_at_comma(&mut self, target: &Target, span: Range<usize>) {
        let group = self.cursor.slice(span.clone());
        let has_comma = group.contains(", ") && !group.contains('"');
        let is_plain = has_comma && !group.contains([':', '/']) && !group.contains(" OR ");
        if is_plain {
            let hint = format!("Did you mean `{}:in{group}`?", target.name());
            let message = "The commas are read as part of the words.".to_owned();
            self.hint(span, message, hint);
        }
    }

    /// `duration:>5s` compares text.
    pub(super) fn hint_at_unit(&mut self, target: &Target, end: &Literal) {
        let text = end.text();
        let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ','));
        let is_number_with_unit =
            unit.len() < text.len() && UNITS.iter().any(|known| known.eq_ignore_ascii_case(unit));
        if is_number_with_unit && !end.is_quoted && matches!(target, Target::Field(_)) {
            self.hint(
                end.span.clone(),
                format!("`{text}` is not a number, so values are compared as text."),
                "Write the number alone, in the unit of the field.".to_owned(),
            );
        }
    }

    /// `path:/api/` is a regular expression.
    pub(super) fn hint_at_path(&mut self, literal: Range<usize>) {
        let text = self.cursor.slice(literal.clone()).to_owned();
        let inside = text
            .strip_prefix('/')
            .and_then(|rest| rest.strip_suffix('/'));
        let is_path_like = inside.is_some_and(|inside| {
            inside
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
        });
        if is_path_like {
            self.hint(
                literal,
                format!("`{text}` is read as a regular expression."),
                format!("To search for the path write `\"{text}\"`."),
            );
        }
    }
}
