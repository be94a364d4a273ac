//! Random stages, as text.

use proptest::prelude::*;

use super::question::question;

const FIELDS: &[&str] = &[
    "message",
    "status",
    "count",
    "service",
    "user",
    "items",
    "user.name",
    "items.name",
    "items.count",
    "\"odd field\"",
    "x",
    "k1",
    "k255",
    "absent",
    "level",
    "dt",
    "_source",
];

const FUNCTIONS: &[&str] = &[
    "count_distinct",
    "sum",
    "avg",
    "min",
    "max",
    "median",
    "p95",
    "p5",
    "first",
    "last",
    "count",
];

fn field() -> impl Strategy<Value = String> {
    proptest::sample::select(FIELDS).prop_map(str::to_owned)
}

fn function() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => Just("count()".to_owned()),
        1 => Just("rate()".to_owned()),
        6 => (proptest::sample::select(FUNCTIONS), field()).prop_map(|(function, field)| format!("{function}({field})")),
    ]
}

fn aggregates() -> impl Strategy<Value = String> {
    let one = (function(), proptest::option::weighted(0.2, question()));
    proptest::collection::vec(one, 1..4).prop_map(|all| {
        let columns = all
            .into_iter()
            .enumerate()
            .map(|(index, (function, condition))| {
                let condition = condition.map_or(String::new(), |filter| format!(" if ({filter})"));
                format!("{function}{condition} as a{index}")
            });
        columns.collect::<Vec<_>>().join(", ")
    })
}

fn row_stage() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => question().prop_map(|filter| format!("where {filter}")),
        2 => (field(), any::<bool>()).prop_map(|(field, is_falling)| {
            format!("sort by {field}{}", if is_falling { " desc" } else { "" })
        }),
        1 => (0u64..20).prop_map(|limit| format!("limit {}", limit + 1)),
        2 => proptest::collection::vec(field(), 1..3).prop_map(|mut fields| {
            fields.sort();
            fields.dedup();
            format!("dedup {}", fields.join(", "))
        }),
        1 => Just("parse \"<service> <x:word>\"".to_owned()),
        1 => Just("parse \"re<x>ed\"".to_owned()),
        1 => Just("parse \"<count:number>\" from status".to_owned()),
        1 => Just("parse \"<k>a\" from service".to_owned()),
    ]
}

fn keys() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(field(), 0..3).prop_map(|mut fields| {
        fields.retain(|field| field != "dt");
        fields.sort();
        fields.dedup();
        fields
    })
}

fn ending() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just(String::new()),
        4 => (aggregates(), keys(), proptest::option::weighted(0.4, 1u32..15)).prop_map(|(aggregates, mut keys, bucket)| {
            keys.extend(bucket.map(|length| format!("dt:{length}ms")));
            let by = if keys.is_empty() { String::new() } else { format!(" by {}", keys.join(", ")) };
            format!(" | stats {aggregates}{by}")
        }),
        2 => (aggregates(), keys(), 1u32..15).prop_map(|(aggregates, keys, length)| {
            let by = if keys.is_empty() { String::new() } else { format!(" by {}", keys.join(", ")) };
            format!(" | timechart {length}ms {aggregates}{by}")
        }),
        1 => field().prop_map(|field| format!(" | patterns {field}")),
        1 => (1u64..6, field()).prop_map(|(limit, field)| format!(" | top {limit} {field}")),
        2 => proptest::collection::vec(field(), 1..4).prop_map(|mut fields| {
            fields.sort();
            fields.dedup();
            format!(" | fields {}", fields.join(", "))
        }),
    ]
}

const ON_TABLE: &[&str] = &[
    "where a0:>1",
    "where a0:*",
    "sort by a0 desc",
    "sort by a0",
    "limit 3",
    "dedup a0",
    "fields a0",
];

/// Stages behind a filter, from the first `|` on.
pub(crate) fn stages() -> impl Strategy<Value = String> {
    let on_table = proptest::collection::vec(proptest::sample::select(ON_TABLE), 0..3);
    (
        proptest::collection::vec(row_stage(), 0..3),
        ending(),
        on_table,
    )
        .prop_map(|(rows, ending, on_table)| {
            let mut text: String = rows.iter().map(|stage| format!(" | {stage}")).collect();
            text.push_str(&ending);
            if ending.contains(" as a0") {
                text.extend(on_table.iter().map(|stage| format!(" | {stage}")));
            }
            text
        })
}
