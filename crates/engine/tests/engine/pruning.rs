//! Which blocks are left out, and why: the account has to say.

use cordwood_engine::{BlockCounts, SearchAnswer, SearchRequest, Total};
use cordwood_event::{EventId, Timestamp};
use cordwood_query::TimeBounds;
use serde_json::{Value, json};

use crate::support::document::Document;
use crate::support::fixture::{Fixture, newest, sources};

/// Four blocks of four events: at times 0 to 3, 10 to 13, 20 to 23 and 30 to 33.
fn four_blocks() -> Fixture {
    let mut fixture = Fixture::new(4);
    for block in 0..4 {
        let event = |row| event_of(block, row);
        let documents: Vec<Document> = (0..4).map(event).collect();
        fixture.append(&sources()[0], &documents);
        fixture.store.flush().expect("a flush");
    }
    fixture
}

fn event_of(block: i64, row: i64) -> Document {
    let service = ["api", "web", "api", "db"][usize::try_from(block).expect("0 to 3")];
    let mut event = json!({
        "message": format!("message {row} of block {block}, unlike any other"),
        "service": service,
        "host": format!("host-{}", row % 2),
        "status": 100 * block + row,
        "ratio": 0.5 + row as f64,
        "level": if block == 3 { "error" } else { "info" },
    });
    if block == 2 {
        event["rare"] = json!(row);
    }
    let Value::Object(fields) = event else {
        unreachable!("it is an object");
    };
    Document {
        time: 10 * block + row,
        fields,
    }
}

fn count(text: &str) -> SearchRequest {
    SearchRequest {
        total: Total::Count,
        ..newest(text, 0)
    }
}

fn answer(request: &SearchRequest) -> SearchAnswer {
    let fixture = four_blocks();
    let snapshot = fixture.store.snapshot();
    let answer = fixture
        .engine
        .search(&snapshot, request)
        .expect("an answer");
    assert!(answer.account.is_complete());
    answer
}

fn check(request: &SearchRequest, total: Option<u64>, expected: BlockCounts) -> SearchAnswer {
    let expected = BlockCounts {
        total: 4,
        ..expected
    };
    let answer = answer(request);
    let blocks = answer.account.blocks;
    assert_eq!(
        (answer.total, blocks),
        (total, expected),
        "{}",
        request.filter
    );
    answer
}

const NONE: BlockCounts = BlockCounts {
    total: 0,
    pruned_by_time: 0,
    pruned_by_sequence: 0,
    pruned_by_tokens: 0,
    pruned_by_deletion: 0,
    pruned_by_statistics: 0,
    pruned_by_absent_column: 0,
    pruned_by_dictionary: 0,
    counted_whole: 0,
    beyond_limit: 0,
    read: 0,
    unreadable: 0,
    unreached: 0,
};

#[test]
fn everything_is_counted_without_being_read() {
    let answer = check(
        &count("*"),
        Some(16),
        BlockCounts {
            counted_whole: 4,
            ..NONE
        },
    );
    assert_eq!(answer.account.bytes_scanned, 0);
    assert_eq!(answer.account.rows_scanned, 0);
    assert_eq!(answer.account.segments, 4);
}

#[test]
fn levels_are_counted_from_the_directory() {
    let expected = BlockCounts {
        pruned_by_statistics: 3,
        counted_whole: 1,
        ..NONE
    };
    check(&count("level:error"), Some(4), expected);
    check(&count("level:>=warn"), Some(4), expected);
    let others = BlockCounts {
        pruned_by_statistics: 1,
        counted_whole: 3,
        ..NONE
    };
    check(&count("NOT level:error"), Some(12), others);
}

#[test]
fn the_newest_are_in_the_last_block() {
    let expected = BlockCounts {
        read: 1,
        beyond_limit: 3,
        ..NONE
    };
    // With two threads the next blocks may be under way before the first has filled the page.
    let answer = answer(&newest("*", 3));
    let blocks = answer.account.blocks;
    assert_eq!(blocks.read + blocks.beyond_limit, 4, "{blocks:?}");
    assert!(blocks.read >= expected.read);
    let times = answer
        .events
        .iter()
        .map(|event| event.id.timestamp.as_nanos());
    assert_eq!(times.collect::<Vec<_>>(), [33, 32, 31]);
}

#[test]
fn the_range_leaves_out_blocks() {
    let range = TimeBounds {
        first: Timestamp::from_nanos(11),
        last: Timestamp::from_nanos(23),
    };
    let expected = BlockCounts {
        pruned_by_time: 2,
        counted_whole: 1,
        read: 1,
        ..NONE
    };
    let request = SearchRequest {
        range,
        ..count("*")
    };
    let answer = check(&request, Some(7), expected);
    assert_eq!(answer.account.range, range);
    // A clause on the time narrows the scan exactly as the range does.
    let text = format!("dt:[\"{}\" TO \"{}\"]", range.first, range.last);
    let answer = check(&count(&text), Some(7), expected);
    assert_eq!(answer.account.range, range);
    check(&count(&format!("{text} OR {text}")), Some(7), expected);
    // Below a negation it narrows nothing, and blocks are decided one by one.
    let outside = BlockCounts {
        pruned_by_time: 0,
        pruned_by_statistics: 1,
        counted_whole: 2,
        read: 1,
        ..NONE
    };
    check(&count(&format!("NOT {text}")), Some(9), outside);
}

#[test]
fn an_id_leaves_out_all_blocks_but_its_own() {
    let id = EventId {
        timestamp: Timestamp::from_nanos(12),
        sequence: 7,
    };
    let expected = BlockCounts {
        pruned_by_time: 3,
        read: 1,
        ..NONE
    };
    check(&count(&format!("_id:{id}")), Some(1), expected);
    let unknown = EventId { sequence: 99, ..id };
    let expected = BlockCounts {
        pruned_by_time: 3,
        pruned_by_sequence: 1,
        ..NONE
    };
    check(&count(&format!("_id:{unknown}")), Some(0), expected);
}

#[test]
fn numbers_outside_what_a_column_holds() {
    let expected = BlockCounts {
        pruned_by_tokens: 3,
        read: 1,
        ..NONE
    };
    check(&count("status:202"), Some(1), expected);
    let expected = BlockCounts {
        pruned_by_statistics: 3,
        read: 1,
        ..NONE
    };
    check(&count("status:[101 TO 102]"), Some(2), expected);
    let expected = BlockCounts {
        pruned_by_statistics: 2,
        counted_whole: 2,
        ..NONE
    };
    check(&count("status:>=200"), Some(8), expected);
    // Text is not in a column of numbers, though the word is in each block.
    let expected = BlockCounts {
        pruned_by_statistics: 4,
        ..NONE
    };
    check(&count("status:message"), Some(0), expected);
    check(&count("ratio:>100"), Some(0), expected);
}

#[test]
fn a_field_that_is_not_there() {
    let expected = BlockCounts {
        pruned_by_absent_column: 3,
        counted_whole: 1,
        ..NONE
    };
    check(&count("rare:*"), Some(4), expected);
    let expected = BlockCounts {
        pruned_by_absent_column: 4,
        ..NONE
    };
    check(&count("absent:message"), Some(0), expected);
    check(&count("absent:message status:>0"), Some(0), expected);
}

#[test]
fn a_constant_that_does_not_match() {
    let expected = BlockCounts {
        pruned_by_dictionary: 3,
        read: 1,
        ..NONE
    };
    check(&count("service:w*"), Some(4), expected);
}

#[test]
fn words_that_are_not_there() {
    let (nothing, one) = (
        BlockCounts {
            pruned_by_tokens: 4,
            ..NONE
        },
        BlockCounts {
            pruned_by_tokens: 3,
            read: 1,
            ..NONE
        },
    );
    let untouched = check(&count("message:nonexistent"), Some(0), nothing);
    assert_eq!(untouched.account.bytes_scanned, 0);
    check(&count("nonexistent"), Some(0), nothing);
    check(&count("message:\"of nonexistent\""), Some(0), nothing);
    check(&count("service=web status:>0"), Some(4), one);
    check(&count("service:web"), Some(4), one);
    check(&count("service:(web OR nonexistent)"), Some(4), one);
    check(&count("service:web OR nonexistent"), Some(4), one);
    check(&count("status:202.0"), Some(1), one);
    check(&count("message:*-nonexistent-*"), Some(0), nothing);
    check(&count("message:/ nonexistent /"), Some(0), nothing);
    // A part of a word is not looked up, but by the templates of messages; and a negation never rules out.
    let whole = BlockCounts {
        counted_whole: 4,
        ..NONE
    };
    check(&count("message:*nonexist*"), Some(0), whole);
    check(&count("NOT message:nonexistent"), Some(16), whole);
}

#[test]
fn a_dictionary_without_a_match() {
    let mut fixture = Fixture::new(16);
    let documents: Vec<Document> = (0..16).map(|row| event_of(0, row)).collect();
    fixture.append(&sources()[0], &documents);
    fixture.store.flush().expect("a flush");
    let snapshot = fixture.store.snapshot();
    let blocks_of = |text| {
        let answer = fixture
            .engine
            .search(&snapshot, &count(text))
            .expect("an answer");
        (answer.total, answer.account.blocks)
    };
    let expected = BlockCounts {
        total: 1,
        pruned_by_dictionary: 1,
        ..NONE
    };
    assert_eq!(blocks_of("host:prod*"), (Some(0), expected));
    let expected = BlockCounts {
        total: 1,
        read: 1,
        ..NONE
    };
    assert_eq!(blocks_of("host:host-1"), (Some(8), expected));
}

#[test]
fn later_events_are_not_seen() {
    let expected = BlockCounts {
        pruned_by_sequence: 2,
        counted_whole: 1,
        read: 1,
        ..NONE
    };
    let request = SearchRequest {
        up_to_sequence: Some(6),
        ..count("*")
    };
    check(&request, Some(6), expected);
}

#[test]
fn blocks_before_the_cursor_are_left_out() {
    let request = SearchRequest {
        after: Some(EventId {
            timestamp: Timestamp::from_nanos(20),
            sequence: 0,
        }),
        ..newest("*", 100)
    };
    let expected = BlockCounts {
        pruned_by_time: 2,
        read: 2,
        ..NONE
    };
    let answer = check(&request, None, expected);
    assert_eq!(answer.events.len(), 8);
}

#[test]
fn only_the_columns_asked_for_are_read() {
    let narrow = answer(&count("status:202")).account;
    let wide = answer(&count("message:*unlike* status:202")).account;
    let whole = answer(&newest("status:202", 10)).account;
    assert!(narrow.bytes_scanned > 0);
    assert!(narrow.bytes_scanned < wide.bytes_scanned);
    assert!(wide.bytes_scanned < whole.bytes_scanned);
    assert_eq!(narrow.rows_scanned, 4);
}
