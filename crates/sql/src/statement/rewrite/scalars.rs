//! Functions of one row: conversions, text, conditions, JSON.

use datafusion::sql::sqlparser::ast::{BinaryOperator, CastKind, DataType, Expr};

use super::{Call, build};
use crate::error::Error;

/// The functions that ClickHouse names otherwise, their arguments the same.
const RENAMED: [(&str, &str); 13] = [
    ("position", "strpos"),
    ("match", "regexp_like"),
    ("startswith", "starts_with"),
    ("endswith", "ends_with"),
    ("length", "octet_length"),
    ("lengthutf8", "character_length"),
    ("lowerutf8", "lower"),
    ("upperutf8", "upper"),
    ("replaceall", "replace"),
    ("replaceregexpone", "regexp_replace"),
    ("ifnull", "coalesce"),
    ("trimboth", "btrim"),
    ("now64", "now"),
];

pub(super) fn rewrite(call: &Call<'_>) -> Result<Option<Expr>, Error> {
    if let Some((_, ours)) = RENAMED.iter().find(|(theirs, _)| *theirs == call.name) {
        return Ok(Some(build::call(ours, call.arguments())));
    }
    if let Some(converted) = conversion(call)? {
        return Ok(Some(converted));
    }
    Ok(Some(match call.name {
        "if" => {
            let [condition, held, otherwise] = call.exactly()?;
            build::case(vec![(condition, held)], otherwise)
        }
        "multiif" => multi_if(call)?,
        "isnull" => {
            let [value] = call.exactly()?;
            Expr::IsNull(Box::new(value))
        }
        "isnotnull" => {
            let [value] = call.exactly()?;
            Expr::IsNotNull(Box::new(value))
        }
        "empty" => {
            let [value] = call.exactly()?;
            build::binary(value, BinaryOperator::Eq, build::text(""))
        }
        "notempty" => {
            let [value] = call.exactly()?;
            build::binary(value, BinaryOperator::NotEq, build::text(""))
        }
        "positioncaseinsensitive" => {
            let lowered = call
                .exactly::<2>()?
                .map(|text| build::call("lower", vec![text]));
            build::call("strpos", lowered.into())
        }
        "replaceregexpall" => {
            let [text, pattern, replacement] = call.exactly()?;
            build::call(
                "regexp_replace",
                vec![text, pattern, replacement, build::text("g")],
            )
        }
        "jsonextract" => json_extract(call)?,
        _ => return Ok(None),
    }))
}

/// `toInt64(x)`, `toFloat64OrNull(x)`, `toInt32OrZero(x)`, `toString(x)`.
fn conversion(call: &Call<'_>) -> Result<Option<Expr>, Error> {
    let (name, kind, default) = match call.name {
        name if name.ends_with("ornull") => {
            (name.trim_end_matches("ornull"), CastKind::TryCast, None)
        }
        name if name.ends_with("orzero") => {
            let zero = Some(build::number("0"));
            (name.trim_end_matches("orzero"), CastKind::TryCast, zero)
        }
        name => (name, CastKind::Cast, None),
    };
    let data_type = match name {
        "tostring" => DataType::Varchar(None),
        "toint8" | "toint16" | "toint32" | "toint64" => DataType::BigInt(None),
        "touint8" | "touint16" | "touint32" | "touint64" => DataType::BigIntUnsigned(None),
        "tofloat32" | "tofloat64" => {
            DataType::Double(datafusion::sql::sqlparser::ast::ExactNumberInfo::None)
        }
        _ => return Ok(None),
    };
    let [value] = call.exactly()?;
    let converted = build::cast(value, data_type, kind);
    Ok(Some(match default {
        Some(default) => build::call("coalesce", vec![converted, default]),
        None => converted,
    }))
}

fn multi_if(call: &Call<'_>) -> Result<Expr, Error> {
    let mut arguments = call.arguments();
    let otherwise = arguments.pop().filter(|_| arguments.len() >= 2);
    let Some(otherwise) = otherwise.filter(|_| arguments.len().is_multiple_of(2)) else {
        return Err(call.wrong("takes conditions and values in turn, and a value at the end"));
    };
    let branches = arguments.chunks_exact(2).filter_map(|pair| match pair {
        [condition, value] => Some((condition.clone(), value.clone())),
        _ => None,
    });
    Ok(build::case(branches.collect(), otherwise))
}

/// `JSONExtract(json, 'a', 'b', 'Nullable(String)')`: the type says which function it is.
fn json_extract(call: &Call<'_>) -> Result<Expr, Error> {
    let mut arguments = call.arguments();
    let type_name = arguments.pop().and_then(|last| build::literal_text(&last));
    let type_name = type_name.ok_or_else(|| call.wrong("takes the name of a type at the end"))?;
    let plain = type_name
        .strip_prefix("Nullable(")
        .and_then(|inner| inner.strip_suffix(')'));
    let plain = plain.unwrap_or(&type_name).trim().to_ascii_lowercase();
    let function = match plain.as_str() {
        "string" => "jsonextractstring",
        "bool" | "boolean" => "jsonextractbool",
        name if name.starts_with("int") || name.starts_with("uint") => "jsonextractint",
        name if name.starts_with("float") => "jsonextractfloat",
        _ => {
            let what = format!("knows String, Int64, Float64 and Bool, not `{type_name}`");
            return Err(call.wrong(what));
        }
    };
    Ok(build::call(function, arguments))
}
