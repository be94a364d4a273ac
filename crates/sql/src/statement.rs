//! A statement read from text: what it is, which names it mentions, and that it only reads.

mod names;
mod position;
mod read_only;
mod resolve;
mod rewrite;

use datafusion::sql::sqlparser::ast::{self, Expr, ObjectName, VisitMut};
use datafusion::sql::sqlparser::parser::{Parser, ParserError};

use crate::dialect::CordwoodDialect;
use crate::error::{Error, Problem};
use crate::format::Format;

pub(crate) use names::Names;
pub(crate) use position::place_of_identifier;
pub use read_only::FORMAT_NAMES;
pub(crate) use resolve::resolve;

/// The longest statement that is read, in bytes; the same as of a query.
const TEXT_BYTES_MAX: usize = 16 << 10;

/// How deep expressions may nest.
const DEPTH_MAX: usize = 64;

/// A statement that only reads.
#[derive(Clone, Debug)]
pub(crate) enum Statement {
    /// SELECT, or EXPLAIN of one.
    Query {
        /// In the functions DataFusion knows.
        statement: Box<ast::Statement>,
        /// What it mentions.
        names: Names,
        /// What `FORMAT` at the end asks for.
        format: Option<Format>,
    },
    /// SHOW TABLES.
    ShowTables,
    /// DESCRIBE TABLE, SHOW COLUMNS FROM.
    Describe {
        /// The table.
        table: String,
    },
}

impl Statement {
    /// Reads the one statement of a text.
    pub(crate) fn parse(text: &str) -> Result<Statement, Error> {
        if text.len() > TEXT_BYTES_MAX {
            let message = format!("the statement is longer than {TEXT_BYTES_MAX} bytes");
            return Err(Error::invalid(message));
        }
        let mut statements = Parser::new(&CordwoodDialect)
            .with_recursion_limit(DEPTH_MAX)
            .try_with_sql(text)
            .and_then(|mut parser| parser.parse_statements())
            .map_err(|error| of_parser(&error, text))?;
        if statements.len() > 1 {
            let problem = Problem::new("only one statement can be run at a time");
            return Err(Error::NotReadOnly(problem));
        }
        match statements.pop() {
            Some(statement) => Statement::of(statement),
            None => Err(Error::Invalid(
                Problem::new("there is no statement")
                    .hint("for example: SELECT count(*) FROM logs"),
            )),
        }
    }

    fn of(mut statement: ast::Statement) -> Result<Statement, Error> {
        match &statement {
            ast::Statement::ShowTables { .. } => return Ok(Statement::ShowTables),
            ast::Statement::ExplainTable { table_name, .. } => {
                let table = last_name(table_name);
                return Ok(Statement::Describe { table });
            }
            ast::Statement::ShowColumns { show_options, .. } => {
                let table = show_options.show_in.as_ref();
                let table = table.and_then(|show_in| show_in.parent_name.as_ref());
                let table = table.map(last_name).unwrap_or_default();
                return Ok(Statement::Describe { table });
            }
            _ => {}
        }
        read_only::check(&statement)?;
        let format = read_only::take_format(&mut statement)?;
        let names = Names::of(&statement);
        rewrite::rewrite(&mut statement)?;
        Ok(Statement::Query {
            statement: Box::new(statement),
            names,
            format,
        })
    }
}

fn last_name(name: &ObjectName) -> String {
    let last = name.0.last().and_then(|part| part.as_ident());
    last.map(|ident| ident.value.clone()).unwrap_or_default()
}

/// What the parser says, and where.
fn of_parser(error: &ParserError, text: &str) -> Error {
    let message = match error {
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
        ParserError::RecursionLimitExceeded => {
            let message = format!("the statement nests more than {DEPTH_MAX} deep");
            return Error::invalid(message);
        }
    };
    let (sentence, place) = position::split_message(message, text);
    Error::Invalid(Problem::new(sentence).at(place))
}

/// Visits every expression of a statement.
pub(crate) fn each_expression(
    statement: &mut ast::Statement,
    visit: impl FnMut(&mut Expr) -> Result<(), Error>,
) -> Result<(), Error> {
    struct Visitor<F>(F);
    impl<F: FnMut(&mut Expr) -> Result<(), Error>> ast::VisitorMut for Visitor<F> {
        type Break = Error;

        fn post_visit_expr(&mut self, expression: &mut Expr) -> std::ops::ControlFlow<Error> {
            match (self.0)(expression) {
                Ok(()) => std::ops::ControlFlow::Continue(()),
                Err(error) => std::ops::ControlFlow::Break(error),
            }
        }
    }
    match statement.visit(&mut Visitor(visit)) {
        std::ops::ControlFlow::Continue(()) => Ok(()),
        std::ops::ControlFlow::Break(error) => Err(error),
    }
}
