//! Many countings at once against each by itself, which the naive evaluator answers for; and the variety of fields against
//! the values that there are.

use std::collections::{BTreeMap, BTreeSet};

use cordwood_engine::{
    Cell, Grouping, Kept, SearchRequest, Staged, StagedRequest, Table, TallyRequest,
};
use cordwood_event::{Timestamp, path};
use cordwood_query::{FieldName, Filter, TimeBounds, parse};
use proptest::prelude::*;

use crate::oracle::{Step, blocks_add_up, steps, steps_with_deletions, take};
use crate::support::fixture::{Fixture, newest};
use crate::support::question::question;

const BLOCK_ROWS: usize = 8;
const FIELDS: &[&str] = &[
    "service",
    "level",
    "status",
    "items",
    "user",
    "trace",
    "_source",
    "user.name",
    "odd field",
    "nowhere",
];

fn grouping() -> impl Strategy<Value = Grouping> {
    let fields = proptest::sample::subsequence(FIELDS, 0..=2);
    let kept = prop_oneof![
        3 => Just(Kept::All),
        1 => (1u64..4).prop_map(Kept::Greatest),
    ];
    (fields, kept).prop_map(|(fields, kept)| Grouping {
        kept: if fields.is_empty() { Kept::All } else { kept },
        by: fields.into_iter().map(FieldName::new).collect(),
    })
}

fn request(filter: &str, range: TimeBounds) -> SearchRequest {
    SearchRequest {
        range,
        ..newest(filter, 0)
    }
}

/// The table that `stats count() by` makes of all groups.
fn counted_alone(fixture: &Fixture, search: &SearchRequest, by: &[FieldName]) -> Table {
    let names: Vec<String> = by
        .iter()
        .map(|name| format!("{:?}", name.as_str()))
        .collect();
    let stages = match names.is_empty() {
        true => "| stats count()".to_owned(),
        false => format!("| stats count() by {}", names.join(", ")),
    };
    let asked = StagedRequest {
        search: search.clone(),
        stages: parse(&stages).expect("a stage").query.stages,
        rows_max: usize::MAX,
    };
    let snapshot = fixture.store.snapshot();
    match fixture
        .engine
        .run_stages(&snapshot, &asked)
        .expect("an answer")
        .result
    {
        Staged::Table(table) => table,
        Staged::Events { .. } => panic!("no table: {stages}"),
    }
}

fn count_of(row: &[Cell]) -> i128 {
    match row.last() {
        Some(Cell::Int(count)) => *count,
        other => panic!("no count: {other:?}"),
    }
}

/// The groups of the most rows: which of those with as many is left open.
fn are_greatest(found: &Table, all: &Table, limit: u64) -> bool {
    let sorted = |table: &Table| {
        let mut counts: Vec<i128> = table.rows.iter().map(|row| count_of(row)).collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        counts.truncate(usize::try_from(limit).expect("few"));
        counts
    };
    found.rows.iter().all(|row| all.rows.contains(row)) && sorted(found) == sorted(all)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn counting_at_once_is_counting_one_by_one(
        steps in steps_with_deletions(),
        questions in proptest::collection::vec(
            (
                prop_oneof![Just("*".to_owned()), question()],
                proptest::collection::vec(prop_oneof![Just("*".to_owned()), question()], 1..4),
                proptest::collection::vec(grouping(), 0..5),
                (0i64..40, 0i64..40),
            ),
            10,
        ),
    ) {
        let mut fixture = Fixture::new(BLOCK_ROWS);
        take(&mut fixture, &steps);
        for (filter, cases, groupings, (first, last)) in questions {
            let range = match first <= last {
                true => TimeBounds {
                    first: Timestamp::from_nanos(first),
                    last: Timestamp::from_nanos(last),
                },
                false => TimeBounds::ALL,
            };
            let search = request(&filter, range);
            let filters: Vec<Filter> = cases
                .iter()
                .map(|case| parse(case).expect("a filter").query.filter)
                .collect();
            let tally = fixture.engine.tally(&fixture.store.snapshot(), &TallyRequest {
                search: search.clone(),
                cases: filters.clone(),
                groupings: groupings.clone(),
                groups_max: usize::MAX,
            });
            let tally = tally.expect("an answer");
            prop_assert!(tally.account.is_complete() && blocks_add_up(&tally.account));
            prop_assert_eq!(tally.cases.len(), cases.len());
            for ((case, of_case), tables) in cases.iter().zip(filters).zip(&tally.cases) {
                prop_assert_eq!(tables.len(), groupings.len());
                let search = SearchRequest {
                    filter: Filter::and(vec![search.filter.clone(), of_case]),
                    ..search.clone()
                };
                for (grouping, found) in groupings.iter().zip(tables) {
                    let alone = counted_alone(&fixture, &search, &grouping.by);
                    match grouping.kept {
                        Kept::All => prop_assert_eq!(
                            found, &alone,
                            "{} and {} by {:?}", &filter, case, grouping
                        ),
                        Kept::Greatest(limit) => prop_assert!(
                            are_greatest(found, &alone, limit),
                            "{} and {} by {:?}: {:?} of {:?}", &filter, case, grouping, found, alone
                        ),
                    }
                }
            }
        }
    }

    #[test]
    fn the_variety_of_a_field_is_at_least_told(steps in steps()) {
        let mut fixture = Fixture::new(BLOCK_ROWS);
        take(&mut fixture, &steps);
        let search = request("*", TimeBounds::ALL);
        let varieties = fixture.engine.varieties(&fixture.store.snapshot(), &search);
        let mut present: BTreeMap<String, u64> = BTreeMap::new();
        let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let all = SearchRequest { limit: usize::MAX, ..search };
        for event in fixture.expected(&all) {
            for (path, value) in event.fields {
                let name = path::name(&path).into_owned();
                *present.entry(name.clone()).or_default() += 1;
                values.entry(name).or_default().insert(format!("{value:?}"));
            }
        }
        for (name, variety) in varieties {
            prop_assert!(variety.present <= present[&name], "{name}");
            prop_assert!(!variety.is_known || variety.values.is_some(), "{name}");
            // No part has more values than there are, but for addresses, which are not told apart.
            let different = values[&name].len() as u64;
            let at_most = if name == "address" { present[&name] } else { different };
            prop_assert!(
                variety.values.is_none_or(|values| u64::from(values) <= at_most),
                "{name}"
            );
        }
    }
}

#[test]
fn what_has_more_groups_than_asked_for_says_so() {
    let mut fixture = Fixture::new(BLOCK_ROWS);
    let document = |time: i64| crate::support::document::Document {
        time,
        fields: serde_json::Map::from_iter([("n".to_owned(), serde_json::json!(time))]),
    };
    let documents: Vec<_> = (0..20).map(document).collect();
    take(&mut fixture, &[Step::Append(0, documents)]);
    let tally = |groups_max: usize| {
        let request = TallyRequest {
            search: request("*", TimeBounds::ALL),
            cases: vec![Filter::All],
            groupings: vec![Grouping::by([FieldName::new("n")]), Grouping::by([])],
            groups_max,
        };
        let tally = fixture.engine.tally(&fixture.store.snapshot(), &request);
        let cases = tally.expect("an answer").cases;
        cases
            .iter()
            .flatten()
            .map(|table| (table.rows.len(), table.more))
            .collect::<Vec<_>>()
    };
    assert_eq!(tally(7), [(7, true), (1, false)]);
    assert_eq!(tally(20), [(20, false), (1, false)]);
}

/// An open event with two large arrays: each is counted by itself, and their combinations would fill the memory.
#[test]
fn an_open_event_in_too_many_groups_is_refused() {
    let mut fixture = Fixture::new(BLOCK_ROWS);
    let array: Vec<u32> = (0..40_000).chain(0..10).collect();
    let fields = [("a", array.clone()), ("b", array)];
    let fields = fields.map(|(name, array)| (name.to_owned(), serde_json::json!(array)));
    let document = crate::support::document::Document {
        time: 1,
        fields: serde_json::Map::from_iter(fields),
    };
    take(&mut fixture, &[Step::Append(0, vec![document])]);
    let tally = |by: &[&str]| {
        let request = TallyRequest {
            search: request("*", TimeBounds::ALL),
            cases: vec![Filter::All],
            groupings: vec![Grouping::by(by.iter().map(|name| FieldName::new(*name)))],
            groups_max: usize::MAX,
        };
        let tally = fixture.engine.tally(&fixture.store.snapshot(), &request);
        let tally = tally.expect("an answer");
        let mut tables = tally.cases.iter().flatten();
        let rows = tables.next().map_or(0, |table| table.rows.len());
        (rows, tally.account.incomplete)
    };
    assert_eq!(tally(&["a"]), (40_000, vec![]), "each element once");
    assert_eq!(
        tally(&["a", "b"]),
        (0, vec![cordwood_engine::Incomplete::Combinations])
    );
}
