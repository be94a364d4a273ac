//! The events of a group: a filter for those that a reading was made of.

use cordwood_alerts::{CheckedRule, Group};
use cordwood_query::{Clause, Filter, Query, Target, Test};

/// The filter for the events of a group of a rule. Of a pattern, `of_pattern` is a query for them.
pub(super) fn filter_of(rule: &CheckedRule, group: &Group, of_pattern: Option<&str>) -> Filter {
    let question = rule.question();
    let own = question.query().filter.clone();
    let of_group = match of_pattern {
        Some(query) => parsed(query),
        None => Filter::and(group.fields().iter().map(of_field).collect()),
    };
    Filter::and(vec![own, of_group])
}

fn of_field((field, value): &(String, Option<String>)) -> Filter {
    let clause = |test| {
        Filter::Clause(Clause {
            target: Target::named(field),
            test,
        })
    };
    match value {
        Some(value) => clause(Test::Equals(value.clone())),
        None => clause(Test::Present).negated(),
    }
}

/// The filter of a text that was made by a program; everything if it cannot be read, which shows too much rather than nothing.
fn parsed(query: &str) -> Filter {
    match cordwood_query::parse(query) {
        Ok(parsed) => {
            let Query { filter, .. } = parsed.query;
            filter
        }
        Err(_) => Filter::All,
    }
}
