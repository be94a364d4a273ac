//! The stages after the filter, each behind a `|`: one file per stage, and one per part that several share.

mod aggregate;
mod dedup;
mod fields;
mod filter;
mod function;
mod group;
mod interval;
mod limit;
mod name;
mod parse;
mod pattern;
mod patterns;
mod sort;
mod stats;
mod table;
mod timechart;
mod top;

use std::ops::Range;

use super::{Parser, Step};
use crate::limits::STAGES_MAX;
use crate::near_names;
use crate::{Diagnostic, Stage};

pub(crate) use function::FUNCTION_NAMES;
pub(crate) use name::is_call;
pub(super) use table::Table;

/// The names of the stages.
pub(crate) const STAGES: [&str; 10] = [
    "stats",
    "timechart",
    "top",
    "where",
    "sort",
    "limit",
    "fields",
    "dedup",
    "parse",
    "patterns",
];

/// What other languages call them.
const FOREIGN: [(&str, &str); 14] = [
    ("aggregate", "stats"),
    ("summarize", "stats"),
    ("count", "stats count()"),
    ("bin", "timechart"),
    ("filter", "where"),
    ("search", "where"),
    ("order", "sort"),
    ("take", "limit"),
    ("tail", "sort by dt desc | limit"),
    ("project", "fields"),
    ("select", "fields"),
    ("table", "fields"),
    ("uniq", "dedup"),
    ("extract", "parse"),
];

impl Parser<'_> {
    /// All stages up to the end of the text. One that is at fault is left out; that has been noted.
    pub(super) fn stages(&mut self) -> Step<Vec<Stage>> {
        let mut stages = Vec::new();
        let mut count = 0;
        loop {
            self.cursor.skip_space();
            let bar = self.cursor.span_of_next();
            if !self.cursor.eat("|") {
                return Ok(stages);
            }
            if count == STAGES_MAX {
                let message =
                    format!("There are more than {STAGES_MAX} stages, which is the limit.");
                return self.stop(Diagnostic::new(bar, message));
            }
            count += 1;
            stages.extend(self.stage(bar)?);
        }
    }

    fn stage(&mut self, bar: Range<usize>) -> Step<Option<Stage>> {
        self.cursor.skip_space();
        let keyword = self.run_of(is_letter);
        if keyword.is_empty() {
            return self.stop_at_missing_stage(bar);
        }
        let mistakes = self.diagnostics.len();
        let stage = match &*self.cursor.slice(keyword.clone()).to_ascii_lowercase() {
            "stats" => self.stats(keyword)?,
            "timechart" => self.timechart(keyword)?,
            "top" => self.top(keyword)?,
            "where" => self.filter_stage(keyword)?,
            "sort" => self.sort()?,
            "limit" | "head" => self.limit(keyword)?,
            "fields" => self.fields()?,
            "dedup" => self.dedup()?,
            "parse" => self.parse_stage(keyword)?,
            "patterns" => self.patterns(keyword)?,
            _ => return self.stop_at_unknown_stage(bar, keyword),
        };
        self.expect_stage_end()?;
        let is_sound = self.diagnostics.len() == mistakes;
        if !is_sound {
            self.forget_columns();
        }
        Ok(Some(stage).filter(|_| is_sound))
    }

    fn expect_stage_end(&mut self) -> Step<()> {
        self.refuse_stray_parenthesis()?;
        if self.cursor.is_at_end() || self.is_at_bar() {
            return Ok(());
        }
        let start = self.cursor.at();
        let rest = self.cursor.rest();
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '|' | ','))
            .unwrap_or(rest.len());
        let span = start..(start + end).max(self.cursor.span_of_next().end);
        let written = self.cursor.slice(span.clone()).to_owned();
        self.stop(
            Diagnostic::new(span, format!("`{written}` is not expected here."))
                .hint("Put commas between names, and `|` before the next stage."),
        )
    }

    fn stop_at_missing_stage<T>(&mut self, bar: Range<usize>) -> Step<T> {
        self.stop(
            Diagnostic::new(bar, "No stage follows this `|`.").hint(format!(
                "{}; write `OR` for either of two, or `\\|` to search for the character.",
                known_stages()
            )),
        )
    }

    fn stop_at_unknown_stage<T>(&mut self, bar: Range<usize>, keyword: Range<usize>) -> Step<T> {
        let written = self.cursor.slice(keyword.clone()).to_owned();
        let lowered = written.to_ascii_lowercase();
        let is_alone = self
            .cursor
            .peek()
            .is_none_or(|c| c.is_whitespace() || matches!(c, '|' | '('));
        let meant = FOREIGN
            .iter()
            .find(|(foreign, _)| *foreign == lowered)
            .map(|(_, meant)| *meant)
            .or_else(|| near_names(&lowered, STAGES.into_iter()).into_iter().next())
            .filter(|_| is_alone);
        let hint = match meant {
            Some(meant) => format!("Did you mean `{meant}`?"),
            None => format!(
                "{}; write `OR` for either of two, or `\\|` to search for the character.",
                known_stages()
            ),
        };
        let span = match meant {
            Some(_) => keyword,
            None => bar.start..keyword.end,
        };
        self.stop(Diagnostic::new(span, format!("`{written}` is not a stage.")).hint(hint))
    }

    /// Steps over the characters here for which `belongs` holds.
    fn run_of(&mut self, belongs: fn(char) -> bool) -> Range<usize> {
        let start = self.cursor.at();
        while self.cursor.peek().is_some_and(belongs) {
            self.cursor.bump();
        }
        start..self.cursor.at()
    }

    /// Steps over white space and `word`, in any case, if it stands there as a word of its own.
    fn keyword(&mut self, word: &str) -> Option<Range<usize>> {
        self.cursor.skip_space();
        let start = self.cursor.at();
        let rest = self.cursor.rest();
        let is_here = rest
            .get(..word.len())
            .is_some_and(|here| here.eq_ignore_ascii_case(word));
        let after = rest.get(word.len()..).unwrap_or_default();
        let is_whole = after
            .chars()
            .next()
            .is_none_or(|c| c.is_whitespace() || matches!(c, '(' | '"' | '|' | ','));
        if !is_here || !is_whole {
            return None;
        }
        self.cursor.go_to(start + word.len());
        Some(start..self.cursor.at())
    }
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn known_stages() -> String {
    let names: Vec<String> = STAGES.iter().map(|name| format!("`{name}`")).collect();
    format!("The stages are {}", names.join(", "))
}
