//! Properties of the parts that everything rests on: the memory budget, sequence numbers, gathering, and the order of
//! whatever is appended.

use std::collections::BTreeMap;

use cordwood_event::SourceId;
use cordwood_store::disk::simulated::SimulatedDisk;
use cordwood_store::{MemoryBudget, Options, Part, Store};
use proptest::prelude::*;

use crate::lines::{append, events_of, open_with, small_options};

#[derive(Clone, Debug)]
enum Step {
    Append { source: u64, times: Vec<i64> },
    Flush,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let times = prop_oneof![
        4 => prop::collection::vec(-50i64..50, 1..4),
        1 => prop::collection::vec(any::<i32>().prop_map(i64::from), 1..60),
    ];
    prop_oneof![
        12 => (0u64..3, times).prop_map(|(source, times)| Step::Append { source, times }),
        1 => Just(Step::Flush),
        1 => Just(Step::Restart),
    ]
}

/// How many rows each block of the first source has, rising.
fn rows_of_blocks(store: &Store) -> Vec<usize> {
    let snapshot = store.snapshot();
    let rows = snapshot.parts(SourceId(1)).map(|part| match part {
        Part::Block(block) => block.rows(),
        Part::Open(_) => 0,
    });
    let mut rows: Vec<usize> = rows.collect();
    rows.sort_unstable();
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// A model: a map from sequence number to line, by source.
    #[test]
    fn the_store_is_a_map_of_what_was_appended(
        steps in prop::collection::vec(step(), 1..60),
        block_rows in 1usize..40,
        block_event_bytes in 20usize..2000,
    ) {
        let options = Options { block_rows, block_event_bytes, ..small_options() };
        let disk = SimulatedDisk::new();
        let (mut store, _) = open_with(options.clone(), &disk).unwrap();
        let mut model: BTreeMap<u64, BTreeMap<u64, String>> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Append { source, times } => {
                    let lines: Vec<String> =
                        times.iter().enumerate().map(|(at, time)| format!("{time} line {at}")).collect();
                    let appended = append(&store, source, &lines.join("\n")).unwrap();
                    let numbered = (appended.first_sequence..).zip(lines);
                    model.entry(source).or_default().extend(numbered);
                }
                Step::Flush => store.flush().unwrap(),
                Step::Restart => {
                    drop(store);
                    let (opened, recovery) = open_with(options.clone(), &disk).unwrap();
                    prop_assert_eq!(recovery.damage, [""; 0]);
                    store = opened;
                }
            }
            let snapshot = store.snapshot();
            for source in 0..3 {
                let expected = model.get(&source).cloned().unwrap_or_default();
                prop_assert_eq!(events_of(&snapshot, source).unwrap(), expected);
            }
        }
    }

    /// However many small batches, a search of open rows visits few.
    #[test]
    fn small_batches_are_gathered(count in 0usize..600) {
        let options = Options { block_rows: 1000, log_file_bytes: 1 << 20, ..small_options() };
        let (store, _) = open_with(options, &SimulatedDisk::new()).unwrap();
        for number in 0..count {
            append(&store, 1, &format!("{number} x")).unwrap();
        }
        // Gathering comes after the answer: one more append shows it done.
        append(&store, 1, "0 x").unwrap();
        let parts = store.snapshot().parts(SourceId(1)).count();
        prop_assert!(parts <= 15 + 15 + 3 + 1, "{} batches are {} parts", count, parts);
        prop_assert_eq!(events_of(&store.snapshot(), 1).unwrap().len(), count + 1);
    }

    /// Whatever the size of bodies, at most the rows that came last are a small block.
    #[test]
    fn blocks_are_nearly_full(block_rows in 8usize..40, body_rows in 1usize..100, bodies in 1usize..20) {
        let options = Options { block_rows, log_file_bytes: 1 << 20, ..small_options() };
        let (store, _) = open_with(options, &SimulatedDisk::new()).unwrap();
        let body = vec!["7 x"; body_rows].join("\n");
        for _ in 0..bodies {
            append(&store, 1, &body).unwrap();
        }
        store.flush().unwrap();
        let rows = rows_of_blocks(&store);
        prop_assert_eq!(rows.iter().sum::<usize>(), bodies * body_rows);
        // A row cannot be divided.
        prop_assert!(rows.iter().skip(1).all(|rows| (rows + 1) * 4 > block_rows * 3), "{rows:?}");
        prop_assert!(rows.iter().all(|rows| rows * 2 <= block_rows * 3), "{rows:?}");
    }

    /// Rows of three values each: they take twice the bytes of those with many.
    #[test]
    fn rows_of_few_values_make_larger_blocks(
        text_bytes in 3usize..60,
        full_rows in 8usize..30,
        body_rows in 1usize..100,
        bodies in 1usize..20,
    ) {
        let line = format!("9 {}", "x".repeat(text_bytes));
        let options = Options {
            block_rows: 1000,
            block_event_bytes: full_rows * line.len(),
            log_file_bytes: 1 << 20,
            ..small_options()
        };
        let disk = SimulatedDisk::new();
        let (store, _) = open_with(options.clone(), &disk).unwrap();
        let body = vec![&*line; body_rows].join("\n");
        for _ in 0..bodies {
            append(&store, 1, &body).unwrap();
        }
        store.flush().unwrap();
        let full_rows = full_rows * 2;
        let rows = rows_of_blocks(&store);
        prop_assert_eq!(rows.iter().sum::<usize>(), bodies * body_rows);
        prop_assert!(rows.iter().skip(1).all(|rows| (rows + 2) * 4 > full_rows * 3), "{rows:?}");
        prop_assert!(rows.iter().all(|rows| (rows - 1) * 2 <= full_rows * 3), "{rows:?}");
        drop(store);
        let (store, recovery) = open_with(options, &disk).unwrap();
        prop_assert_eq!(recovery.damage, [""; 0]);
        prop_assert_eq!(rows_of_blocks(&store), rows);
    }

    #[test]
    fn a_budget_never_gives_more_than_it_has(takes in prop::collection::vec((0u64..60, 0usize..8), 1..60)) {
        let whole = MemoryBudget::new(100);
        let part = whole.part(70);
        let mut held = Vec::new();
        for (bytes, slot) in takes {
            let budget = if slot % 2 == 0 { &whole } else { &part };
            let room = 100 - whole.used_bytes();
            let room_of_part = room.min(70 - part.used_bytes());
            let expected = bytes <= if slot % 2 == 0 { room } else { room_of_part };
            let reservation = budget.try_reserve(bytes);
            prop_assert_eq!(reservation.is_some(), expected);
            held.extend(reservation);
            if held.len() > slot {
                held.remove(slot);
            }
            let sum: u64 = held.iter().map(cordwood_store::Reservation::bytes).sum();
            prop_assert_eq!(whole.used_bytes(), sum);
        }
        drop(held);
        prop_assert_eq!((whole.used_bytes(), part.used_bytes()), (0, 0));
    }
}

#[test]
fn blocks_are_cut_at_their_limits_and_sorted() {
    let options = Options {
        block_rows: 10,
        ..small_options()
    };
    let (store, _) = open_with(options, &SimulatedDisk::new()).unwrap();
    let lines: Vec<String> = (0..95)
        .map(|number| format!("{:02} x", (number * 37) % 95))
        .collect();
    append(&store, 1, &lines.join("\n")).unwrap();
    store.flush().unwrap();
    let mut rows = Vec::new();
    let mut end = i64::MIN;
    for part in store.snapshot().parts(SourceId(1)) {
        let Part::Block(block) = part else {
            panic!("everything was flushed");
        };
        rows.push(block.rows());
        let times = block.timestamps().unwrap();
        assert!(
            times.is_sorted() && times[0] > end,
            "a set that is sealed at once is sorted across its blocks"
        );
        end = times[times.len() - 1];
    }
    assert_eq!(rows, [10, 10, 10, 10, 10, 9, 9, 9, 9, 9]);
}
