//! Blocks that cannot be read: the answer says which, and has everything else.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use cordwood_engine::{Incomplete, SearchAnswer, SearchRequest, Total};
use cordwood_event::Event;
use cordwood_store::Part;
use serde_json::{Value, json};

use crate::support::document::Document;
use crate::support::fixture::{Fixture, newest, sorted, sources};

fn event_at(time: i64) -> Document {
    let text: String = (0..20)
        .map(|word| format!("word{} ", word * time))
        .collect();
    let Value::Object(fields) = json!({"message": text, "count": time}) else {
        unreachable!("it is an object");
    };
    Document { time, fields }
}

/// A segment of 20 blocks of four events, the first half of them overwritten with zeros; and open rows.
fn damaged() -> Fixture {
    let mut fixture = Fixture::new(4);
    for start in (0..80).step_by(4) {
        let documents: Vec<Document> = (start..start + 4).map(event_at).collect();
        fixture.append(&sources()[0], &documents);
    }
    fixture.store.flush().expect("a flush");
    overwrite_first_half(&fixture);
    let documents: Vec<Document> = (80..82).map(event_at).collect();
    fixture.append(&sources()[0], &documents);
    fixture
}

fn segment_path(fixture: &Fixture) -> PathBuf {
    let snapshot = fixture.store.snapshot();
    let file_of = |part| match part {
        Part::Block(block) => block.segment_file().map(str::to_owned),
        Part::Open(_) => None,
    };
    let file = snapshot.parts(sources()[0].id).find_map(file_of);
    fixture.directory.path().join(file.expect("a segment"))
}

fn overwrite_first_half(fixture: &Fixture) {
    let path = segment_path(fixture);
    let segment = OpenOptions::new()
        .write(true)
        .open(path)
        .expect("the segment's file");
    let snapshot = fixture.store.snapshot();
    let blocks = snapshot.parts(sources()[0].id).map(|part| match part {
        Part::Block(block) => block.encoded_bytes(),
        Part::Open(_) => 0,
    });
    let half = blocks.sum::<u64>() / 2;
    let zeros = vec![0; usize::try_from(half).expect("a small file")];
    segment.write_all_at(&zeros, 0).expect("writing over it");
}

fn search(fixture: &Fixture, request: &SearchRequest) -> SearchAnswer {
    fixture
        .engine
        .search(&fixture.store.snapshot(), request)
        .expect("an answer")
}

/// The times and the number of the events that the account says could not be read.
fn unreadable(answer: &SearchAnswer) -> Vec<(i64, i64, u64)> {
    let reasons = answer.account.incomplete.iter();
    reasons
        .map(|reason| match reason {
            Incomplete::Unreadable {
                source,
                range,
                rows,
                detail,
            } => {
                assert_eq!(*source, sources()[0].id);
                assert!(detail.contains("checksum"), "{detail}");
                (range.first.as_nanos(), range.last.as_nanos(), *rows)
            }
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn the_other_blocks_are_searched() {
    let fixture = damaged();
    for text in ["*", "message:word1", "count:>=0", "word2"] {
        let request = newest(text, 1000);
        let answer = search(&fixture, &request);
        let lost = unreadable(&answer);
        assert!(!lost.is_empty() && lost.len() < 20, "{text}: {lost:?}");
        assert_eq!(answer.account.blocks.unreadable, lost.len() as u64);
        assert!(
            lost.iter()
                .all(|(first, last, rows)| *rows == 4 && last - first == 3)
        );
        let is_lost = |event: &Event| {
            let time = event.id.timestamp.as_nanos();
            lost.iter()
                .any(|(first, last, _)| (*first..=*last).contains(&time))
        };
        let mut expected = fixture.expected(&request);
        expected.retain(|event| !is_lost(event));
        let found: Vec<Event> = answer.events.into_iter().map(sorted).collect();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn what_is_counted_without_being_read_is_not_lost() {
    let fixture = damaged();
    let request = SearchRequest {
        total: Total::Count,
        ..newest("*", 0)
    };
    let answer = search(&fixture, &request);
    assert!(answer.account.is_complete());
    assert_eq!(answer.total, Some(82));
}

#[test]
fn a_page_that_needs_none_of_the_damaged_blocks_is_complete() {
    let fixture = damaged();
    let answer = search(&fixture, &newest("*", 2));
    assert_eq!(answer.events.len(), 2);
    assert!(
        answer
            .events
            .iter()
            .all(|event| event.id.timestamp.as_nanos() >= 80)
    );
}

#[test]
fn a_segment_that_is_gone_is_named_where_it_matters() {
    let mut fixture = Fixture::new(4);
    let documents: Vec<Document> = (0..8).map(event_at).collect();
    fixture.append(&sources()[0], &documents);
    fixture.store.flush().expect("a flush");
    std::fs::remove_file(segment_path(&fixture)).expect("removing it");
    let fixture = fixture.reopened();

    let answer = search(&fixture, &newest("*", 10));
    assert_eq!(answer.events, []);
    let [Incomplete::Missing { rows, range, .. }] = &*answer.account.incomplete else {
        panic!("{:?}", answer.account.incomplete);
    };
    assert_eq!(
        (*rows, range.first.as_nanos(), range.last.as_nanos()),
        (8, 0, 7)
    );

    let later = newest("dt:>\"1970-01-01T00:00:00.000000008Z\"", 10);
    assert!(search(&fixture, &later).account.is_complete());
    let elsewhere = newest("_source:second", 10);
    assert!(search(&fixture, &elsewhere).account.is_complete());
}
