//! DataFusion set up for one statement: its tables, its memory, our functions and rules, and nothing that leads outside.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use cordwood_event::Timestamp;
use datafusion::arrow::temporal_conversions::timestamp_ns_to_datetime;
use datafusion::catalog::CatalogProviderList;
use datafusion::catalog::{
    CatalogProvider, MemoryCatalogProvider, MemoryCatalogProviderList, SchemaProvider,
    TableProvider,
};
use datafusion::error::Result;
use datafusion::execution::context::SessionState;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::optimizer::{Optimizer, OptimizerRule};
use datafusion::prelude::SessionConfig;

use crate::aggregate::{PushedAggregates, StatsPlanner};
use crate::columns::UTC;
use crate::functions;
use crate::newest::NewestRows;
use crate::table::LogTable;

/// The catalog and the schema in which a statement looks for its tables.
const CATALOG: &str = "cordwood";
const SCHEMA: &str = "public";

/// A session with these tables and no others.
pub(crate) fn session(
    base: &SessionState,
    tables: HashMap<String, Arc<LogTable>>,
    memory: Arc<dyn MemoryPool>,
    now: Timestamp,
) -> Result<SessionState> {
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(memory)
        .with_disk_manager_builder(
            DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled),
        )
        .build_arc()?;
    let mut properties = ExecutionProps::new();
    let start = timestamp_ns_to_datetime(now.as_nanos());
    properties.query_execution_start_time = start.map(|start| start.and_utc());
    let catalog = MemoryCatalogProvider::new();
    catalog.register_schema(SCHEMA, Arc::new(TablesOfStatement(tables)))?;
    let catalogs = MemoryCatalogProviderList::new();
    catalogs.register_catalog(CATALOG.to_owned(), Arc::new(catalog));
    Ok(SessionStateBuilder::new_from_existing(base.clone())
        .with_runtime_env(runtime)
        .with_execution_props(properties)
        .with_catalog_list(Arc::new(catalogs))
        .build())
}

/// What all sessions have in common.
pub(crate) fn base() -> SessionState {
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema(CATALOG, SCHEMA)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false)
        // The engine's threads do what can be done side by side.
        .with_target_partitions(1);
    let options = config.options_mut();
    options.sql_parser.enable_ident_normalization = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    options.execution.time_zone = Some(UTC.to_owned());
    let mut state = SessionStateBuilder::new()
        .with_default_features()
        .with_config(config)
        .with_optimizer_rules(optimizer_rules())
        .with_query_planner(Arc::new(StatsPlanner))
        .with_physical_optimizer_rule(Arc::new(NewestRows))
        .build();
    for function in functions::all() {
        // Registering replaces what has the same name, of which there is nothing.
        let _ =
            datafusion::execution::FunctionRegistry::register_udf(&mut state, Arc::new(function));
    }
    state
}

/// DataFusion's, and ours in its place among them.
fn optimizer_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let mut rules = Optimizer::new().rules;
    let is_pushing =
        |rule: &Arc<dyn OptimizerRule + Send + Sync>| rule.name() == PushDownFilter::new().name();
    let after = rules
        .iter()
        .position(is_pushing)
        .map_or(rules.len(), |index| index + 1);
    rules.insert(after, Arc::new(PushedAggregates));
    rules
}

/// The tables a statement names.
#[derive(Debug)]
struct TablesOfStatement(HashMap<String, Arc<LogTable>>);

#[async_trait]
impl SchemaProvider for TablesOfStatement {
    fn table_names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let table = self.0.get(name).map(Arc::clone);
        Ok(table.map(|table| table as Arc<dyn TableProvider>))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}
