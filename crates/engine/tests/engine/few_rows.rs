//! A few rows of blocks of many: what is read of them without decoding columns is what went in.

use cordwood_engine::{Order, SearchRequest};
use proptest::prelude::*;
use serde_json::json;

use crate::support::document::{Document, document};
use crate::support::fixture::{Fixture, newest, sorted, sources};

/// Enough that one row in so many is few.
const BLOCK_ROWS: usize = 600;
const EVENTS: u32 = 1200;

/// A random event, with fields beside that columns of every encoding are made of.
fn event(random: &Document, number: u32) -> Document {
    let scattered = (u64::from(number) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let request = scattered.rotate_left(7) >> 3;
    let client = (u64::from(number) / 5).wrapping_mul(0x9e37_79b9_97f4_a7c1);
    let some = u32::try_from(scattered >> 40).expect("24 bits");
    let message = match number % 50 {
        0 => format!(
            "{} says nobody else",
            "qvxzwyk ".repeat(some as usize % 7 + 1)
        ),
        _ => format!(
            "user u{} of 10.0.{}.{} took {}.{:02}ms at 2026-05-{:02} by {scattered:016x}",
            some % 900,
            number % 3,
            some % 250,
            some % 4_000,
            number % 100,
            some % 28 + 1,
        ),
    };
    let stack = number
        .is_multiple_of(9)
        .then(|| json!(format!("at frame{scattered}\n at {number}")));
    let more = [
        ("message", Some(json!(message))),
        ("stack", stack),
        ("request", Some(json!(format!("{request:032x}")))),
        ("client", Some(json!(format!("{client:016x}")))),
        (
            "address",
            Some(json!(format!("10.{}.0.{}", number % 200, some % 200))),
        ),
        ("took", Some(json!(f64::from(some % 100_000) / 100.0))),
        ("odd", Some(json!(f64::from(some).sqrt()))),
        ("number", Some(json!(number))),
        (
            "region",
            Some(json!(if some.is_multiple_of(3) { "eu" } else { "us" })),
        ),
    ];
    let mut all = random.clone();
    all.time = i64::from(number) / 40;
    let more = more
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)));
    all.fields.extend(more);
    all
}

fn check(fixture: &Fixture, request: &SearchRequest) {
    let snapshot = fixture.store.snapshot();
    let found = fixture
        .engine
        .search(&snapshot, request)
        .expect("an answer");
    let found: Vec<_> = found.events.into_iter().map(sorted).collect();
    let mut expected = fixture.expected(request);
    expected.truncate(request.limit);
    assert_eq!(found, expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn few_rows_are_what_went_in(
        random in proptest::collection::vec(document(), 1..40),
        numbers in proptest::collection::vec(0..EVENTS, 1..6),
        is_flushed in any::<bool>(),
    ) {
        let mut fixture = Fixture::new(BLOCK_ROWS);
        let numbered = random.iter().cycle().zip(0..EVENTS);
        let events: Vec<Document> = numbered.map(|(random, number)| event(random, number)).collect();
        for events in events.chunks(200) {
            fixture.append(&sources()[0], events);
        }
        if is_flushed {
            fixture.store.flush().expect("a flush");
        }
        for order in [Order::NewestFirst, Order::OldestFirst] {
            check(&fixture, &SearchRequest { order, ..newest("*", 1) });
            for number in &numbers {
                let text = format!("number:{number}");
                check(&fixture, &SearchRequest { order, ..newest(&text, 1) });
            }
            check(&fixture, &SearchRequest { order, ..newest("message:qvxzwyk", 40) });
        }
    }
}
