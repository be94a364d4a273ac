//! Operators that make many batches of few: joins, and whatever makes rows of its own. They may run for ever without
//! asking a scan for more, so that what comes out of them is watched: past the deadline it is an error.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use cordwood_engine::{Cancel, Clock};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures_util::{Stream, StreamExt};

use crate::aggregate::StatsExec;
use crate::error::Cut;
use crate::scan::ScanExec;

/// When to give up.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    pub(crate) clock: Clock,
    pub(crate) deadline: Option<Instant>,
    pub(crate) cancel: Cancel,
}

impl Watch {
    /// The reason to give up, if there is one.
    pub(crate) fn cut(&self) -> Option<Cut> {
        if self.cancel.is_cancelled() {
            return Some(Cut::Cancelled);
        }
        let is_past = self
            .deadline
            .is_some_and(|deadline| self.clock.now() >= deadline);
        is_past.then_some(Cut::Deadline)
    }

    /// The plan with such operators watched.
    pub(crate) fn over(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        let watched = plan.transform_up(|plan| {
            let any = plan.as_ref() as &dyn std::any::Any;
            let is_engine = any.is::<ScanExec>() || any.is::<StatsExec>();
            if is_engine || plan.children().len() == 1 {
                return Ok(Transformed::no(plan));
            }
            let watched: Arc<dyn ExecutionPlan> = Arc::new(WatchExec {
                watch: self.clone(),
                input: plan,
            });
            Ok(Transformed::yes(watched))
        });
        watched.data()
    }
}

#[derive(Debug)]
struct WatchExec {
    watch: Watch,
    input: Arc<dyn ExecutionPlan>,
}

impl DisplayAs for WatchExec {
    fn fmt_as(&self, _form: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

impl ExecutionPlan for WatchExec {
    fn name(&self) -> &str {
        "Watch"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
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
        let input = children.into_iter().next();
        Ok(Arc::new(WatchExec {
            watch: self.watch.clone(),
            input: input.unwrap_or_else(|| Arc::clone(&self.input)),
        }))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        Ok(Box::pin(Watched {
            watch: self.watch.clone(),
            input: self.input.execute(partition, context)?,
        }))
    }
}

struct Watched {
    watch: Watch,
    input: SendableRecordBatchStream,
}

impl Stream for Watched {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.watch.cut() {
            Some(cut) => Poll::Ready(Some(Err(cut.into()))),
            None => self.input.poll_next_unpin(context),
        }
    }
}

impl RecordBatchStream for Watched {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}
