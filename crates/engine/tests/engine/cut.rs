//! Searches cut short: by their deadline, their caller, or for want of memory. The clock moves by being read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cordwood_engine::{Cancel, Clock, Incomplete, Order, SearchRequest, Total};
use cordwood_event::Event;
use cordwood_store::MemoryBudget;
use proptest::prelude::*;

use crate::support::document::{Document, document};
use crate::support::fixture::{Fixture, engine, newest, sorted, sources};

/// A clock that moves on by a millisecond whenever it is read.
pub(crate) fn ticking(start: Instant) -> Clock {
    let reads = AtomicU64::new(0);
    Clock::new(move || start + Duration::from_millis(reads.fetch_add(1, Ordering::Relaxed)))
}

/// Blocks, a segment and open rows.
pub(crate) fn filled(documents: &[Document]) -> Fixture {
    let mut fixture = Fixture::new(4);
    let half = documents.len() / 2;
    for (index, chunk) in documents[..half].chunks(5).enumerate() {
        fixture.append(&sources()[index % 2], chunk);
    }
    fixture.store.flush().expect("a flush");
    for (index, chunk) in documents[half..].chunks(5).enumerate() {
        fixture.append(&sources()[index % 2], chunk);
    }
    fixture
}

fn documents() -> impl Strategy<Value = Vec<Document>> {
    proptest::collection::vec(document(), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_deadline_loses_no_event(
        documents in documents(),
        ticks in 0u64..60,
        limit in 1usize..40,
        is_newest in any::<bool>(),
    ) {
        let mut fixture = filled(&documents);
        let start = Instant::now();
        let order = if is_newest { Order::NewestFirst } else { Order::OldestFirst };
        let mut request = SearchRequest { order, ..newest("*", limit) };
        let expected = fixture.expected(&request);
        let snapshot = fixture.store.snapshot();

        fixture.engine = engine(MemoryBudget::default(), ticking(start));
        request.deadline = Some(start + Duration::from_millis(ticks));
        let cut = fixture.engine.search(&snapshot, &request).expect("an answer");
        let mut seen: Vec<Event> = cut.events.into_iter().map(sorted).collect();
        prop_assert_eq!(&seen[..], &expected[..seen.len()], "what is found comes first of all");
        let missed = expected[seen.len()..].iter();
        if !cut.account.is_complete() {
            prop_assert_eq!(&cut.account.incomplete, &[Incomplete::Deadline]);
            prop_assert!(cut.account.covered != cut.account.range);
            prop_assert!(missed.clone().all(|event| seen.len() == limit
                || !cut.account.covered.contains(event.id.timestamp)));
        }

        // The following pages, without haste, bring exactly the rest.
        request.deadline = None;
        request.after = cut.next;
        prop_assert!(cut.next.is_some() || missed.len() == 0);
        while request.after.is_some() {
            let answer = fixture.engine.search(&snapshot, &request).expect("an answer");
            seen.extend(answer.events.into_iter().map(sorted));
            request.after = answer.next;
        }
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn a_total_that_is_cut_is_no_more_than_the_whole(documents in documents(), ticks in 0u64..60) {
        let mut fixture = filled(&documents);
        let start = Instant::now();
        fixture.engine = engine(MemoryBudget::default(), ticking(start));
        let request = SearchRequest {
            total: Total::Count,
            deadline: Some(start + Duration::from_millis(ticks)),
            ..newest("message:*", 3)
        };
        let expected = fixture.expected(&request).len() as u64;
        let answer = fixture.engine.search(&fixture.store.snapshot(), &request).expect("an answer");
        let total = answer.total.expect("it was asked for");
        prop_assert!(total <= expected);
        prop_assert!(total == expected || !answer.account.is_complete());
    }
}

fn many() -> Vec<Document> {
    let event = |time| Document {
        time,
        fields: [("message".to_owned(), format!("event {time}").into())]
            .into_iter()
            .collect(),
    };
    (0..400).map(event).collect()
}

#[test]
fn a_caller_who_gave_up_gets_nothing_and_is_told_so() {
    let fixture = filled(&many());
    let cancel = Cancel::default();
    cancel.cancel();
    let request = SearchRequest {
        cancel,
        ..newest("event", 10)
    };
    let answer = fixture
        .engine
        .search(&fixture.store.snapshot(), &request)
        .expect("an answer");
    assert_eq!(answer.events, []);
    assert_eq!(answer.next, None);
    assert_eq!(answer.account.incomplete, [Incomplete::Cancelled]);
    let blocks = answer.account.blocks;
    assert_eq!(blocks.read, 0, "{blocks:?}");
    assert_eq!(blocks.unreached, blocks.total);
}

#[test]
fn a_cancelled_search_stops_where_it_is() {
    let mut fixture = filled(&many());
    let start = Instant::now();
    let cancel = Cancel::default();
    let reads = Arc::new(AtomicU64::new(0));
    let (counted, switch) = (Arc::clone(&reads), cancel.clone());
    // The clock is read between blocks and frames: at the twentieth look the caller goes away.
    let clock = Clock::new(move || {
        if counted.fetch_add(1, Ordering::Relaxed) == 20 {
            switch.cancel();
        }
        start
    });
    fixture.engine = engine(MemoryBudget::default(), clock);
    let request = SearchRequest {
        cancel,
        deadline: Some(start + Duration::from_secs(1)),
        total: Total::Count,
        ..newest("message:event", 10)
    };
    let answer = fixture
        .engine
        .search(&fixture.store.snapshot(), &request)
        .expect("an answer");
    assert_eq!(answer.account.incomplete, [Incomplete::Cancelled]);
    assert!(answer.account.blocks.unreached > 0);
    let looks = reads.load(Ordering::Relaxed);
    assert!(looks < 40, "{looks} looks at the clock");
}

#[test]
fn without_memory_nothing_is_read_and_that_is_said() {
    let mut fixture = filled(&many());
    fixture.append(&sources()[0], &many()[399..]);
    fixture.engine = engine(MemoryBudget::new(1), Clock::new(Instant::now));
    let answer = fixture
        .engine
        .search(&fixture.store.snapshot(), &newest("event", 500))
        .expect("an answer");
    assert_eq!(answer.account.incomplete, [Incomplete::Memory]);
    assert!(answer.account.blocks.unreached > 0);
    assert_eq!(answer.account.blocks.read, 0);
    assert!(answer.next.is_some());
}

#[test]
fn what_a_search_reserved_is_given_back() {
    let mut fixture = filled(&many());
    let memory = MemoryBudget::new(1 << 20);
    fixture.engine = engine(memory.clone(), Clock::new(Instant::now));
    let request = SearchRequest {
        total: Total::Count,
        ..newest("message:event", 10)
    };
    let answer = fixture
        .engine
        .search(&fixture.store.snapshot(), &request)
        .expect("an answer");
    assert_eq!(answer.total, Some(400));
    assert_eq!(memory.used_bytes(), answer.memory.bytes());
    drop(answer);
    assert_eq!(memory.used_bytes(), 0);
}
