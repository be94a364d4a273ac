//! Names and JSON paths that stand for columns: `http.method` for the field of this name, and
//! `JSONExtractString(raw, 'http', 'method')` for the same, which spares making a text of the event and reading it again.

use datafusion::sql::sqlparser::ast::{self, CastKind, DataType, Expr, Ident};
use datafusion::sql::sqlparser::ast::{
    ExactNumberInfo, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
};

use super::{Names, each_expression};
use crate::columns::{Columns, Content, EVENT_NAMES};
use crate::error::Error;
use crate::functions::Extract;

/// The statement with such names put right. `tables` are the columns of the tables it names.
pub(crate) fn resolve(
    mut statement: ast::Statement,
    names: &Names,
    tables: &[&Columns],
) -> Result<ast::Statement, Error> {
    each_expression(&mut statement, |expression| {
        let resolved = match expression {
            Expr::CompoundIdentifier(parts) => dotted(parts, names, tables),
            Expr::Function(function) => match tables {
                [only] => extracted(function, only),
                _ => None,
            },
            _ => None,
        };
        if let Some(resolved) = resolved {
            *expression = resolved;
        }
        Ok(())
    })?;
    Ok(statement)
}

/// `a.b` as one column where `a` is no table; `t.a.b` as one of `t`.
fn dotted(parts: &[Ident], names: &Names, tables: &[&Columns]) -> Option<Expr> {
    let (first, rest) = parts.split_first()?;
    let joined = |parts: &[Ident]| {
        let parts: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
        parts.join(".")
    };
    if names.qualifiers.contains(&first.value) {
        let column = Ident::with_quote('"', joined(rest));
        return (rest.len() > 1).then(|| Expr::CompoundIdentifier(vec![first.clone(), column]));
    }
    let name = joined(parts);
    let is_column = tables.iter().any(|columns| columns.named(&name).is_some());
    // A name that no table has is still one name: the error then speaks of it as it was written.
    (is_column || !tables.is_empty()).then(|| Expr::Identifier(Ident::with_quote('"', name)))
}

/// The column that a call takes out of the whole event, where the column has just these values.
fn extracted(function: &Function, columns: &Columns) -> Option<Expr> {
    let name = function.name.0.last()?.as_ident()?;
    let extract = Extract::ALL
        .into_iter()
        .find(|extract| extract.name() == name.value)?;
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    let (event, path) = list.args.split_first()?;
    let is_event = matches!(
        event,
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(name)))
            if EVENT_NAMES.contains(&name.value.as_str())
    );
    let keys: Option<Vec<String>> = path.iter().map(key).collect();
    let column = keys.filter(|keys| is_event && !keys.is_empty())?.join(".");
    let content = columns.named(&column)?.content;
    let identifier = Expr::Identifier(Ident::with_quote('"', column));
    match (extract, content) {
        (Extract::Text, Content::Text)
        | (Extract::Int, Content::Int)
        | (Extract::Float, Content::Float)
        | (Extract::Bool, Content::Bool) => Some(identifier),
        (Extract::Float, Content::Int) => Some(Expr::Cast {
            kind: CastKind::Cast,
            expr: Box::new(identifier),
            data_type: DataType::Double(ExactNumberInfo::None),
            array: false,
            format: None,
        }),
        _ => None,
    }
}

fn key(argument: &FunctionArg) -> Option<String> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value))) => match &value.value {
            ast::Value::SingleQuotedString(key) => Some(key.clone()),
            _ => None,
        },
        _ => None,
    }
}
