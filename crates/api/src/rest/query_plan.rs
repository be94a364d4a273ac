//! What a query would do, as JSON.

use std::time::Duration;

use cordwood_service::{
    ClausePlan, PlanScope, Pruning, PruningStep, QueryExplained, StagePlace, StagePlan,
};
use serde_json::{Value, json};

use crate::failure::diagnostic;

/// `{"data": {…}, "meta": {…}}`.
pub(crate) fn query_plan(explained: &QueryExplained) -> Value {
    let plan = &explained.plan;
    let sources = plan.sources.iter().map(ToString::to_string);
    json!({
        "data": {
            "stages": plan.stages.iter().map(stage).collect::<Vec<_>>(),
            "sources": sources.collect::<Vec<_>>(),
            "pruning": plan.steps.iter().map(step).collect::<Vec<_>>(),
            "clauses": plan.clauses.iter().map(clause).collect::<Vec<_>>(),
            "left": {
                "counted": scope(plan.left.counted),
                "by_templates": scope(plan.left.by_templates),
                "read": scope(plan.left.read),
                "open_rows": plan.left.open_rows,
            },
            "from_metadata": plan.is_from_metadata(),
            "stops_early": plan.stops_early,
            "matches": {"at_least": plan.matches.at_least, "at_most": plan.matches.at_most},
            "estimate": {
                "matches": plan.estimate.matches,
                "blocks": plan.estimate.blocks,
                "rows": plan.estimate.rows,
                "bytes": plan.estimate.bytes,
                "cpu_ms": millis(plan.estimate.cpu),
            },
        },
        "meta": meta(explained),
    })
}

/// What the answer to the query would say of it too.
fn meta(explained: &QueryExplained) -> Value {
    let plan = &explained.plan;
    let reasons: Vec<String> = plan.incomplete.iter().map(ToString::to_string).collect();
    let reason = (!reasons.is_empty()).then(|| reasons.join("; "));
    let sources = explained.sources.iter().map(ToString::to_string);
    let mut meta = json!({
        "complete": reason.is_none(),
        "incomplete_reason": reason,
        "query": explained.query,
        "range": {
            "from": plan.starts_at().map(|time| time.to_string()),
            "to": plan.ends_at().map(|time| time.to_string()),
        },
        "sources": sources.collect::<Vec<_>>(),
        "took_ms": millis(plan.elapsed),
        "hints": explained.hints.iter().map(diagnostic).collect::<Vec<_>>(),
    });
    if !explained.kept_from.is_empty() {
        let cuts = explained.kept_from.iter();
        let cuts = cuts.map(|(source, from)| (source.to_string(), from.to_string().into()));
        meta["kept_from"] = Value::Object(cuts.collect());
    }
    meta
}

fn scope(scope: PlanScope) -> Value {
    json!({
        "segments": scope.segments,
        "blocks": scope.blocks,
        "rows": scope.rows,
        "bytes": scope.bytes,
    })
}

fn step(step: &PruningStep) -> Value {
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
    json!({"step": name, "before": scope(step.before), "after": scope(step.after)})
}

fn clause(clause: &ClausePlan) -> Value {
    json!({
        "clause": clause.clause,
        "blocks": {
            "without_words": clause.blocks_without_words,
            "with_none": clause.blocks_with_none,
            "with_all": clause.blocks_with_all,
            "by_templates": clause.blocks_by_templates,
            "open": clause.blocks_open,
        },
        "bytes": clause.bytes,
    })
}

fn stage(stage: &StagePlan) -> Value {
    let place = match stage.place {
        StagePlace::Filter => "in_filter",
        StagePlace::Row => "on_each_event",
        StagePlace::Block => "in_each_block",
        StagePlace::InOrder => "in_order",
        StagePlace::Table => "on_table",
    };
    json!({"stage": stage.stage, "runs": place})
}

/// To the microsecond.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
