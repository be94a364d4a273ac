//! A clause outside any field's group: a field with an operator and a value, or a bare search.

use std::ops::Range;

use super::operator::Operator;
use super::structure::Connective;
use super::value::{Reading, Scope};
use super::word::{Literal, Place};
use super::{Parser, Step};
use crate::{Clause, Diagnostic, Filter, Target, Test, Wildcard};

impl Parser<'_> {
    /// Reads a clause; something other than white space stands here.
    pub(super) fn clause(&mut self) -> Step<Filter> {
        let start = self.cursor.at();
        if self.cursor.peek() == Some('/')
            && let Some(regex) = self.regex_literal(Place::Value)?
        {
            self.hint_at_path(start..self.cursor.at());
            return Ok(self.bare_regex(regex));
        }
        if self.cursor.peek() == Some('"') {
            let phrase = self.quoted(Place::Start)?;
            return self.field_or_bare(phrase);
        }
        if self.is_text_with_operator() {
            let text = self.word(Place::Value)?;
            return self.bare(&text);
        }
        if let Some(column) = self.compared_call()? {
            return self.field_or_bare(column);
        }
        self.refuse_lone_operator()?;
        self.refuse_lone_range()?;
        let word = self.word(Place::Start)?;
        self.field_or_bare(word)
    }

    fn field_or_bare(&mut self, literal: Literal) -> Step<Filter> {
        match self.operator()? {
            Some((operator, span)) => self.field_clause(literal, operator, span),
            None => self.bare(&literal),
        }
    }

    fn bare_regex(&mut self, regex: Option<Test>) -> Filter {
        match regex {
            Some(test) => Filter::Clause(Clause {
                target: Target::AnyField,
                test,
            }),
            None => Filter::All,
        }
    }

    /// A word or phrase without a field.
    fn bare(&mut self, literal: &Literal) -> Step<Filter> {
        if literal.is_quoted && literal.tokens.is_empty() {
            return self.stop(
                Diagnostic::new(literal.span.clone(), "An empty phrase is in every text.")
                    .hint("Write `*` for all events, or `field=\"\"` for a field that is empty."),
            );
        }
        self.hint_at_lower_case(literal);
        if literal.is_star() {
            return Ok(Filter::All);
        }
        let test = match Wildcard::new(literal.tokens.clone()) {
            Some(wildcard) => Test::Wildcard(wildcard),
            None => Test::Contains(literal.text()),
        };
        Ok(Filter::Clause(Clause {
            target: Target::AnyField,
            test,
        }))
    }

    fn field_clause(
        &mut self,
        field: Literal,
        operator: Operator,
        operator_span: Range<usize>,
    ) -> Step<Filter> {
        let target = self.target(&field)?;
        self.hint_at_pasted_text(&target, &field, &operator_span);
        let scope = Scope {
            target,
            reading: match operator {
                Operator::Is | Operator::IsNot => Reading::Whole,
                _ => Reading::Contains,
            },
            place: Place::Value,
        };
        self.expect_value(&scope, field.span.start..operator_span.end)?;
        // A negated operator nests as the `NOT` does that it is printed with.
        match operator {
            Operator::HasNot | Operator::IsNot | Operator::MatchesNot => {
                let filter =
                    self.nested(operator_span, |parser| parser.operand(&scope, operator))?;
                Ok(filter.negated())
            }
            Operator::Has | Operator::Is | Operator::Matches | Operator::Compare(_) => {
                self.operand(&scope, operator)
            }
        }
    }

    fn operand(&mut self, scope: &Scope, operator: Operator) -> Step<Filter> {
        match operator {
            Operator::Has | Operator::HasNot | Operator::Is | Operator::IsNot => {
                self.field_value(scope)
            }
            Operator::Matches | Operator::MatchesNot => self.regex_value(scope),
            Operator::Compare(comparison) => self.compared(scope, comparison),
        }
    }

    fn target(&mut self, field: &Literal) -> Step<Target> {
        if field.is_star() {
            return Ok(Target::AnyField);
        }
        if field.has_wildcard() {
            let hint = format!(
                "Write out the field's name; in quotes, as in `\"{}\":…`, if it holds the character itself.",
                field.text()
            );
            return self.stop(
                Diagnostic::new(field.span.clone(), "A field's name cannot have wildcards.")
                    .hint(hint),
            );
        }
        let name = field.text();
        self.check_column(&name, &field.span);
        // A quoted `*` is a field of that name, not every field.
        Ok(match &*name {
            "*" => Target::Field(crate::FieldName::new(name)),
            _ => Target::named(&name),
        })
    }

    /// Something that can be a value must stand here.
    fn expect_value(&mut self, scope: &Scope, clause: Range<usize>) -> Step<()> {
        if !self.is_at_operand_end() && self.connective().is_none() {
            return Ok(());
        }
        let written = self.cursor.slice(clause.clone()).to_owned();
        let hint = match self.connective() {
            Some((Connective::Not, _)) => {
                format!("To exclude a value, write `NOT {}:…`.", scope.target.name())
            }
            Some((_, span)) => {
                let operator = self.cursor.slice(span);
                format!("Write `\"{operator}\"` in quotes if that is the value.")
            }
            None => format!(
                "To find events that have the field, write `{}:*`.",
                scope.target.name()
            ),
        };
        self.stop(Diagnostic::new(clause, format!("`{written}` has no value.")).hint(hint))
    }

    fn refuse_lone_operator(&mut self) -> Step<()> {
        let start = self.cursor.at();
        let Some((_, span)) = self.operator()? else {
            return Ok(());
        };
        let written = self.cursor.slice(span.clone()).to_owned();
        self.cursor.go_to(start);
        self.stop(
            Diagnostic::new(span, format!("`{written}` has no field before it.")).hint(format!(
                "Write `field{written}value`, or put the text in quotes to search for it."
            )),
        )
    }

    /// `[a TO b]` without a field; any other text in brackets is text.
    fn refuse_lone_range(&mut self) -> Step<()> {
        let rest = self.cursor.rest();
        if !rest.starts_with(['[', '{']) {
            return Ok(());
        }
        // Far enough for any range, and no further, or many open brackets would take time without end.
        const RANGE_BYTES_MAX: usize = 256;
        let Some(end) = rest
            .bytes()
            .take(RANGE_BYTES_MAX)
            .position(|byte| matches!(byte, b']' | b'}'))
        else {
            return Ok(());
        };
        if rest
            .get(..end)
            .is_some_and(|inside| inside.contains(" TO "))
        {
            let start = self.cursor.at();
            return self.stop(
                Diagnostic::new(start..start + end + 1, "A range has no field before it.")
                    .hint("Write `field:[a TO b]`, or put the text in quotes to search for it."),
            );
        }
        Ok(())
    }
}
