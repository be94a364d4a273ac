//! Files are torn and bits flipped: what is damaged is found and reported, and nothing else is lost.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use cordwood_event::SourceId;
use cordwood_store::block::{decode_directories, encode_directories};
use cordwood_store::disk::simulated::SimulatedDisk;
use cordwood_store::{CheckReport, Disk, Error, Options, Part, Severity, check};

use crate::lines::{Lines, append, append_of, events_of, open, open_with, small_options, texts_of};

fn check_of(disk: &SimulatedDisk) -> Result<CheckReport, Error> {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    check(&disk, &Lines)
}

/// Two segments, and a log of two files with three records.
fn filled() -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    for number in 0..12 {
        let key = format!("k{number}");
        let line = format!("{} event {number}", number * 10);
        store
            .append(append_of(1 + number % 2, Some(&key), &line))
            .unwrap();
        if number == 4 || number == 8 {
            store.flush().unwrap();
        }
    }
    append(
        &store,
        1,
        &format!("120 {}", "much random text 1f9a ".repeat(9)),
    )
    .unwrap();
    append(&store, 2, "130 last").unwrap();
    drop(store);
    disk
}

fn file_under<'a>(files: &'a BTreeMap<String, Vec<u8>>, directory: &str) -> Vec<&'a str> {
    let paths = files.keys().map(String::as_str);
    paths.filter(|path| path.starts_with(directory)).collect()
}

#[test]
fn a_sound_directory_is_found_sound() {
    let report = check_of(&filled()).unwrap();
    assert!(
        report.is_sound() && report.findings.is_empty(),
        "{report:?}"
    );
    assert_eq!(
        (report.segments, report.segment_events, report.log_events),
        (2, 9, 5)
    );
    assert!(
        report.columns > 4 && report.blocks == 4 && report.manifests == 2,
        "{report:?}"
    );
}

/// Where the footer of a segment begins and ends.
struct Foot {
    footer: usize,
    trailer: usize,
}

impl Foot {
    fn of(bytes: &[u8]) -> Foot {
        const TRAILER_BYTES: usize = 20;
        let trailer = bytes.len() - TRAILER_BYTES;
        let footer_bytes = u32::from_le_bytes(bytes[trailer..trailer + 4].try_into().unwrap());
        Foot {
            footer: trailer - footer_bytes as usize,
            trailer,
        }
    }

    /// Where the footer names a section, if it does, and where this is.
    fn section(&self, bytes: &[u8], id: u8) -> Option<(usize, Range<usize>)> {
        const SECTION_BYTES: usize = 24;
        let number = |at: usize| {
            usize::try_from(u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())).unwrap()
        };
        let mut entries = (self.footer..self.trailer).step_by(SECTION_BYTES);
        let entry = entries.find(|entry| bytes[*entry] == id)?;
        let start = number(entry + 8);
        Some((entry, start..start + number(entry + 16)))
    }
}

/// A merge goes without the words it cannot read, and what it had written of them is in no section.
#[test]
fn damaged_words_keep_no_segment_from_being_merged() {
    const TOKEN_PAGES: u8 = 3;
    const POSTING_LEAVES: u8 = 5;
    for section in [TOKEN_PAGES, POSTING_LEAVES] {
        let disk = SimulatedDisk::new();
        let options = Options {
            block_rows: 32,
            ..small_options()
        };
        let (store, _) = open_with(options, &disk).unwrap();
        for part in 0..3u8 {
            let lines = (0..32u8).map(|number| {
                let nanos = u16::from(part) * 100 + u16::from(number);
                // Each has a word of its own, which is in no template.
                let name = [part, number % 6, number / 6].map(|letter| char::from(b'a' + letter));
                let name: String = name.iter().collect();
                format!("{nanos} the order {number} of user {name} was refused")
            });
            append(&store, 1, &lines.collect::<Vec<String>>().join("\n")).unwrap();
            store.flush().unwrap();
        }
        let before = events_of(&store.snapshot(), 1).unwrap();
        let files = disk.files();
        let path = file_under(&files, "segments/")[2];
        let (_, damaged) = Foot::of(&files[path])
            .section(&files[path], section)
            .unwrap();
        assert!(!damaged.is_empty());
        disk.flip_bit(path, damaged.start * 8 + 40);
        let compacted = store.compact().unwrap();
        assert_eq!((compacted.segments_in, compacted.segments_out), (3, 1));
        assert_eq!(events_of(&store.snapshot(), 1).unwrap(), before);
        drop(store);
        let files = disk.files();
        let merged = &files[file_under(&files, "segments/")[0]];
        assert_eq!(Foot::of(merged).section(merged, section), None);
        let report = check_of(&disk).unwrap();
        assert!(report.is_sound(), "{report:?}");
    }
}

/// Whoever writes a wrong count makes no wrong checksum.
#[test]
fn a_directory_that_counts_other_events_is_damage() {
    const DIRECTORY_SECTION: u8 = 2;
    let disk = filled();
    let files = disk.files();
    let path = file_under(&files, "segments/")[0];
    let mut bytes = files[path].clone();
    let Foot { footer, trailer } = Foot::of(&bytes);
    let found = Foot::of(&bytes).section(&bytes, DIRECTORY_SECTION);
    let (entry, section) = found.unwrap();
    let (start, length) = (section.start, section.len());
    let no_templates = Arc::default();
    let mut directories = decode_directories(&bytes[start..start + length], &no_templates).unwrap();
    for directory in &mut directories {
        directory.levels.0.rotate_left(1);
    }
    let changed = encode_directories(&directories).bytes;
    assert_eq!(changed.len(), length, "nothing else moves");
    bytes[start..start + length].copy_from_slice(&changed);
    bytes[entry + 4..entry + 8].copy_from_slice(&crc32c::crc32c(&changed).to_le_bytes());
    let crc = crc32c::crc32c(&bytes[footer..trailer]);
    bytes[trailer + 4..trailer + 8].copy_from_slice(&crc.to_le_bytes());
    disk.put(path, bytes);
    let report = check_of(&disk).unwrap();
    let findings: Vec<&str> = report.findings.iter().map(|f| &*f.sentence).collect();
    assert_eq!(findings.len(), directories.len(), "{findings:?}");
    assert!(
        findings[0].contains("does not count the events"),
        "{findings:?}"
    );
}

#[test]
fn a_directory_in_use_or_none_is_not_checked() {
    let disk = filled();
    let (store, _) = open(&disk).unwrap();
    assert!(matches!(check_of(&disk), Err(Error::InUse { .. })));
    drop(store);
    let error = check_of(&SimulatedDisk::new()).unwrap_err();
    assert!(matches!(error, Error::NoDataDirectory { .. }), "{error}");
}

#[test]
fn torn_tails_of_every_length() {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    append(&store, 1, "1 first").unwrap();
    let path = "log/00000000000000000001.log";
    let whole_before = disk.files()[path].len();
    append(&store, 1, "2 second\n3 third").unwrap();
    let bytes = disk.files()[path].clone();
    drop(store);
    for length in whole_before..bytes.len() {
        let torn = disk.after_kill();
        torn.put(path, bytes[..length].to_vec());
        let report = check_of(&torn).unwrap();
        assert!(report.is_sound(), "{length}: {report:?}");
        assert_eq!(report.findings.len(), usize::from(length > whole_before));
        let (store, recovery) = open(&torn).unwrap();
        assert_eq!(recovery.damage, [""; 0], "{length}");
        assert_eq!(recovery.torn_bytes as usize, length - whole_before);
        assert_eq!(texts_of(&store, 1), ["1 first"], "{length}");
        append(&store, 1, "4 again").unwrap();
        drop(store);
        let (store, recovery) = open(&torn).unwrap();
        assert_eq!(recovery.torn_bytes, 0);
        assert_eq!(texts_of(&store, 1), ["1 first", "4 again"]);
    }
}

/// Flips every bit of the first record of a log of three: the others are there.
#[test]
fn a_flipped_bit_in_the_log_costs_one_record() {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    let path = "log/00000000000000000001.log";
    append(&store, 1, "1 first").unwrap();
    let end_of_first = disk.files()[path].len();
    append(&store, 1, "2 second").unwrap();
    append(&store, 1, "3 third").unwrap();
    drop(store);
    for bit in 0..end_of_first * 8 {
        let flipped = disk.after_kill();
        flipped.flip_bit(path, bit);
        assert!(
            !check_of(&flipped).unwrap().is_sound(),
            "bit {bit} is not noticed by a check"
        );
        let (store, recovery) = open(&flipped).unwrap();
        assert!(!recovery.damage.is_empty(), "bit {bit} is not noticed");
        let texts = texts_of(&store, 1);
        let rest = texts
            .strip_prefix(&["1 first".to_owned()])
            .unwrap_or(&texts);
        assert_eq!(rest, ["2 second", "3 third"], "bit {bit}");
        let is_in_header = bit < 40 * 8;
        assert_eq!(texts.len() == 3, is_in_header, "bit {bit}");
        assert_eq!(append(&store, 1, "4 more").unwrap().first_sequence, 4);
        store.flush().unwrap();
        drop(store);
        let (store, recovery) = open(&flipped).unwrap();
        assert_eq!(recovery.damage, [""; 0], "a flush leaves the damage behind");
        assert_eq!(texts_of(&store, 1).len(), texts.len() + 1);
        let kept = flipped.files();
        assert_eq!(file_under(&kept, "quarantine/").len(), 1, "bit {bit}");
    }
}

/// Flips every bit of a segment: a check notices, reads give an error or what was written, and the rest is there.
#[test]
fn a_flipped_bit_in_a_segment_is_never_an_answer() {
    let disk = filled();
    let files = disk.files();
    let path = file_under(&files, "segments/")[0];
    let expected: Vec<_> = [1, 2].map(|source| expected_of(&disk, source)).into();
    for bit in (0..files[path].len() * 8).step_by(3) {
        let flipped = disk.after_kill();
        flipped.flip_bit(path, bit);
        let report = check_of(&flipped).unwrap();
        assert!(!report.is_sound(), "bit {bit} is not noticed by a check");
        let (store, recovery) = open(&flipped).unwrap();
        let snapshot = store.snapshot();
        for (source, expected) in [1, 2].into_iter().zip(&expected) {
            let missing: u64 = snapshot
                .missing(SourceId(source))
                .map(|m| m.totals.rows)
                .sum();
            assert_eq!(missing > 0, !recovery.damage.is_empty(), "bit {bit}");
            match events_of(&snapshot, source) {
                Ok(events) => {
                    assert!(
                        events
                            .iter()
                            .all(|(at, line)| expected.get(at) == Some(line))
                    );
                    assert_eq!(events.len() as u64 + missing, expected.len() as u64);
                }
                Err(error) => {
                    assert!(error.to_string().contains(path), "{error}");
                    assert!(store.stats().read_errors > 0);
                }
            }
        }
        append(&store, 1, "140 writes go on").unwrap();
        store.flush().unwrap();
        drop(store);
        assert!(
            !check_of(&flipped).unwrap().is_sound(),
            "a flush must not forget the segment"
        );
    }
}

fn expected_of(disk: &SimulatedDisk, source: u64) -> BTreeMap<u64, String> {
    let (store, _) = open(&disk.after_kill()).unwrap();
    events_of(&store.snapshot(), source).unwrap()
}

/// The newest manifest is damaged: where the log is gone a start is refused, and says so.
#[test]
fn a_flipped_bit_in_the_manifest_is_refused_when_the_log_is_gone() {
    let disk = filled();
    let files = disk.files();
    let path = *file_under(&files, "manifest/").last().unwrap();
    for bit in 0..files[path].len() * 8 {
        let flipped = disk.after_kill();
        flipped.flip_bit(path, bit);
        let error = open(&flipped).unwrap_err();
        assert!(
            matches!(error, Error::Damaged { .. } | Error::NewerFormat { .. }),
            "{error}"
        );
        assert!(
            !check_of(&flipped).is_ok_and(|report| report.is_sound()),
            "bit {bit}"
        );
        assert_eq!(
            flipped.files().len(),
            disk.files().len(),
            "nothing is removed"
        );
    }
}

/// The same while the log still has all of it: the manifest before it serves.
#[test]
fn a_damaged_manifest_is_passed_over_while_the_log_reaches_back() {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    append(&store, 1, "1 first").unwrap();
    store.flush().unwrap();
    append(&store, 1, "2 second").unwrap();
    let before = disk.files();
    store.flush().unwrap();
    drop(store);
    for (path, bytes) in before.iter().filter(|(path, _)| path.starts_with("log/")) {
        disk.put(path, bytes.clone());
    }
    let files = disk.files();
    let newest = *file_under(&files, "manifest/").last().unwrap();
    disk.flip_bit(newest, 300);
    let (store, recovery) = open(&disk).unwrap();
    assert!(recovery.damage[0].contains(newest), "{recovery:?}");
    assert_eq!(texts_of(&store, 1), ["1 first", "2 second"]);
    append(&store, 1, "3 third").unwrap();
    store.flush().unwrap();
    drop(store);
    let (store, recovery) = open(&disk).unwrap();
    assert_eq!(recovery.segments, 2);
    assert_eq!(texts_of(&store, 1), ["1 first", "2 second", "3 third"]);
}

#[test]
fn a_file_that_cannot_be_read_is_missing_and_the_rest_is_there() {
    let disk = filled();
    let files = disk.files();
    let path = file_under(&files, "segments/")[0];
    let opened = disk.after_kill();
    opened.make_unreadable(path);
    let (store, recovery) = open(&opened).unwrap();
    assert_eq!(
        recovery.damage.len(),
        2,
        "one for each source: {recovery:?}"
    );
    let snapshot = store.snapshot();
    let missing: Vec<_> = snapshot.missing(SourceId(1)).collect();
    assert_eq!(
        (missing.len(), &*missing[0].file, missing[0].totals.rows),
        (1, path, 3)
    );
    assert_eq!(missing[0].totals.time_max.as_nanos(), 40);
    assert_eq!(store.stats().segments_missing, 1);
    assert_eq!(texts_of(&store, 2).len(), 5);

    // A segment that goes bad while it is in use: a typed error for who reads it.
    let (store, _) = open(&disk).unwrap();
    disk.make_unreadable(path);
    let parts = store.snapshot();
    let blocks = parts.parts(SourceId(1)).filter_map(|part| match part {
        Part::Block(block) => Some(block),
        Part::Open(_) => None,
    });
    let outcomes: Vec<bool> = blocks.map(|block| block.timestamps().is_ok()).collect();
    assert_eq!(outcomes, [false, true]);
    assert_eq!(store.stats().read_errors, 1);
}

#[test]
fn a_lost_log_file_is_reported() {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    for number in 0..30 {
        append(&store, 1, &format!("{number} event {number}")).unwrap();
    }
    drop(store);
    let files = disk.files();
    let second = file_under(&files, "log/")[1];
    disk.remove(second).unwrap();
    let report = check_of(&disk).unwrap();
    assert_eq!(report.findings.len(), 1, "{report:?}");
    assert_eq!(report.findings[0].severity, Severity::Damage);
    let (store, recovery) = open(&disk).unwrap();
    assert!(recovery.damage[0].contains("are missing"), "{recovery:?}");
    assert!(texts_of(&store, 1).len() > 10);
}
