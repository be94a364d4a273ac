//! The functions that `stats` and `timechart` compute.

use std::ops::Range;

use super::name::Name;
use crate::near_names;
use crate::parse::{Parser, Step};
use crate::{Diagnostic, Function, Percentile};

/// The name of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FunctionWord {
    Count,
    CountDistinct,
    Sum,
    Avg,
    Min,
    Max,
    Percentile(Percentile),
    First,
    Last,
    Rate,
}

/// Why a word names no function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoFunction {
    Unknown,
    /// `p` and a number that is no percentile.
    NoPercentile,
}

const FUNCTIONS: [(&str, FunctionWord); 10] = [
    ("count", FunctionWord::Count),
    ("count_distinct", FunctionWord::CountDistinct),
    ("sum", FunctionWord::Sum),
    ("avg", FunctionWord::Avg),
    ("min", FunctionWord::Min),
    ("max", FunctionWord::Max),
    ("median", FunctionWord::Percentile(Percentile::MEDIAN)),
    ("first", FunctionWord::First),
    ("last", FunctionWord::Last),
    ("rate", FunctionWord::Rate),
];

/// Their names, the percentiles that are asked for most among them.
pub(crate) const FUNCTION_NAMES: [&str; 13] = [
    "count",
    "count_distinct",
    "avg",
    "sum",
    "min",
    "max",
    "median",
    "p90",
    "p95",
    "p99",
    "first",
    "last",
    "rate",
];

/// What other languages call them.
const FOREIGN: [(&str, &str); 11] = [
    ("average", "avg"),
    ("mean", "avg"),
    ("total", "sum"),
    ("dc", "count_distinct"),
    ("distinct", "count_distinct"),
    ("distinct_count", "count_distinct"),
    ("uniq", "count_distinct"),
    ("count_uniq", "count_distinct"),
    ("earliest", "first"),
    ("latest", "last"),
    ("percentile", "p95"),
];

impl FunctionWord {
    /// Whether a character may stand in a function's name.
    pub(super) fn holds(c: char) -> bool {
        c.is_ascii_alphanumeric() || matches!(c, '_' | '.')
    }

    /// The function of this name, which is in lower case.
    pub(super) fn parse(word: &str) -> Result<FunctionWord, NoFunction> {
        if let Some((_, function)) = FUNCTIONS.iter().find(|(name, _)| *name == word) {
            return Ok(*function);
        }
        let percent = word
            .strip_prefix('p')
            .filter(|percent| percent.starts_with(|c: char| c.is_ascii_digit()))
            .ok_or(NoFunction::Unknown)?;
        Percentile::parse(percent)
            .map(FunctionWord::Percentile)
            .ok_or(NoFunction::NoPercentile)
    }
}

/// A function as it was written.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// In lower case.
    pub(super) word: String,
    pub(super) argument: Option<Name>,
    pub(super) span: Range<usize>,
}

impl Parser<'_> {
    /// A function with its argument in parentheses; those of `count` and `rate`, which need none, can be left out.
    pub(super) fn function(&mut self) -> Step<(Call, Option<Function>)> {
        self.cursor.skip_space();
        let word = self.run_of(FunctionWord::holds);
        let written = self.cursor.slice(word.clone()).to_ascii_lowercase();
        if written.is_empty() || written == "by" {
            return self.stop_at_missing_function(word);
        }
        let function = match FunctionWord::parse(&written) {
            Ok(function) => Some(function),
            Err(NoFunction::Unknown) => return self.stop_at_unknown_function(word),
            Err(NoFunction::NoPercentile) => {
                self.note_no_percentile(&written, word.clone());
                None
            }
        };
        let after_word = self.cursor.at();
        self.cursor.skip_space();
        let argument = match self.cursor.eat("(") {
            true => self.argument(word.start)?,
            false => {
                self.cursor.go_to(after_word);
                None
            }
        };
        let call = Call {
            word: written,
            argument,
            span: word.start..self.cursor.at(),
        };
        let function = function.and_then(|function| self.applied(function, &call));
        Ok((call, function))
    }

    /// What stands in the parentheses of a function, the first of which has been passed; `*` is nothing.
    pub(super) fn argument(&mut self, start: usize) -> Step<Option<Name>> {
        self.cursor.skip_space();
        let is_star = self
            .cursor
            .rest()
            .strip_prefix('*')
            .is_some_and(|rest| rest.trim_start().starts_with(')'));
        if is_star {
            self.cursor.bump();
            self.cursor.skip_space();
        }
        if self.cursor.eat(")") {
            return Ok(None);
        }
        let argument = self.name()?;
        self.cursor.skip_space();
        if self.cursor.eat(")") {
            return Ok(Some(argument));
        }
        let span = start..self.cursor.span_of_next().end;
        self.stop(
            Diagnostic::new(span, "The field of this function is not followed by `)`.")
                .hint("A function takes one field, as in `p95(duration_ms)`."),
        )
    }

    fn applied(&mut self, function: FunctionWord, call: &Call) -> Option<Function> {
        let field = call.argument.as_ref().map(Name::field);
        match (function, field) {
            (FunctionWord::Count, field) => Some(Function::Count(field)),
            (FunctionWord::Rate, None) => Some(Function::Rate),
            (FunctionWord::Rate, Some(_)) => {
                self.note_needless_field(call);
                None
            }
            (_, None) => {
                self.note_missing_field(call);
                None
            }
            (FunctionWord::CountDistinct, Some(field)) => Some(Function::CountDistinct(field)),
            (FunctionWord::Min, Some(field)) => Some(Function::Min(field)),
            (FunctionWord::Max, Some(field)) => Some(Function::Max(field)),
            (FunctionWord::First, Some(field)) => Some(Function::First(field)),
            (FunctionWord::Last, Some(field)) => Some(Function::Last(field)),
            (FunctionWord::Sum | FunctionWord::Avg | FunctionWord::Percentile(_), Some(field))
                if matches!(field.as_str(), "dt" | "_id" | "_source") =>
            {
                self.note_no_number(call, field.as_str());
                None
            }
            (FunctionWord::Sum, Some(field)) => Some(Function::Sum(field)),
            (FunctionWord::Avg, Some(field)) => Some(Function::Avg(field)),
            (FunctionWord::Percentile(percentile), Some(field)) => {
                Some(Function::Percentile(percentile, field))
            }
        }
    }

    fn note_missing_field(&mut self, call: &Call) {
        let word = &call.word;
        self.note(
            Diagnostic::new(call.span.clone(), format!("`{word}` needs a field.")).hint(format!(
                "Write it in parentheses, as in `{word}(duration_ms)`."
            )),
        );
    }

    fn note_needless_field(&mut self, call: &Call) {
        self.note(
            Diagnostic::new(
                call.span.clone(),
                "`rate` counts events and takes no field.",
            )
            .hint("Write `rate()`, with `if (field:*)` to count those that have the field."),
        );
    }

    fn note_no_number(&mut self, call: &Call, field: &str) {
        let message = format!("`{}` is about numbers, and `{field}` is none.", call.word);
        self.note(Diagnostic::new(call.span.clone(), message).hint(format!(
            "Write `min({field})` or `max({field})`, or name another field."
        )));
    }

    fn note_no_percentile(&mut self, written: &str, span: Range<usize>) {
        let hint = match written {
            "p0" => "For the least value write `min(…)`.",
            "p100" => "For the greatest value write `max(…)`.",
            _ => {
                "Percentiles lie above 0 and below 100, with at most three decimals, as in `p99.9`."
            }
        };
        self.note(Diagnostic::new(span, format!("`{written}` is not a percentile.")).hint(hint));
    }

    fn stop_at_missing_function<T>(&mut self, word: Range<usize>) -> Step<T> {
        let span = match word.is_empty() {
            true => self.cursor.span_of_next(),
            false => word,
        };
        self.stop(
            Diagnostic::new(span, "A function is missing here.")
                .hint("Write what to compute, as in `count()` or `p95(duration_ms)`."),
        )
    }

    fn stop_at_unknown_function<T>(&mut self, word: Range<usize>) -> Step<T> {
        let written = self.cursor.slice(word.clone()).to_owned();
        let lowered = written.to_ascii_lowercase();
        let meant = FOREIGN
            .iter()
            .find(|(foreign, _)| *foreign == lowered)
            .map(|(_, meant)| *meant)
            .or_else(|| {
                near_names(&lowered, FUNCTIONS.iter().map(|(name, _)| *name))
                    .into_iter()
                    .next()
            });
        let hint = match meant {
            Some(meant) => format!("Did you mean `{meant}`?"),
            None => "The functions are count, count_distinct, sum, avg, min, max, median, p95 and other percentiles, first, last and rate.".to_owned(),
        };
        self.stop(Diagnostic::new(word, format!("`{written}` is not a function.")).hint(hint))
    }
}
