//! Names of fields and columns, and lists of them.

use std::ops::Range;

use super::function::FunctionWord;
use crate::parse::word::{Literal, Place};
use crate::parse::{Parser, Step};
use crate::{Diagnostic, FieldName};

/// A name, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) span: Range<usize>,
}

impl Name {
    pub(super) fn field(&self) -> FieldName {
        FieldName::new(self.text.as_str())
    }
}

/// A list of names under a limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct NameList {
    /// What the names are of, in the plural.
    pub(super) of: &'static str,
    pub(super) count_max: usize,
}

impl Parser<'_> {
    /// Names separated by commas; at least one, none twice.
    pub(super) fn names(&mut self, list: NameList) -> Step<Vec<Name>> {
        let mut names: Vec<Name> = Vec::new();
        loop {
            let name = self.name()?;
            match names.iter().any(|earlier| earlier.text == name.text) {
                true => self.note_repeated(&name),
                false => names.push(name),
            }
            if !self.comma() {
                self.check_count(list, &names);
                return Ok(names);
            }
        }
    }

    pub(super) fn note_repeated(&mut self, name: &Name) {
        let message = format!("`{}` is named twice.", name.text);
        self.note(Diagnostic::new(name.span.clone(), message).hint("Name it once."));
    }

    pub(super) fn check_count(&mut self, list: NameList, names: &[Name]) {
        if let Some(first_beyond) = names.get(list.count_max) {
            let message = format!(
                "There are more than {} {}, which is the limit.",
                list.count_max, list.of
            );
            self.note(Diagnostic::new(first_beyond.span.clone(), message));
        }
    }

    /// Steps over a comma, also behind white space.
    pub(super) fn comma(&mut self) -> bool {
        let before = self.cursor.at();
        self.cursor.skip_space();
        let is_here = self.cursor.eat(",");
        if !is_here {
            self.cursor.go_to(before);
        }
        is_here
    }

    /// A name: a word, text in quotes, or a function as it stands above a column.
    pub(super) fn name(&mut self) -> Step<Name> {
        self.cursor.skip_space();
        if let Some(call) = self.call()? {
            return Ok(call);
        }
        let literal = self.literal(Place::Name)?;
        if literal.tokens.is_empty() {
            return self.stop_at_missing_name(&literal);
        }
        if literal.has_wildcard() {
            return self.stop(
                Diagnostic::new(literal.span.clone(), "A field's name cannot have wildcards.").hint(
                    "Write out the names of the fields; in quotes if one holds the character itself.",
                ),
            );
        }
        Ok(Name {
            text: literal.text(),
            span: literal.span,
        })
    }

    fn stop_at_missing_name<T>(&mut self, literal: &Literal) -> Step<T> {
        if literal.is_quoted {
            let message = "A name cannot be empty.";
            return self.stop(
                Diagnostic::new(literal.span.clone(), message)
                    .hint("Write the name of a field between the quotes."),
            );
        }
        let span = self.cursor.span_of_next();
        self.stop(
            Diagnostic::new(span, "The name of a field is missing here.").hint(
                "Write a name such as `service` or `http.status`, or in quotes if it holds spaces.",
            ),
        )
    }

    /// `p95(duration_ms)` as the name of a column, if a function and a parenthesis stand here.
    fn call(&mut self) -> Step<Option<Name>> {
        let start = self.cursor.at();
        let word = self.run_of(FunctionWord::holds);
        let written = self.cursor.slice(word).to_ascii_lowercase();
        if FunctionWord::parse(&written).is_err() || !self.cursor.eat("(") {
            self.cursor.go_to(start);
            return Ok(None);
        }
        let argument = self.argument(start)?;
        let text = column_name(&written, argument.as_ref());
        let span = start..self.cursor.at();
        Ok(Some(Name { text, span }))
    }

    /// `p95(duration_ms)` before an operator, which is a column of a table.
    pub(in crate::parse) fn compared_call(&mut self) -> Step<Option<Literal>> {
        if !is_compared_call(self.cursor.rest()) {
            return Ok(None);
        }
        let Some(name) = self.call()? else {
            return Ok(None);
        };
        if self.table.is_none() {
            return self.stop_at_uncomputed(&name);
        }
        Ok(Some(Literal {
            tokens: name.text.chars().map(crate::GlobToken::Char).collect(),
            span: name.span,
            is_quoted: true,
        }))
    }

    fn stop_at_uncomputed<T>(&mut self, name: &Name) -> Step<T> {
        let text = &name.text;
        self.stop(
            Diagnostic::new(
                name.span.clone(),
                format!("`{text}` has not been computed before this."),
            )
            .hint(format!(
                "Compute it in a stage and compare it in the next, as in `| stats {text} | where {text} > 5`."
            )),
        )
    }
}

/// The name of the column that a function of an argument makes unless it is given another.
pub(super) fn column_name(function: &str, argument: Option<&Name>) -> String {
    match argument {
        Some(field) => format!("{function}({})", crate::print::Named(&field.text)),
        None => format!("{function}()"),
    }
}

/// Whether `name` can stand without quotes where a name does, as a function of a plain field or of none.
pub(crate) fn is_call(name: &str) -> bool {
    let Some((function, argument)) = name.strip_suffix(')').and_then(|rest| rest.split_once('('))
    else {
        return false;
    };
    let is_canonical = !function.bytes().any(|byte| byte.is_ascii_uppercase());
    is_canonical
        && FunctionWord::parse(function).is_ok()
        && (argument.is_empty() || crate::print::is_plain_name(argument))
}

/// Whether a function, its parentheses and an operator stand at the start of `text`.
fn is_compared_call(text: &str) -> bool {
    /// Longer names are written in quotes; without an end, many open parentheses would take time without end.
    const CALL_BYTES_MAX: usize = 256;
    let head_bytes = text
        .find(|c: char| !FunctionWord::holds(c))
        .unwrap_or(text.len());
    let rest = text.get(head_bytes..).unwrap_or_default();
    if !rest.starts_with('(') {
        return false;
    }
    let close = rest
        .bytes()
        .take(CALL_BYTES_MAX)
        .position(|byte| byte == b')');
    close
        .and_then(|close| rest.get(close + 1..))
        .is_some_and(|after| {
            let after = after.trim_start();
            let negation = after.strip_prefix('!').unwrap_or(after);
            negation.starts_with([':', '=', '<', '>', '~'])
        })
}
