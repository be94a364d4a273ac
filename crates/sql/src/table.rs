//! A table of SQL: some sources of a snapshot, and what of a statement the engine does itself.

use std::sync::Arc;

use async_trait::async_trait;
use cordwood_engine::{Extent, SearchRequest, SearchedSource};
use cordwood_query::Filter;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;

use crate::aggregate::{GroupedRows, Grouping};
use crate::columns::Columns;
use crate::pushdown::Pushdown;
use crate::scan::{Asked, ScanExec};

/// More rows than this are scanned in no order, until enough came: to know which are the newest, all would have to be
/// remembered.
pub(crate) const FIRST_ROWS_MAX: usize = 100_000;

/// One table of one statement.
#[derive(Debug)]
pub(crate) struct LogTable {
    asked: Arc<Asked>,
    /// Its sources, all time and what else the statement was asked with; its filter is empty.
    search: SearchRequest,
    columns: Arc<Columns>,
    schema: SchemaRef,
}

impl LogTable {
    pub(crate) fn new(asked: &Arc<Asked>, search: SearchRequest, columns: Columns) -> LogTable {
        LogTable {
            asked: Arc::clone(asked),
            search,
            schema: columns.schema(),
            columns: Arc::new(columns),
        }
    }

    pub(crate) fn columns(&self) -> &Columns {
        &self.columns
    }

    fn sources(&self) -> &[SearchedSource] {
        &self.search.sources
    }

    fn pushdown(&self) -> Pushdown<'_> {
        Pushdown {
            columns: &self.columns,
            sources: self.sources(),
        }
    }

    /// The rows that meet the conditions, grouped by the engine; `None` where it cannot do that.
    pub(crate) fn grouped(
        &self,
        conditions: &[Expr],
        by: &[Expr],
        aggregates: &[Expr],
    ) -> Option<GroupedRows> {
        let pushdown = self.pushdown();
        let mut conditions_pushed = conditions
            .iter()
            .map(|condition| pushdown.filter(condition));
        if !conditions_pushed.all(|filter| filter.is_some()) {
            return None;
        }
        Some(GroupedRows {
            grouping: Grouping::of(pushdown, by, aggregates)?,
            asked: Arc::clone(&self.asked),
            search: self.search_for(conditions),
        })
    }

    /// The search for the rows that meet the conditions, as far as the language can say them.
    fn search_for(&self, conditions: &[Expr]) -> SearchRequest {
        let pushdown = self.pushdown();
        let filters = conditions
            .iter()
            .filter_map(|condition| pushdown.wider_filter(condition));
        SearchRequest {
            filter: Filter::and(filters.collect()),
            ..self.search.clone()
        }
    }
}

#[async_trait]
impl TableProvider for LogTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        conditions: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let pushdown = self.pushdown();
        let support = conditions.iter().map(|condition| {
            if pushdown.filter(condition).is_some() {
                TableProviderFilterPushDown::Exact
            } else if pushdown.wider_filter(condition).is_some() {
                TableProviderFilterPushDown::Inexact
            } else {
                TableProviderFilterPushDown::Unsupported
            }
        });
        Ok(support.collect())
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        conditions: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all = || (0..self.columns.0.len()).collect();
        let projection = projection.cloned().unwrap_or_else(all);
        let columns = projection
            .iter()
            .filter_map(|index| self.columns.0.get(*index));
        let scan = ScanExec::new(
            Arc::clone(&self.asked),
            self.search_for(conditions),
            columns.cloned().collect(),
        );
        Ok(Arc::new(match limit {
            Some(limit) => scan.first(limit, self.search.order),
            None => scan,
        }))
    }
}

/// How many rows a scan takes that is limited to so many.
pub(crate) fn extent_of(limit: usize) -> Extent {
    match limit {
        0..=FIRST_ROWS_MAX => Extent::First,
        _ => Extent::All,
    }
}
