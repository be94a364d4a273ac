//! The query of a rule: which of the language a rule can have, and what of it says groups.

use cordwood_query::{Aggregate, Diagnostic, FieldName, Filter, GroupKey, Query, Stage, Target};

use crate::invalid::Mistakes;
use crate::limits::{GROUP_FIELDS_MAX, NAME_BYTES_MAX};
use crate::{AbsenceOf, Condition, Rule};

/// A query taken apart.
#[derive(Debug)]
pub(super) struct RuleQuery {
    pub(super) filter: Filter,
    /// `where` and `parse`.
    pub(super) stages: Vec<Stage>,
    /// The `stats` at its end.
    pub(super) ending: Option<Stats>,
}

/// A `stats` stage.
#[derive(Debug)]
pub(super) struct Stats {
    pub(super) aggregates: Vec<Aggregate>,
    by: Vec<GroupKey>,
}

/// A diagnostic of the language, with its place in the text. `before` is how many bytes stood before that text when it was parsed.
pub(super) fn positioned(diagnostic: &Diagnostic, before: usize) -> String {
    let from = diagnostic.span.start.saturating_sub(before);
    format!("At byte {from}: {diagnostic}")
}

pub(super) fn check(text: &str, mistakes: &mut Mistakes) -> Option<RuleQuery> {
    match cordwood_query::parse(text) {
        Ok(parsed) => apart(parsed.query, mistakes),
        Err(diagnostics) => {
            for diagnostic in &diagnostics.0 {
                mistakes.add("query", positioned(diagnostic, 0));
            }
            None
        }
    }
}

fn apart(query: Query, mistakes: &mut Mistakes) -> Option<RuleQuery> {
    refuse_time("query", &query.filter, mistakes);
    let mut apart = RuleQuery {
        filter: query.filter,
        stages: Vec::new(),
        ending: None,
    };
    for stage in query.stages {
        match stage {
            Stage::Where(_) | Stage::Parse { .. } if apart.ending.is_none() => {
                if let Stage::Where(filter) = &stage {
                    refuse_time("query", filter, mistakes);
                }
                apart.stages.push(stage);
            }
            Stage::Stats { aggregates, by } => apart.ending = Some(Stats { aggregates, by }),
            stage => {
                mistakes.add("query", refusal(&stage, apart.ending.is_some()));
                return None;
            }
        }
    }
    Some(apart)
}

fn refusal(stage: &Stage, is_behind_stats: bool) -> String {
    let name = stage.to_string();
    let name = name.split(' ').next().unwrap_or_default();
    let advice = match (stage, is_behind_stats) {
        (Stage::Where(_), true) => {
            "leave it out: which groups count is what `condition` and `further_conditions` say"
        }
        (Stage::Timechart { .. }, _) => "write `stats`: the window of the rule is its interval",
        (Stage::Top { .. }, _) => {
            "write `stats count() by` and the field: a rule judges each group"
        }
        (Stage::Patterns { .. }, _) => "leave it out, and write the condition `new_pattern`",
        (Stage::Dedup(_), _) => {
            "write the measure `count_distinct(field)` to count different values"
        }
        _ => "leave it out: a rule judges each group, whatever their order",
    };
    format!("`{name}` cannot be part of a rule's query; {advice}.")
}

/// A rule says by its window which time it is about.
pub(super) fn refuse_time(attribute: &str, filter: &Filter, mistakes: &mut Mistakes) {
    let names_time = filter
        .clauses()
        .iter()
        .any(|clause| clause.target == Target::Time);
    mistakes.require(!names_time, attribute, || {
        "A rule says with `window_s` which time it is about; leave out the clauses on `dt`."
            .to_owned()
    });
}

/// The fields grouped by, from where they are written.
pub(super) fn group_by(
    rule: &Rule,
    ending: Option<&Stats>,
    mistakes: &mut Mistakes,
) -> Vec<FieldName> {
    let in_query = ending.map_or(&[][..], |stats| &stats.by);
    mistakes.require(
        in_query.is_empty() || rule.group_by.is_empty(),
        "group_by",
        || "The query says by what it groups; leave out one of the two.".to_owned(),
    );
    let mut fields: Vec<FieldName> = rule
        .group_by
        .iter()
        .map(|name| FieldName::new(name.as_str()))
        .collect();
    for key in in_query {
        match key {
            GroupKey::Field(field) => fields.push(field.clone()),
            GroupKey::Time(_) => mistakes.add(
                "query",
                "A rule looks at one window at a time, `window_s` long; leave out `dt` behind `by`.",
            ),
        }
    }
    let is_named = |field: &FieldName| (1..=NAME_BYTES_MAX).contains(&field.as_str().len());
    mistakes.require(fields.iter().all(is_named), "group_by", || {
        format!("The name of a field has from 1 to {NAME_BYTES_MAX} bytes.")
    });
    mistakes.require(fields.len() <= GROUP_FIELDS_MAX, "group_by", || {
        format!(
            "A rule groups by at most {GROUP_FIELDS_MAX} fields; these are {}.",
            fields.len()
        )
    });
    let is_twice = fields
        .iter()
        .enumerate()
        .any(|(index, field)| fields.iter().skip(index + 1).any(|other| other == field));
    mistakes.require(!is_twice, "group_by", || {
        "A field is named twice; name it once.".to_owned()
    });
    mistakes.require(
        !fields
            .iter()
            .any(|field| matches!(field.as_str(), "dt" | "_id")),
        "group_by",
        || {
            "Each event has a `dt` and an `_id` of its own; group by what several have alike."
                .to_owned()
        },
    );
    suits(rule, &fields, mistakes);
    fields
}

fn suits(rule: &Rule, fields: &[FieldName], mistakes: &mut Mistakes) {
    match &rule.condition {
        Condition::NewPattern(_) => mistakes.require(fields.is_empty(), "group_by", || {
            "The groups of `new_pattern` are the patterns; leave this out.".to_owned()
        }),
        Condition::Absence(absence) if absence.of == AbsenceOf::Members => {
            mistakes.require(!fields.is_empty(), "group_by", || {
                "The absence of members needs to know of what: name the field, such as `host`.".to_owned()
            });
        }
        Condition::Absence(_) => mistakes.require(fields.is_empty(), "group_by", || {
            "The absence of the query as a whole has no groups; write `\"of\": \"members\"`, or leave this out.".to_owned()
        }),
        _ => {}
    }
}
