//! Aggregates of SQL as `stats` of the language, where the two compute the same.
//!
//! The language reads numbers in texts and looks into arrays, so that only columns with a type of their own are grouped
//! and computed by the engine: there every row has one value or none. What the engine may answer otherwise than SQL, such
//! as a sum of floats beyond their range, it answers in a way that can be told, and DataFusion computes it then.

mod exec;
mod node;
mod rows;
mod rule;

use std::fmt;

use cordwood_query::{Aggregate, FieldName, Function, GroupKey, Interval, Stage, Target};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::{AggregateFunction, ScalarFunction};

use crate::columns::Content;
use crate::pushdown::Pushdown;

pub(crate) use exec::StatsExec;
pub(crate) use node::StatsPlanner;
pub(crate) use rows::GroupedRows;
pub(crate) use rule::PushedAggregates;

/// How rows are grouped and what is computed of the groups.
#[derive(Clone, Debug)]
pub(crate) struct Grouping {
    by: Vec<GroupKey>,
    aggregates: Vec<Aggregate>,
    /// How many of the aggregates are columns of the answer; the others only tell whether these are right.
    shown: usize,
    /// Aggregates that are null where they are beyond the range of floats, and the count of the values each is made of.
    ranged: Vec<(usize, usize)>,
    /// Whether what comes out may be of no use.
    can_fail: bool,
}

impl Grouping {
    /// `None` where the engine computes something else, or nothing.
    pub(crate) fn of(pushdown: Pushdown<'_>, by: &[Expr], aggregates: &[Expr]) -> Option<Grouping> {
        let keys = by.iter().map(|key| pushdown.key(key));
        let mut grouping = Grouping {
            by: keys.collect::<Option<_>>()?,
            aggregates: Vec::new(),
            shown: aggregates.len(),
            ranged: Vec::new(),
            can_fail: by.iter().any(|key| pushdown.is_float(key)),
        };
        for expression in aggregates {
            let aggregate = pushdown.aggregate(expression)?;
            grouping.can_fail |= matches!(aggregate.function, Function::CountDistinct(_));
            grouping.aggregates.push(aggregate);
        }
        grouping.tell_ranges(pushdown);
        Some(grouping)
    }

    /// Adds what tells a sum of nothing from one beyond the range of floats. Integers never come so far.
    fn tell_ranges(&mut self, pushdown: Pushdown<'_>) {
        for index in 0..self.shown {
            let aggregate = &self.aggregates[index];
            let (Function::Sum(field) | Function::Avg(field)) = &aggregate.function else {
                continue;
            };
            let column = pushdown.columns.named(field.as_str());
            if column.is_some_and(|column| column.content == Content::Float) {
                let count = aggregate_of(
                    Function::Count(Some(field.clone())),
                    aggregate.condition.clone(),
                );
                self.ranged.push((index, self.aggregates.len()));
                self.aggregates.push(count);
            }
        }
        self.can_fail |= !self.ranged.is_empty();
    }

    /// Whether what comes out may be of no use, so that there must be another way.
    pub(crate) fn can_fail(&self) -> bool {
        self.can_fail
    }

    fn stage(&self) -> Stage {
        Stage::Stats {
            aggregates: self.aggregates.clone(),
            by: self.by.clone(),
        }
    }
}

/// As it is written in the language, without what is not shown.
impl fmt::Display for Grouping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.shown == 0 {
            let by = self.by.iter().map(GroupKey::to_string);
            return write!(f, "stats by {}", by.collect::<Vec<_>>().join(", "));
        }
        let shown = Stage::Stats {
            aggregates: self.aggregates.iter().take(self.shown).cloned().collect(),
            by: self.by.clone(),
        };
        shown.fmt(f)
    }
}

fn aggregate_of(function: Function, condition: Option<cordwood_query::Filter>) -> Aggregate {
    Aggregate {
        name: function.to_string(),
        function,
        condition,
    }
}

impl Pushdown<'_> {
    fn key(self, expression: &Expr) -> Option<GroupKey> {
        match expression {
            Expr::Alias(alias) => self.key(&alias.expr),
            Expr::ScalarFunction(call) => self.interval(call).map(GroupKey::Time),
            _ => {
                let (target, content) = self.column(expression)?;
                let field = GroupKey::Field(FieldName::new(target.name()));
                match content {
                    Content::Level
                    | Content::Source
                    | Content::Int
                    | Content::Float
                    | Content::Bool
                    | Content::Text => Some(field),
                    Content::Time
                    | Content::MixedLevel
                    | Content::Id
                    | Content::Event
                    | Content::Mixed => None,
                }
            }
        }
    }

    fn is_float(self, key: &Expr) -> bool {
        match key {
            Expr::Alias(alias) => self.is_float(&alias.expr),
            _ => {
                let column = self.column(key);
                column.is_some_and(|(_, content)| content == Content::Float)
            }
        }
    }

    /// The interval of `date_bin('5 minutes', dt)` or `date_trunc('hour', dt)`: one of a fixed length, counted from 1970.
    fn interval(self, call: &ScalarFunction) -> Option<Interval> {
        /// The language knows no shorter one.
        const NANOS_PER_MILLISECOND: i64 = 1_000_000;
        let [Expr::Literal(length, _), time] = call.args.as_slice() else {
            return None;
        };
        let (_, content) = self.column(time)?;
        let nanos = match call.name() {
            "date_bin" => nanos_of_interval(length)?,
            "date_trunc" => nanos_of_unit(length.try_as_str().flatten()?)?,
            _ => return None,
        };
        let is_interval = nanos > 0 && nanos % NANOS_PER_MILLISECOND == 0;
        (content == Content::Time && is_interval).then_some(Interval { nanos })
    }

    fn aggregate(self, expression: &Expr) -> Option<Aggregate> {
        let call = match expression {
            Expr::Alias(alias) => return self.aggregate(&alias.expr),
            Expr::AggregateFunction(call) => call,
            _ => return None,
        };
        let params = &call.params;
        if !params.order_by.is_empty() || params.null_treatment.is_some() {
            return None;
        }
        let condition = params.filter.as_deref().map(|filter| self.filter(filter));
        let condition = match condition {
            Some(None) => return None,
            condition => condition.flatten(),
        };
        Some(aggregate_of(self.function(call)?, condition))
    }

    fn function(self, call: &AggregateFunction) -> Option<Function> {
        let [argument] = call.params.args.as_slice() else {
            return None;
        };
        match (call.func.name(), call.params.distinct) {
            ("count", false) => self.count(argument),
            ("count", true) => self.count_distinct(argument),
            ("sum", false) => self.number(argument).map(Function::Sum),
            ("avg", false) => self.number(without_cast(argument)).map(Function::Avg),
            ("min", _) => self.ordered(argument).map(Function::Min),
            ("max", _) => self.ordered(argument).map(Function::Max),
            _ => None,
        }
    }

    fn count(self, argument: &Expr) -> Option<Function> {
        if let Expr::Literal(value, _) = argument {
            return (!value.is_null()).then_some(Function::Count(None));
        }
        let (target, content) = self.column(argument)?;
        let field = || Function::Count(Some(FieldName::new(target.name())));
        match content {
            Content::Time | Content::Source | Content::Id => Some(Function::Count(None)),
            Content::Level
            | Content::MixedLevel
            | Content::Int
            | Content::Float
            | Content::Bool
            | Content::Text => Some(field()),
            Content::Event | Content::Mixed => None,
        }
    }

    /// A float and an integer beyond 2^53 are different values in the language, and the same in a column of floats.
    fn count_distinct(self, argument: &Expr) -> Option<Function> {
        let (target, content) = self.column(argument)?;
        let is_exact = matches!(
            content,
            Content::Level | Content::Source | Content::Int | Content::Bool | Content::Text
        );
        is_exact.then(|| Function::CountDistinct(FieldName::new(target.name())))
    }

    fn number(self, argument: &Expr) -> Option<FieldName> {
        let (target, content) = self.column(argument)?;
        let is_number = matches!(content, Content::Int | Content::Float);
        is_number.then(|| FieldName::new(target.name()))
    }

    fn ordered(self, argument: &Expr) -> Option<FieldName> {
        let is_time = |(target, _): &(Target, Content)| *target == Target::Time;
        let time = self.column(argument).filter(is_time);
        time.map_or_else(
            || self.number(argument),
            |(target, _)| Some(FieldName::new(target.name())),
        )
    }
}

/// Averages are of floats: DataFusion makes them of integers itself.
fn without_cast(expression: &Expr) -> &Expr {
    match expression {
        Expr::Cast(cast) if *cast.field.data_type() == DataType::Float64 => &cast.expr,
        other => other,
    }
}

/// Months have no fixed length.
fn nanos_of_interval(length: &ScalarValue) -> Option<i64> {
    const NANOS_PER_DAY: i64 = 86_400_000_000_000;
    let ScalarValue::IntervalMonthDayNano(Some(length)) = length else {
        return None;
    };
    let days = i64::from(length.days).checked_mul(NANOS_PER_DAY)?;
    let nanos = days.checked_add(length.nanoseconds)?;
    (length.months == 0).then_some(nanos)
}

/// Weeks begin on Monday, which 1970 did not, and all that is longer is the calendar's.
fn nanos_of_unit(unit: &str) -> Option<i64> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "millisecond" => 1_000_000,
        "second" => 1_000_000_000,
        "minute" => 60_000_000_000,
        "hour" => 3_600_000_000_000,
        "day" => 86_400_000_000_000,
        _ => return None,
    })
}
