//! What answers take together: pages end early instead of going past the ceiling, and nothing is lost by that.

use std::thread;
use std::time::{Duration, Instant};

use cordwood_engine::{
    Clock, Incomplete, SearchAnswer, SearchRequest, Staged, StagedAnswer, StagedRequest,
};
use cordwood_event::Event;
use cordwood_query::parse;
use cordwood_store::MemoryBudget;
use serde_json::json;

use crate::support::document::Document;
use crate::support::fixture::{Fixture, engine, newest, sorted, sources};

const TEXT_BYTES: usize = 8 << 10;
const CEILING: u64 = 4 << 20;
/// All answers may take a quarter, one answer a quarter of that.
const ONE_MAX: u64 = CEILING / 16;

/// Blocks of large events, and open rows.
fn filled(memory: &MemoryBudget) -> Fixture {
    let mut fixture = Fixture::new(16);
    let event = |number: i64| Document {
        time: number,
        fields: [
            ("text".to_owned(), json!("x".repeat(TEXT_BYTES))),
            ("number".to_owned(), json!(number)),
        ]
        .into_iter()
        .collect(),
    };
    let events: Vec<Document> = (0..200).map(event).collect();
    for (index, chunk) in events.chunks(10).enumerate() {
        fixture.append(&sources()[index % 2], chunk);
        if index == 14 {
            fixture.store.flush().expect("a flush");
        }
    }
    fixture.engine = engine(memory.clone(), Clock::new(Instant::now));
    fixture
}

fn search(fixture: &Fixture, request: &SearchRequest) -> SearchAnswer {
    let snapshot = fixture.store.snapshot();
    fixture
        .engine
        .search(&snapshot, request)
        .expect("an answer")
}

fn stages(fixture: &Fixture, text: &str) -> StagedAnswer {
    let query = parse(text).expect("a query").query;
    let request = StagedRequest {
        search: SearchRequest {
            filter: query.filter,
            ..newest("*", 0)
        },
        stages: query.stages,
        rows_max: 1_000,
    };
    let snapshot = fixture.store.snapshot();
    fixture
        .engine
        .run_stages(&snapshot, &request)
        .expect("an answer")
}

/// Every event, page by page. A page that gets no memory is asked for again, as a client would.
fn all_pages(fixture: &Fixture, memory: &MemoryBudget) -> Vec<Event> {
    let mut request = newest("*", 100);
    let mut events = Vec::new();
    loop {
        let answer = search(fixture, &request);
        let used = memory.used_bytes();
        assert!(used <= CEILING, "{used} bytes are used");
        if answer.events.is_empty() && !answer.account.is_complete() {
            assert_eq!(answer.account.incomplete, [Incomplete::Memory]);
            continue;
        }
        let texts = (answer.events.len() * TEXT_BYTES) as u64;
        assert!(answer.memory.bytes() >= texts, "what is there is charged");
        // Two blocks are read side by side before it is asked again whether there is room, each half as large again at most.
        assert!(
            texts < ONE_MAX + 2 * 24 * TEXT_BYTES as u64,
            "{} events",
            answer.events.len()
        );
        events.extend(answer.events.into_iter().map(sorted));
        match answer.next {
            Some(next) => request.after = Some(next),
            None => return events,
        }
    }
}

#[test]
fn pages_side_by_side_stay_below_the_ceiling_and_lose_nothing() {
    let memory = MemoryBudget::new(CEILING);
    let fixture = filled(&memory);
    let expected = fixture.expected(&newest("*", 1));
    thread::scope(|scope| {
        let readers: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| all_pages(&fixture, &memory)))
            .collect();
        for reader in readers {
            assert_eq!(reader.join().expect("a reader"), expected);
        }
    });
    wait_until_used(&memory, 0);
}

#[test]
fn what_is_not_sent_yet_leaves_no_room_for_more() {
    let memory = MemoryBudget::new(CEILING);
    let fixture = filled(&memory);
    let request = newest("*", 100);
    let mut held = Vec::new();
    let refused = loop {
        let answer = search(&fixture, &request);
        match answer.events.is_empty() {
            true => break answer,
            false => held.push(answer),
        }
        assert!(held.len() < 100, "answers are not charged");
    };
    assert!(held.len() >= 3, "{} answers", held.len());
    assert_eq!(refused.account.incomplete, [Incomplete::Memory]);
    assert_ne!(refused.account.covered, refused.account.range);
    assert!(memory.used_bytes() <= CEILING);
    let rest = refused.next.expect("a place to go on from");

    held.clear();
    assert_eq!(memory.used_bytes(), 0);
    let whole = search(&fixture, &request).events;
    let after = SearchRequest {
        after: Some(rest),
        ..request
    };
    assert_eq!(
        search(&fixture, &after).events,
        whole,
        "from the very first on"
    );
}

#[test]
fn a_page_that_ends_early_and_leads_nowhere_says_so() {
    let memory = MemoryBudget::new(CEILING);
    let fixture = filled(&memory);
    let answer = stages(&fixture, "* | sort by number");
    let Staged::Events { events, next } = &answer.result else {
        panic!("events were asked for");
    };
    assert!(!events.is_empty() && events.len() < 200, "{}", events.len());
    assert_eq!(*next, None);
    let bytes_max = ONE_MAX;
    assert_eq!(
        answer.account.incomplete,
        [Incomplete::Answer { bytes_max }]
    );
}

/// A thread may be about to let go of what it has handed over.
fn wait_until_used(memory: &MemoryBudget, bytes: u64) {
    let give_up = Instant::now() + Duration::from_secs(60);
    while memory.used_bytes() != bytes {
        assert!(
            Instant::now() < give_up,
            "{} bytes are used",
            memory.used_bytes()
        );
        thread::yield_now();
    }
}

#[test]
fn tables_are_charged_as_long_as_they_are_there() {
    let memory = MemoryBudget::new(CEILING);
    let fixture = filled(&memory);
    for text in [
        "* | stats count() by number",
        "* | fields number | sort by number",
    ] {
        let answer = stages(&fixture, text);
        assert!(
            answer.account.is_complete(),
            "{text}: {:?}",
            answer.account.incomplete
        );
        let Staged::Table(table) = &answer.result else {
            panic!("a table was asked for");
        };
        assert_eq!(table.rows.len(), 200);
        wait_until_used(&memory, answer.memory.bytes());
        assert!(
            answer.memory.bytes() >= 200 * 16,
            "{}",
            answer.memory.bytes()
        );
        drop(answer);
        assert_eq!(memory.used_bytes(), 0);
    }
}
