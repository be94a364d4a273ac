//! That a statement only reads, and the clauses ClickHouse has at its end.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{self, FormatClause, Query, Select, SetExpr, Visit, Visitor};

use crate::error::{Error, Problem};
use crate::format::Format;

/// The names `FORMAT` knows, and what they stand for.
pub const FORMAT_NAMES: [(&str, Format); 8] = [
    ("JSON", Format::Json),
    ("JSONEachRow", Format::NdJson),
    ("NDJSON", Format::NdJson),
    ("CSV", Format::Csv),
    ("CSVWithNames", Format::Csv),
    ("ArrowStream", Format::Arrow),
    ("Arrow", Format::Arrow),
    ("Parquet", Format::Parquet),
];

/// Refuses everything but a query and EXPLAIN of one.
pub(super) fn check(statement: &ast::Statement) -> Result<(), Error> {
    match statement.visit(&mut Checking) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Checking;

impl Visitor for Checking {
    type Break = Error;

    fn pre_visit_statement(&mut self, statement: &ast::Statement) -> ControlFlow<Error> {
        match statement {
            ast::Statement::Query(_) => ControlFlow::Continue(()),
            ast::Statement::Explain { analyze: false, .. } => ControlFlow::Continue(()),
            ast::Statement::Explain { .. } => refuse("EXPLAIN ANALYZE"),
            other => {
                let text = other.to_string();
                let words: Vec<&str> = text.split_whitespace().take(1).collect();
                refuse(&words.join(" "))
            }
        }
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Error> {
        if query.settings.is_some() {
            return refuse("SETTINGS");
        }
        if !query.locks.is_empty() {
            return refuse("FOR UPDATE");
        }
        match &*query.body {
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                refuse("a change of data")
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Error> {
        match select.into {
            Some(_) => refuse("SELECT INTO"),
            None => ControlFlow::Continue(()),
        }
    }
}

fn refuse(what: &str) -> ControlFlow<Error> {
    let message = format!("{what} is not possible here: SQL only reads");
    let hint = "use SELECT, EXPLAIN, SHOW TABLES or DESCRIBE TABLE";
    ControlFlow::Break(Error::NotReadOnly(Problem::new(message).hint(hint)))
}

/// Takes the `FORMAT` off the end.
pub(super) fn take_format(statement: &mut ast::Statement) -> Result<Option<Format>, Error> {
    let query = match statement {
        ast::Statement::Query(query) => query,
        ast::Statement::Explain { statement, .. } => return take_format(statement),
        _ => return Ok(None),
    };
    let name = match query.format_clause.take() {
        None | Some(FormatClause::Null) => return Ok(None),
        Some(FormatClause::Identifier(name)) => name.value,
    };
    let known = FORMAT_NAMES.iter();
    let mut found = known.filter(|(known, _)| known.eq_ignore_ascii_case(&name));
    match found.next() {
        Some((_, format)) => Ok(Some(*format)),
        None => {
            let names = FORMAT_NAMES.map(|(name, _)| name).join(", ");
            let problem = Problem::new(format!("there is no format `{name}`"));
            Err(Error::Invalid(
                problem.hint(format!("the formats are {names}")),
            ))
        }
    }
}
