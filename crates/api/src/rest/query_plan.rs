//! What a query would do, as JSON.

use std::collections::BTreeMap;

use cordwood_service::{
    ClausePlan, PlanScope, Pruning, PruningStep, QueryExplained, QueryPlan, StagePlace, StagePlan,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::failure::Diagnostic;
use crate::rest::query_meta::{RangeRecord, ids, kept_from, range};
use crate::rest::times::{EventTime, Millis};

/// What a query would do, and what it would cost.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueryPlanAnswer {
    data: QueryPlanRecord,
    meta: QueryPlanMeta,
}

/// What a query would do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueryPlanRecord {
    stages: Vec<StageRecord>,
    /// Ids of the sources that are left.
    sources: Vec<String>,
    /// Step by step: what there is before and after it.
    pruning: Vec<PruningRecord>,
    clauses: Vec<ClausePlanRecord>,
    left: LeftRecord,
    /// Whether nothing would be read.
    from_metadata: bool,
    /// Whether it would stop once it has what was asked for.
    stops_early: bool,
    matches: MatchBoundsRecord,
    estimate: EstimateRecord,
}

/// A stage of a query.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StageRecord {
    stage: String,
    /// `in_filter`, `on_each_event`, `in_each_block`, `in_order` or `on_table`.
    runs: &'static str,
}

/// A step of pruning.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PruningRecord {
    /// `source`, `time`, `snapshot`, `token_map`, `deletions`, `min_max`, `fields` or `dictionaries`.
    step: &'static str,
    before: ScopeRecord,
    after: ScopeRecord,
}

/// How much of the store.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScopeRecord {
    segments: u64,
    blocks: u64,
    rows: u64,
    bytes: u64,
}

/// What a clause says of the blocks that are left.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClausePlanRecord {
    clause: String,
    blocks: ClauseBlocks,
    /// What reading the rest would take.
    bytes: u64,
}

/// Blocks by what a clause says of them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClauseBlocks {
    without_words: u64,
    with_none: u64,
    with_all: u64,
    by_templates: u64,
    open: u64,
}

/// What pruning leaves.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LeftRecord {
    /// Counted by directories.
    counted: ScopeRecord,
    /// Counted by templates of texts.
    by_templates: ScopeRecord,
    read: ScopeRecord,
    /// Events not sealed yet.
    open_rows: u64,
}

/// How many events would match.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MatchBoundsRecord {
    at_least: u64,
    at_most: u64,
}

/// What a query would cost.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EstimateRecord {
    matches: u64,
    blocks: u64,
    rows: u64,
    bytes: u64,
    cpu_ms: Millis,
}

/// What the answer to the query would say of it too.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueryPlanMeta {
    complete: bool,
    incomplete_reason: Option<String>,
    /// The query as understood.
    query: String,
    range: RangeRecord,
    /// Ids of the sources it would search.
    sources: Vec<String>,
    took_ms: Millis,
    hints: Vec<Diagnostic>,
    /// By the ids of sources whose retention or size cuts off the start of the range: from when on their events are kept.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    kept_from: BTreeMap<String, EventTime>,
}

/// `{"data": {…}, "meta": {…}}`.
pub(crate) fn query_plan(explained: &QueryExplained) -> QueryPlanAnswer {
    QueryPlanAnswer {
        data: plan(&explained.plan),
        meta: meta(explained),
    }
}

fn plan(plan: &QueryPlan) -> QueryPlanRecord {
    QueryPlanRecord {
        stages: plan.stages.iter().map(stage).collect(),
        sources: ids(&plan.sources),
        pruning: plan.steps.iter().map(step).collect(),
        clauses: plan.clauses.iter().map(clause).collect(),
        left: LeftRecord {
            counted: scope(plan.left.counted),
            by_templates: scope(plan.left.by_templates),
            read: scope(plan.left.read),
            open_rows: plan.left.open_rows,
        },
        from_metadata: plan.is_from_metadata(),
        stops_early: plan.stops_early,
        matches: MatchBoundsRecord {
            at_least: plan.matches.at_least,
            at_most: plan.matches.at_most,
        },
        estimate: EstimateRecord {
            matches: plan.estimate.matches,
            blocks: plan.estimate.blocks,
            rows: plan.estimate.rows,
            bytes: plan.estimate.bytes,
            cpu_ms: Millis(plan.estimate.cpu),
        },
    }
}

fn meta(explained: &QueryExplained) -> QueryPlanMeta {
    let plan = &explained.plan;
    let reasons: Vec<String> = plan.incomplete.iter().map(ToString::to_string).collect();
    QueryPlanMeta {
        complete: reasons.is_empty(),
        incomplete_reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
        query: explained.query.clone(),
        range: range(plan.starts_at(), plan.ends_at()),
        sources: ids(&explained.sources),
        took_ms: Millis(plan.elapsed),
        hints: explained.hints.iter().map(Diagnostic::of).collect(),
        kept_from: kept_from(&explained.kept_from),
    }
}

fn scope(scope: PlanScope) -> ScopeRecord {
    ScopeRecord {
        segments: scope.segments,
        blocks: scope.blocks,
        rows: scope.rows,
        bytes: scope.bytes,
    }
}

fn step(step: &PruningStep) -> PruningRecord {
    let name = match step.by {
        Pruning::Source => "source",
        Pruning::Time => "time",
        Pruning::Snapshot => "snapshot",
        Pruning::TokenMap => "token_map",
        Pruning::Deletions => "deletions",
        Pruning::MinMax => "min_max",
        Pruning::Fields => "fields",
        Pruning::Dictionaries => "dictionaries",
    };
    PruningRecord {
        step: name,
        before: scope(step.before),
        after: scope(step.after),
    }
}

fn clause(clause: &ClausePlan) -> ClausePlanRecord {
    ClausePlanRecord {
        clause: clause.clause.clone(),
        blocks: ClauseBlocks {
            without_words: clause.blocks_without_words,
            with_none: clause.blocks_with_none,
            with_all: clause.blocks_with_all,
            by_templates: clause.blocks_by_templates,
            open: clause.blocks_open,
        },
        bytes: clause.bytes,
    }
}

fn stage(stage: &StagePlan) -> StageRecord {
    let runs = match stage.place {
        StagePlace::Filter => "in_filter",
        StagePlace::Row => "on_each_event",
        StagePlace::Block => "in_each_block",
        StagePlace::InOrder => "in_order",
        StagePlace::Table => "on_table",
    };
    StageRecord {
        stage: stage.stage.clone(),
        runs,
    }
}
