//! All scenario files, each run as it stands, with the state written between any two checks, and as a back-test.

use std::collections::BTreeMap;
use std::path::Path;

use crate::scenario::{Scenario, openings, written};

/// The files, by name; a directory that is read would pass when it is empty.
const FILES: [&str; 17] = [
    "absence_of_a_query",
    "absence_of_members",
    "absence_with_jitter",
    "anomaly",
    "cooldown",
    "failed_checks",
    "further_conditions",
    "hysteresis",
    "incident_per_rule",
    "matches",
    "missing_data",
    "missing_fires",
    "missing_keeps_previous",
    "new_pattern",
    "relative",
    "resolved_by_hand",
    "threshold",
];

fn text(file: &str) -> String {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    std::fs::read_to_string(directory.join(file).with_extension("txt")).unwrap()
}

#[test]
fn every_file_is_run() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    assert_eq!(names, FILES);
}

#[test]
fn what_scenarios_say_happens() {
    for file in FILES {
        let scenario = Scenario::parse(&text(file));
        assert!(!scenario.expected.is_empty(), "{file} expects nothing");
        assert_eq!(
            scenario.transcript(|state| state),
            scenario.expected,
            "{file}"
        );
        assert_eq!(
            scenario.transcript(written),
            scenario.expected,
            "{file}, restarted at each check"
        );
    }
}

#[test]
fn a_back_test_tells_the_same_openings() {
    let mut compared = 0;
    for file in FILES {
        let scenario = Scenario::parse(&text(file));
        let Some(back_test) = scenario.back_test() else {
            continue;
        };
        let mut expected: BTreeMap<String, u32> = BTreeMap::new();
        let mut notices = 0;
        for line in scenario.expected.lines() {
            let (at, rest) = line.split_once(' ').unwrap();
            let (what, rest) = rest.split_once(' ').unwrap();
            notices += u64::from(!matches!(what, "joined" | "left"));
            if let "opened" | "joined" = what {
                let (numbered, _) = rest.split_once(" since ").unwrap();
                *expected.entry(format!("{at} {numbered}")).or_default() += 1;
            }
        }
        assert_eq!(openings(&back_test), expected, "{file}");
        assert_eq!(back_test.notices, notices, "{file}");
        compared += 1;
    }
    assert!(
        compared >= 10,
        "{compared} scenarios are nothing but checks"
    );
}
