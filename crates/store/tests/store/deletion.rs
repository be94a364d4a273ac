//! Deletions: hidden at once and for good, and purged from every file.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cordwood_event::{SourceId, Timestamp};
use cordwood_store::disk::simulated::SimulatedDisk;
use cordwood_store::{Deletion, DeletionRequest, DeletionState, Disk, Error, Part, Store, check};
use proptest::prelude::*;

use crate::lines::{Containing, Lines, append, append_of, deletion_of, open, texts_of, visible_of};

/// Stores a segment of each body, and leaves the last in the log.
fn store_of(bodies: &[&str], disk: &SimulatedDisk) -> Store {
    let (store, _) = open(disk).unwrap();
    let (last, flushed) = bodies.split_last().unwrap();
    for body in flushed {
        append(&store, 1, body).unwrap();
        store.flush().unwrap();
    }
    append(&store, 1, last).unwrap();
    store
}

fn visible(store: &Store) -> Vec<String> {
    let events = visible_of(&store.snapshot(), 1).unwrap();
    events.into_values().collect()
}

fn delete(store: &Store, text: &str) -> Deletion {
    store.delete(deletion_of(store, 1, text), Some(7)).unwrap()
}

/// Waits until a deletion is purged, which the merging thread does by itself.
pub(crate) fn wait_until_purged(store: &Store, deletion: &Deletion) -> Deletion {
    let give_up = Instant::now() + Duration::from_secs(60);
    loop {
        let deletions = store.deletions();
        let found = deletions.into_iter().find(|found| found.id == deletion.id);
        let found = found.unwrap();
        // A manifest says so first, then what readers see.
        let snapshot = store.snapshot();
        let mut standing = snapshot.deletions().iter();
        let is_seen = standing.all(|standing| standing.id != deletion.id);
        if found.state == DeletionState::Purged && is_seen {
            return found;
        }
        assert!(Instant::now() < give_up, "{found:?}");
        std::thread::yield_now();
    }
}

fn is_on_disk(disk: &SimulatedDisk, text: &str) -> bool {
    let files = disk.files();
    let mut of_events = files
        .iter()
        .filter(|(path, _)| !path.starts_with("manifest/"));
    of_events.any(|(_, bytes)| {
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    })
}

#[test]
fn hidden_at_once_and_after_a_start() {
    let disk = SimulatedDisk::new();
    let store = store_of(&["1 keep\n2 drop this", "3 drop that\n4 keep too"], &disk);
    let before = store.snapshot();
    let deletion = delete(&store, "drop");
    assert_eq!(deletion.state, DeletionState::Hidden);
    assert_eq!((deletion.id.0, deletion.events_hidden), (1, Some(7)));
    assert_eq!(visible(&store), ["1 keep", "4 keep too"]);
    assert_eq!(
        visible_of(&before, 1).unwrap().len(),
        4,
        "a snapshot is for ever"
    );
    append(&store, 1, "5 drop what came later").unwrap();
    let later = ["1 keep", "4 keep too", "5 drop what came later"];
    assert_eq!(visible(&store), later);
    store.flush().unwrap();
    store.compact().unwrap();
    assert_eq!(visible(&store), later);
    assert_eq!(
        texts_of(&store, 1).len(),
        5,
        "nobody said which rows are meant"
    );
    drop(store);
    let (store, _) = open(&disk).unwrap();
    assert_eq!(store.deletions(), [deletion]);
    assert_eq!(visible(&store), later);
}

#[test]
fn purged_from_segments_log_and_memory() {
    let disk = SimulatedDisk::new();
    let noise = "Qz7pLx0vWk3mTy9bRf5nHs2dJc8gXu4a";
    let bodies = [
        format!("1 keep\n2 drop {noise}"),
        format!("3 drop {noise}"),
        format!("5 keep\n6 drop {noise}\n7 keep\n8 keep"),
    ];
    let store = store_of(&bodies.each_ref().map(|body| &**body), &disk);
    assert!(is_on_disk(&disk, noise));
    let deletion = delete(&store, "drop");
    store.purge_with(Arc::new(Containing));
    let purged = wait_until_purged(&store, &deletion);
    assert_eq!((purged.events_hidden, purged.events_purged), (Some(7), 3));
    // Each block knows the bytes of all its rows together: 45 of two, 39 of one, 57 of four.
    assert_eq!(purged.bytes_purged, 22 + 39 + 14);
    assert!(store.snapshot().deletions().is_empty());
    assert_eq!(
        texts_of(&store, 1),
        ["1 keep", "5 keep", "7 keep", "8 keep"]
    );
    assert!(!is_on_disk(&disk, noise));
    store.close().unwrap();
    drop(store);
    let as_disk: Arc<dyn Disk> = Arc::new(disk.clone());
    assert!(check(&as_disk, &Lines).unwrap().is_sound());
    let (store, _) = open(&disk).unwrap();
    assert_eq!(store.deletions(), [purged]);
    assert_eq!(
        texts_of(&store, 1),
        ["1 keep", "5 keep", "7 keep", "8 keep"]
    );
}

/// The id and the range of a deletion say what it can mean; blocks it cannot mean are not looked into.
#[test]
fn blocks_without_a_deleted_row_are_copied_as_they_are() {
    let disk = SimulatedDisk::new();
    let full = |from: u64, text: &str| -> String {
        let lines = (from..from + 8).map(|nanos| format!("{nanos} {text} {nanos}"));
        lines.collect::<Vec<String>>().join("\n")
    };
    let (store, _) = open(&disk).unwrap();
    for body in [full(10, "keep"), full(20, "drop"), full(30, "mixed")] {
        append(&store, 1, &body).unwrap();
    }
    append(&store, 2, "1 drop of another source").unwrap();
    store.flush().unwrap();
    let blocks_of = |store: &Store| -> Vec<(usize, u64)> {
        let parts = store.snapshot().parts(SourceId(1)).collect::<Vec<Part>>();
        let blocks = parts.iter().map(|part| match part {
            Part::Block(block) => (block.rows(), block.encoded_bytes()),
            Part::Open(_) => panic!("everything was flushed"),
        });
        blocks.collect()
    };
    let before = blocks_of(&store);
    store.purge_with(Arc::new(Containing));
    let mut request = deletion_of(&store, 1, "");
    request.first = Timestamp::from_nanos(20);
    request.last = Timestamp::from_nanos(31);
    let deletion = store.delete(request, None).unwrap();
    let purged = wait_until_purged(&store, &deletion);
    assert_eq!((purged.events_hidden, purged.events_purged), (None, 10));
    let after = blocks_of(&store);
    assert_eq!(after[0], before[0]);
    assert_eq!((after.len(), after[1].0), (2, 6));
    assert_eq!(texts_of(&store, 2), ["1 drop of another source"]);
    // A segment of which nothing is left is not written.
    for source in [1, 2] {
        let all = store.delete(deletion_of(&store, source, ""), None).unwrap();
        wait_until_purged(&store, &all);
    }
    assert_eq!(store.snapshot().sources().len(), 0);
    assert_eq!(store.stats().segments, 0);
}

#[test]
fn a_batch_that_was_deleted_does_not_come_back_with_its_key() {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    store.append(append_of(1, Some("key"), "1 drop")).unwrap();
    store.purge_with(Arc::new(Containing));
    wait_until_purged(&store, &delete(&store, "drop"));
    drop(store);
    let (store, _) = open(&disk).unwrap();
    let again = store.append(append_of(1, Some("key"), "1 drop")).unwrap();
    assert!(again.duplicate);
    assert_eq!(visible(&store), [""; 0]);
}

#[test]
fn a_backup_takes_deletions_along() {
    let (disk, copy) = (SimulatedDisk::new(), SimulatedDisk::new());
    let store = store_of(&["1 keep\n2 drop", "3 drop"], &disk);
    let deletion = delete(&store, "drop");
    let backup = store.begin_backup().unwrap();
    backup.copy_segments(&copy, &|_| Ok(())).unwrap();
    backup.finish(&copy).unwrap();
    let (restored, _) = open(&copy).unwrap();
    assert_eq!(visible(&restored), ["1 keep"]);
    restored.purge_with(Arc::new(Containing));
    wait_until_purged(&restored, &deletion);
    assert_eq!(texts_of(&restored, 1), ["1 keep"]);
}

/// Should the newest manifest be damaged, the one before it does not bring back what was deleted.
#[test]
fn a_damaged_manifest_does_not_undo_a_deletion() {
    let disk = SimulatedDisk::new();
    let store = store_of(&["1 keep\n2 drop", "3 drop"], &disk);
    delete(&store, "drop");
    drop(store);
    let manifests = disk.files().into_keys();
    let newest = manifests.filter(|path| path.starts_with("manifest/")).max();
    disk.flip_bit(&newest.unwrap(), 8 * 20);
    let (store, recovery) = open(&disk).unwrap();
    assert_eq!(recovery.damage.len(), 1);
    assert_eq!(visible(&store), ["1 keep"]);
}

/// What cannot be read cannot be purged: the deletion stands, hides what is left, and says so by its state.
#[test]
fn a_damaged_block_holds_a_deletion_up() {
    let disk = SimulatedDisk::new();
    let store = store_of(&["1 drop", "2 drop", "3 keep"], &disk);
    let files = disk.files().into_keys();
    let segment = files.filter(|path| path.starts_with("segments/")).min();
    disk.flip_bit(&segment.unwrap(), 8 * 14);
    let deletion = delete(&store, "drop");
    store.purge_with(Arc::new(Containing));
    store.compact().unwrap();
    let found = store.deletions().remove(0);
    assert_eq!(
        (found.state, found.events_purged),
        (DeletionState::Hidden, 1)
    );
    assert_eq!(store.snapshot().deletions().len(), 1);
    assert_eq!(
        store.compact().unwrap().merges,
        0,
        "it is not tried again and again"
    );
    assert_eq!(deletion.id, found.id);
}

#[test]
fn deletions_that_stand_have_a_limit() {
    let disk = SimulatedDisk::new();
    let store = store_of(&["1 keep"], &disk);
    for _ in 0..256 {
        delete(&store, "drop");
    }
    let error = store.delete(deletion_of(&store, 1, "x"), None).unwrap_err();
    assert!(
        matches!(error, Error::TooManyDeletions { standing: 256 }),
        "{error}"
    );
    store.purge_with(Arc::new(Containing));
    store.compact().unwrap();
    delete(&store, "drop");
}

/// Threads append, flush and merge while others delete and read: no snapshot shows what was deleted before it was taken, and
/// none lacks anything else.
#[test]
fn snapshots_are_right_while_deletions_are_purged() {
    const BATCHES: u64 = 150;
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    store.purge_with(Arc::new(Containing));
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for batch in 0..BATCHES {
                append(
                    &store,
                    1,
                    &format!("{batch} keep\n{batch} drop\n{batch} keep"),
                )
                .unwrap();
                if batch % 10 == 9 {
                    store.flush().unwrap();
                }
            }
            is_done.store(true, Ordering::Relaxed);
        });
        scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                store.compact().unwrap();
            }
        });
        let mut last_deleted = 0;
        while !is_done.load(Ordering::Relaxed) {
            last_deleted = match store.delete(deletion_of(&store, 1, "drop"), None) {
                Ok(deletion) => deletion.request.up_to_sequence,
                Err(Error::TooManyDeletions { .. }) => last_deleted,
                Err(error) => panic!("{error}"),
            };
            let snapshot = store.snapshot();
            let visible = visible_of(&snapshot, 1).unwrap();
            let is_deleted = |(sequence, line): (&u64, &String)| {
                *sequence <= last_deleted && line.ends_with("drop")
            };
            assert!(!visible.iter().any(is_deleted));
            let kept = visible.values().filter(|line| line.ends_with("keep"));
            assert_eq!(kept.count() as u64, snapshot.last_sequence() / 3 * 2);
        }
    });
    delete(&store, "drop");
    store.compact().unwrap();
    assert_eq!(texts_of(&store, 1).len() as u64, BATCHES * 2);
}

#[derive(Clone, Debug)]
enum Step {
    Append(u64, Vec<u8>),
    Flush,
    Compact,
    Delete { text: u8, first: i64, last: i64 },
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1u64..3, prop::collection::vec(0u8..40, 1..12))
            .prop_map(|(source, lines)| Step::Append(source, lines)),
        2 => Just(Step::Flush),
        1 => Just(Step::Compact),
        2 => (0u8..5, 0i64..40, 0i64..40)
            .prop_map(|(text, first, length)| Step::Delete { text, first, last: first + length }),
        1 => Just(Step::Reopen),
    ]
}

/// A line for a number: its time, and a text that says what remains of it by 5.
fn line_of(number: u8) -> String {
    format!("{number} word-{}", number % 5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is appended, flushed, merged and deleted in between: what is there is what was not deleted, and what came
    /// after the deletion.
    #[test]
    fn what_is_visible_is_what_a_list_would_hold(
        steps in prop::collection::vec(step(), 1..24),
        purges: bool,
    ) {
        let disk = SimulatedDisk::new();
        let (mut store, _) = open(&disk).unwrap();
        let mut model: [Vec<(i64, String)>; 2] = Default::default();
        let prepare = |store: &Store| if purges { store.purge_with(Arc::new(Containing)) };
        prepare(&store);
        for step in steps {
            match step {
                Step::Append(source, numbers) => {
                    let lines: Vec<String> = numbers.iter().map(|number| line_of(*number)).collect();
                    append(&store, source, &lines.join("\n")).unwrap();
                    let times = numbers.iter().map(|number| i64::from(*number));
                    model[source as usize - 1].extend(times.zip(lines));
                }
                Step::Flush => store.flush().unwrap(),
                Step::Compact => drop(store.compact().unwrap()),
                Step::Delete { text, first, last } => {
                    let text = format!("word-{text}");
                    let request = DeletionRequest {
                        first: Timestamp::from_nanos(first),
                        last: Timestamp::from_nanos(last),
                        ..deletion_of(&store, 1, &text)
                    };
                    store.delete(request, None).unwrap();
                    model[0].retain(|(time, line)| {
                        !(first..=last).contains(time) || !line.ends_with(&text)
                    });
                }
                Step::Reopen => {
                    drop(store);
                    store = open(&disk).unwrap().0;
                    prepare(&store);
                }
            }
            let snapshot = store.snapshot();
            for (source, expected) in (1..).zip(&model) {
                let found = visible_of(&snapshot, source).unwrap();
                let expected: Vec<&String> = expected.iter().map(|(_, line)| line).collect();
                prop_assert_eq!(found.values().collect::<Vec<_>>(), expected);
            }
        }
        if purges {
            store.compact().unwrap();
            prop_assert!(store.snapshot().deletions().is_empty());
            for (source, expected) in (1..).zip(&model) {
                prop_assert_eq!(texts_of(&store, source).len(), expected.len());
            }
        }
        store.close().unwrap();
    }
}
