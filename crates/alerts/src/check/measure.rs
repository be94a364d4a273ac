//! What a rule measures: the text of an aggregate, a ratio of two filters, or a column of the query's `stats`.

use cordwood_query::{Aggregate, Filter, Function, Query, Stage};

use super::query::{Stats, positioned, refuse_time};
use crate::invalid::Mistakes;
use crate::{Condition, Measure, Rule};

/// A measure parsed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum CheckedMeasure {
    /// A function over the events of a group for which the condition holds.
    Function {
        function: Function,
        condition: Option<Filter>,
    },
    /// The events for which `of` holds, in percent of those for which `to` does.
    Ratio { of: Filter, to: Filter },
}

impl CheckedMeasure {
    /// `count()`
    pub(crate) const COUNT: CheckedMeasure = CheckedMeasure::Function {
        function: Function::Count(None),
        condition: None,
    };

    /// Whether no event makes it zero: it counts them, or adds something up.
    pub(crate) fn adds_up_events(&self) -> bool {
        match self {
            CheckedMeasure::Ratio { .. } => false,
            CheckedMeasure::Function { function, .. } => matches!(
                function,
                Function::Count(_) | Function::CountDistinct(_) | Function::Sum(_) | Function::Rate
            ),
        }
    }

    /// Which events raise it, where not all of a group do.
    pub(crate) fn counted(&self) -> Option<&Filter> {
        match self {
            CheckedMeasure::Ratio { of, .. } => Some(of),
            CheckedMeasure::Function { condition, .. } => condition.as_ref(),
        }
    }

    /// Whether it can be a text.
    pub(crate) fn may_be_text(&self) -> bool {
        match self {
            CheckedMeasure::Ratio { .. } => false,
            CheckedMeasure::Function { function, .. } => matches!(
                function,
                Function::First(_) | Function::Last(_) | Function::Min(_) | Function::Max(_)
            ),
        }
    }

    fn of(aggregate: &Aggregate) -> CheckedMeasure {
        CheckedMeasure::Function {
            function: aggregate.function.clone(),
            condition: aggregate.condition.clone(),
        }
    }
}

/// What stands before a measure when it is read as a query.
const BEFORE: &str = "* | stats ";

/// Reads the measures of a rule.
#[derive(Debug)]
pub(super) struct Measures<'a> {
    pub(super) rule: &'a Rule,
    pub(super) ending: Option<&'a Stats>,
}

impl Measures<'_> {
    /// The measure of the rule's own condition.
    pub(super) fn check_rules_own(&self, mistakes: &mut Mistakes) -> Option<CheckedMeasure> {
        let counts_itself = matches!(
            self.rule.condition,
            Condition::Matches {} | Condition::NewPattern(_) | Condition::Absence(_)
        );
        if counts_itself {
            let name = self.rule.condition.name();
            mistakes.require(self.rule.measure.is_none(), "measure", || {
                format!("`{name}` looks at the events themselves; leave out the measure.")
            });
            mistakes.require(self.ending.is_none(), "query", || {
                format!("`{name}` looks at the events themselves; leave out `stats` and write the groups in `group_by`.")
            });
            return Some(CheckedMeasure::COUNT);
        }
        match (&self.rule.measure, self.ending) {
            (Some(measure), _) => self.check("measure", measure, mistakes),
            (None, Some(stats)) => stats.aggregates.last().map(CheckedMeasure::of),
            (None, None) => Some(CheckedMeasure::COUNT),
        }
    }

    /// A measure as it is written under `attribute`.
    pub(super) fn check(
        &self,
        attribute: &str,
        measure: &Measure,
        mistakes: &mut Mistakes,
    ) -> Option<CheckedMeasure> {
        match (measure, self.ending) {
            (Measure::Function(text), Some(stats)) => column(attribute, text, stats, mistakes),
            (Measure::Function(text), None) => function(attribute, text, mistakes),
            (Measure::Ratio(ratio), _) => {
                let of = filter(&format!("{attribute}.ratio.of"), &ratio.ratio.of, mistakes);
                let to = filter(&format!("{attribute}.ratio.to"), &ratio.ratio.to, mistakes);
                of.zip(to).map(|(of, to)| CheckedMeasure::Ratio { of, to })
            }
        }
    }
}

/// The column of `stats` that has this name, or is computed by this function.
fn column(
    attribute: &str,
    text: &str,
    stats: &Stats,
    mistakes: &mut Mistakes,
) -> Option<CheckedMeasure> {
    let named = stats.aggregates.iter().find(|aggregate| {
        aggregate.name == text.trim() || aggregate.function.to_string() == text.trim()
    });
    if let Some(aggregate) = named {
        return Some(CheckedMeasure::of(aggregate));
    }
    let names = stats
        .aggregates
        .iter()
        .map(|aggregate| format!("`{}`", aggregate.name));
    let names: Vec<String> = names.collect();
    mistakes.add(
        attribute,
        format!(
            "The query's `stats` has no column `{}`; name one of {}, or leave out `stats`.",
            text.trim(),
            names.join(", ")
        ),
    );
    None
}

fn function(attribute: &str, text: &str, mistakes: &mut Mistakes) -> Option<CheckedMeasure> {
    let parsed = match cordwood_query::parse(&format!("{BEFORE}{text}")) {
        Ok(parsed) => parsed.query,
        Err(diagnostics) => {
            for diagnostic in &diagnostics.0 {
                mistakes.add(attribute, positioned(diagnostic, BEFORE.len()));
            }
            return None;
        }
    };
    let Some(aggregate) = single(&parsed) else {
        mistakes.add(
            attribute,
            "A measure is one function, such as `count()`, `p95(duration_ms)` or `count() if (level:error)`; groups are written in `group_by`.",
        );
        return None;
    };
    if let Some(condition) = &aggregate.condition {
        refuse_time(attribute, condition, mistakes);
    }
    Some(CheckedMeasure::of(aggregate))
}

fn single(query: &Query) -> Option<&Aggregate> {
    match query.stages.as_slice() {
        [Stage::Stats { aggregates, by }] if by.is_empty() => match aggregates.as_slice() {
            [aggregate] => Some(aggregate),
            _ => None,
        },
        _ => None,
    }
}

fn filter(attribute: &str, text: &str, mistakes: &mut Mistakes) -> Option<Filter> {
    match cordwood_query::parse(text) {
        Ok(parsed) if parsed.query.stages.is_empty() => {
            refuse_time(attribute, &parsed.query.filter, mistakes);
            Some(parsed.query.filter)
        }
        Ok(_) => {
            mistakes.add(
                attribute,
                "A ratio is of two filters, without stages; leave out what stands behind the `|`.",
            );
            None
        }
        Err(diagnostics) => {
            for diagnostic in &diagnostics.0 {
                mistakes.add(attribute, positioned(diagnostic, 0));
            }
            None
        }
    }
}
