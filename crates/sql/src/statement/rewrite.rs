//! Functions as ClickHouse has them, said in those that DataFusion has.
//!
//! Rewritten in the tree of the statement, before anything is planned, so that the optimiser and the engine see only
//! functions they know. A column keeps the name it was written with.

mod aggregates;
mod build;
mod scalars;
mod times;

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    self, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Select,
    SelectItem, VisitMut, VisitorMut,
};

use crate::error::{Error, Problem};

/// Rewrites every function of a statement.
pub(super) fn rewrite(statement: &mut ast::Statement) -> Result<(), Error> {
    match statement.visit(&mut Rewriting) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Rewriting;

impl VisitorMut for Rewriting {
    type Break = Error;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        // With DISTINCT, what is ordered by is looked for by the names that DataFusion has.
        let has_other_name = match select.distinct {
            Some(_) => is_rewritten,
            None => is_no_name,
        };
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expression) = item
                && has_other_name(expression)
            {
                *item = SelectItem::ExprWithAlias {
                    alias: Ident::with_quote('"', expression.to_string()),
                    expr: expression.clone(),
                };
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        let Expr::Function(function) = expression else {
            return ControlFlow::Continue(());
        };
        match rewritten(function) {
            Ok(None) => ControlFlow::Continue(()),
            Ok(Some(other)) => {
                *expression = other;
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }
}

/// Of anything but a name, DataFusion's own name would speak of the table too.
fn is_no_name(expression: &Expr) -> bool {
    !matches!(
        expression,
        Expr::Identifier(_) | Expr::CompoundIdentifier(_)
    )
}

/// Whether DataFusion's name for it would be that of other functions.
fn is_rewritten(expression: &Expr) -> bool {
    let mut copy = expression.clone();
    let outcome = copy.visit(&mut Rewriting);
    outcome.is_continue() && copy != *expression
}

/// What takes the place of a call; `None` where only its name is put in lower case.
fn rewritten(function: &mut Function) -> Result<Option<Expr>, Error> {
    let [part] = function.name.0.as_mut_slice() else {
        return Ok(None);
    };
    let Some(ident) = part.as_ident() else {
        return Ok(None);
    };
    let written = ident.value.clone();
    let name = written.to_ascii_lowercase();
    function.name = build::name(&name);
    let call = Call {
        written: &written,
        name: &name,
        function,
    };
    if let Some(rewritten) = aggregates::rewrite(&call)? {
        return Ok(Some(rewritten));
    }
    if let Some(rewritten) = times::rewrite(&call)? {
        return Ok(Some(rewritten));
    }
    scalars::rewrite(&call)
}

/// A call to rewrite.
struct Call<'a> {
    /// The name as written.
    written: &'a str,
    /// In lower case.
    name: &'a str,
    function: &'a Function,
}

impl Call<'_> {
    /// The arguments, if they are plain expressions.
    fn arguments(&self) -> Vec<Expr> {
        expressions(&self.function.args)
    }

    /// What stands in the first parentheses of `quantile(0.9)(x)`.
    fn parameters(&self) -> Vec<Expr> {
        expressions(&self.function.parameters)
    }

    /// So many arguments and no others.
    fn exactly<const N: usize>(&self) -> Result<[Expr; N], Error> {
        let arguments = self.arguments();
        let found = arguments.len();
        arguments.try_into().map_err(|_| {
            let plural = if N == 1 { "" } else { "s" };
            self.wrong(format!("takes {N} argument{plural}, and {found} are given"))
        })
    }

    fn wrong(&self, what: impl std::fmt::Display) -> Error {
        Error::Invalid(Problem::new(format!("`{}` {what}", self.written)))
    }
}

fn expressions(arguments: &FunctionArguments) -> Vec<Expr> {
    let FunctionArguments::List(list) = arguments else {
        return Vec::new();
    };
    let arguments = list.args.iter().filter_map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => Some(expression.clone()),
        _ => None,
    });
    arguments.collect()
}
