//! Blocks that are handed out together, and take longer than those before made expect.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cordwood_engine::{Clock, SearchRequest, Total};
use cordwood_store::MemoryBudget;
use serde_json::json;

use crate::support::document::Document;
use crate::support::fixture::{Fixture, engine, newest, sorted, sources};

const BLOCK_ROWS: u32 = 4;
const BLOCKS: u32 = 200;

/// A clock on which nothing takes time until it has been read so often; then everything takes longer than a task may.
fn slow_after(readings: u64) -> Clock {
    const QUICK: Duration = Duration::from_micros(1);
    const SLOW: Duration = Duration::from_millis(2);
    let (began, read) = (Instant::now(), AtomicU64::new(0));
    Clock::new(move || {
        let read = read.fetch_add(1, Ordering::Relaxed);
        let quick = QUICK * u32::try_from(read.min(readings)).expect("few readings");
        let slow = SLOW * u32::try_from(read.saturating_sub(readings)).expect("few readings");
        began + quick + slow
    })
}

fn filled() -> Fixture {
    let mut fixture = Fixture::new(BLOCK_ROWS as usize);
    for block in 0..BLOCKS {
        let event = |row: u32| {
            let message = json!(format!("row {row} of {block}"));
            Document {
                time: (block * BLOCK_ROWS + row).into(),
                fields: [("message".to_owned(), message)].into_iter().collect(),
            }
        };
        let events: Vec<Document> = (0..BLOCK_ROWS).map(event).collect();
        fixture.append(&sources()[0], &events);
    }
    fixture.store.flush().expect("a flush");
    fixture
}

#[test]
fn what_a_task_has_no_time_for_is_done_by_others() {
    let mut fixture = filled();
    for readings in [0, 10, 20, 40, 80, u64::from(u32::MAX)] {
        fixture.engine = engine(MemoryBudget::default(), slow_after(readings));
        for limit in [0, 3] {
            let request = SearchRequest {
                total: Total::Count,
                ..newest("message:/row [12]/", limit)
            };
            let mut expected = fixture.expected(&request);
            let snapshot = fixture.store.snapshot();
            let answer = fixture
                .engine
                .search(&snapshot, &request)
                .expect("an answer");
            assert!(answer.account.is_complete(), "{:?}", answer.account);
            let blocks = answer.account.blocks;
            assert_eq!((blocks.read, blocks.total), (200, 200), "after {readings}");
            assert_eq!(
                answer.total,
                Some(expected.len() as u64),
                "after {readings}"
            );
            expected.truncate(limit);
            let events: Vec<_> = answer.events.into_iter().map(sorted).collect();
            assert_eq!(events, expected, "after {readings}");
        }
    }
}
