//! The stages of a question, put in the order in which they cost least, and compiled.

use std::sync::Arc;

use cordwood_event::Timestamp;
use cordwood_query::{
    Aggregate, CompiledPattern, FieldName, Filter, Function, GroupKey, SortKey, Stage, Target,
};

use super::local::LocalStage;
use super::range::Timechart;
use super::{StagedRequest, patterns, plain_search, tables};
use crate::budget::{Budget, Cut};
use crate::clauses::Compiler;
use crate::groups::{Aggregation, Computed, GroupBy, Groups, field_of};
use crate::pattern::PatternKey;
use crate::row::FieldSet;
use crate::row::filter::RowFilter;
use crate::{SearchRequest, Table};

/// A stage that needs its rows in order.
#[derive(Clone, Debug)]
pub(super) enum OrderedStage {
    Local(LocalStage),
    Limit(u64),
    Dedup(Vec<usize>),
    Sort(Vec<(usize, SortKey)>),
}

/// What the rows become in the end.
#[derive(Clone, Debug)]
pub(super) enum Ending {
    Events,
    /// A table of these fields.
    Columns(Vec<(String, usize)>),
    Groups(Arc<Aggregation>),
}

/// The stages, compiled.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    /// Filters that events must meet as they are stored.
    filters: Vec<Filter>,
    pub(super) compiler: Compiler,
    /// What the stages on rows read.
    pub(super) fields: Arc<FieldSet>,
    /// Done where the row lies.
    pub(super) local: Vec<LocalStage>,
    /// Done in the order of the rows.
    pub(super) ordered: Vec<OrderedStage>,
    pub(super) ending: Ending,
    pub(super) timechart: Option<Timechart>,
    /// How many rows `top` keeps.
    pub(super) top: Option<u64>,
    /// What `patterns` groups by.
    pub(super) patterns: Option<Arc<PatternKey>>,
    /// Done on the table.
    pub(super) on_table: Vec<Stage>,
}

impl Pipeline {
    pub(super) fn new(request: &StagedRequest, budget: &Budget) -> Pipeline {
        let mut stages = defer_fields(request.stages.clone());
        let leading = stages
            .iter()
            .take_while(|stage| matches!(stage, Stage::Where(_)))
            .count();
        let filters = stages.drain(..leading).filter_map(|stage| match stage {
            Stage::Where(filter) => Some(filter),
            _ => None,
        });
        let mut pipeline = Pipeline {
            filters: filters.collect(),
            compiler: budget.compiler(request.search.now),
            fields: Arc::default(),
            local: Vec::new(),
            ordered: Vec::new(),
            ending: Ending::Events,
            timechart: None,
            top: None,
            patterns: None,
            on_table: Vec::new(),
        };
        let mut fields = FieldSet::default();
        let mut stages = stages.into_iter();
        for stage in stages.by_ref() {
            if pipeline.take(stage, &mut fields) {
                break;
            }
        }
        pipeline.on_table = stages.collect();
        pipeline.fields = Arc::new(fields);
        pipeline
    }

    /// Takes the next stage; says whether it makes a table.
    fn take(&mut self, stage: Stage, fields: &mut FieldSet) -> bool {
        match stage {
            Stage::Where(_) | Stage::Parse { .. } => {
                if let Some(local) = local_stage(&stage, &self.compiler, fields) {
                    self.take_local(local);
                }
                return false;
            }
            Stage::Limit(limit) => self.ordered.push(OrderedStage::Limit(limit)),
            Stage::Dedup(by) => {
                let by = by.iter().map(|name| fields.named(name)).collect();
                self.ordered.push(OrderedStage::Dedup(by));
            }
            Stage::Sort(keys) => {
                let keys = keys.into_iter().map(|key| (fields.named(&key.field), key));
                self.ordered.push(OrderedStage::Sort(keys.collect()));
            }
            Stage::Fields(names) => {
                let columns = names
                    .iter()
                    .map(|name| (name.as_str().to_owned(), fields.named(name)));
                self.ending = Ending::Columns(columns.collect());
                return true;
            }
            Stage::Stats { .. }
            | Stage::Timechart { .. }
            | Stage::Top { .. }
            | Stage::Patterns { .. } => {
                self.timechart = Timechart::of(&stage);
                self.top = top_of(&stage);
                let aggregation = aggregation(&stage, &self.compiler, fields);
                self.patterns = aggregation.patterns().cloned();
                self.ending = Ending::Groups(Arc::new(aggregation));
                return true;
            }
        }
        false
    }

    fn take_local(&mut self, local: LocalStage) {
        if self.ordered.is_empty() {
            self.local.push(local);
        } else {
            self.ordered.push(OrderedStage::Local(local));
        }
    }

    /// The search for the rows that the stages begin with.
    pub(super) fn search_of(&self, request: &StagedRequest) -> SearchRequest {
        let search = plain_search(&request.search);
        let mut members = vec![search.filter.clone()];
        members.extend(self.filters.iter().cloned());
        let is_paged = matches!(self.ending, Ending::Events) && self.ordered.is_empty();
        SearchRequest {
            filter: Filter::and(members),
            after: search.after.filter(|_| is_paged),
            ..search
        }
    }

    /// The groups of which rows are made: for `top`, those that it may keep.
    pub(super) fn shown(&self, groups: Groups, budget: &Budget) -> Result<Groups, Cut> {
        tables::of_top(groups, self.top, budget)
    }

    /// Puts the rows of groups in order: by their keys, for `top` by their counts.
    pub(super) fn order(&self, table: &mut Table, keys: usize, budget: &Budget) -> Result<(), Cut> {
        tables::order_groups(table, (keys, self.top), budget)
    }
}

/// How many rows `top` keeps, if the stage is one.
pub(super) fn top_of(stage: &Stage) -> Option<u64> {
    match stage {
        Stage::Top { limit, .. } => Some(*limit),
        _ => None,
    }
}

pub(crate) fn local_stage(
    stage: &Stage,
    compiler: &Compiler,
    fields: &mut FieldSet,
) -> Option<LocalStage> {
    match stage {
        Stage::Where(filter) => Some(LocalStage::Where(RowFilter::new(filter, compiler, fields))),
        Stage::Parse { from, pattern } => {
            let from = fields.named(from);
            let pattern = CompiledPattern::new(pattern);
            let captures = pattern
                .names()
                .map(|name| fields.index(Target::Field(FieldName::new(name))));
            Some(LocalStage::Parse {
                from,
                fields: captures.collect(),
                pattern: Box::new(pattern),
            })
        }
        _ => None,
    }
}

/// What `stats`, `timechart` or `top` computes; of any other stage, nothing.
pub(super) fn aggregation(
    stage: &Stage,
    compiler: &Compiler,
    fields: &mut FieldSet,
) -> Aggregation {
    if let Stage::Patterns { field } = stage {
        return patterns::aggregation(field, fields);
    }
    let of_fields = |names: &[FieldName]| names.iter().cloned().map(GroupKey::Field).collect();
    let (keys, aggregates): (Vec<GroupKey>, Vec<Aggregate>) = match stage {
        Stage::Stats { aggregates, by } => (by.clone(), aggregates.clone()),
        Stage::Timechart {
            interval,
            aggregates,
            by,
        } => {
            let mut keys: Vec<GroupKey> = of_fields(by);
            keys.insert(0, GroupKey::Time(*interval));
            (keys, aggregates.clone())
        }
        Stage::Top { by, .. } => (of_fields(by), vec![count()]),
        _ => (Vec::new(), Vec::new()),
    };
    Aggregation {
        greatest: top_of(stage).and_then(|limit| usize::try_from(limit).ok()),
        key_names: keys.iter().map(name_of_key).collect(),
        keys: keys
            .iter()
            .map(|key| match key {
                GroupKey::Field(name) => GroupBy::Field(fields.named(name)),
                GroupKey::Time(interval) => GroupBy::Time(*interval),
            })
            .collect(),
        computed: aggregates
            .into_iter()
            .map(|aggregate| Computed {
                field: field_of(&aggregate.function).map(|field| fields.named(field)),
                condition: aggregate
                    .condition
                    .as_ref()
                    .map(|condition| RowFilter::new(condition, compiler, fields)),
                aggregate,
            })
            .collect(),
    }
}

fn count() -> Aggregate {
    Aggregate {
        function: Function::Count(None),
        condition: None,
        name: "count()".to_owned(),
    }
}

fn name_of_key(key: &GroupKey) -> String {
    match key {
        GroupKey::Field(name) => name.as_str().to_owned(),
        GroupKey::Time(_) => "dt".to_owned(),
    }
}

/// `fields` goes behind the stages that ask only for what it keeps: they then work on rows, of which they need not
/// keep all. Before a stage that makes a table of what it keeps, it says nothing.
pub(crate) fn defer_fields(mut stages: Vec<Stage>) -> Vec<Stage> {
    let mut index = 0;
    while let Some(Stage::Fields(kept)) = stages.get(index) {
        let kept = kept.clone();
        match stages.get(index + 1) {
            Some(next) if reads_only(next, &kept) => match next {
                Stage::Stats { .. }
                | Stage::Timechart { .. }
                | Stage::Top { .. }
                | Stage::Patterns { .. } => {
                    stages.remove(index);
                    break;
                }
                _ => {
                    stages.swap(index, index + 1);
                    index += 1;
                }
            },
            _ => break,
        }
    }
    if let Some(first) = first_fields(&stages, index) {
        let mut tail = stages.split_off(first);
        tail = defer_fields(tail);
        stages.extend(tail);
    }
    stages
}

/// Where the first `fields` from `from` on stands, if only stages on rows come before it.
fn first_fields(stages: &[Stage], from: usize) -> Option<usize> {
    let is_table = |stage: &Stage| {
        matches!(
            stage,
            Stage::Stats { .. }
                | Stage::Timechart { .. }
                | Stage::Top { .. }
                | Stage::Patterns { .. }
                | Stage::Fields(_)
        )
    };
    let first = from + stages.get(from..)?.iter().position(is_table)?;
    (first > from && matches!(stages.get(first), Some(Stage::Fields(_)))).then_some(first)
}

/// Whether the stage asks for no other fields than `kept`, and makes none.
fn reads_only(stage: &Stage, kept: &[FieldName]) -> bool {
    let mut fields = FieldSet::default();
    let compiler = Compiler::new(Timestamp::MIN);
    let reads_time = match stage {
        Stage::Where(filter) => {
            RowFilter::new(filter, &compiler, &mut fields);
            false
        }
        Stage::Sort(keys) => {
            for key in keys {
                fields.named(&key.field);
            }
            false
        }
        Stage::Dedup(by) => {
            for name in by {
                fields.named(name);
            }
            false
        }
        Stage::Limit(_) => false,
        Stage::Stats { .. } | Stage::Timechart { .. } | Stage::Top { .. } => {
            let aggregation = aggregation(stage, &compiler, &mut fields);
            // The order of rows in time decides what is first.
            let is_ordered = |computed: &Computed| {
                matches!(
                    computed.aggregate.function,
                    Function::First(_) | Function::Last(_)
                )
            };
            aggregation.interval().is_some() || aggregation.computed.iter().any(is_ordered)
        }
        // It reads the source, which no field has.
        Stage::Patterns { .. } | Stage::Parse { .. } | Stage::Fields(_) => return false,
    };
    let is_kept = |name: &str| kept.iter().any(|kept| kept.as_str() == name);
    let mut targets = fields.targets().iter();
    (!reads_time || is_kept("dt"))
        && targets.all(|target| *target != Target::AnyField && is_kept(target.name()))
}
