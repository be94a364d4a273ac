//! Canonical text: prints a filter, or a stage, so that it parses to the same one.

mod stage;

use std::fmt::{self, Display, Formatter, Write};
use std::ops::Bound;

use crate::{Clause, Filter, GlobToken, Range, Target, Test, TimeTest, Wildcard};

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Filter::All => f.write_str("*"),
            Filter::And(members) => join(f, members, " AND ", |member| {
                matches!(member, Filter::And(_) | Filter::Or(_))
            }),
            Filter::Or(members) => {
                join(f, members, " OR ", |member| matches!(member, Filter::Or(_)))
            }
            Filter::Not(member) => {
                f.write_str("NOT ")?;
                fmt_member(
                    f,
                    member,
                    matches!(**member, Filter::And(_) | Filter::Or(_)),
                )
            }
            Filter::Clause(clause) => clause.fmt(f),
        }
    }
}

fn join(
    f: &mut Formatter<'_>,
    members: &[Filter],
    operator: &str,
    needs_parentheses: fn(&Filter) -> bool,
) -> fmt::Result {
    for (index, member) in members.iter().enumerate() {
        if index > 0 {
            f.write_str(operator)?;
        }
        fmt_member(f, member, needs_parentheses(member))?;
    }
    Ok(())
}

fn fmt_member(f: &mut Formatter<'_>, member: &Filter, in_parentheses: bool) -> fmt::Result {
    if in_parentheses {
        write!(f, "({member})")
    } else {
        member.fmt(f)
    }
}

impl Display for Clause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let is_bare = self.target == Target::AnyField
            && matches!(
                self.test,
                Test::Contains(_) | Test::Wildcard(_) | Test::Regex(_)
            );
        if is_bare {
            return fmt_value(f, &self.test);
        }
        fmt_field(f, &self.target)?;
        match &self.test {
            Test::Equals(text) => {
                f.write_char('=')?;
                fmt_literal(f, text)
            }
            Test::AnyOf(_) => {
                f.write_str(":(")?;
                fmt_value(f, &self.test)?;
                f.write_char(')')
            }
            test => {
                f.write_char(':')?;
                fmt_value(f, test)
            }
        }
    }
}

fn fmt_field(f: &mut Formatter<'_>, target: &Target) -> fmt::Result {
    match target {
        Target::Field(name) => Named(name.as_str()).fmt(f),
        _ => f.write_str(target.name()),
    }
}

/// What stands after `field:`.
fn fmt_value(f: &mut Formatter<'_>, test: &Test) -> fmt::Result {
    match test {
        Test::Present => f.write_char('*'),
        Test::Contains(text) => fmt_literal(f, text),
        Test::Equals(text) => {
            f.write_char('=')?;
            fmt_literal(f, text)
        }
        Test::Wildcard(wildcard) => fmt_wildcard(f, wildcard),
        Test::Regex(regex) => regex.fmt_literal(f),
        Test::Range(range) => fmt_range(f, range),
        Test::Cidr(cidr) => cidr.fmt(f),
        Test::Time(TimeTest::During(point)) => point.fmt(f),
        Test::Time(TimeTest::Between(lower, upper)) => {
            fmt_ends(f, lower.as_ref(), upper.as_ref(), |f, point| point.fmt(f))
        }
        Test::Id(id) => id.fmt(f),
        Test::AnyOf(tests) => {
            for (index, test) in tests.iter().enumerate() {
                if index > 0 {
                    f.write_str(" OR ")?;
                }
                fmt_value(f, test)?;
            }
            Ok(())
        }
    }
}

fn fmt_range(f: &mut Formatter<'_>, range: &Range) -> fmt::Result {
    fmt_ends(f, range.lower(), range.upper(), |f, end| {
        match end.strip_prefix('-') {
            Some(positive) if is_plain(positive) => f.write_str(end),
            _ => fmt_literal(f, end),
        }
    })
}

fn fmt_ends<T>(
    f: &mut Formatter<'_>,
    lower: Bound<T>,
    upper: Bound<T>,
    fmt_end: impl Fn(&mut Formatter<'_>, T) -> fmt::Result,
) -> fmt::Result {
    let single = match (lower, upper) {
        (Bound::Included(end), Bound::Unbounded) => (">=", end),
        (Bound::Excluded(end), Bound::Unbounded) => (">", end),
        (Bound::Unbounded, Bound::Included(end)) => ("<=", end),
        (Bound::Unbounded, Bound::Excluded(end)) => ("<", end),
        (lower, upper) => return fmt_both_ends(f, lower, upper, fmt_end),
    };
    f.write_str(single.0)?;
    fmt_end(f, single.1)
}

fn fmt_both_ends<T>(
    f: &mut Formatter<'_>,
    lower: Bound<T>,
    upper: Bound<T>,
    fmt_end: impl Fn(&mut Formatter<'_>, T) -> fmt::Result,
) -> fmt::Result {
    let (opening, lower) = match lower {
        Bound::Included(end) => ('[', Some(end)),
        Bound::Excluded(end) => ('{', Some(end)),
        Bound::Unbounded => ('[', None),
    };
    let (closing, upper) = match upper {
        Bound::Included(end) => (']', Some(end)),
        Bound::Excluded(end) => ('}', Some(end)),
        Bound::Unbounded => (']', None),
    };
    let fmt_or_star = |f: &mut Formatter<'_>, end: Option<T>| match end {
        Some(end) => fmt_end(f, end),
        None => f.write_char('*'),
    };
    f.write_char(opening)?;
    fmt_or_star(f, lower)?;
    f.write_str(" TO ")?;
    fmt_or_star(f, upper)?;
    f.write_char(closing)
}

/// Bare where that cannot be read as anything else, else quoted.
fn fmt_literal(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    if is_plain(text) {
        f.write_str(text)
    } else {
        fmt_quoted(f, text)
    }
}

/// A value, in quotes where it needs them.
pub(crate) struct Literal<'a>(pub(crate) &'a str);

impl Display for Literal<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        fmt_literal(f, self.0)
    }
}

/// Whether `text` stands for itself as the name of a field.
pub(crate) fn is_plain_name(text: &str) -> bool {
    // A name that begins with a digit could look like a time, an address or a number of rows.
    is_plain(text) && !text.starts_with(|c: char| c.is_ascii_digit())
}

/// A name of a field or column, in quotes where it needs them.
pub(crate) struct Named<'a>(pub(crate) &'a str);

impl Display for Named<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match is_plain_name(self.0) {
            true => f.write_str(self.0),
            false => fmt_quoted(f, self.0),
        }
    }
}

fn fmt_quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}

/// Whether `text` stands for itself anywhere without quotes: as a field, a value or a bare word.
fn is_plain(text: &str) -> bool {
    let is_operator = ["AND", "OR", "NOT", "TO", "IN"]
        .iter()
        .any(|operator| text.eq_ignore_ascii_case(operator));
    let begins_word = |c: char| c.is_alphanumeric() || c == '_';
    text.starts_with(begins_word)
        && text
            .chars()
            .all(|c| begins_word(c) || matches!(c, '.' | '-' | '@'))
        && !is_operator
}

fn fmt_wildcard(f: &mut Formatter<'_>, wildcard: &Wildcard) -> fmt::Result {
    for (index, token) in wildcard.tokens().iter().enumerate() {
        match token {
            GlobToken::AnyRun => f.write_char('*')?,
            GlobToken::AnyChar => f.write_char('?')?,
            GlobToken::Char(c) => {
                let is_plain = *c == '_' || (index > 0 && matches!(c, '.' | '-' | '@'));
                if (c.is_ascii_punctuation() && !is_plain) || c.is_whitespace() {
                    f.write_char('\\')?;
                }
                f.write_char(*c)?;
            }
        }
    }
    Ok(())
}
