//! Pieces of a tree.

use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CaseWhen, CastKind, DataType, DuplicateTreatment, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList, FunctionArguments, Ident,
    NullTreatment, ObjectName, OrderByExpr, OrderByOptions, Value,
};

pub(super) fn name(name: &str) -> ObjectName {
    ObjectName::from(vec![Ident::new(name)])
}

/// `function(arguments)`.
pub(super) fn function(of: &str, arguments: Vec<Expr>) -> Function {
    let arguments = arguments.into_iter().map(FunctionArgExpr::Expr);
    function_of(of, arguments.map(FunctionArg::Unnamed).collect())
}

fn function_of(of: &str, args: Vec<FunctionArg>) -> Function {
    Function {
        name: name(of),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args,
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    }
}

pub(super) fn call(of: &str, arguments: Vec<Expr>) -> Expr {
    Expr::Function(function(of, arguments))
}

/// `count(*)`.
pub(super) fn count_all() -> Function {
    function_of(
        "count",
        vec![FunctionArg::Unnamed(FunctionArgExpr::Wildcard)],
    )
}

/// `function(DISTINCT …)`.
pub(super) fn distinct(mut function: Function) -> Function {
    if let FunctionArguments::List(list) = &mut function.args {
        list.duplicate_treatment = Some(DuplicateTreatment::Distinct);
    }
    function
}

/// `function(… ORDER BY key)`, which leaves out what is null.
pub(super) fn ordered_by(
    mut function: Function,
    key: Expr,
    is_ascending: Option<bool>,
) -> Function {
    let order = OrderByExpr {
        expr: key,
        options: OrderByOptions {
            asc: is_ascending,
            nulls_first: Some(false),
        },
        with_fill: None,
    };
    if let FunctionArguments::List(list) = &mut function.args {
        list.clauses
            .push(FunctionArgumentClause::OrderBy(vec![order]));
    }
    function
}

/// `function(… ) IGNORE NULLS`.
pub(super) fn without_nulls(mut function: Function) -> Function {
    function.null_treatment = Some(NullTreatment::IgnoreNulls);
    function
}

pub(super) fn cast(expression: Expr, data_type: DataType, kind: CastKind) -> Expr {
    Expr::Cast {
        kind,
        expr: Box::new(expression),
        data_type,
        array: false,
        format: None,
    }
}

pub(super) fn text(text: &str) -> Expr {
    Expr::value(Value::SingleQuotedString(text.to_owned()))
}

pub(super) fn number(text: &str) -> Expr {
    Expr::value(Value::Number(text.to_owned(), false))
}

pub(super) fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::Nested(Box::new(Expr::BinaryOp {
        left: Box::new(left),
        op,
        right: Box::new(right),
    }))
}

/// `CASE WHEN … THEN … ELSE … END`.
pub(super) fn case(branches: Vec<(Expr, Expr)>, otherwise: Expr) -> Expr {
    let branches = branches
        .into_iter()
        .map(|(condition, result)| CaseWhen { condition, result });
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: branches.collect(),
        else_result: Some(Box::new(otherwise)),
    }
}

/// The text of a literal.
pub(super) fn literal_text(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Value(value) => value.value.clone().into_string(),
        _ => None,
    }
}
