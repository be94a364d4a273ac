//! `ORDER BY dt DESC LIMIT 100`, the question asked most: the engine knows which rows those are without looking at the
//! others.
//!
//! The sort stays where it is and orders what is left, so that the rule has only to be right about which rows these are.

use std::sync::Arc;

use cordwood_engine::Order;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions};

use crate::columns::Content;
use crate::scan::ScanExec;
use crate::table::FIRST_ROWS_MAX;

/// What is put in has other properties than what was there.
const REPLACED: ReplaceChildrenOptions =
    ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);

/// The rule.
#[derive(Debug)]
pub(crate) struct NewestRows;

impl PhysicalOptimizerRule for NewestRows {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| match limited(&plan) {
            Some(input) => plan
                .replace_children(vec![input], REPLACED)
                .map(Transformed::yes),
            None => Ok(Transformed::no(plan)),
        })
        .data()
    }

    fn name(&self) -> &str {
        "newest_rows"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The input of a sort by time with a limit, if it can be limited itself.
fn limited(plan: &Arc<dyn ExecutionPlan>) -> Option<Arc<dyn ExecutionPlan>> {
    let sort = downcast::<SortExec>(plan)?;
    let limit = sort.fetch().filter(|limit| *limit <= FIRST_ROWS_MAX)?;
    let (column, order) = only_column(sort.expr())?;
    limited_below(sort.input(), column, limit, order)
}

/// Of several keys the later ones decide among rows of one instant, which the engine does not know.
fn only_column(ordering: &LexOrdering) -> Option<(usize, Order)> {
    let [only] = ordering.as_ref() else {
        return None;
    };
    let order = match only.options.descending {
        true => Order::NewestFirst,
        false => Order::OldestFirst,
    };
    Some((index_of(&only.expr)?, order))
}

fn limited_below(
    plan: &Arc<dyn ExecutionPlan>,
    column: usize,
    limit: usize,
    order: Order,
) -> Option<Arc<dyn ExecutionPlan>> {
    if let Some(projection) = downcast::<ProjectionExec>(plan) {
        let below = index_of(&projection.expr().get(column)?.expr)?;
        let input = limited_below(projection.input(), below, limit, order)?;
        return Arc::clone(plan)
            .replace_children(vec![input], REPLACED)
            .ok();
    }
    // What lets others have their turn stands above every leaf.
    if let Some(cooperative) = downcast::<CooperativeExec>(plan) {
        let input = limited_below(cooperative.input(), column, limit, order)?;
        return Arc::clone(plan)
            .replace_children(vec![input], REPLACED)
            .ok();
    }
    let scan = downcast::<ScanExec>(plan)?;
    let is_time = scan.columns().get(column)?.content == Content::Time;
    let scan = (is_time && scan.is_unlimited()).then(|| scan.first(limit, order));
    Some(Arc::new(scan?))
}

fn index_of(expression: &Arc<dyn PhysicalExpr>) -> Option<usize> {
    let column = (expression.as_ref() as &dyn std::any::Any).downcast_ref::<Column>()?;
    Some(column.index())
}

fn downcast<T: ExecutionPlan>(plan: &Arc<dyn ExecutionPlan>) -> Option<&T> {
    (plan.as_ref() as &dyn std::any::Any).downcast_ref()
}
