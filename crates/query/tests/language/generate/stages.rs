//! Random stages, as the parser would make them: what stands after a table names its columns alone.

use cordwood_query::{
    Aggregate, Capture, CaptureKind, Clause, Direction, FieldName, Filter, Function, GroupKey,
    Interval, PATTERN_COLUMNS, ParsePattern, PatternPart, Percentile, Query, SortKey, Stage,
    Target, Test,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{filter, name, text};

fn field() -> impl Strategy<Value = FieldName> {
    let odd = select(
        &[
            "by", "as", "desc", "if", "count()", "p95(a)", "5", "dt", "level",
        ][..],
    );
    prop_oneof![4 => name(), 1 => odd.prop_map(str::to_owned)]
        .prop_filter("not empty", |name| !name.is_empty())
        .prop_map(FieldName::new)
}

fn interval() -> impl Strategy<Value = Interval> {
    (
        1_i64..100,
        select(&[1_i64, 1000, 60_000, 3_600_000, 86_400_000][..]),
    )
        .prop_map(|(count, millis)| Interval {
            nanos: count * millis * 1_000_000,
        })
}

fn function() -> impl Strategy<Value = Function> {
    let number = field()
        .prop_filter("no number", |field| {
            !matches!(field.as_str(), "dt" | "_id" | "_source")
        })
        .boxed();
    prop_oneof![
        Just(Function::Count(None)),
        Just(Function::Rate),
        field().prop_map(|field| Function::Count(Some(field))),
        field().prop_map(Function::CountDistinct),
        field().prop_map(Function::Min),
        field().prop_map(Function::Max),
        field().prop_map(Function::First),
        field().prop_map(Function::Last),
        number.clone().prop_map(Function::Sum),
        number.clone().prop_map(Function::Avg),
        (1_u32..100_000, number)
            .prop_map(|(percentile, field)| Function::Percentile(Percentile(percentile), field)),
    ]
}

fn aggregate() -> impl Strategy<Value = Aggregate> {
    let name = prop::option::of(field());
    (function(), prop::option::of(filter()), name).prop_map(|(function, condition, name)| {
        let name = name.map_or_else(|| function.to_string(), |name| name.as_str().to_owned());
        Aggregate {
            function,
            condition,
            name,
        }
    })
}

fn group_key() -> impl Strategy<Value = GroupKey> {
    prop_oneof![
        4 => field().prop_map(GroupKey::Field),
        1 => interval().prop_map(GroupKey::Time),
    ]
}

fn without_repetition(names: Vec<FieldName>) -> Vec<FieldName> {
    let mut kept: Vec<FieldName> = Vec::new();
    for name in names {
        if !kept.contains(&name) {
            kept.push(name);
        }
    }
    kept
}

fn names() -> impl Strategy<Value = Vec<FieldName>> {
    vec(field(), 1..4).prop_map(without_repetition)
}

/// Patterns of `parse`.
pub(crate) fn pattern() -> impl Strategy<Value = ParsePattern> {
    let kind = select(&[CaptureKind::Text, CaptureKind::Number, CaptureKind::Word][..]);
    let between = prop_oneof![
        text(),
        select(&["=", " ", "ms", "<", "a<<b"][..]).prop_map(str::to_owned)
    ]
    .prop_filter("not empty", |text| !text.is_empty())
    .boxed();
    let edge = prop_oneof![Just(String::new()), between.clone()];
    (edge.clone(), vec((kind, between), 1..4), edge).prop_map(|(first, middle, last)| {
        let mut parts = vec![PatternPart::Literal(first)];
        let count = middle.len();
        for (index, (kind, after)) in middle.into_iter().enumerate() {
            parts.push(PatternPart::Capture(Capture {
                name: format!("c{index}"),
                kind,
            }));
            let literal = match index + 1 == count {
                true => last.clone(),
                false => after,
            };
            parts.push(PatternPart::Literal(literal));
        }
        parts.retain(|part| !matches!(part, PatternPart::Literal(text) if text.is_empty()));
        ParsePattern { parts }
    })
}

/// Stages that leave events events.
fn row_stage() -> impl Strategy<Value = Stage> {
    prop_oneof![
        filter().prop_map(Stage::Where),
        sort().prop_map(Stage::Sort),
        (1_u64..=1_000_000).prop_map(Stage::Limit),
        names().prop_map(Stage::Fields),
        names().prop_map(Stage::Dedup),
        (field(), pattern()).prop_map(|(from, pattern)| Stage::Parse { from, pattern }),
    ]
}

fn direction() -> impl Strategy<Value = Direction> {
    select(&[Direction::Ascending, Direction::Descending][..])
}

fn sort() -> impl Strategy<Value = Vec<SortKey>> {
    (names(), direction()).prop_map(|(names, direction)| {
        let key = |field| SortKey { field, direction };
        names.into_iter().map(key).collect()
    })
}

/// The stage that makes the table, if any.
fn table_stage() -> impl Strategy<Value = Stage> {
    let stats = (vec(aggregate(), 1..4), vec(group_key(), 0..3))
        .prop_map(|(aggregates, by)| Stage::Stats { aggregates, by });
    let timechart = (interval(), vec(aggregate(), 1..4), vec(field(), 0..3)).prop_map(
        |(interval, aggregates, by)| Stage::Timechart {
            interval,
            aggregates,
            by,
        },
    );
    let top = (1_u64..1_000_000, names()).prop_map(|(limit, by)| Stage::Top { limit, by });
    let patterns = field().prop_map(|field| Stage::Patterns { field });
    prop_oneof![3 => stats, 1 => timechart, 1 => top, 1 => patterns].prop_filter(
        "no two columns have one name",
        |stage| {
            let columns = columns(stage);
            without_repetition(columns.clone()).len() == columns.len()
        },
    )
}

/// The columns of the table that a stage makes.
fn columns(stage: &Stage) -> Vec<FieldName> {
    let computed = |aggregates: &[Aggregate]| -> Vec<FieldName> {
        let names = aggregates.iter().map(|aggregate| aggregate.name.as_str());
        names.map(FieldName::new).collect()
    };
    match stage {
        Stage::Stats { aggregates, by } => {
            let keys = by.iter().map(|key| match key {
                GroupKey::Field(field) => field.clone(),
                GroupKey::Time(_) => FieldName::new("dt"),
            });
            keys.chain(computed(aggregates)).collect()
        }
        Stage::Timechart { aggregates, by, .. } => {
            let time = std::iter::once(FieldName::new("dt"));
            time.chain(by.clone()).chain(computed(aggregates)).collect()
        }
        Stage::Top { by, .. } => {
            let count = std::iter::once(FieldName::new("count()"));
            by.iter().cloned().chain(count).collect()
        }
        Stage::Patterns { .. } => PATTERN_COLUMNS.map(FieldName::new).into(),
        _ => Vec::new(),
    }
}

/// A stage after a table, about one of its columns.
fn after_table(columns: Vec<FieldName>) -> impl Strategy<Value = Stage> {
    (select(columns), direction(), 0_u8..5).prop_map(|(column, direction, kind)| match kind {
        0 => Stage::Where(Filter::Clause(Clause {
            target: Target::named(column.as_str()),
            test: Test::Present,
        })),
        1 => Stage::Sort(vec![SortKey {
            field: column,
            direction,
        }]),
        2 => Stage::Limit(7),
        3 => Stage::Dedup(vec![column]),
        _ => Stage::Where(Filter::All),
    })
}

/// Queries with stages.
pub(crate) fn query() -> impl Strategy<Value = Query> {
    let rows = (filter(), vec(row_stage(), 0..3));
    let tail = prop::option::of(table_stage()).prop_flat_map(|stage| match stage {
        None => Just(Vec::new()).boxed(),
        Some(stage) => vec(after_table(columns(&stage)), 0..3)
            .prop_map(move |after| {
                let mut stages = vec![stage.clone()];
                stages.extend(after);
                stages
            })
            .boxed(),
    });
    (rows, tail).prop_map(|((filter, mut stages), tail)| {
        stages.extend(tail);
        Query { filter, stages }
    })
}
