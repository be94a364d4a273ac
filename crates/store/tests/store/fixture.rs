//! Data directories that earlier versions wrote are read for ever.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use cordwood_event::SourceId;
use cordwood_store::disk::FileSystem;
use cordwood_store::{Disk, Store, check};

use crate::lines::{FIXTURE_BATCHES, Lines, fixture_batch, small_options, texts_of};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn expected(source: u64) -> Vec<String> {
    let batches = (0..FIXTURE_BATCHES).map(fixture_batch);
    let bodies = batches.filter(|batch| batch.source == SourceId(source));
    bodies
        .flat_map(|batch| {
            let body = String::from_utf8(batch.body).unwrap();
            body.lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn a_data_directory_of_format_1() {
    check_fixture("data-directory-1");
}

/// Whose token maps say how many bits of a hash they have.
#[test]
fn a_data_directory_of_format_2() {
    check_fixture("data-directory-2");
}

fn check_fixture(name: &str) {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name);
    let directory = tempfile::tempdir().unwrap();
    copy(&fixture, directory.path());
    let disk: Arc<dyn Disk> = Arc::new(FileSystem::new(directory.path()));
    let report = check(&disk, &Lines).unwrap();
    assert!(report.findings.is_empty(), "{report:?}");
    assert_eq!((report.segments, report.manifests), (2, 2));

    let (store, recovery) =
        Store::open(small_options(), Arc::clone(&disk), Arc::new(Lines)).unwrap();
    assert_eq!(recovery.damage, [""; 0]);
    assert_eq!((recovery.segments, recovery.replayed_records), (2, 9));
    for source in 1..=3 {
        assert_eq!(texts_of(&store, source), expected(source));
    }
    for number in 0..FIXTURE_BATCHES {
        assert!(
            store.append(fixture_batch(number)).unwrap().duplicate,
            "{number}"
        );
    }
    merge_all(&store);
    for source in 1..=3 {
        assert_eq!(texts_of(&store, source), expected(source));
    }
    store.close().unwrap();
    let report = check(&disk, &Lines).unwrap();
    assert!(report.findings.is_empty(), "{report:?}");
}

/// Puts what an earlier version wrote together with what this one writes.
fn merge_all(store: &Store) {
    store.flush().unwrap();
    let compacted = store.compact().unwrap();
    assert!(compacted.segments_in > 2, "{compacted:?}");
}
