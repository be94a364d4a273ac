//! The node that stands for an aggregate in a logical plan, and how it becomes one of a physical plan.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::DFSchemaRef;
use datafusion::error::Result;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{
    Expr, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

use super::exec::StatsExec;
use super::rows::GroupedRows;

/// An aggregate that the engine computes.
#[derive(Clone, Debug)]
pub(super) struct Stats {
    /// The plan whose place it takes.
    stands_for: LogicalPlan,
    rows: Arc<GroupedRows>,
    /// The same plan, to be run should the engine's answer be of no use; `None` where that cannot be.
    otherwise: Option<LogicalPlan>,
}

impl Stats {
    pub(super) fn new(stands_for: LogicalPlan, rows: GroupedRows) -> Stats {
        Stats {
            otherwise: rows.grouping.can_fail().then(|| stands_for.clone()),
            stands_for,
            rows: Arc::new(rows),
        }
    }
}

/// What is computed follows from what it stands for.
impl PartialEq for Stats {
    fn eq(&self, other: &Stats) -> bool {
        self.stands_for == other.stands_for && self.otherwise == other.otherwise
    }
}

impl Eq for Stats {}

impl PartialOrd for Stats {
    fn partial_cmp(&self, other: &Stats) -> Option<Ordering> {
        self.stands_for.partial_cmp(&other.stands_for)
    }
}

impl Hash for Stats {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.stands_for.hash(state);
    }
}

impl UserDefinedLogicalNodeCore for Stats {
    fn name(&self) -> &str {
        "LogStats"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        self.otherwise.iter().collect()
    }

    fn schema(&self) -> &DFSchemaRef {
        self.stands_for.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.rows)
    }

    fn with_exprs_and_inputs(
        &self,
        _expressions: Vec<Expr>,
        inputs: Vec<LogicalPlan>,
    ) -> Result<Stats> {
        Ok(Stats {
            otherwise: inputs.into_iter().next(),
            ..self.clone()
        })
    }
}

/// Plans as DataFusion does, and knows the node.
#[derive(Debug)]
pub(crate) struct StatsPlanner;

#[async_trait]
impl QueryPlanner for StatsPlanner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(StatsPlanner)]);
        planner.create_physical_plan(plan, session).await
    }
}

#[async_trait]
impl ExtensionPlanner for StatsPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        _session: &dyn Session,
        _context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(stats) = node.as_any().downcast_ref::<Stats>() else {
            return Ok(None);
        };
        let schema = Arc::clone(stats.stands_for.schema().inner());
        let otherwise = physical_inputs.first().cloned();
        let planned = StatsExec::new(&stats.rows, schema, otherwise);
        Ok(Some(Arc::new(planned)))
    }
}
