//! Canonical text of stages.

use std::fmt::{self, Display, Formatter, Write};

use super::{Named, fmt_quoted};
use crate::parse::is_call;
use crate::{
    Aggregate, CaptureKind, Direction, FieldName, Function, GroupKey, Interval, ParsePattern,
    PatternPart, Percentile, SortKey, Stage,
};

impl Display for Stage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Stage::Stats { aggregates, by } => {
                f.write_str("stats ")?;
                fmt_list(f, aggregates)?;
                fmt_by(f, by)
            }
            Stage::Timechart {
                interval,
                aggregates,
                by,
            } => {
                write!(f, "timechart {interval} ")?;
                fmt_list(f, aggregates)?;
                fmt_by(f, &columns(by))
            }
            Stage::Top { limit, by } => {
                write!(f, "top {limit} ")?;
                fmt_list(f, &columns(by))
            }
            Stage::Patterns { field } => match field.as_str() {
                "message" => f.write_str("patterns"),
                field => write!(f, "patterns {}", Column(field)),
            },
            Stage::Where(filter) => write!(f, "where {filter}"),
            Stage::Sort(keys) => {
                f.write_str("sort by ")?;
                fmt_list(f, keys)
            }
            Stage::Limit(count) => write!(f, "limit {count}"),
            Stage::Fields(names) => {
                f.write_str("fields ")?;
                fmt_list(f, &columns(names))
            }
            Stage::Dedup(names) => {
                f.write_str("dedup ")?;
                fmt_list(f, &columns(names))
            }
            Stage::Parse { from, pattern } => {
                write!(f, "parse {pattern}")?;
                match from.as_str() {
                    "message" => Ok(()),
                    from => write!(f, " from {}", Column(from)),
                }
            }
        }
    }
}

/// A name in a stage, where a function of a plain field stands for a column without quotes.
struct Column<'a>(&'a str);

impl Display for Column<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match is_call(self.0) {
            true => f.write_str(self.0),
            false => Named(self.0).fmt(f),
        }
    }
}

fn columns(names: &[FieldName]) -> Vec<Column<'_>> {
    names.iter().map(|name| Column(name.as_str())).collect()
}

fn fmt_list(f: &mut Formatter<'_>, members: &[impl Display]) -> fmt::Result {
    for (index, member) in members.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        member.fmt(f)?;
    }
    Ok(())
}

fn fmt_by(f: &mut Formatter<'_>, by: &[impl Display]) -> fmt::Result {
    if by.is_empty() {
        return Ok(());
    }
    f.write_str(" by ")?;
    fmt_list(f, by)
}

impl Display for Aggregate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.function.fmt(f)?;
        if let Some(condition) = &self.condition {
            write!(f, " if ({condition})")?;
        }
        if self.name == self.function.to_string() {
            return Ok(());
        }
        write!(f, " as {}", Column(&self.name))
    }
}

impl Display for Function {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (name, field) = match self {
            Function::Count(None) => return f.write_str("count()"),
            Function::Rate => return f.write_str("rate()"),
            Function::Percentile(percentile, field) => {
                return write!(f, "{percentile}({})", Named(field.as_str()));
            }
            Function::Count(Some(field)) => ("count", field),
            Function::CountDistinct(field) => ("count_distinct", field),
            Function::Sum(field) => ("sum", field),
            Function::Avg(field) => ("avg", field),
            Function::Min(field) => ("min", field),
            Function::Max(field) => ("max", field),
            Function::First(field) => ("first", field),
            Function::Last(field) => ("last", field),
        };
        write!(f, "{name}({})", Named(field.as_str()))
    }
}

impl Display for Percentile {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (whole, thousandths) = (self.0 / 1000, self.0 % 1000);
        write!(f, "p{whole}")?;
        if thousandths == 0 {
            return Ok(());
        }
        let decimals = format!("{thousandths:03}");
        write!(f, ".{}", decimals.trim_end_matches('0'))
    }
}

impl Display for GroupKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            GroupKey::Field(field) => Column(field.as_str()).fmt(f),
            GroupKey::Time(interval) => write!(f, "dt:{interval}"),
        }
    }
}

impl Display for Interval {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let unit = Interval::UNITS
            .iter()
            .find(|(_, nanos)| self.nanos % nanos == 0);
        let (name, nanos) = unit.unwrap_or(&("ms", 1_000_000));
        write!(f, "{}{name}", self.nanos / nanos)
    }
}

impl Display for SortKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Column(self.field.as_str()).fmt(f)?;
        match self.direction {
            Direction::Ascending => Ok(()),
            Direction::Descending => f.write_str(" desc"),
        }
    }
}

impl Display for ParsePattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                PatternPart::Literal(literal) => text.push_str(&literal.replace('<', "<<")),
                PatternPart::Capture(capture) => {
                    let kind = match capture.kind {
                        CaptureKind::Text => "",
                        CaptureKind::Number => ":number",
                        CaptureKind::Word => ":word",
                    };
                    write!(text, "<{}{kind}>", capture.name)?;
                }
            }
        }
        fmt_quoted(f, &text)
    }
}
