//! Functions that DataFusion lacks.

mod json;

use datafusion::logical_expr::ScalarUDF;

/// All of them.
pub(crate) fn all() -> Vec<ScalarUDF> {
    json::Extract::ALL
        .into_iter()
        .map(|extract| ScalarUDF::from(json::JsonFunction::new(extract)))
        .collect()
}

/// What reads a text column and literals, by the name it has in a plan.
pub(crate) use json::Extract;
