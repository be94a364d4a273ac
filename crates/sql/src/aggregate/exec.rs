//! The leaf of a plan that has the engine group rows, in the place of a scan and all above it.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::internal_err;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::rows::GroupedRows;
use crate::scan::BATCH_ROWS;

/// Groups of rows.
#[derive(Debug)]
pub(crate) struct StatsExec {
    rows: Arc<GroupedRows>,
    /// What is run instead where the engine's answer is of no use.
    otherwise: Option<Arc<dyn ExecutionPlan>>,
    properties: Arc<PlanProperties>,
}

impl StatsExec {
    pub(super) fn new(
        rows: &Arc<GroupedRows>,
        schema: SchemaRef,
        otherwise: Option<Arc<dyn ExecutionPlan>>,
    ) -> StatsExec {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        StatsExec {
            rows: Arc::clone(rows),
            otherwise,
            properties: Arc::new(properties),
        }
    }
}

impl DisplayAs for StatsExec {
    fn fmt_as(&self, _form: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.rows)
    }
}

impl ExecutionPlan for StatsExec {
    fn name(&self) -> &str {
        "LogStats"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.otherwise.iter().collect()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(StatsExec {
            rows: Arc::clone(&self.rows),
            otherwise: children.into_iter().next(),
            properties: Arc::clone(&self.properties),
        }))
    }

    fn execute(
        &self,
        _partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let memory = MemoryConsumer::new("LogStats").register(context.memory_pool());
        let (rows, schema) = (Arc::clone(&self.rows), self.schema());
        let otherwise = self.otherwise.clone();
        let answer = async move {
            let (computed, memory) = tokio::task::spawn_blocking(move || {
                let computed = rows.compute(&schema, &memory);
                (computed, memory)
            })
            .await
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
            match (computed?, otherwise) {
                (Some(batch), _) => Ok(in_batches(batch, memory)),
                (None, Some(otherwise)) => otherwise.execute(0, context),
                (None, None) => internal_err!("statistics that cannot fail are of no use"),
            }
        };
        let batches = stream::once(answer).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            self.schema(),
            batches,
        )))
    }
}

/// The rows in pieces; their memory is held until the last is taken.
fn in_batches(rows: RecordBatch, memory: MemoryReservation) -> SendableRecordBatchStream {
    let schema = rows.schema();
    let starts = (0..rows.num_rows()).step_by(BATCH_ROWS);
    let batches = stream::iter(starts).map(move |start| {
        // Taken along, to be given back with the stream.
        let _held = &memory;
        Ok(rows.slice(start, BATCH_ROWS.min(rows.num_rows() - start)))
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, batches))
}
