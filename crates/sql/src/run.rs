//! One statement from text to rows.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cordwood_engine::{
    Cancel, Clock, Engine, Fields, Incomplete, Order, SearchRequest, SearchedSource, Total, Wanted,
};
use cordwood_event::Timestamp;
use cordwood_query::{Filter, TimeBounds, near_names};
use cordwood_store::{MemoryBudget, Snapshot};
use datafusion::arrow::array::RecordBatch;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::execution::context::SQLOptions;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::sql::parser::Statement as PlannedStatement;
use datafusion::sql::sqlparser::ast;
use futures_util::StreamExt;

use crate::account::Ledger;
use crate::answer::{Answer, Rows};
use crate::columns::{Columns, EVENT_NAMES, prefixes};
use crate::error::{Cut, Error, Problem, of_datafusion};
use crate::memory::StatementMemory;
use crate::scan::Asked;
use crate::statement::{Names, Statement, place_of_identifier};
use crate::table::LogTable;
use crate::tables::{Tables, quoted};
use crate::watch::Watch;
use crate::{answer, session, statement};

/// More columns than this are no table that anyone reads; `SELECT *` then asks to name them.
const COLUMNS_MAX: usize = 2000;

/// How often is looked whether to give up.
const PATIENCE: Duration = Duration::from_millis(10);

/// A statement, and for whom and within which limits it is run.
#[derive(Clone, Debug)]
pub struct Request {
    /// The text.
    pub text: String,
    /// The sources that may be read: there is a table of each, and `logs` of all.
    pub sources: Vec<SearchedSource>,
    /// Events outside this range are in no table.
    pub range: TimeBounds,
    /// How many rows are given back at most.
    pub rows_max: usize,
    /// When to give up, on the clock of [`Sql`].
    pub deadline: Option<Instant>,
    /// How the caller gives up.
    pub cancel: Cancel,
    /// What `now()` is.
    pub now: Timestamp,
}

/// Runs statements. Shared by all who ask.
#[derive(Debug)]
pub struct Sql {
    engine: Arc<Engine>,
    memory: MemoryBudget,
    clock: Clock,
    base: SessionState,
}

impl Sql {
    /// Over an engine; what statements hold is counted against `memory`.
    pub fn new(engine: Arc<Engine>, memory: MemoryBudget, clock: Clock) -> Sql {
        Sql {
            engine,
            memory,
            clock,
            base: session::base(),
        }
    }

    /// Runs a statement over a snapshot. Blocks the caller until the rows are there, the deadline has passed or the
    /// caller cancels.
    pub fn run(&self, snapshot: &Snapshot, request: &Request) -> Result<Answer, Error> {
        let started = self.clock.now();
        let tables = Tables::new(&request.sources);
        let statement = Statement::parse(&request.text)?;
        let mut answer = match statement {
            Statement::ShowTables => answer::of_tables(&tables)?,
            Statement::Describe { table } => {
                let sources = tables.sources_of(&table);
                let sources = sources.ok_or_else(|| tables.unknown(&table))?;
                let search = search_of(request, sources, &Cancel::default());
                let fields = self.engine.fields(snapshot, &search, &Wanted::All)?;
                answer::of_columns(&Columns::of(
                    &fields,
                    &EVENT_NAMES.map(str::to_owned).into(),
                ))?
            }
            Statement::Query {
                statement,
                names,
                format,
            } => {
                let run = Run {
                    sql: self,
                    snapshot,
                    request,
                    tables,
                    cancel: Cancel::default(),
                };
                let mut answer = run.query(*statement, &names)?;
                answer.format = format;
                answer
            }
        };
        answer.elapsed = self.clock.now().saturating_duration_since(started);
        Ok(answer)
    }
}

/// What the tables are searched with.
fn search_of(request: &Request, sources: Vec<SearchedSource>, cancel: &Cancel) -> SearchRequest {
    SearchRequest {
        sources,
        filter: Filter::All,
        range: request.range,
        order: Order::NewestFirst,
        limit: 0,
        after: None,
        up_to_sequence: None,
        after_sequence: None,
        total: Total::NotAsked,
        deadline: request.deadline,
        cancel: cancel.clone(),
        now: request.now,
    }
}

/// A query under way.
struct Run<'a> {
    sql: &'a Sql,
    snapshot: &'a Snapshot,
    request: &'a Request,
    tables: Tables,
    /// What stops the scans: the caller, the deadline, or that no more rows are needed.
    cancel: Cancel,
}

impl Run<'_> {
    fn query(&self, statement: ast::Statement, names: &Names) -> Result<Answer, Error> {
        let asked = Arc::new(Asked {
            engine: Arc::clone(&self.sql.engine),
            snapshot: self.snapshot.clone(),
            ledger: Ledger::default(),
        });
        let named = self.tables_of(&asked, names)?;
        let columns = named.values().map(|table| table.columns());
        let statement = statement::resolve(statement, names, &columns.collect::<Vec<_>>())?;
        let memory = Arc::new(StatementMemory::new(&self.sql.memory));
        let now = self.request.now;
        let state = session::session(&self.sql.base, named, Arc::clone(&memory) as Arc<_>, now)
            .map_err(Error::internal)?;
        let rows = self.in_runtime(self.rows_of(&state, statement, &memory))?;
        let mut account = asked.ledger.account();
        // Scans are told to stop as soon as enough rows came.
        account
            .incomplete
            .retain(|incomplete| *incomplete != Incomplete::Cancelled);
        Ok(Answer::new(rows, account, memory))
    }

    /// Runs what is async to its end, and stops the scans that still run then.
    fn in_runtime<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .thread_name("sql-scan")
            .build()
            .map_err(Error::internal)?;
        let outcome = runtime.block_on(async {
            tokio::select! {
                biased;
                cut = self.cut() => Err(cut.into_error(self.bytes_max())),
                outcome = work => outcome,
            }
        });
        self.cancel.cancel();
        outcome
    }

    /// Waits for a reason to give up. One that is there already is seen at once: a short statement comes to its end
    /// before the first wait does.
    async fn cut(&self) -> Cut {
        let watch = self.watch();
        loop {
            if let Some(cut) = watch.cut() {
                return cut;
            }
            tokio::time::sleep(PATIENCE).await;
        }
    }

    fn watch(&self) -> Watch {
        Watch {
            clock: self.sql.clock.clone(),
            deadline: self.request.deadline,
            cancel: self.request.cancel.clone(),
        }
    }

    fn bytes_max(&self) -> u64 {
        StatementMemory::bytes_max_of(&self.sql.memory)
    }

    /// The tables a statement names, with the columns it names.
    fn tables_of(
        &self,
        asked: &Arc<Asked>,
        names: &Names,
    ) -> Result<HashMap<String, Arc<LogTable>>, Error> {
        let mut tables = HashMap::new();
        for name in &names.tables {
            let sources = self.tables.sources_of(name);
            let sources = sources.ok_or_else(|| self.unknown_table(name))?;
            let search = search_of(self.request, sources, &self.cancel);
            let fields = self.fields_of(&search, names)?;
            let columns = Columns::of(&fields, &names.columns);
            if columns.0.len() > COLUMNS_MAX {
                let count = columns.0.len();
                let message = format!("`*` stands for {count} columns of `{name}`");
                let hint = format!("name the columns; `*` takes at most {COLUMNS_MAX}");
                return Err(Error::Invalid(Problem::new(message).hint(hint)));
            }
            let table = LogTable::new(asked, search, columns);
            tables.insert(name.clone(), Arc::new(table));
        }
        Ok(tables)
    }

    fn unknown_table(&self, name: &str) -> Error {
        match self.tables.unknown(name) {
            Error::Invalid(problem) => {
                let place = place_of_identifier(&self.request.text, name);
                Error::Invalid(problem.at(place))
            }
            other => other,
        }
    }

    /// The fields that may be meant. One that occurs outside the range only is still a column.
    fn fields_of(&self, search: &SearchRequest, names: &Names) -> Result<Fields, Error> {
        let engine = &self.sql.engine;
        let mut wanted: BTreeSet<String> = names.columns.clone();
        for name in &names.columns {
            wanted.extend(prefixes(name).map(str::to_owned));
        }
        let is_limited = search.range != TimeBounds::ALL;
        let in_range = match names.has_wildcard {
            true => Wanted::All,
            false => Wanted::Named(wanted.clone()),
        };
        let mut fields = engine.fields(self.snapshot, search, &in_range)?;
        if is_limited {
            for path in fields.paths.keys() {
                wanted.remove(&*cordwood_event::path::name(path));
            }
            let anywhere = SearchRequest {
                range: TimeBounds::ALL,
                ..search.clone()
            };
            let others = engine.fields(self.snapshot, &anywhere, &Wanted::Named(wanted))?;
            fields.paths.extend(others.paths);
        }
        Ok(fields)
    }

    async fn rows_of(
        &self,
        state: &SessionState,
        statement: ast::Statement,
        memory: &StatementMemory,
    ) -> Result<Rows, Error> {
        let plan = self.plan(state, statement).await?;
        let bytes_max = self.bytes_max();
        let of_datafusion = |error| of_datafusion(error, bytes_max);
        let schema = plan.schema();
        let mut stream = execute_stream(plan, state.task_ctx()).map_err(of_datafusion)?;
        let mut batches: Vec<RecordBatch> = Vec::new();
        let mut rows_left = self.request.rows_max;
        let mut more = false;
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(of_datafusion)?;
            let kept = batch.slice(0, batch.num_rows().min(rows_left));
            rows_left -= kept.num_rows();
            more = batch.num_rows() > kept.num_rows();
            if !memory.try_take(kept.get_array_memory_size() as u64) {
                return Err(Error::Memory { bytes_max });
            }
            batches.push(kept);
            if more {
                break;
            }
        }
        Ok(Rows {
            schema,
            batches,
            more,
        })
    }

    async fn plan(
        &self,
        state: &SessionState,
        statement: ast::Statement,
    ) -> Result<Arc<dyn ExecutionPlan>, Error> {
        let statement = PlannedStatement::Statement(Box::new(statement));
        let plan = state.statement_to_plan(statement).await;
        let plan = plan.map_err(|error| self.of_planning(error))?;
        let only_reading = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        only_reading
            .verify_plan(&plan)
            .map_err(|error| self.of_planning(error))?;
        let plan = state.create_physical_plan(&plan).await;
        let plan = plan.map_err(|error| self.of_planning(error))?;
        self.watch().over(plan).map_err(Error::internal)
    }

    /// What planning says of the statement, with the place and the names that may have been meant.
    fn of_planning(&self, error: DataFusionError) -> Error {
        let root = error.find_root();
        let DataFusionError::SchemaError(schema, _) = root else {
            return of_datafusion(error, self.bytes_max());
        };
        let SchemaError::FieldNotFound { field, .. } = &**schema else {
            return of_datafusion(error, self.bytes_max());
        };
        let problem = Problem::new(format!("there is no column `{}`", field.name));
        let place = place_of_identifier(&self.request.text, &field.name);
        let problem = problem.at(place);
        let columns = self.columns();
        let names = columns.0.iter().map(|column| column.name.as_str());
        let near = near_names(&field.name, names.chain(EVENT_NAMES));
        Error::Invalid(match near.as_slice() {
            [] => problem.hint("DESCRIBE TABLE logs lists the columns"),
            near => problem.hint(format!("did you mean {}?", quoted(near))),
        })
    }

    /// Those of all events that may be read.
    fn columns(&self) -> Columns {
        let search = search_of(self.request, self.request.sources.clone(), &self.cancel);
        let fields = self.sql.engine.fields(self.snapshot, &search, &Wanted::All);
        let columns = fields.map(|fields| Columns::of(&fields, &BTreeSet::new()));
        columns.unwrap_or_default()
    }
}
