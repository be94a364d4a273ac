//! Filters on what stages make of events: events on their own, and the rows of a table.

use cordwood_event::{Event, Scalar, Timestamp};
use cordwood_query::{Column, ColumnValues, EventRow, Filter, Matcher, TableRow, Target, parse};
use proptest::prelude::*;

use crate::event::{ORIGIN, event, filter, holds, now};
use crate::generate;

/// A row of a table: names and values.
struct Cells<'a>(&'a [(&'a str, Column<'a>)]);

impl ColumnValues for Cells<'_> {
    fn visit(&self, column: &str, visit: &mut dyn FnMut(Column<'_>)) {
        for (_, value) in self.0.iter().filter(|(name, _)| *name == column) {
            visit(*value);
        }
    }

    fn visit_all(&self, visit: &mut dyn FnMut(Column<'_>)) {
        self.0.iter().for_each(|(_, value)| visit(*value));
    }
}

/// Asserts whether the condition of a query's last stage holds for a row.
fn check(condition: &str, cells: &[(&str, Column<'_>)], expected: bool) {
    let matcher = Matcher::new(&filter(condition), now());
    assert_eq!(
        matcher.matches_row(&TableRow(Cells(cells))),
        expected,
        "{condition}"
    );
    let negated = Matcher::new(&filter(condition).negated(), now());
    assert_eq!(
        negated.matches_row(&TableRow(Cells(cells))),
        !expected,
        "NOT {condition}"
    );
}

#[test]
fn the_columns_of_a_table_are_its_fields() {
    let time = Timestamp::parse_rfc3339("2026-03-27T11:30:00Z").unwrap();
    let cells = [
        ("dt", Column::Time(time)),
        ("level", Column::Scalar(Scalar::Str("warn"))),
        ("_source", Column::Scalar(Scalar::Str("Checkout api"))),
        ("count()", Column::Scalar(Scalar::Int(12))),
        ("http.status", Column::Scalar(Scalar::Int(500))),
        ("p95", Column::Scalar(Scalar::Float(800.5))),
        ("host", Column::Scalar(Scalar::Null)),
        ("list", Column::Scalar(Scalar::Json("[1,\"b\"]"))),
        ("latest", Column::Time(time)),
    ];
    for (condition, expected) in [
        ("\"count()\">10", true),
        ("\"count()\">12", false),
        ("p95>800 p95<=800.5", true),
        ("http.status:500", true),
        ("http:500", false),
        ("host:*", false),
        ("p95:*", true),
        ("list:b", true),
        ("level:WARNING", true),
        ("level:>=error", false),
        ("warn", true),
        ("500", true),
        ("501", false),
        ("dt:>now-1h", true),
        ("dt:>now-10m", false),
        ("dt:2026-03-27", true),
        ("_source:\"checkout API\"", true),
        ("_source:src-7", false),
        ("_id:*", false),
        ("latest:>=\"2026-03-27T11\"", true),
        ("2026-03-27T11:30:00", true),
        ("*", true),
    ] {
        check(condition, &cells, expected);
    }
}

#[test]
fn a_source_is_known_by_its_id_too() {
    let cells = [("_source", Column::Scalar(Scalar::Str("src-7")))];
    check("_source:7", &cells, true);
    check("_source:8", &cells, false);
    let id = [("_id", Column::Scalar(Scalar::Str("18a0af9b3dfd8000-1f")))];
    check("_id:18a0af9b3dfd8000-1f", &id, true);
    check("_id:18a0af9b3dfd8000-1e", &id, false);
}

#[test]
fn what_holds_is_what_the_where_of_a_query_says() {
    let parsed = parse("| stats count() by service | where count() > 5 service=api").unwrap();
    let cordwood_query::Stage::Where(filter) = &parsed.query.stages[1] else {
        panic!("{:?}", parsed.query.stages);
    };
    let matcher = Matcher::new(filter, now());
    let row = |count| {
        [
            ("service", Column::Scalar(Scalar::Str("api"))),
            ("count()", Column::Scalar(Scalar::Int(count))),
        ]
    };
    assert!(matcher.matches_row(&TableRow(Cells(&row(6)))));
    assert!(!matcher.matches_row(&TableRow(Cells(&row(5)))));
}

proptest! {
    #[test]
    fn an_event_on_its_own_matches_as_in_its_batch(filter in generate::filter(), json in generate::event()) {
        let batch = event(&json);
        let copy = Event::copy_of(batch.event(0), ORIGIN.source, ORIGIN.sequence);
        let row = EventRow { event: &copy, source_name: ORIGIN.source_name };
        let matcher = Matcher::new(&filter, now());
        prop_assert_eq!(matcher.matches_row(&row), holds(&filter, &batch), "{} on {}", filter, json);
    }

    #[test]
    fn a_row_of_flat_fields_matches_as_the_event_would(filter in generate::filter(), json in generate::event()) {
        let batch = event(&json);
        let event = batch.event(0);
        let mut cells: Vec<(&str, Column<'_>)> = event
            .fields()
            .map(|(field, value)| (&*batch.paths()[field.index()], Column::Scalar(value)))
            .filter(|(path, _)| !path.contains(['.', '\\']))
            .collect();
        // A level that is sent as its name is not among the fields.
        if let (Some(level), None) = (event.level(), event.get("level")) {
            cells.push(("level", Column::Scalar(Scalar::Str(level.name()))));
        }
        let row = TableRow(Cells(&cells));
        for clause in filter.clauses() {
            let reaches_inside = clause.target.name().contains('.');
            let is_of_event = matches!(clause.target, Target::Time | Target::Source | Target::Id);
            if reaches_inside || is_of_event || clause.target == Target::AnyField {
                continue;
            }
            let alone = Filter::Clause(clause.clone());
            let matcher = Matcher::new(&alone, now());
            prop_assert_eq!(matcher.matches_row(&row), holds(&alone, &batch), "{} on {}", alone, json);
        }
    }
}
