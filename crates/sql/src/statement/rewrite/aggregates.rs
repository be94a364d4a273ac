//! Aggregates: those with a condition (`countIf`), with parameters (`quantile(0.9)(x)`), and other names for what there is.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Function, FunctionArguments};

use super::{Call, build};
use crate::error::Error;

/// The functions that ClickHouse names otherwise.
const RENAMED: [(&str, &str); 9] = [
    ("avg", "avg"),
    ("sum", "sum"),
    ("min", "min"),
    ("max", "max"),
    ("grouparray", "array_agg"),
    ("stddevpop", "stddev_pop"),
    ("stddevsamp", "stddev_samp"),
    ("varpop", "var_pop"),
    ("varsamp", "var_samp"),
];

pub(super) fn rewrite(call: &Call<'_>) -> Result<Option<Expr>, Error> {
    if call.function.over.is_some() {
        return Ok(None);
    }
    let arguments = call.arguments();
    if let Some(function) = aggregate(call, call.name, arguments.clone())? {
        return Ok(Some(Expr::Function(with_clauses_of(
            call.function,
            function,
        ))));
    }
    let Some(base) = call.name.strip_suffix("if").filter(|base| !base.is_empty()) else {
        return Ok(None);
    };
    let mut arguments = arguments;
    let condition = arguments.pop();
    let Some(mut function) = aggregate(call, base, arguments)? else {
        return Ok(None);
    };
    let condition = condition.ok_or_else(|| call.wrong("takes a condition"))?;
    function.filter = Some(Box::new(match call.function.filter.clone() {
        Some(filter) => build::binary(*filter, BinaryOperator::And, condition),
        None => condition,
    }));
    Ok(Some(Expr::Function(function)))
}

/// The aggregate of this name, if ClickHouse's differs from DataFusion's.
fn aggregate(call: &Call<'_>, name: &str, arguments: Vec<Expr>) -> Result<Option<Function>, Error> {
    let function = match name {
        "count" if is_distinct(call.function) => return Ok(None),
        "count" if arguments.is_empty() => build::count_all(),
        "count" => build::function("count", arguments),
        "uniq" | "uniqcombined" | "uniqcombined64" | "uniqhll12" => {
            build::function("approx_distinct", arguments)
        }
        "uniqexact" => build::distinct(build::function("count", arguments)),
        "any" | "anyheavy" => build::without_nulls(build::function("first_value", arguments)),
        "anylast" => build::without_nulls(build::function("last_value", arguments)),
        "argmin" | "argmax" => {
            let [value, key] = two(call, arguments)?;
            let first = build::function("first_value", vec![value]);
            build::ordered_by(first, key, Some(name == "argmin"))
        }
        "groupuniqarray" => build::distinct(build::function("array_agg", arguments)),
        "quantile" | "quantileexact" | "quantileexactinclusive" => {
            quantile(call, "percentile_cont", arguments)?
        }
        "quantiletdigest" => quantile(call, "approx_percentile_cont", arguments)?,
        _ => match RENAMED.iter().find(|(theirs, _)| *theirs == name) {
            Some((theirs, ours)) if theirs != ours || call.name != name => {
                build::function(ours, arguments)
            }
            _ => return Ok(None),
        },
    };
    Ok(Some(function))
}

/// `quantile(0.9)(x)`; without a level the median.
fn quantile(call: &Call<'_>, function: &str, arguments: Vec<Expr>) -> Result<Function, Error> {
    let level = match call.parameters().as_slice() {
        [] => build::number("0.5"),
        [level] => level.clone(),
        _ => return Err(call.wrong("takes one level in its first parentheses")),
    };
    let [value] = arguments
        .try_into()
        .map_err(|_| call.wrong("takes one value in its last parentheses"))?;
    Ok(build::function(function, vec![value, level]))
}

fn two(call: &Call<'_>, arguments: Vec<Expr>) -> Result<[Expr; 2], Error> {
    let two = arguments.try_into();
    two.map_err(|_| call.wrong("takes two arguments"))
}

fn is_distinct(function: &Function) -> bool {
    match &function.args {
        FunctionArguments::List(list) => list.duplicate_treatment.is_some(),
        _ => false,
    }
}

/// What stood beside the arguments: `DISTINCT`, `ORDER BY`, `FILTER`.
fn with_clauses_of(written: &Function, mut function: Function) -> Function {
    if let (FunctionArguments::List(from), FunctionArguments::List(to)) =
        (&written.args, &mut function.args)
    {
        to.clauses.extend(from.clauses.iter().cloned());
        to.duplicate_treatment = to.duplicate_treatment.or(from.duplicate_treatment);
    }
    function.filter = written.filter.clone();
    function
}
