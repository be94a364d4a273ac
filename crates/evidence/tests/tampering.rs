//! Everything that can be done to one line of a file, tried on files of all sizes: each is found, and named by its record.

use cordwood_evidence::{
    Ending, Finding, Header, Key, PublicKey, RECORDS_PER_SEAL, Range, Report, Requester, Source,
    Unverifiable, Writer, verify,
};
use proptest::prelude::*;

const SECRET: [u8; 32] = [7; 32];

fn header() -> Header {
    Header {
        cordwood_evidence: Header::VERSION,
        export: "00ff".to_owned(),
        query: "level:error".to_owned(),
        range: Range {
            from: Some("2026-03-27T00:00:00Z".to_owned()),
            to: None,
        },
        sources: vec![Source {
            id: "1".to_owned(),
            name: "web".to_owned(),
        }],
        order: "oldest_first".to_owned(),
        requested_by: Requester {
            token_id: 3,
            token_name: "auditor".to_owned(),
        },
        requested_at: "2026-03-28T10:00:00Z".to_owned(),
        public_key: key().public().to_string(),
    }
}

fn key() -> Key {
    Key::from_bytes(&SECRET)
}

fn record(number: usize) -> String {
    format!("{{\"dt\":\"T\",\"_id\":\"{number:x}\",\"message\":\"took {number}\"}}")
}

fn written(records: usize) -> String {
    let (key, mut out) = (key(), Vec::new());
    let mut writer = Writer::begin(&header(), &key, &mut out);
    for number in 1..=records {
        writer.record(&record(number), &mut out);
    }
    let ending = Ending {
        finished_at: "2026-03-28T10:00:01Z".to_owned(),
        incomplete_reason: None,
    };
    assert_eq!(writer.finish(ending, &mut out), records as u64);
    String::from_utf8(out).expect("text")
}

fn report(text: &str) -> Report {
    verify(text.as_bytes(), Some(key().public())).expect("a file that can be read")
}

fn check(lines: &[String], expected: &[Finding]) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    assert_eq!(report(&text).findings, expected);
}

/// The lines of a file, and where each record stands among them.
fn lines_of(records: usize) -> (Vec<String>, Vec<usize>) {
    let lines: Vec<String> = written(records).lines().map(str::to_owned).collect();
    let is_record = |index: &usize| lines[*index].starts_with("{\"n\":");
    let places = (0..lines.len()).filter(is_record).collect();
    (lines, places)
}

/// What somebody does to a file who knows nothing of hashes, or who makes those in the lines anew, as anybody can.
#[derive(Clone, Copy, Debug)]
enum Care {
    Careless,
    Careful,
}

/// Numbers and hashes of all records made anew, as far as that goes without the key.
fn mended(lines: &[String]) -> Vec<String> {
    let records = lines.iter().filter(|line| line.starts_with("{\"n\":"));
    let records: Vec<&str> = records
        .map(|line| {
            let (_, rest) = line.split_once(",\"event\":").expect("a record");
            rest.rsplit_once(",\"hash\":").expect("a record").0
        })
        .collect();
    let (key, mut out) = (Key::from_bytes(&[9; 32]), Vec::new());
    let mut writer = Writer::begin(&header(), &key, &mut out);
    records
        .iter()
        .for_each(|record| writer.record(record, &mut out));
    let anew = String::from_utf8(out).expect("text");
    let mut anew = anew.lines().filter(|line| line.starts_with("{\"n\":"));
    let line_of = |line: &String| match line.starts_with("{\"n\":") {
        true => anew.next().expect("as many records").to_owned(),
        false => line.clone(),
    };
    lines.iter().map(line_of).collect()
}

fn cares() -> impl Strategy<Value = Care> {
    prop_oneof![Just(Care::Careless), Just(Care::Careful)]
}

/// Sizes around those of a seal.
fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![
        3usize..40,
        RECORDS_PER_SEAL - 1..RECORDS_PER_SEAL + 2,
        2 * RECORDS_PER_SEAL - 1..2 * RECORDS_PER_SEAL + 30,
    ]
}

#[test]
fn files_as_they_were_written_are_good() {
    for records in [0, 1, 2, 999, 1000, 1001, 2500] {
        let text = written(records);
        let report = report(&text);
        assert!(report.is_good(), "{records}: {:?}", report.findings);
        assert_eq!(report.records, records as u64);
        assert_eq!(report.header, Some(header()));
        assert!(report.ending.is_some());
        // Without the key the file is as some key's holder wrote it.
        let unknown = verify(text.as_bytes(), None).expect("a file");
        assert!(unknown.is_good());
        assert_eq!(unknown.public_key, key().public());
    }
}

#[test]
fn another_key_has_not_signed_it() {
    let other = Key::from_bytes(&[8; 32]).public();
    let report = verify(written(2).as_bytes(), Some(other)).expect("a file");
    let expected = [
        Finding::SealForged { first: 1, last: 2 },
        Finding::ManifestForged,
    ];
    assert_eq!(report.findings, expected);
    assert_eq!(PublicKey::parse(&other.to_string()), Some(other));
}

#[test]
fn what_is_no_evidence_is_told_apart() {
    let no_evidence = ["", "\n", "{}\n", "{\"dt\":\"T\"}\n{\"dt\":\"U\"}\n"];
    for text in no_evidence {
        for known in [None, Some(key().public())] {
            let outcome = verify(text.as_bytes(), known);
            assert!(matches!(outcome, Err(Unverifiable::NoEvidence)), "{text}");
        }
    }
    let newer = written(1).replacen("\"cordwood_evidence\":1", "\"cordwood_evidence\":2", 1);
    let outcome = verify(newer.as_bytes(), None);
    assert!(matches!(outcome, Err(Unverifiable::TooNew(2))));
}

#[test]
fn header_seals_and_manifest_are_covered() {
    let (lines, _) = lines_of(1500);
    let edited = |index: usize, from: &str, to: &str| {
        let mut lines = lines.clone();
        assert!(lines[index].contains(from));
        lines[index] = lines[index].replacen(from, to, 1);
        lines
    };
    let last = lines.len() - 1;
    let seal = lines
        .iter()
        .position(|line| line.starts_with("{\"seal\""))
        .expect("a seal");
    check(
        &edited(0, "level:error", "level:fatal"),
        &[Finding::HeaderEdited],
    );
    check(&edited(0, "auditor", "nobody"), &[Finding::HeaderEdited]);
    check(&edited(0, "{", "{ "), &[Finding::HeaderEdited]);
    check(&edited(0, "{", ""), &[Finding::HeaderEdited]);
    check(
        &edited(last, "null", "\"all of it\""),
        &[Finding::ManifestForged],
    );
    check(&edited(last, "1500", "1499"), &[Finding::ManifestForged]);
    let forged = Finding::SealForged {
        first: 1,
        last: 1000,
    };
    check(
        &edited(seal, "\"digests\":\"", "\"digests\":\"00"),
        &[forged],
    );
    let mut dropped = lines.clone();
    dropped.remove(seal);
    check(
        &dropped,
        &[Finding::SealDropped {
            first: 1,
            last: 1000,
        }],
    );
    let mut twice = lines.clone();
    twice.insert(seal, lines[seal].clone());
    check(
        &twice,
        &[Finding::SealMisplaced {
            first: 1,
            last: 1000,
        }],
    );
    let without_start: Vec<String> = [&lines[..1], &lines[seal + 1..]].concat();
    check(
        &without_start,
        &[Finding::Dropped {
            first: 1,
            last: 1000,
        }],
    );
    let without_end: Vec<String> = [&lines[..=seal], &lines[last..]].concat();
    check(
        &without_end,
        &[Finding::Dropped {
            first: 1001,
            last: 1500,
        }],
    );
    let mut more = lines.clone();
    more.push(lines[5].clone());
    check(
        &more,
        &[Finding::Added {
            behind: 1500,
            claims: Some(5),
        }],
    );
}

/// A manifest of another export of the same server, signed with the same key, does not fit.
#[test]
fn parts_of_other_files_do_not_fit() {
    let (lines, _) = lines_of(5);
    let (others, _) = lines_of(6);
    let mut mixed = lines.clone();
    *mixed.last_mut().expect("a manifest") = others.last().expect("a manifest").clone();
    check(&mixed, &[Finding::Dropped { first: 6, last: 6 }]);
    let seal = lines.len() - 2;
    let mut mixed = lines.clone();
    mixed[seal] = others[others.len() - 2].clone();
    let found = report(&(mixed.join("\n") + "\n")).findings;
    assert!(
        found.contains(&Finding::Dropped { first: 6, last: 6 }),
        "{found:?}"
    );
    assert!(found.contains(&Finding::ManifestContradicts), "{found:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_edited_record_is_named(records in sizes(), at in any::<prop::sample::Index>(), byte in any::<prop::sample::Index>(), care in cares()) {
        let (mut lines, places) = lines_of(records);
        let place = at.index(records);
        let line = &mut lines[places[place]];
        let mut bytes = std::mem::take(line).into_bytes();
        let byte = byte.index(bytes.len());
        bytes[byte] = if bytes[byte] == b'5' { b'6' } else { b'5' };
        *line = String::from_utf8(bytes).expect("ASCII");
        // What is no record any more cannot be mended.
        let is_record = line.starts_with("{\"n\":") && line.contains(",\"event\":") && line.contains(",\"hash\":");
        if let (Care::Careful, true) = (care, is_record) {
            lines = mended(&lines);
            // The number and the hash alone are made right by that.
            prop_assume!(lines != lines_of(records).0);
        }
        check(&lines, &[Finding::Edited { record: place as u64 + 1 }]);
    }

    #[test]
    fn a_dropped_record_is_named(records in sizes(), at in any::<prop::sample::Index>(), care in cares()) {
        let (mut lines, places) = lines_of(records);
        let place = at.index(records);
        lines.remove(places[place]);
        if let Care::Careful = care {
            lines = mended(&lines);
        }
        let number = place as u64 + 1;
        check(&lines, &[Finding::Dropped { first: number, last: number }]);
    }

    #[test]
    fn swapped_records_are_named(records in sizes(), one in any::<prop::sample::Index>(), other in any::<prop::sample::Index>(), care in cares()) {
        let (mut lines, places) = lines_of(records);
        let (one, other) = (one.index(records), other.index(records));
        prop_assume!(one != other);
        let (first, second) = (one.min(other), one.max(other));
        lines.swap(places[first], places[second]);
        if let Care::Careful = care {
            lines = mended(&lines);
        }
        let (first, second) = (first as u64 + 1, second as u64 + 1);
        check(&lines, &[Finding::Swapped { first, second }]);
    }

    #[test]
    fn a_repeated_record_is_named(records in sizes(), at in any::<prop::sample::Index>(), to in any::<prop::sample::Index>(), care in cares()) {
        let (mut lines, places) = lines_of(records);
        let (place, behind) = (at.index(records), to.index(records));
        lines.insert(places[behind] + 1, lines[places[place]].clone());
        if let Care::Careful = care {
            lines = mended(&lines);
        }
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let findings = report(&text).findings;
        let (number, behind) = (place as u64 + 1, behind as u64 + 1);
        let named = match findings.as_slice() {
            // Which of two alike that touch is the other is nobody's to say.
            [Finding::Repeated { record, behind: found }] => {
                *record == number && (*found == behind || number == behind + 1 && *found == number || number == behind && *found + 1 == number)
            }
            // The record is behind another seal: what is known is where the line stands.
            [Finding::Added { behind: found, .. }] => *found == behind,
            _ => false,
        };
        prop_assert!(named, "{} behind {}: {:?}", number, behind, findings);
    }

    #[test]
    fn an_added_record_is_named(records in sizes(), to in any::<prop::sample::Index>(), care in cares()) {
        let (mut lines, places) = lines_of(records);
        let behind = to.index(records);
        let added = lines[places[behind]].replacen("took", "took about", 1);
        lines.insert(places[behind] + 1, added);
        if let Care::Careful = care {
            lines = mended(&lines);
        }
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let findings = report(&text).findings;
        let number = behind as u64 + 1;
        let named = matches!(findings.as_slice(), [Finding::Added { behind, .. }] if *behind == number);
        prop_assert!(named, "behind {}: {:?}", number, findings);
    }

    #[test]
    fn a_file_cut_off_ends_behind_a_record(records in sizes(), at in any::<prop::sample::Index>()) {
        let text = written(records);
        let header = text.find('\n').expect("a header") + 1;
        let cut = header + at.index(text.len() - header);
        let (left, _) = text.split_at(cut);
        let whole = left.lines().filter(|line| line.starts_with("{\"n\":"));
        let mut whole = whole.count() as u64;
        let is_torn = !left.ends_with('\n');
        if is_torn && left.lines().last().is_some_and(|line| line.starts_with("{\"n\":")) {
            whole -= 1;
        }
        let expected = [Finding::Truncated { behind: whole }];
        prop_assert_eq!(report(left).findings, expected);
    }

    #[test]
    fn any_bytes_are_verified_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), records in 0usize..5, at in any::<prop::sample::Index>()) {
        let mut text = written(records).into_bytes();
        let at = at.index(text.len());
        text.splice(at..at, bytes.iter().copied());
        let outcome = verify(text.as_slice(), Some(key().public()));
        let is_unchanged = bytes.is_empty();
        prop_assert!(outcome.is_ok_and(|report| report.is_good() == is_unchanged || bytes.iter().all(|byte| *byte == b'\n')));
        let _ = verify(bytes.as_slice(), None);
    }
}
