//! Surveys and facets against the naive counting of every event, from every place a store keeps them.

use std::collections::{BTreeMap, BTreeSet};

use cordwood_engine::{
    Cell, Count, Distinct, Facet, FacetsRequest, FieldKinds, SearchRequest, Survey,
};
use cordwood_event::{Event, Number, Scalar, Timestamp, path};
use cordwood_query::{Target, TimeBounds};
use cordwood_store::column::ScalarKind;
use proptest::prelude::*;
use serde_json::json;

use crate::oracle::{steps_with_deletions, take};
use crate::support::document::Document;
use crate::support::fixture::{Fixture, newest, sources};
use crate::support::question::question;

/// A value is counted by directories where 32 rows have each.
const BLOCK_ROWS: usize = 64;

/// What the events say of a field, by its name.
#[derive(Debug, Default)]
struct Known {
    events: u64,
    kinds: FieldKinds,
    numbers: Option<(Number, Number)>,
    /// The events of each value, as a debug text of its canonical form.
    values: BTreeMap<String, u64>,
}

/// A number by value, anything else as it is.
fn canonical(value: Scalar<'_>) -> Option<String> {
    Some(match value {
        Scalar::Null => return None,
        Scalar::Str(text) => format!("text {text}"),
        Scalar::Bool(boolean) => format!("{boolean}"),
        Scalar::Json(json) => {
            match Number::parse(json).filter(|number| number.as_f64().is_finite()) {
                Some(number) => of_number(number),
                None => format!("text {json}"),
            }
        }
        Scalar::Int(_) | Scalar::Float(_) => of_number(value.as_number()?),
    })
}

fn of_number(number: Number) -> String {
    match number.as_integer() {
        Some(integer) => format!("number {integer}"),
        None => format!("number {}", number.as_f64()),
    }
}

fn canonical_cell(cell: &Cell) -> Option<String> {
    Some(match cell {
        Cell::Int(integer) => format!("number {integer}"),
        Cell::Float(float) => of_number(Number::Float(*float)),
        Cell::Str(text) | Cell::Json(text) => format!("text {text}"),
        Cell::Bool(boolean) => format!("{boolean}"),
        Cell::Null | Cell::Time(_) => return None,
    })
}

fn known(events: &[Event]) -> BTreeMap<String, Known> {
    let mut fields: BTreeMap<String, Known> = BTreeMap::new();
    for event in events {
        let mut seen = BTreeSet::new();
        let mut values: BTreeSet<(String, String)> = BTreeSet::new();
        for (path, value) in &event.fields {
            let name = path::name(path).into_owned();
            let value = value.as_scalar();
            if value == Scalar::Null || !matches!(Target::named(&name), Target::Field(_)) {
                continue;
            }
            let known = fields.entry(name.clone()).or_default();
            known.kinds = known
                .kinds
                .union(FieldKinds::from_iter([ScalarKind::of(value)]));
            if let Some(number) = value.as_number() {
                let (least, greatest) = known.numbers.unwrap_or((number, number));
                known.numbers = Some((
                    if number.compare(least).is_lt() {
                        number
                    } else {
                        least
                    },
                    if number.compare(greatest).is_gt() {
                        number
                    } else {
                        greatest
                    },
                ));
            }
            if seen.insert(name.clone()) {
                known.events += 1;
            }
            cordwood_query::each_element(value, &mut |element| {
                values.extend(canonical(element).map(|value| (name.clone(), value)));
            });
        }
        for (name, value) in values {
            let known = fields.get_mut(&name).expect("a field with a value");
            *known.values.entry(value).or_default() += 1;
        }
    }
    fields
}

fn is_same(a: Number, b: Number) -> bool {
    a.compare(b).is_eq()
}

fn check_survey(survey: &Survey, events: &[Event]) {
    let expected = known(events);
    assert_eq!(survey.events, events.len() as u64);
    let names: Vec<&str> = survey.fields.keys().map(|name| &**name).collect();
    assert_eq!(
        names,
        expected.keys().map(String::as_str).collect::<Vec<_>>()
    );
    for (name, field) in &survey.fields {
        let known = &expected[&**name];
        assert_eq!(field.events, known.events, "{name}");
        assert_eq!(field.kinds, known.kinds, "{name}");
        assert!(
            field.distinct_min <= known.values.len() as u64,
            "{name}: {field:?}"
        );
        if let Some(range) = field.numbers {
            let (least, greatest) = known.numbers.expect("numbers");
            assert!(
                is_same(range.min, least) && is_same(range.max, greatest),
                "{name}"
            );
            assert!(
                known
                    .kinds
                    .are_within(&[ScalarKind::Int, ScalarKind::Float]),
                "{name}"
            );
        }
    }
}

/// Whether a facet that looked at every event is what the events say.
fn check_facet(facet: &Facet, known: &Known, matches: u64) {
    let name = &facet.name;
    assert_eq!(facet.looked_at, matches, "{name}");
    assert_eq!(
        (facet.coverage.events, facet.coverage.of),
        (known.events, matches),
        "{name}"
    );
    let distinct = known.values.len() as u64;
    match facet.distinct {
        Distinct::Exactly(found) => assert_eq!(found, distinct, "{name}"),
        Distinct::AtLeast(found) => assert!(found <= distinct, "{name}: {found} of {distinct}"),
        Distinct::About(found) => panic!("{name}: {found} is an estimate of few"),
    }
    for counted in &facet.values {
        let value = canonical_cell(&counted.value).expect("a value");
        assert_eq!(
            known.values.get(&value),
            Some(&counted.events),
            "{name}: {value}"
        );
    }
    let is_counted = matches!(facet.distinct, Distinct::Exactly(_));
    if is_counted {
        assert_eq!(facet.values.len(), known.values.len().min(VALUES), "{name}");
        let mut counts: Vec<u64> = known.values.values().copied().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let found = facet.values.iter().map(|value| value.events);
        assert!(found.eq(counts.into_iter().take(VALUES)), "{name}");
    }
}

const VALUES: usize = 4;

fn facets_of(fixture: &Fixture, search: SearchRequest, fields: &[&str]) -> cordwood_engine::Facets {
    let request = FacetsRequest {
        search,
        fields: fields.iter().map(|name| (*name).to_owned()).collect(),
        values_max: VALUES,
    };
    let snapshot = fixture.store.snapshot();
    fixture.engine.facets(&snapshot, &request).expect("facets")
}

fn range() -> impl Strategy<Value = TimeBounds> {
    prop_oneof![
        2 => Just(TimeBounds::ALL),
        1 => (0i64..40, 0i64..40).prop_map(|(first, last)| TimeBounds {
            first: Timestamp::from_nanos(first),
            last: Timestamp::from_nanos(last),
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_survey_counts_what_is_there(
        steps in steps_with_deletions(),
        ranges in proptest::collection::vec(range(), 4),
        block_rows in proptest::sample::select(&[8usize, BLOCK_ROWS][..]),
    ) {
        let mut fixture = Fixture::new(block_rows);
        take(&mut fixture, &steps);
        let snapshot = fixture.store.snapshot();
        for range in ranges {
            let request = SearchRequest { range, ..newest("*", 0) };
            let survey = fixture.engine.survey(&snapshot, &request).expect("a survey");
            prop_assert!(survey.account.is_complete(), "{:?}", survey.account);
            check_survey(&survey, &fixture.expected(&request));
        }
    }

    #[test]
    fn facets_count_what_matches(
        steps in steps_with_deletions(),
        asked in proptest::collection::vec((question(), range()), 4),
    ) {
        let mut fixture = Fixture::new(8);
        take(&mut fixture, &steps);
        for (text, range) in asked {
            let request = SearchRequest { range, ..newest(&text, 0) };
            let expected = fixture.expected(&request);
            let facets = facets_of(&fixture, request, &[]);
            prop_assert!(facets.account.is_complete(), "{:?}", facets.account);
            let matches = expected.len() as u64;
            prop_assert_eq!(facets.matches, Count::Exactly(matches));
            let fields = known(&expected);
            let none = Known::default();
            for facet in &facets.facets[2..] {
                // What lies inside arrays has no path of its own, and is looked up all the same.
                let is_inside = fields.keys().any(|name| facet.name.starts_with(&format!("{name}.")));
                if !is_inside {
                    check_facet(facet, fields.get(&*facet.name).unwrap_or(&none), matches);
                }
            }
        }
    }
}

/// Events of two levels and three hosts, one of which also has numbers for its status.
fn fixture() -> Fixture {
    let mut fixture = Fixture::new(BLOCK_ROWS);
    let documents: Vec<Document> = (0..640)
        .map(|number| {
            let status = match number % 64 {
                0 => json!("none"),
                other => json!(200 + other % 2),
            };
            let fields = json!({
                "level": if number % 4 == 0 { "error" } else { "info" },
                "host": format!("host-{}", number % 3),
                "status": status,
                "took": number,
                "request": format!("{number:08x}"),
                "empty": null,
            });
            let serde_json::Value::Object(fields) = fields else {
                panic!("an object");
            };
            Document {
                time: number,
                fields,
            }
        })
        .collect();
    fixture.append(&sources()[0], &documents);
    fixture.store.flush().expect("a flush");
    fixture
}

fn facet<'a>(facets: &'a cordwood_engine::Facets, name: &str) -> &'a Facet {
    let mut of_all = facets.facets.iter();
    let found = of_all.find(|facet| &*facet.name == name);
    found.unwrap_or_else(|| panic!("no facet {name}"))
}

fn values(facet: &Facet) -> Vec<(String, u64)> {
    let values = facet.values.iter();
    let values = values.filter_map(|value| Some((canonical_cell(&value.value)?, value.events)));
    values.collect()
}

#[test]
fn directories_say_most_of_facets() {
    let fixture = fixture();
    let facets = facets_of(&fixture, newest("*", 0), &[]);
    assert_eq!(facets.matches, Count::Exactly(640));
    assert_eq!(
        values(facet(&facets, "level")),
        [
            ("text info".to_owned(), 480),
            ("text error".to_owned(), 160)
        ]
    );
    assert_eq!(
        values(facet(&facets, "_source")),
        [("text first".to_owned(), 640)]
    );
    let host = facet(&facets, "host");
    assert_eq!((host.coverage.events, host.looked_at), (640, 640));
    assert_eq!(host.values[0].events, 214);
    let took = facet(&facets, "took");
    assert_eq!(took.numbers, Some((Cell::Int(0), Cell::Int(639))));
    assert!(facet(&facets, "status").is_in_conflict);
    assert!(!took.is_in_conflict);
    assert!(!facets.survey.fields.contains_key("empty"));
    // Where all values are counted, no event is looked at.
    let survey = &facets.survey.account;
    assert_eq!((survey.rows_scanned, survey.blocks.counted_whole), (0, 10));
}

#[test]
fn fields_by_name_are_counted_over_all_that_match() {
    let fixture = fixture();
    let facets = facets_of(
        &fixture,
        newest("level:error took:<320", 0),
        &["request", "took", "none"],
    );
    assert_eq!(facets.matches, Count::Exactly(80));
    let request = facet(&facets, "request");
    assert_eq!(
        (request.coverage.events, request.distinct),
        (80, Distinct::Exactly(80))
    );
    assert_eq!(request.values.len(), VALUES);
    let took = facet(&facets, "took");
    assert_eq!(took.numbers, Some((Cell::Int(0), Cell::Int(316))));
    let none = facet(&facets, "none");
    assert_eq!(
        (none.coverage.events, none.distinct),
        (0, Distinct::Exactly(0))
    );
    assert!(none.values.is_empty());
}
