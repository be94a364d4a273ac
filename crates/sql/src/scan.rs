//! The leaf of a plan: rows from the engine, in batches of columns.
//!
//! The engine works on threads of its own and hands on part by part; a thread that waits for it passes the batches to
//! DataFusion. When nobody takes them any more, the engine is told to stop.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use cordwood_engine::{
    self as engine, Engine, Extent, Incomplete, Order, ScanRequest, SearchRequest,
};
use cordwood_store::Snapshot;
use datafusion::arrow::array::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};
use tokio::sync::mpsc::Sender;

use crate::account::Ledger;
use crate::columns::{Column, Columns};
use crate::error::Cut;
use crate::gather::ColumnGather;
use crate::table::extent_of;

/// Rows in a batch at most: what a part gives is cut into such pieces.
pub(crate) const BATCH_ROWS: usize = 8192;

/// Batches that wait for DataFusion. The parts the engine works on meanwhile wait behind them.
const BATCHES_WAITING: usize = 2;

/// What all tables of a statement are asked of.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) engine: Arc<Engine>,
    pub(crate) snapshot: Snapshot,
    pub(crate) ledger: Ledger,
}

/// A scan of one table.
#[derive(Debug)]
pub(crate) struct ScanExec {
    asked: Arc<Asked>,
    search: SearchRequest,
    extent: Extent,
    /// How many rows are wanted, if not all.
    limit: Option<usize>,
    columns: Vec<Column>,
    properties: Arc<PlanProperties>,
}

impl ScanExec {
    /// A scan of all rows.
    pub(crate) fn new(asked: Arc<Asked>, search: SearchRequest, columns: Vec<Column>) -> ScanExec {
        let columns = Columns(columns);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(columns.schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        ScanExec {
            asked,
            search,
            extent: Extent::All,
            limit: None,
            columns: columns.0,
            properties: Arc::new(properties),
        }
    }

    /// The same for those rows that come first.
    pub(crate) fn first(&self, limit: usize, order: Order) -> ScanExec {
        let limit = self.limit.map_or(limit, |before| before.min(limit));
        ScanExec {
            asked: Arc::clone(&self.asked),
            search: SearchRequest {
                order,
                limit,
                ..self.search.clone()
            },
            extent: extent_of(limit),
            limit: Some(limit),
            columns: self.columns.clone(),
            properties: Arc::clone(&self.properties),
        }
    }

    /// Whether all rows that match are scanned.
    pub(crate) fn is_unlimited(&self) -> bool {
        self.limit.is_none()
    }

    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn request(&self) -> ScanRequest {
        ScanRequest {
            search: self.search.clone(),
            extent: self.extent,
            fields: self.columns.iter().filter_map(Column::target).collect(),
        }
    }
}

impl DisplayAs for ScanExec {
    fn fmt_as(&self, _form: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        write!(
            f,
            "LogScan: columns=[{}], filter={}",
            names.join(", "),
            self.search.filter
        )?;
        if let Some(limit) = self.limit {
            let order = match self.search.order {
                Order::NewestFirst => "newest",
                Order::OldestFirst => "oldest",
            };
            write!(f, ", {order}={limit}")?;
        }
        Ok(())
    }
}

impl ExecutionPlan for ScanExec {
    fn name(&self) -> &str {
        "LogScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(
        &self,
        _partition: usize,
        _context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let mut builder = RecordBatchReceiverStream::builder(self.schema(), BATCHES_WAITING);
        let batches = Batches {
            sender: builder.tx(),
            rows_left: self.limit.unwrap_or(usize::MAX),
            failure: None,
        };
        let (asked, request) = (Arc::clone(&self.asked), self.request());
        let gather = Arc::new(ColumnGather {
            columns: self.columns.clone(),
            schema: self.schema(),
        });
        builder.spawn_blocking(move || scan(&asked, &request, &gather, batches));
        Ok(builder.build())
    }
}

/// Scans to the end, or until nobody listens.
fn scan(
    asked: &Asked,
    request: &ScanRequest,
    gather: &Arc<ColumnGather>,
    mut batches: Batches,
) -> Result<()> {
    let hand_on = &mut |gathered| batches.send(gathered);
    let account = asked.engine.scan(&asked.snapshot, request, gather, hand_on);
    let account = account.map_err(|error| DataFusionError::External(Box::new(error)))?;
    let cut = cut_of(&account);
    asked.ledger.add(account);
    if let Some(failure) = batches.failure {
        return Err(failure);
    }
    match cut {
        Some(cut) => Err(cut.into()),
        None => Ok(()),
    }
}

/// What cut a scan short, so that going on would make an answer of a part of the rows.
pub(crate) fn cut_of(account: &engine::Account) -> Option<Cut> {
    account
        .incomplete
        .iter()
        .find_map(|incomplete| match incomplete {
            Incomplete::Deadline => Some(Cut::Deadline),
            Incomplete::Cancelled => Some(Cut::Cancelled),
            Incomplete::Memory
            | Incomplete::Groups { .. }
            | Incomplete::Combinations
            | Incomplete::Kept { .. }
            | Incomplete::Answer { .. } => Some(Cut::Memory),
            Incomplete::Rows { .. }
            | Incomplete::Unreadable { .. }
            | Incomplete::Deletion { .. }
            | Incomplete::Missing { .. } => None,
        })
}

/// Where batches go.
struct Batches {
    sender: Sender<Result<RecordBatch>>,
    rows_left: usize,
    failure: Option<DataFusionError>,
}

impl Batches {
    fn send(
        &mut self,
        gathered: Result<RecordBatch, datafusion::arrow::error::ArrowError>,
    ) -> ControlFlow<()> {
        let rows = match gathered {
            Ok(rows) => rows,
            Err(error) => {
                self.failure = Some(error.into());
                return ControlFlow::Break(());
            }
        };
        let mut start = 0;
        while start < rows.num_rows() && self.rows_left > 0 {
            let length = BATCH_ROWS.min(rows.num_rows() - start).min(self.rows_left);
            if self
                .sender
                .blocking_send(Ok(rows.slice(start, length)))
                .is_err()
            {
                return ControlFlow::Break(());
            }
            start += length;
            self.rows_left -= length;
        }
        match self.rows_left {
            0 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }
}
