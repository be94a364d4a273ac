//! A source that is deleted takes its events off the disk, whenever and however they got there.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use cordwood_catalog::Catalog;
use cordwood_service::{Deletion, DeletionState};

use crate::ledger::{Ledger, json};

/// Text that no encoding makes shorter, so that it is found in the files that hold it.
const NOISE: &str = "Qz7pLx0vWk3mTy9bRf5nHs2dJc8gXu4a";

fn event(number: u32) -> String {
    format!(r#"{{"message":"{NOISE} {number}"}}"#)
}

fn deletions(ledger: &Ledger) -> Vec<Deletion> {
    let page = ledger
        .service()
        .list_deletions(&ledger.admin(), None, None)
        .unwrap();
    page.deletions
}

/// Waits until everything that was to be deleted is purged.
fn wait_until_purged(ledger: &Ledger) -> Vec<Deletion> {
    let give_up = Instant::now() + Duration::from_secs(60);
    loop {
        let found = deletions(ledger);
        let mut states = found.iter().map(|deletion| deletion.state);
        if states.all(|state| state == DeletionState::Purged) {
            return found;
        }
        assert!(Instant::now() < give_up, "{found:?}");
        std::thread::yield_now();
    }
}

/// Whether a file of the log or a segment holds the text.
fn is_on_disk(dir: &Path) -> bool {
    let holds = |path: &Path| {
        let bytes = fs::read(path).unwrap_or_default();
        let mut parts = bytes.windows(NOISE.len());
        parts.any(|part| part == NOISE.as_bytes())
    };
    ["log", "segments"].iter().any(|part| {
        let files = fs::read_dir(dir.join("store").join(part)).unwrap();
        files.flatten().any(|file| holds(&file.path()))
    })
}

fn delete(ledger: &Ledger, source: &str) {
    ledger
        .service()
        .delete_source(&ledger.admin(), source)
        .unwrap();
}

#[test]
fn events_in_segments_and_in_the_log_go() {
    let mut ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let other = ledger.create_source("other").token;
    ledger.send(token.reveal(), &event(1)).unwrap();
    ledger
        .send(other.reveal(), r#"{"message":"stays"}"#)
        .unwrap();
    ledger.close();
    ledger.reopen();
    ledger.send(token.reveal(), &event(2)).unwrap();
    assert!(is_on_disk(ledger.dir()));
    delete(&ledger, "web");
    let [purged] = &wait_until_purged(&ledger)[..] else {
        panic!("one deletion");
    };
    assert_eq!((purged.query.as_str(), purged.events_purged), ("*", 2));
    assert!(!is_on_disk(ledger.dir()));
    let kept = ledger.service().source(&ledger.admin(), "other").unwrap();
    assert_eq!(kept.records_count, 1);
}

/// A crash may come between the two steps.
#[test]
fn a_source_that_was_deleted_without_its_events_is_found_at_the_next_start() {
    let mut ledger = Ledger::new();
    let made = ledger.create_source("web");
    ledger.send(made.token.reveal(), &event(1)).unwrap();
    ledger.close();
    let catalog = Catalog::open(&ledger.dir().join("catalog.db"), ledger.now()).unwrap();
    catalog.delete_source(made.source.id, ledger.now()).unwrap();
    drop(catalog);
    ledger.reopen();
    assert_eq!(wait_until_purged(&ledger)[0].events_purged, 1);
    assert!(!is_on_disk(ledger.dir()));
    ledger.reopen();
    assert_eq!(
        deletions(&ledger).len(),
        1,
        "there is nothing left to delete"
    );
}

#[test]
fn what_was_under_way_when_its_source_was_deleted_goes_too() {
    let mut ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let payload = json(&event(1));
    let bytes = payload.body.len() as u64;
    let admission = ledger.service().admit(token.reveal(), bytes).unwrap();
    delete(&ledger, "web");
    assert_eq!(deletions(&ledger), [], "there was nothing to delete");
    ledger.service().ingest(admission, payload).unwrap();
    assert!(is_on_disk(ledger.dir()));
    ledger.reopen();
    assert_eq!(wait_until_purged(&ledger)[0].events_purged, 1);
    assert!(!is_on_disk(ledger.dir()));
}

/// A catalog that was lost must not take the events with it.
#[test]
fn events_of_a_source_that_nobody_deleted_stay() {
    let mut ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    ledger.send(token.reveal(), &event(1)).unwrap();
    ledger.close();
    fs::remove_file(ledger.dir().join("catalog.db")).unwrap();
    ledger.reopen();
    assert_eq!(deletions(&ledger), []);
    assert!(is_on_disk(ledger.dir()));
}
