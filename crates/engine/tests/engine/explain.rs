//! Why nothing was found.

use std::time::{Duration, Instant};

use cordwood_engine::{Clock, Count, Emptiness, Explanation, NearFields, SearchRequest};
use cordwood_event::Timestamp;
use cordwood_query::TimeBounds;
use cordwood_store::MemoryBudget;
use serde_json::{Value, json};

use crate::support::document::Document;
use crate::support::fixture::{Fixture, engine, newest, sources};

/// Eight events at times 10 to 17, half of them in a segment.
fn eight_events() -> Fixture {
    let mut fixture = Fixture::new(4);
    for start in [10, 14] {
        let documents: Vec<Document> = (start..start + 4).map(event_at).collect();
        fixture.append(&sources()[0], &documents);
        if start == 10 {
            fixture.store.flush().expect("a flush");
        }
    }
    fixture
}

fn event_at(time: i64) -> Document {
    let event = json!({
        "service": if time % 2 == 0 { "api" } else { "web" },
        "level": if time % 2 == 0 { "info" } else { "error" },
        "http": {"status": time},
        "message": "connection refused",
    });
    let Value::Object(fields) = event else {
        unreachable!("it is an object");
    };
    Document { time, fields }
}

fn explain(request: &SearchRequest) -> Explanation {
    let fixture = eight_events();
    let snapshot = fixture.store.snapshot();
    let answer = fixture
        .engine
        .search(&snapshot, request)
        .expect("an answer");
    assert_eq!(answer.events, [], "{} finds something", request.filter);
    let [known, found_out] = [Emptiness::Certain, Emptiness::SoFar].map(|emptiness| {
        let explanation =
            fixture
                .engine
                .explain_empty(&snapshot, request, emptiness, Duration::from_secs(60));
        Explanation {
            elapsed: Duration::ZERO,
            ..explanation.expect("an explanation")
        }
    });
    assert_eq!(known, found_out, "{}", request.filter);
    known
}

/// `clauses` gives each clause in canonical text and how many events match it alone.
fn check(text: &str, clauses: &[(&str, u64)], emptied_by: Option<usize>) -> Explanation {
    let explanation = explain(&newest(text, 10));
    let found: Vec<(&str, Count)> = explanation
        .clauses
        .iter()
        .map(|count| (&*count.clause, count.matches))
        .collect();
    let expected: Vec<(&str, Count)> = clauses
        .iter()
        .map(|(clause, matches)| (*clause, Count::Exactly(*matches)))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(explanation.emptied_by, emptied_by, "{text}");
    explanation
}

#[test]
fn a_clause_that_matches_nothing() {
    let explanation = check(
        "service:api message:timeout",
        &[("service:api", 4), ("message:timeout", 0)],
        Some(1),
    );
    assert_eq!(explanation.events_in_range, Count::Exactly(8));
    assert!(
        explanation
            .clauses
            .iter()
            .all(|clause| clause.near_fields.is_empty())
    );
    check("message:timeout", &[("message:timeout", 0)], Some(0));
}

#[test]
fn clauses_that_never_meet() {
    check(
        "message:refused service:api level:error",
        &[
            ("message:refused", 8),
            ("service:api", 4),
            ("level:error", 4),
        ],
        Some(2),
    );
    check(
        "service:api (level:error OR level:fatal)",
        &[("service:api", 4), ("level:error OR level:fatal", 4)],
        Some(1),
    );
}

#[test]
fn a_field_misspelt() {
    let explanation = check(
        "sevice:api http.staus:>1",
        &[("sevice:api", 0), ("http.staus:>1", 0)],
        Some(0),
    );
    let near = |missing: &str, near: &str| {
        vec![NearFields {
            missing: missing.to_owned(),
            near: vec![near.to_owned()],
        }]
    };
    assert_eq!(
        explanation.clauses[0].near_fields,
        near("sevice", "service")
    );
    assert_eq!(
        explanation.clauses[1].near_fields,
        near("http.staus", "http.status")
    );
    let explanation = check("levl:error", &[("levl:error", 0)], Some(0));
    assert_eq!(explanation.clauses[0].near_fields, near("levl", "level"));
}

#[test]
fn a_range_without_events() {
    let text = "service:api dt:<\"1970-01-01T00:00:00.000000005Z\"";
    let explanation = check(
        text,
        &[
            ("service:api", 0),
            ("dt:<1970-01-01T00:00:00.000000005Z", 0),
        ],
        Some(1),
    );
    assert_eq!(explanation.events_in_range, Count::Exactly(0));
    assert_eq!(explanation.nearest_before, None);
    let after = explanation.nearest_after.expect("events follow");
    assert_eq!(after.timestamp, Timestamp::from_nanos(10));
}

#[test]
fn the_nearest_matches_outside_the_range() {
    let request = SearchRequest {
        range: TimeBounds {
            first: Timestamp::from_nanos(13),
            last: Timestamp::from_nanos(13),
        },
        ..newest("service:api", 10)
    };
    let explanation = explain(&request);
    assert_eq!(explanation.events_in_range, Count::Exactly(1));
    assert_eq!(explanation.emptied_by, Some(0));
    let nearest = [explanation.nearest_before, explanation.nearest_after];
    let times = nearest.map(|position| position.map(|id| id.timestamp.as_nanos()));
    assert_eq!(times, [Some(12), Some(14)]);
}

#[test]
fn without_time_it_says_at_least() {
    let fixture = eight_events();
    let start = Instant::now();
    let hurried = engine(MemoryBudget::default(), Clock::new(move || start));
    // Words that are in no block would take no time.
    let request = newest("service:api message:connection", 10);
    let explanation = hurried
        .explain_empty(
            &fixture.store.snapshot(),
            &request,
            Emptiness::SoFar,
            Duration::ZERO,
        )
        .expect("an explanation");
    assert_eq!(explanation.events_in_range, Count::AtLeast(0));
    assert!(
        explanation
            .clauses
            .iter()
            .all(|count| count.matches == Count::AtLeast(0))
    );
    assert_eq!(explanation.emptied_by, None);
}
