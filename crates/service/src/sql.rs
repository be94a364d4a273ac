//! SQL: a statement, sources and a range in; rows as they are written in a format, and the account of what was read out.

use std::time::Duration;

use cordwood_engine::SearchedSource;
use cordwood_sql::{self as sql, Request};

use crate::range::range;
use crate::retention::kept_from;
use crate::search::chosen_sources;
use crate::sources::within;
use crate::{Access, Caller, Cancel, DEADLINE_DEFAULT, DEADLINE_MAX, Error, Service};

pub use cordwood_sql::{AnswerColumn as SqlColumn, Format as SqlFormat};

/// Rows in an answer unless asked otherwise.
pub const SQL_ROWS_DEFAULT: usize = 1000;
/// Rows in an answer at most; they come in one piece.
pub const SQL_ROWS_MAX: usize = 1_000_000;

/// A statement to run.
#[derive(Clone, Debug, Default)]
pub struct SqlRequest {
    /// The statement.
    pub statement: String,
    /// Ids, `src-` ids or names of the sources there are tables of; empty for every source the caller sees.
    pub sources: Vec<String>,
    /// Events before are in no table; written as in a [`SearchRequest`](crate::SearchRequest).
    pub from: Option<String>,
    /// Events after are in no table.
    pub to: Option<String>,
    /// Rows wanted, 1 to [`SQL_ROWS_MAX`]; [`SQL_ROWS_DEFAULT`] when `None`.
    pub rows_max: Option<usize>,
    /// How long it may take, [`DEADLINE_DEFAULT`] when `None`, at most [`DEADLINE_MAX`].
    pub deadline: Option<Duration>,
    /// How rows are written; `None` as the statement says, or else as JSON.
    pub format: Option<SqlFormat>,
}

/// What a statement gave.
#[derive(Clone, Debug)]
pub struct SqlAnswer {
    /// The rows, written.
    pub body: Vec<u8>,
    /// In which format.
    pub format: SqlFormat,
    /// The columns, in order.
    pub columns: Vec<SqlColumn>,
    /// How many rows there are.
    pub rows: usize,
    /// Whether there are more rows than these.
    pub more: bool,
    /// What was read to answer.
    pub account: SqlAccount,
}

/// What was read for a statement, all its scans taken together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SqlAccount {
    /// Why rows may be missing; `None` when none can be.
    pub incomplete_reason: Option<String>,
    /// Events looked at.
    pub rows_scanned: u64,
    /// Bytes read and decoded.
    pub bytes_scanned: u64,
    /// Blocks in the sources scanned.
    pub blocks_total: u64,
    /// Blocks not read, because they could not match.
    pub blocks_pruned: u64,
    /// How long it took.
    pub elapsed: Duration,
}

impl Service {
    /// Runs a statement over the sources the caller sees; see [`SqlRequest`] and [`SqlAnswer`].
    pub fn sql(
        &self,
        caller: &Caller,
        request: &SqlRequest,
        cancel: &Cancel,
    ) -> Result<SqlAnswer, Error> {
        caller.require(Access::Read)?;
        let asked = self.statement(caller, request, cancel)?;
        let snapshot = self.store.snapshot();
        let answer = self.statements.run(&snapshot, &asked).map_err(of_sql)?;
        let format = request.format.or(answer.format).unwrap_or(SqlFormat::Json);
        Ok(SqlAnswer {
            body: answer.encode(format).map_err(of_sql)?,
            format,
            columns: answer.columns(),
            rows: answer.rows(),
            more: answer.more,
            account: account_of(&answer),
        })
    }

    fn statement(
        &self,
        caller: &Caller,
        request: &SqlRequest,
        cancel: &Cancel,
    ) -> Result<Request, Error> {
        let now = self.now();
        let rows_max = within("limit", request.rows_max, SQL_ROWS_DEFAULT, SQL_ROWS_MAX)?;
        let sources = chosen_sources(&self.visible_sources(caller), &request.sources)?;
        let sources = sources.iter().map(|source| SearchedSource {
            id: source.id,
            name: source.name.clone(),
            kept_from: kept_from(source, now),
        });
        let time = request.deadline.unwrap_or(DEADLINE_DEFAULT);
        let time = time.min(DEADLINE_MAX);
        Ok(Request {
            text: request.statement.clone(),
            sources: sources.collect(),
            range: range(request.from.as_deref(), request.to.as_deref(), now)?,
            rows_max,
            deadline: self.options.clock.instant().checked_add(time),
            cancel: cancel.clone(),
            now,
        })
    }
}

fn account_of(answer: &sql::Answer) -> SqlAccount {
    let account = &answer.account;
    let reasons: Vec<String> = account.incomplete.iter().map(ToString::to_string).collect();
    SqlAccount {
        incomplete_reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
        rows_scanned: account.rows_scanned,
        bytes_scanned: account.bytes_scanned,
        blocks_total: account.blocks_total,
        blocks_pruned: account.blocks_pruned,
        elapsed: answer.elapsed,
    }
}

fn of_sql(error: sql::Error) -> Error {
    let statement = |code, problem: sql::Problem| Error::Statement {
        code,
        message: problem.message,
        position: problem.position,
        hint: problem.hint,
    };
    let too_costly = |code, error: &sql::Error| Error::StatementTooCostly {
        code,
        message: error.to_string(),
    };
    match error {
        sql::Error::Invalid(problem) => statement("invalid_sql", problem),
        sql::Error::NotReadOnly(problem) => statement("sql_not_read_only", problem),
        sql::Error::Memory { .. } => too_costly("sql_memory", &error),
        sql::Error::Deadline => too_costly("sql_deadline", &error),
        sql::Error::Cancelled => Error::Cancelled,
        sql::Error::Engine(error) => Error::internal("searching", error),
        sql::Error::Internal(error) => Error::internal("running a statement", error),
    }
}
