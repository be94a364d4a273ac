//! What a question asks of blocks, for a plan of it: the search it begins with, what it reads besides, and where each stage
//! is done.

use std::sync::Arc;

use cordwood_query::{Stage, Target};
use cordwood_store::BlockHandle;

use super::StagedRequest;
use super::aggregating::Work;
use super::ordered::Ordered;
use super::pipeline::{Ending, Pipeline, defer_fields};
use crate::budget::Budget;
use crate::matching::PartRows;
use crate::part::{self, Way};
use crate::plan::Plan;
use crate::row::FieldSet;
use crate::top::Rank;
use crate::{SearchRequest, StagePlace, StagePlan, Total};

/// What a question asks.
pub(crate) struct Outline {
    /// The search for the events it begins with.
    pub(crate) search: SearchRequest,
    /// The stages in the order in which they are run.
    pub(crate) stages: Vec<StagePlan>,
    /// How many of the first rows are enough; `None` when it takes all.
    pub(crate) rows_enough: Option<usize>,
    /// Whether it may end before all blocks are asked, if only because enough rows differ.
    pub(crate) may_stop: bool,
    /// Whether events are given back, all of whose fields are read.
    pub(crate) gives_events: bool,
    asked: Asked,
}

/// What is asked of a block.
enum Asked {
    Search,
    Groups(Box<Work>, Arc<FieldSet>),
    Rows(Arc<FieldSet>),
}

impl Outline {
    pub(crate) fn of(request: &StagedRequest, budget: &Budget) -> Outline {
        if request.stages.is_empty() {
            return Outline::of_search(&request.search);
        }
        let pipeline = Pipeline::new(request, budget);
        let fields = Arc::clone(&pipeline.fields);
        let (asked, rows_enough) = match &pipeline.ending {
            Ending::Groups(aggregation) if pipeline.ordered.is_empty() => {
                let work = Box::new(Work::new(&pipeline, aggregation));
                (Asked::Groups(work, fields), None)
            }
            _ => {
                let wanted = Ordered::new(&pipeline, request.rows_max).rows_wanted();
                (Asked::Rows(fields), Some(wanted))
            }
        };
        let rows_enough = rows_enough.filter(|rows| *rows < usize::MAX);
        let is_limited = matches!(asked, Asked::Rows(_)) && is_limited(&request.stages);
        Outline {
            search: pipeline.search_of(request),
            stages: places_of(request.stages.clone()),
            may_stop: rows_enough.is_some() || is_limited,
            rows_enough,
            gives_events: matches!(pipeline.ending, Ending::Events),
            asked,
        }
    }

    fn of_search(search: &SearchRequest) -> Outline {
        let one_more = match search.limit {
            0 => 0,
            limit => limit.saturating_add(1),
        };
        let rows_enough = (search.total == Total::NotAsked).then_some(one_more);
        Outline {
            search: search.clone(),
            stages: Vec::new(),
            may_stop: rows_enough.is_some(),
            rows_enough,
            gives_events: search.limit > 0,
            asked: Asked::Search,
        }
    }

    /// How a block, the part at `index` of the plan, would be answered once rows not better than `bound` are not wanted.
    pub(crate) fn foresee(
        &self,
        plan: &Plan,
        (index, handle): (usize, &BlockHandle),
        bound: Option<Rank>,
        budget: &Budget,
    ) -> Way {
        let part = &plan.parts[index];
        let rows = PartRows { plan, part, budget };
        match &self.asked {
            Asked::Search => part::foresee(plan, (index, handle), bound, budget),
            Asked::Groups(work, _) => match work.ask_directory(&rows, handle) {
                Ok(answer) => Way::unread(answer.fate),
                Err(_) => Way::Read,
            },
            Asked::Rows(_) => match rows.condition_in(handle) {
                Ok(_) => Way::Read,
                Err(by) => Way::Pruned(by),
            },
        }
    }

    /// The fields that stages read of the rows that match; `None` without stages on rows.
    pub(crate) fn targets(&self) -> Option<&[Target]> {
        match &self.asked {
            Asked::Search => None,
            Asked::Groups(_, fields) | Asked::Rows(fields) => Some(fields.targets()),
        }
    }
}

/// Whether the first rows are enough at a limit that is before any stage that takes all of them.
fn is_limited(stages: &[Stage]) -> bool {
    let takes_all = |stage: &Stage| {
        matches!(
            stage,
            Stage::Sort(_)
                | Stage::Stats { .. }
                | Stage::Timechart { .. }
                | Stage::Top { .. }
                | Stage::Patterns { .. }
        )
    };
    let mut first = stages.iter().take_while(|stage| !takes_all(stage));
    first.any(|stage| matches!(stage, Stage::Limit(_)))
}

/// Where each stage is done, as [`Pipeline`] has it.
fn places_of(stages: Vec<Stage>) -> Vec<StagePlan> {
    let mut place = StagePlace::Filter;
    let mut is_table = false;
    let mut plans = Vec::new();
    for stage in defer_fields(stages) {
        place = match (&stage, place) {
            _ if is_table => StagePlace::Table,
            (Stage::Where(_), StagePlace::Filter) => StagePlace::Filter,
            (Stage::Where(_) | Stage::Parse { .. }, StagePlace::Filter | StagePlace::Row) => {
                StagePlace::Row
            }
            (
                Stage::Stats { .. }
                | Stage::Timechart { .. }
                | Stage::Top { .. }
                | Stage::Patterns { .. },
                StagePlace::Filter | StagePlace::Row,
            ) => StagePlace::Block,
            _ => StagePlace::InOrder,
        };
        is_table |= matches!(
            stage,
            Stage::Stats { .. }
                | Stage::Timechart { .. }
                | Stage::Top { .. }
                | Stage::Patterns { .. }
                | Stage::Fields(_)
        );
        plans.push(StagePlan {
            stage: stage.to_string(),
            place,
        });
    }
    plans
}
