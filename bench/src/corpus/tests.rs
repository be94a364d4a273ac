//! The generator's bytes are fixed by their checksums: recorded results depend on them.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::{Kind, Spec, ensure, write};

fn spec(events: u64) -> Spec {
    Spec {
        kind: Kind::App,
        events,
        seed: 42,
        day: "2026-06-10".to_owned(),
    }
}

fn checksum(bytes: &[u8]) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(bytes) {
        write!(hex, "{byte:02x}").expect("writing to a string does not fail");
    }
    hex
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("app.ndjson");
    for (events, bytes, expected) in [
        (
            1_000,
            381_035,
            "df2c1af81bd0403df02f7aaca2f94f43797923984662a940497067e47faf8b21",
        ),
        (
            100_000,
            37_450_834,
            "779b20f840f7282dd08ad0fb80b87c11708d200a00de3afd8fef0d39fd92145c",
        ),
    ] {
        let meta = write(&spec(events), &path).expect("the corpus is written");
        assert_eq!((meta.events, meta.bytes), (events, bytes));
        let written = std::fs::read(&path).expect("the corpus is there");
        assert_eq!(checksum(&written), expected, "{events} events");
    }
}

#[test]
fn the_wide_corpus_is_fixed_too() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("wide.ndjson");
    let wide = Spec {
        kind: Kind::Wide,
        day: Kind::Wide.day().to_owned(),
        ..spec(1_000)
    };
    let meta = write(&wide, &path).expect("the corpus is written");
    assert_eq!(meta.bytes, 885_470);
    let written = std::fs::read(&path).expect("the corpus is there");
    assert_eq!(
        checksum(&written),
        "be51212092b61686660c95967b0b67d5e204cee5833941d2537341863b8d7f58"
    );
}

#[test]
fn another_seed_gives_other_bytes() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("app.ndjson");
    let other = Spec {
        seed: 43,
        ..spec(1_000)
    };
    write(&other, &path).expect("the corpus is written");
    let written = std::fs::read(&path).expect("the corpus is there");
    assert_ne!(
        checksum(&written),
        "df2c1af81bd0403df02f7aaca2f94f43797923984662a940497067e47faf8b21"
    );
}

#[test]
fn a_corpus_that_is_there_is_not_written_again() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("app.ndjson");
    let first = ensure(&spec(500), &path).expect("the corpus is written");
    let written = std::fs::metadata(&path)
        .and_then(|file| file.modified())
        .expect("it is there");
    let second = ensure(&spec(500), &path).expect("the corpus is found");
    assert_eq!(first, second);
    let found = std::fs::metadata(&path)
        .and_then(|file| file.modified())
        .expect("it is there");
    assert_eq!(written, found);
    assert_eq!(ensure(&spec(600), &path).expect("a new corpus").events, 600);
}
