//! The value of a field: what can stand after `field:` and `field=`.

use std::net::IpAddr;
use std::ops::Range as Span;

use cordwood_event::EventId;

use super::word::{Literal, Place};
use super::{Parser, Step};
use crate::limits::REGEX_COUNT_MAX;
use crate::test::InvalidRegex;
use crate::{Cidr, Clause, Diagnostic, Filter, RegexTest, Target, Test, Wildcard};

/// What the values being read belong to.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) target: Target,
    pub(super) reading: Reading,
    pub(super) place: Place,
}

/// How a plain value is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// After `:`: words, wildcards, ranges and all.
    Contains,
    /// After `=`: the whole value, to the letter.
    Whole,
}

impl Parser<'_> {
    /// What stands after a field and `:` or `=`: one value, or several in parentheses.
    pub(super) fn field_value(&mut self, scope: &Scope) -> Step<Filter> {
        if self.cursor.peek() == Some('(') {
            return self.group(scope);
        }
        if self.cursor.rest().starts_with("in(") || self.cursor.rest().starts_with("IN(") {
            let opening = self.cursor.at()..self.cursor.at() + "in(".len();
            return self.nested(opening, |parser| parser.list(scope));
        }
        self.value(scope)
    }

    /// One value.
    pub(super) fn value(&mut self, scope: &Scope) -> Step<Filter> {
        let start = self.cursor.at();
        if scope.reading == Reading::Contains {
            match self.cursor.peek() {
                Some('[' | '{') => return self.range(scope),
                Some('<' | '>') => {
                    if let Some(comparison) = self.comparison() {
                        return self.compared(scope, comparison);
                    }
                }
                Some('/') => {
                    if let Some(test) = self.regex_literal(scope.place)? {
                        self.hint_at_path(start..self.cursor.at());
                        return Ok(self.suited(scope, test, start..self.cursor.at()));
                    }
                }
                Some('=') => {
                    self.cursor.bump();
                    let exact = Scope {
                        reading: Reading::Whole,
                        ..scope.clone()
                    };
                    return self.plain_value(&exact);
                }
                _ => {}
            }
        }
        self.plain_value(scope)
    }

    /// A word or a phrase.
    fn plain_value(&mut self, scope: &Scope) -> Step<Filter> {
        let literal = self.literal(scope.place)?;
        if literal.tokens.is_empty() && !literal.is_quoted {
            return self.stop_at_missing_value();
        }
        let test = match scope.reading {
            Reading::Whole => self.whole(scope, &literal),
            Reading::Contains => self.contained(scope, &literal),
        };
        Ok(self.suited(scope, test, literal.span))
    }

    pub(super) fn stop_at_missing_value<T>(&mut self) -> Step<T> {
        let span = self.cursor.span_of_next();
        self.stop(
            Diagnostic::new(span, "A value is missing here.")
                .hint("Write a word, a phrase in quotes, or `*` for any value."),
        )
    }

    fn whole(&mut self, scope: &Scope, literal: &Literal) -> Option<Test> {
        let text = literal.text();
        let is_block = !literal.is_quoted && looks_like_block(&text);
        self.hint_at_pattern(&scope.target, literal, is_block);
        Some(Test::Equals(text))
    }

    fn contained(&mut self, scope: &Scope, literal: &Literal) -> Option<Test> {
        self.hint_at_lower_case(literal);
        self.hint_at_negated_value(&scope.target, literal);
        if literal.tokens.is_empty() {
            return Some(Test::Equals(String::new()));
        }
        if literal.is_star() {
            return Some(Test::Present);
        }
        let text = literal.text();
        if scope.target == Target::Time {
            return Some(Test::Contains(text));
        }
        if let Some(wildcard) = Wildcard::new(literal.tokens.clone()) {
            return Some(Test::Wildcard(wildcard));
        }
        let can_be_block = matches!(scope.target, Target::Field(_) | Target::AnyField);
        if can_be_block && !literal.is_quoted && looks_like_block(&text) {
            return self.block(&text, literal.span.clone());
        }
        Some(Test::Contains(text))
    }

    /// `10.0.0.0/8`
    fn block(&mut self, text: &str, span: Span<usize>) -> Option<Test> {
        if let Some(block) = Cidr::parse(text) {
            return Some(Test::Cidr(block));
        }
        let (address, _) = text.split_once('/')?;
        let message = match address.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => {
                format!("`{text}` is no block of addresses: an IPv4 prefix has 0 to 32 bits.")
            }
            Ok(IpAddr::V6(_)) => {
                format!("`{text}` is no block of addresses: an IPv6 prefix has 0 to 128 bits.")
            }
            Err(_) => format!("`{text}` is no block of addresses: `{address}` is not an address."),
        };
        self.note(Diagnostic::new(span, message).hint(format!(
            "Write a block such as `10.0.0.0/8`, or `\"{text}\"` to search for the text."
        )));
        None
    }

    /// The clause, if the test suits the target; otherwise notes why not. The filter that stands in for a mistake
    /// is never seen.
    pub(super) fn suited(
        &mut self,
        scope: &Scope,
        test: Option<Test>,
        span: Span<usize>,
    ) -> Filter {
        let suited = test.and_then(|test| match &scope.target {
            Target::AnyField if test == Test::Present => None,
            Target::AnyField | Target::Field(_) => Some(test),
            Target::Level => self.suited_to_level(test, span),
            Target::Time => self.suited_to_time(test, span),
            Target::Source => self.suited_to_source(test, span),
            Target::Id => self.suited_to_id(test, span),
        });
        match suited {
            Some(test) => Filter::Clause(Clause {
                target: scope.target.clone(),
                test,
            }),
            None => Filter::All,
        }
    }

    fn suited_to_source(&mut self, test: Test, span: Span<usize>) -> Option<Test> {
        if !matches!(test, Test::Range(_)) {
            return Some(test);
        }
        self.note(Diagnostic::new(span, "Sources have no order.").hint(
            "Name the source, as in `_source:api`, or several, as in `_source:in(api, web)`.",
        ));
        None
    }

    fn suited_to_id(&mut self, test: Test, span: Span<usize>) -> Option<Test> {
        let id = match &test {
            Test::Present => return Some(test),
            Test::Contains(text) | Test::Equals(text) => text.parse::<EventId>().ok(),
            _ => None,
        };
        if id.is_none() {
            let written = self.cursor.slice(span.clone()).to_owned();
            self.note(
                Diagnostic::new(span, format!("`{written}` is not the id of an event.")).hint(
                    "An id is copied from the `_id` of a result, such as `17c5f2a0b3d4e800-1f`.",
                ),
            );
        }
        id.map(Test::Id)
    }

    /// What stands after `=~`: `/re/`, or the expression itself in quotes or bare.
    pub(super) fn regex_value(&mut self, scope: &Scope) -> Step<Filter> {
        let start = self.cursor.at();
        if self.cursor.peek() == Some('/') {
            return match self.regex_literal(scope.place)? {
                Some(test) => Ok(self.suited(scope, test, start..self.cursor.at())),
                None => self.stop_at_unclosed_regex(start),
            };
        }
        let literal = self.literal(scope.place)?;
        let inner = match literal.is_quoted {
            true => literal.span.start + 1..literal.span.end - 1,
            false => literal.span.clone(),
        };
        let source = match literal.is_quoted {
            true => literal.text(),
            // Backslashes of a bare expression belong to it.
            false => self.cursor.slice(inner.clone()).to_owned(),
        };
        let test = self.regex(&source, inner, false);
        Ok(self.suited(scope, test, literal.span))
    }

    /// `/re/` or `/re/i` if such a literal stands here: closed, and followed by the end of the value. The
    /// test is missing when the expression is at fault, which is noted.
    pub(super) fn regex_literal(&mut self, place: Place) -> Step<Option<Option<Test>>> {
        let start = self.cursor.at();
        let rest = self.cursor.rest();
        let Some(length) = regex_bytes(rest) else {
            return match looks_like_regex(rest) {
                true => self.stop_at_unclosed_regex(start),
                false => Ok(None),
            };
        };
        let source = rest.get(1..1 + length).unwrap_or_default();
        let after = rest.get(length + 2..).unwrap_or_default();
        let flags: &str = after
            .split(|c: char| !c.is_ascii_alphanumeric())
            .next()
            .unwrap_or_default();
        let is_closed = match after.chars().nth(flags.len()) {
            None => true,
            Some(c) => {
                c.is_whitespace() || matches!(c, ')' | '|') || (c == ',' && place == Place::List)
            }
        };
        if !is_closed || !matches!(flags, "" | "i") {
            return match is_closed && looks_like_flags(flags) && looks_like_regex(source) {
                true => self.stop_at_unknown_flag(start + length + 2, flags),
                false => Ok(None),
            };
        }
        let inner = start + 1..start + 1 + length;
        let test = self.regex(source, inner.clone(), flags == "i");
        self.cursor.go_to(inner.end + 1 + flags.len());
        Ok(Some(test))
    }

    fn regex(&mut self, source: &str, inner: Span<usize>, is_case_ignored: bool) -> Option<Test> {
        if source.is_empty() {
            self.note(
                Diagnostic::new(inner, "The regular expression is empty.")
                    .hint("Write `field:*` for events that have the field, or quote the slashes to search for them."),
            );
            return None;
        }
        if self.regex_count == REGEX_COUNT_MAX {
            let message = format!(
                "There are more than {REGEX_COUNT_MAX} regular expressions, which is the limit."
            );
            self.note(
                Diagnostic::new(inner, message).hint("Join some with `|` inside one expression."),
            );
            return None;
        }
        self.regex_count += 1;
        match RegexTest::new(source, is_case_ignored) {
            Ok(regex) => Some(Test::Regex(regex)),
            Err(InvalidRegex::TooLarge) => {
                let limit = crate::limits::REGEX_BYTES_MAX / 1024;
                self.note(
                    Diagnostic::new(
                        inner,
                        format!(
                            "The compiled regular expression exceeds the limit of {limit} KiB."
                        ),
                    )
                    .hint("Repeat less, or use narrower classes such as `[0-9]` for `\\d`."),
                );
                None
            }
            Err(InvalidRegex::Syntax(span, reason)) => {
                self.note_regex_syntax(source, inner, span, &reason);
                None
            }
        }
    }

    fn note_regex_syntax(
        &mut self,
        source: &str,
        inner: Span<usize>,
        fault: Span<usize>,
        reason: &str,
    ) {
        // The fault can be located only where the text stands in the query as it was given to the compiler.
        let is_verbatim =
            self.cursor.slice(inner.clone()) == source && RegexTest::slashes_are_escaped(source);
        let span = match is_verbatim {
            true => inner.start + fault.start..inner.start + shown_end(source, &fault),
            false => inner,
        };
        self.note(
            Diagnostic::new(
                span,
                format!("The regular expression is invalid: {reason}."),
            )
            .hint("To search for the text as it is, write it in quotes."),
        );
    }

    fn stop_at_unclosed_regex<T>(&mut self, start: usize) -> Step<T> {
        self.stop(
            Diagnostic::new(start..start + 1, "This regular expression is never closed.").hint(
                "Add `/` where it ends, with `\\/` for a slash inside; or write a path in quotes.",
            ),
        )
    }

    fn stop_at_unknown_flag<T>(&mut self, start: usize, flags: &str) -> Step<T> {
        self.stop(
            Diagnostic::new(
                start..start + flags.len(),
                format!("`{flags}` is not a flag of a regular expression."),
            )
            .hint("The only flag is `i`; others are written inside, as in `/(?s)a.b/`."),
        )
    }
}

/// Where a fault ends that shows at least one character, if there is one.
fn shown_end(source: &str, fault: &Span<usize>) -> usize {
    let next = source
        .get(fault.start..)
        .and_then(|rest| rest.chars().next());
    let least = fault.start + next.map_or(0, char::len_utf8);
    fault.end.clamp(least, source.len().max(least))
}

/// The bytes between the slash that begins `text` and the next one that is not escaped.
fn regex_bytes(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().skip(1).position(|byte| {
        let closes = byte == b'/' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        closes
    })
}

/// Whether there is anything in `text` that a path would hardly hold but a regular expression would.
fn looks_like_regex(text: &str) -> bool {
    text.contains(['[', '^', '$', '+', '{'])
        || [".*", "\\d", "\\w", "\\s", "\\b", "(?", ")?", ")*"]
            .iter()
            .any(|sign| text.contains(sign))
}

/// The flags of other languages' regular expressions.
fn looks_like_flags(flags: &str) -> bool {
    !flags.is_empty() && flags.bytes().all(|byte| b"gimsuxU".contains(&byte))
}

/// `<address>/<bits>`, or nearly.
fn looks_like_block(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else {
        return false;
    };
    let are_digits = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
    let is_dotted = address.split('.').count() == 4
        && address
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    are_digits && (is_dotted || address.parse::<IpAddr>().is_ok())
}
