//! The structure of a filter: `OR`, `AND`, adjacency, negation and parentheses.

use std::ops::Range;

use super::value::Scope;
use super::{Parser, Step};
use crate::limits::ALTERNATIVES_MAX;
use crate::{Diagnostic, Filter, Query};

/// An operator between or before clauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connective {
    And,
    Or,
    Not,
}

impl Parser<'_> {
    /// The whole text.
    pub(super) fn query(&mut self) -> Step<Query> {
        let filter = self.leading_filter()?;
        let stages = self.stages()?;
        Ok(Query { filter, stages })
    }

    /// The filter before the first stage; none matches everything.
    fn leading_filter(&mut self) -> Step<Filter> {
        self.cursor.skip_space();
        if self.cursor.is_at_end() || self.is_at_bar() {
            return Ok(Filter::All);
        }
        let filter = self.disjunction(None)?;
        self.refuse_stray_parenthesis()?;
        Ok(filter)
    }

    /// Only a parenthesis can end a filter before its stage ends.
    pub(super) fn refuse_stray_parenthesis(&mut self) -> Step<()> {
        self.cursor.skip_space();
        if self.cursor.peek() != Some(')') {
            return Ok(());
        }
        let span = self.cursor.span_of_next();
        self.stop(
            Diagnostic::new(span, "This parenthesis closes nothing.")
                .hint("Remove it, or write it in quotes to search for it."),
        )
    }

    fn stop_at_stage_inside<T>(&mut self) -> Step<T> {
        let span = self.cursor.span_of_next();
        self.stop(
            Diagnostic::new(span, "A stage cannot stand inside parentheses.").hint(
                "Close them before the `|`, write `OR` for either of two, or `\\|` to search for the character.",
            ),
        )
    }

    /// Clauses joined by `OR`.
    pub(super) fn disjunction(&mut self, scope: Option<&Scope>) -> Step<Filter> {
        let start = self.cursor.at();
        let mut members = vec![self.conjunction(scope)?];
        loop {
            self.cursor.skip_space();
            let Some((Connective::Or, span)) = self.connective() else {
                return self.either(members, start);
            };
            self.cursor.go_to(span.end);
            if self.is_at_operand_end() {
                return self.stop_at_missing_side(span, "right");
            }
            members.push(self.conjunction(scope)?);
        }
    }

    /// Any of the members read since `start`; groups of alternatives among them count with all of theirs.
    pub(super) fn either(&mut self, members: Vec<Filter>, start: usize) -> Step<Filter> {
        let filter = Filter::or(members);
        match &filter {
            Filter::Or(members) if members.len() > ALTERNATIVES_MAX => {
                self.stop_at_alternatives(start)
            }
            _ => Ok(filter),
        }
    }

    pub(super) fn stop_at_alternatives<T>(&mut self, start: usize) -> Step<T> {
        let span = start..self.cursor.at();
        self.stop(Diagnostic::new(
            span,
            format!("There are more than {ALTERNATIVES_MAX} alternatives, which is the limit."),
        ))
    }

    /// Clauses side by side or joined by `AND`.
    fn conjunction(&mut self, scope: Option<&Scope>) -> Step<Filter> {
        let mut members = Vec::new();
        loop {
            self.cursor.skip_space();
            match self.connective() {
                Some((Connective::And, span)) => {
                    if members.is_empty() {
                        return self.stop_at_missing_side(span, "left");
                    }
                    self.cursor.go_to(span.end);
                    if self.is_at_operand_end() {
                        return self.stop_at_missing_side(span, "right");
                    }
                    if let Some((Connective::And | Connective::Or, next)) = self.connective() {
                        return self.stop_at_missing_side(next, "left");
                    }
                }
                Some((Connective::Or, span)) if members.is_empty() => {
                    return self.stop_at_missing_side(span, "left");
                }
                Some((Connective::Or, _)) => return Ok(Filter::and(members)),
                _ if self.is_at_operand_end() => return Ok(Filter::and(members)),
                _ => {}
            }
            members.push(self.negation(scope)?);
        }
    }

    fn stop_at_missing_side<T>(&mut self, span: Range<usize>, side: &str) -> Step<T> {
        let operator = self.cursor.slice(span.clone()).to_owned();
        self.stop(
            Diagnostic::new(span, format!("`{operator}` has nothing on its {side}.")).hint(
                format!("Remove it, or write `\"{operator}\"` to search for it."),
            ),
        )
    }

    /// A clause, perhaps behind `NOT`, `-` or `!`.
    fn negation(&mut self, scope: Option<&Scope>) -> Step<Filter> {
        self.cursor.skip_space();
        let Some((Connective::Not, span)) = self.negation_sign(scope) else {
            return self.atom(scope);
        };
        self.cursor.go_to(span.end);
        let is_attached = self.cursor.peek().is_some_and(|c| !c.is_whitespace());
        if self.cursor.slice(span.clone()) == "-" && !is_attached {
            return self.stop(
                Diagnostic::new(span, "This `-` stands alone.").hint(
                    "Put it right before what to exclude, as in `-word`, or write `\"-\"` to search for it.",
                ),
            );
        }
        if self.is_at_operand_end()
            || matches!(
                self.connective(),
                Some((Connective::And | Connective::Or, _))
            )
        {
            return self.stop_at_missing_side(span, "right");
        }
        let member = self.nested(span, |parser| parser.negation(scope))?;
        Ok(member.negated())
    }

    /// The sign of negation here. In a group of one field's values, a minus before a digit is part of a number.
    fn negation_sign(&self, scope: Option<&Scope>) -> Option<(Connective, Range<usize>)> {
        let at = self.cursor.at();
        let rest = self.cursor.rest();
        let mut chars = rest.chars();
        match (chars.next()?, chars.next()) {
            ('-', Some(digit)) if scope.is_some() && digit.is_ascii_digit() => None,
            ('!', Some('=' | ':' | '~')) => None,
            ('-' | '!', _) => Some((Connective::Not, at..at + 1)),
            _ => self.connective(),
        }
    }

    /// Parentheses, or what stands for one condition.
    fn atom(&mut self, scope: Option<&Scope>) -> Step<Filter> {
        match (self.cursor.peek(), scope) {
            (Some('('), _) => self.parentheses(scope),
            (_, None) => self.clause(),
            (_, Some(scope)) => self.value(scope),
        }
    }

    /// `( … )`
    pub(super) fn parentheses(&mut self, scope: Option<&Scope>) -> Step<Filter> {
        let opening = self.cursor.span_of_next();
        self.cursor.bump();
        self.cursor.skip_space();
        if self.cursor.peek() == Some(')') {
            let span = opening.start..self.cursor.at() + 1;
            return self.stop(
                Diagnostic::new(span, "These parentheses are empty.")
                    .hint("Remove them, or write them in quotes to search for them."),
            );
        }
        let filter = match self.is_at_operand_end() {
            true => Filter::All,
            false => self.nested(opening.clone(), |parser| parser.disjunction(scope))?,
        };
        self.cursor.skip_space();
        if self.cursor.eat(")") {
            return Ok(filter);
        }
        if self.cursor.peek() == Some('|') {
            return self.stop_at_stage_inside();
        }
        self.stop(
            Diagnostic::new(opening, "This parenthesis is never closed.")
                .hint("Add `)` where the group ends, or write `\\(` to search for the character."),
        )
    }

    /// Whether no further clause can begin here: the end, `)`, or the `|` of a stage.
    pub(super) fn is_at_operand_end(&mut self) -> bool {
        self.cursor.skip_space();
        match self.cursor.peek() {
            None | Some(')') => true,
            Some('|') => self.is_at_bar(),
            Some(_) => false,
        }
    }

    /// Whether the `|` of a stage stands here.
    pub(super) fn is_at_bar(&self) -> bool {
        self.cursor.peek() == Some('|') && self.connective().is_none()
    }

    /// The operator here and its span, without stepping over it. A word that only begins with one is a word.
    pub(super) fn connective(&self) -> Option<(Connective, Range<usize>)> {
        const SYMBOLS: [(&str, Connective); 2] = [("&&", Connective::And), ("||", Connective::Or)];
        const WORDS: [(&str, Connective); 3] = [
            ("AND", Connective::And),
            ("OR", Connective::Or),
            ("NOT", Connective::Not),
        ];
        let at = self.cursor.at();
        let rest = self.cursor.rest();
        let found = SYMBOLS
            .iter()
            .find(|(symbol, _)| rest.starts_with(symbol))
            .or_else(|| {
                WORDS.iter().find(|(word, _)| {
                    rest.strip_prefix(word).is_some_and(|after| {
                        after
                            .chars()
                            .next()
                            .is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ')' | '"' | '|'))
                    })
                })
            });
        found.map(|(text, connective)| (*connective, at..at + text.len()))
    }
}
