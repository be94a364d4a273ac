//! Merges: what they keep, what they let go, and when.

use std::collections::{BTreeMap, BTreeSet};

use cordwood_event::{SourceId, Timestamp};
use cordwood_store::disk::simulated::SimulatedDisk;
use cordwood_store::{Disk, Encoding, Error, Options, Part, Retention, Snapshot, Store, check};
use proptest::prelude::*;
use std::sync::Arc;

use crate::lines::{Lines, append, events_of, open, open_with, small_options, texts_of};

const DAY: i64 = 86_400_000_000_000;

fn segments_on(disk: &SimulatedDisk) -> Vec<String> {
    let files = disk.files().into_keys();
    files.filter(|path| path.starts_with("segments/")).collect()
}

fn expire(store: &Store, horizons: &[(u64, i64)]) {
    let horizons = horizons
        .iter()
        .map(|(source, nanos)| (SourceId(*source), Timestamp::from_nanos(*nanos)));
    store.set_retention(Retention {
        now: Timestamp::from_nanos(0),
        horizons: horizons.collect(),
        ..Retention::default()
    });
}

/// Flushes a segment for each body.
fn store_of(bodies: &[&str], disk: &SimulatedDisk) -> Store {
    let (store, _) = open(disk).unwrap();
    for body in bodies {
        append(&store, 1, body).unwrap();
        store.flush().unwrap();
    }
    store
}

fn rows_of_blocks(snapshot: &Snapshot, source: u64) -> Vec<usize> {
    let blocks = snapshot.parts(SourceId(source)).map(|part| match part {
        Part::Block(block) => block.rows(),
        Part::Open(_) => panic!("everything was flushed"),
    });
    blocks.collect()
}

#[test]
fn segments_of_a_day_become_one_and_small_blocks_too() {
    let disk = SimulatedDisk::new();
    let full: Vec<String> = (10..18).map(|nanos| format!("{nanos} full")).collect();
    let store = store_of(&["3 c", "1 a", &full.join("\n"), "2 b"], &disk);
    let before = events_of(&store.snapshot(), 1).unwrap();
    assert_eq!(rows_of_blocks(&store.snapshot(), 1), [1, 1, 8, 1]);
    let compacted = store.compact().unwrap();
    assert_eq!((compacted.segments_in, compacted.segments_out), (4, 1));
    assert_eq!(compacted.events_removed, 0);
    assert_eq!(rows_of_blocks(&store.snapshot(), 1), [3, 8]);
    assert_eq!(events_of(&store.snapshot(), 1).unwrap(), before);
    assert_eq!(segments_on(&disk).len(), 1);
    assert_eq!(store.compact().unwrap().merges, 0, "nothing is left to do");
    drop(store);
    let (store, recovery) = open(&disk).unwrap();
    assert_eq!((recovery.segments, recovery.damage), (1, vec![]));
    assert_eq!(events_of(&store.snapshot(), 1).unwrap(), before);
}

/// Blocks are copied byte by byte, and their templates have other places in the table of the new segment.
#[test]
fn blocks_keep_their_templates() {
    let disk = SimulatedDisk::new();
    let options = Options {
        block_rows: 32,
        ..small_options()
    };
    let (store, _) = open_with(options, &disk).unwrap();
    let templates = [
        ["the payment of order 0 took 0 ms", "order 0 was paid twice"],
        [
            "a connection to host-0 was refused",
            "the payment of order 0 took 0 ms",
        ],
        ["node 0 left the cluster", "node 0 came back to the cluster"],
    ];
    for (day_part, templates) in (0..).zip(templates) {
        let lines = (0..32).map(|number| {
            let template = templates[number % 2];
            let text = template.replace('0', &format!("{}", number * 7919 % 100));
            format!("{} {text}", day_part * 1000 + number)
        });
        append(&store, 1, &lines.collect::<Vec<String>>().join("\n")).unwrap();
        store.flush().unwrap();
    }
    let encodings = |store: &Store| -> Vec<Encoding> {
        let parts = store.snapshot().parts(SourceId(1)).collect::<Vec<Part>>();
        let blocks = parts.iter().map(|part| match part {
            Part::Block(block) => block.directory(),
            Part::Open(_) => panic!("everything was flushed"),
        });
        let columns = blocks.map(|block| &block.columns[block.column_index("text").unwrap()]);
        columns.map(|entry| entry.encoding).collect()
    };
    assert_eq!(encodings(&store), [Encoding::Text; 3]);
    let before = events_of(&store.snapshot(), 1).unwrap();
    let compacted = store.compact().unwrap();
    assert_eq!((compacted.segments_in, compacted.segments_out), (3, 1));
    assert_eq!(encodings(&store), [Encoding::Text; 3]);
    assert_eq!(events_of(&store.snapshot(), 1).unwrap(), before);
    drop(store);
    let (store, _) = open(&disk).unwrap();
    assert_eq!(events_of(&store.snapshot(), 1).unwrap(), before);
}

#[test]
fn days_stay_apart() {
    let disk = SimulatedDisk::new();
    let late = DAY - 1;
    let bodies = [
        format!("{late} before midnight"),
        format!("{DAY} after midnight"),
        format!("5 early\n{} next day", DAY + 5),
    ];
    let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    let store = store_of(&bodies, &disk);
    store.compact().unwrap();
    // The block that spans midnight counts by its start.
    assert_eq!(segments_on(&disk).len(), 2);
    assert_eq!(texts_of(&store, 1).len(), 4);
    assert_eq!(store.compact().unwrap().merges, 0);
}

#[test]
fn a_snapshot_keeps_the_files_it_reads() {
    let disk = SimulatedDisk::new();
    let store = store_of(&["1 a", "2 b", "3 c"], &disk);
    let snapshot = store.snapshot();
    store.compact().unwrap();
    assert_eq!(segments_on(&disk).len(), 4);
    assert_eq!(events_of(&snapshot, 1).unwrap().len(), 3);
    drop(snapshot);
    assert_eq!(segments_on(&disk).len(), 1);
    assert_eq!(texts_of(&store, 1), ["1 a", "2 b", "3 c"]);
}

#[test]
fn what_a_snapshot_kept_is_removed_at_the_next_start() {
    let disk = SimulatedDisk::new();
    let store = store_of(&["1 a", "2 b"], &disk);
    let snapshot = store.snapshot();
    store.compact().unwrap();
    let killed = disk.after_kill();
    drop(snapshot);
    assert_eq!(segments_on(&killed).len(), 3);
    let (store, _) = open(&killed).unwrap();
    assert_eq!(segments_on(&killed).len(), 1);
    assert_eq!(texts_of(&store, 1), ["1 a", "2 b"]);
}

#[test]
fn the_manifest_before_the_newest_names_what_is_there() {
    let disk = SimulatedDisk::new();
    let store = store_of(&["1 a", "2 b"], &disk);
    store.compact().unwrap();
    drop(store);
    let files = disk.files().into_keys();
    let newest = files.filter(|path| path.starts_with("manifest/")).max();
    disk.flip_bit(&newest.unwrap(), 200);
    let (store, recovery) = open(&disk).unwrap();
    assert_eq!(recovery.damage.len(), 1, "{:?}", recovery.damage);
    assert_eq!(texts_of(&store, 1), ["1 a", "2 b"]);
}

#[test]
fn enough_segments_are_merged_without_being_asked() {
    let disk = SimulatedDisk::new();
    let options = Options {
        merge_fan_in: 3,
        ..small_options()
    };
    let (store, _) = open_with(options, &disk).unwrap();
    for number in 0..9 {
        append(&store, 1, &format!("{number} x")).unwrap();
        store.flush().unwrap();
        while store.stats().merges < number / 2 {
            std::thread::yield_now();
        }
    }
    assert_eq!(texts_of(&store, 1).len(), 9);
}

#[test]
fn a_merge_without_space_waits_and_harms_nothing() {
    let disk = SimulatedDisk::new();
    let store = store_of(&["1 a", "2 b"], &disk);
    let used: usize = disk.files().values().map(Vec::len).sum();
    disk.set_capacity(Some(used as u64 + 100));
    let error = store.compact().unwrap_err();
    assert!(matches!(error, Error::NoSpace { .. }), "{error}");
    assert_eq!(texts_of(&store, 1), ["1 a", "2 b"]);
    assert_eq!(store.stats().poisoned, None);
    disk.set_capacity(None);
    append(&store, 1, "3 c").unwrap();
    assert_eq!(store.compact().unwrap().segments_out, 1);
    assert_eq!(texts_of(&store, 1), ["1 a", "2 b", "3 c"]);
}

#[test]
fn an_unreadable_segment_keeps_no_other_from_being_merged() {
    let disk = SimulatedDisk::new();
    let store = store_of(&["1 a", "2 b", "3 c"], &disk);
    disk.make_unreadable(&segments_on(&disk)[0]);
    assert!(store.compact().is_err());
    assert_eq!(store.compact().unwrap().segments_in, 2);
    assert_eq!(store.compact().unwrap().merges, 0);
}

#[test]
fn what_has_expired_goes_as_whole_segments_and_blocks() {
    let disk = SimulatedDisk::new();
    let store = store_of(&["1 old", "2 old\n50 spans", "60 new"], &disk);
    append(&store, 2, "1 of another source").unwrap();
    store.flush().unwrap();
    expire(&store, &[(1, 50)]);
    let compacted = store.compact().unwrap();
    let removed = store.stats().events_removed;
    assert_eq!(removed, 1, "{compacted:?}");
    assert_eq!(texts_of(&store, 1), ["2 old", "50 spans", "60 new"]);
    assert_eq!(texts_of(&store, 2).len(), 1);
    expire(&store, &[(1, 61)]);
    store.compact().unwrap();
    assert_eq!(texts_of(&store, 1), [""; 0]);
    assert_eq!(texts_of(&store, 2).len(), 1);
    expire(&store, &[(2, 61)]);
    store.compact().unwrap();
    assert_eq!(segments_on(&disk), [""; 0]);
    drop(store);
    let (store, recovery) = open(&disk).unwrap();
    assert_eq!((recovery.segments, recovery.damage), (0, vec![]));
    assert_eq!(append(&store, 1, "70 x").unwrap().first_sequence, 6);
}

#[derive(Clone, Debug)]
enum Step {
    Append { source: u64, times: Vec<i64> },
    Flush,
    Compact,
    Expire { source: u64, horizon: i64 },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let time = prop_oneof![
        3 => -50i64..50,
        1 => (-2i64..3, 0i64..3).prop_map(|(day, nanos)| day * DAY + nanos - 1),
    ];
    let times = prop::collection::vec(time.clone(), 1..20);
    prop_oneof![
        8 => (0u64..3, times).prop_map(|(source, times)| Step::Append { source, times }),
        4 => Just(Step::Flush),
        2 => Just(Step::Compact),
        1 => (0u64..3, time).prop_map(|(source, horizon)| Step::Expire { source, horizon }),
        1 => Just(Step::Restart),
    ]
}

fn time_of(line: &str) -> i64 {
    line.split_once(' ').unwrap().0.parse().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whatever is merged, by itself or when asked: what has not expired is there, once, and nothing else but what has.
    #[test]
    fn merges_keep_all_that_has_not_expired(
        steps in prop::collection::vec(step(), 1..50),
        block_rows in 1usize..40,
        merge_fan_in in 2usize..9,
        segment_blocks_max in 1usize..20,
    ) {
        let options = Options { block_rows, merge_fan_in, segment_blocks_max, ..small_options() };
        let disk = SimulatedDisk::new();
        let (mut store, _) = open_with(options.clone(), &disk).unwrap();
        let mut model: BTreeMap<u64, BTreeMap<u64, String>> = BTreeMap::new();
        let mut horizons: BTreeMap<u64, i64> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Append { source, times } => {
                    let lines: Vec<String> =
                        times.iter().enumerate().map(|(at, time)| format!("{time} line {at}")).collect();
                    let appended = append(&store, source, &lines.join("\n")).unwrap();
                    model.entry(source).or_default().extend((appended.first_sequence..).zip(lines));
                }
                Step::Flush => store.flush().unwrap(),
                Step::Compact => drop(store.compact().unwrap()),
                Step::Expire { source, horizon } => {
                    let known = horizons.entry(source).or_insert(horizon);
                    *known = horizon.max(*known);
                    let all: Vec<(u64, i64)> = horizons.iter().map(|(s, h)| (*s, *h)).collect();
                    expire(&store, &all);
                }
                Step::Restart => {
                    drop(store);
                    let (opened, recovery) = open_with(options.clone(), &disk).unwrap();
                    prop_assert_eq!(recovery.damage, [""; 0]);
                    store = opened;
                    let all: Vec<(u64, i64)> = horizons.iter().map(|(s, h)| (*s, *h)).collect();
                    expire(&store, &all);
                }
            }
            let snapshot = store.snapshot();
            for source in 0..3 {
                let horizon = horizons.get(&source).copied().unwrap_or(i64::MIN);
                let expected = model.get(&source).cloned().unwrap_or_default();
                let found = events_of(&snapshot, source).unwrap();
                for (sequence, line) in &expected {
                    prop_assert!(found.contains_key(sequence) || time_of(line) < horizon, "{line}");
                }
                let numbers: BTreeSet<&u64> = expected.keys().collect();
                for (sequence, line) in &found {
                    prop_assert!(numbers.contains(sequence));
                    prop_assert_eq!(expected.get(sequence), Some(line));
                }
            }
        }
        store.flush().unwrap();
        store.compact().unwrap();
        prop_assert_eq!(store.compact().unwrap().merges, 0);
        let snapshot = store.snapshot();
        for (source, horizon) in horizons {
            for part in snapshot.parts(SourceId(source)) {
                let Part::Block(block) = part else { continue };
                prop_assert!(block.time_range().1.as_nanos() >= horizon, "a dead block");
            }
        }
        drop((snapshot, store));
        let disk: Arc<dyn Disk> = Arc::new(disk);
        prop_assert_eq!(check(&disk, &Lines).unwrap().findings, vec![]);
    }
}
