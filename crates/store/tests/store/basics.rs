//! Without trouble: what goes in comes out, from memory, from blocks, from segments, and after a restart.

use cordwood_event::SourceId;
use cordwood_store::disk::simulated::SimulatedDisk;
use cordwood_store::{AppendError, Error, Part};

use crate::lines::{append, append_of, open, texts_of};

#[test]
fn events_are_visible_before_and_after_a_restart() {
    let disk = SimulatedDisk::new();
    let (store, recovery) = open(&disk).unwrap();
    assert_eq!(recovery, Default::default());
    let first = append(&store, 1, "10 one\n20 two\n").unwrap();
    assert!((first.first_sequence, first.duplicate) == (1, false));
    assert_eq!(append(&store, 2, "5 three\n").unwrap().first_sequence, 3);
    assert_eq!(texts_of(&store, 1), ["10 one", "20 two"]);
    assert_eq!(texts_of(&store, 2), ["5 three"]);
    assert_eq!(store.snapshot().last_sequence(), 3);
    store.close().unwrap();
    assert_eq!(
        store.append(append_of(1, None, "1 x")),
        Err(AppendError::Closed)
    );
    drop(store);

    let (store, recovery) = open(&disk).unwrap();
    assert_eq!(
        (recovery.replayed_records, recovery.replayed_events),
        (2, 3)
    );
    assert_eq!(recovery.damage, [""; 0]);
    assert_eq!(texts_of(&store, 1), ["10 one", "20 two"]);
    assert_eq!(append(&store, 1, "30 four").unwrap().first_sequence, 4);
}

#[test]
fn events_move_from_log_to_segment() {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    let mut expected = Vec::new();
    for number in 0..50 {
        let line = format!("{} event {number}", (number * 7) % 50);
        append(&store, 1 + number % 2, &line).unwrap();
        expected.push((1 + number % 2, line));
    }
    let of_source = |source| -> Vec<String> {
        let lines = expected.iter().filter(|(found, _)| *found == source);
        lines.map(|(_, line)| line.clone()).collect()
    };
    let before = store.snapshot();
    store.flush().unwrap();
    store.flush().unwrap();
    for source in [1, 2] {
        assert_eq!(texts_of(&store, source), of_source(source));
        let parts: Vec<Part> = store.snapshot().parts(SourceId(source)).collect();
        assert!(parts.iter().all(|part| matches!(part, Part::Block(_))));
        assert_eq!(
            before.totals(SourceId(source)),
            store.snapshot().totals(SourceId(source))
        );
    }
    let logged = |disk: &SimulatedDisk| {
        let files = disk.files();
        let log = files.iter().filter(|(path, _)| path.starts_with("log/"));
        log.map(|(_, bytes)| bytes.len()).sum::<usize>()
    };
    assert_eq!(
        logged(&disk),
        40,
        "only the header of an empty file is left"
    );
    assert_eq!(store.stats().segments, 1);
    assert_eq!(store.stats().unflushed_event_bytes, 0);

    append(&store, 1, "77 last").unwrap();
    drop(store);
    let (store, recovery) = open(&disk).unwrap();
    assert_eq!((recovery.segments, recovery.replayed_events), (1, 1));
    let mut first = of_source(1);
    first.push("77 last".into());
    assert_eq!(texts_of(&store, 1), first);
    assert_eq!(texts_of(&store, 2), of_source(2));
    assert_eq!(store.snapshot().last_sequence(), 51);
}

#[test]
fn a_batch_key_is_remembered_everywhere() {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    let keyed = |source| append_of(source, Some("key"), "10 one\n11 two\n");
    let first = store.append(keyed(1)).unwrap();
    assert!(!first.duplicate);
    let again = store.append(keyed(1)).unwrap();
    assert!(again.duplicate);
    assert_eq!(again.first_sequence, first.first_sequence);
    assert!(
        !store.append(keyed(2)).unwrap().duplicate,
        "keys belong to a source"
    );
    drop(store);

    let (store, _) = open(&disk).unwrap();
    assert!(
        store.append(keyed(1)).unwrap().duplicate,
        "after a replay of the log"
    );
    store.flush().unwrap();
    drop(store);

    let (store, recovery) = open(&disk).unwrap();
    assert_eq!(recovery.replayed_records, 0);
    assert!(
        store.append(keyed(1)).unwrap().duplicate,
        "from the manifest"
    );
    assert_eq!(texts_of(&store, 1), ["10 one", "11 two"]);

    let mut late = keyed(1);
    late.received_at = cordwood_event::Timestamp::from_nanos(3_602_000_000_000);
    assert!(!store.append(late).unwrap().duplicate, "an hour later");
    assert_eq!(store.stats().duplicates, 1);
}

#[test]
fn a_directory_belongs_to_one_process() {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    assert!(matches!(open(&disk), Err(Error::InUse { .. })));
    drop(store);
    assert!(open(&disk).is_ok());
}

#[test]
fn a_newer_format_is_refused() {
    let disk = SimulatedDisk::new();
    drop(open(&disk).unwrap());
    disk.put("VERSION", b"2\n".to_vec());
    let error = open(&disk).unwrap_err().to_string();
    assert!(error.contains("format 2"), "{error}");
    disk.put("VERSION", b"two".to_vec());
    assert!(matches!(open(&disk), Err(Error::Damaged { .. })));
}
