//! Finds the aggregates over a scan that the engine can compute, and puts a node of ours in their place.

use std::sync::Arc;

use datafusion::catalog::default_table_source::source_as_provider;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::{Aggregate, Expr, Extension, LogicalPlan, TableScan};
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use super::node::Stats;
use super::rows::GroupedRows;
use crate::table::LogTable;

/// The rule. Comes after conditions were pushed into scans, and before a count of different values is made a group of each.
#[derive(Debug)]
pub(crate) struct PushedAggregates;

impl OptimizerRule for PushedAggregates {
    fn name(&self) -> &str {
        "pushed_aggregates"
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        plan.transform_down(|plan| {
            // What a node of ours stands for is below it, and stays as it is.
            if matches!(&plan, LogicalPlan::Extension(_)) {
                return Ok(Transformed::new(plan, false, TreeNodeRecursion::Jump));
            }
            let LogicalPlan::Aggregate(aggregate) = &plan else {
                return Ok(Transformed::no(plan));
            };
            let Some(rows) = grouped_rows(aggregate) else {
                return Ok(Transformed::no(plan));
            };
            let node = Arc::new(Stats::new(plan, rows));
            let plan = LogicalPlan::Extension(Extension { node });
            Ok(Transformed::new(plan, true, TreeNodeRecursion::Jump))
        })
    }
}

/// What the engine is to compute; `None` where it cannot.
fn grouped_rows(aggregate: &Aggregate) -> Option<GroupedRows> {
    let keys = aggregate.group_expr.len();
    let expressions = aggregate.group_expr.iter().chain(&aggregate.aggr_expr);
    let (scan, expressions) = over_scan(&aggregate.input, expressions.cloned().collect())?;
    if scan.fetch.is_some() {
        return None;
    }
    let provider = source_as_provider(&scan.source).ok()?;
    let table = provider.downcast_ref::<LogTable>()?;
    let (by, aggregates) = expressions.split_at_checked(keys)?;
    table.grouped(&scan.filters, by, aggregates)
}

/// The scan below a plan, and the expressions over that plan as expressions over the scan.
fn over_scan(plan: &LogicalPlan, expressions: Vec<Expr>) -> Option<(&TableScan, Vec<Expr>)> {
    match plan {
        LogicalPlan::TableScan(scan) => Some((scan, expressions)),
        LogicalPlan::SubqueryAlias(alias) => {
            let below = alias.input.schema();
            let column = |index| Some(Expr::Column(below.qualified_field(index).into()));
            over_scan(&alias.input, replaced(expressions, &alias.schema, column)?)
        }
        LogicalPlan::Projection(projection) => {
            let projected = |index: usize| {
                let expression = projection.expr.get(index)?;
                Some(expression.clone().unalias())
            };
            let replaced = replaced(expressions, &projection.schema, projected)?;
            over_scan(&projection.input, replaced)
        }
        _ => None,
    }
}

/// The expressions with their columns replaced, by the place these have in a schema.
fn replaced(
    expressions: Vec<Expr>,
    schema: &DFSchema,
    replacement: impl Fn(usize) -> Option<Expr>,
) -> Option<Vec<Expr>> {
    let replace = |expression: Expr| {
        let mut is_whole = true;
        let replaced = expression.transform_up(|expression| {
            let Expr::Column(column) = &expression else {
                return Ok(Transformed::no(expression));
            };
            let index = schema.maybe_index_of_column(column);
            match index.and_then(&replacement) {
                Some(replacement) => Ok(Transformed::yes(replacement)),
                None => {
                    is_whole = false;
                    Ok(Transformed::no(expression))
                }
            }
        });
        let replaced = replaced.ok()?.data;
        is_whole.then_some(replaced)
    };
    expressions.into_iter().map(replace).collect()
}
