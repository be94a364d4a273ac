//! Ten incidents, each planted in some hours of events: the first line of what changed names its cause, and the first of its patterns what
//! is said of it.

use std::time::Duration;

use cordwood_service::{Cancel, FieldValue, PatternChange, WhatChanged, WhatChangedRequest};

use crate::corpus::incident::{HOURS, Incident, lines};
use crate::ledger::Ledger;
use crate::size::compact;

const EVENTS: u64 = 30_000;
const SEEDS: [u64; 2] = [1, 2];
const LINES_PER_BODY: usize = 5_000;
/// Longer than a busy machine takes without optimisations.
const PATIENCE: Duration = Duration::from_secs(600);

/// A ledger with the events of an incident, whose hour ends now.
fn struck(incident: Incident, seed: u64) -> Ledger {
    let ledger = Ledger::new();
    let token = ledger.create_source("shop").token;
    let start = ledger.now().as_nanos() / 1_000_000 - i64::try_from(HOURS * 3_600_000).unwrap();
    let lines = lines(incident, seed, EVENTS, u64::try_from(start).unwrap());
    for lines in lines.chunks(LINES_PER_BODY) {
        let body = format!("[{}]", lines.join(","));
        ledger.send(token.reveal(), &body).unwrap();
    }
    // Into blocks, where events of some hours are.
    compact(&ledger);
    ledger
}

fn what_changed(ledger: &Ledger) -> WhatChanged {
    let request = WhatChangedRequest {
        deadline: Some(PATIENCE),
        ..WhatChangedRequest::default()
    };
    let service = ledger.service();
    let answer = service.what_changed(&ledger.admin(), &request, &Cancel::default());
    answer.unwrap()
}

fn check(incident: Incident) {
    for seed in SEEDS {
        let answer = what_changed(&struck(incident, seed));
        let said = |what: &str| format!("{what}, seed {seed}: {:#?}", answer.causes);
        let first = answer.causes.first();
        let first = first.unwrap_or_else(|| panic!("{}", said("no cause")));
        let planted = incident.cause().iter().map(|(field, value)| FieldValue {
            field: (*field).to_owned(),
            value: (*value).to_owned(),
        });
        let planted: Vec<FieldValue> = planted.collect();
        let is_told = |value| first.values.contains(value) || first.alike.contains(value);
        assert!(planted.iter().all(is_told), "{}", said("another cause"));
        let makes_part = |value| first.values.contains(value);
        assert!(planted.iter().any(makes_part), "{}", said("another part"));
        assert_eq!(
            first.kind.name(),
            incident.change(),
            "{}",
            said("another kind")
        );
        assert!(answer.account.complete, "{:?}", answer.account);
        check_patterns(incident, &answer);
    }
}

fn check_patterns(incident: Incident, answer: &WhatChanged) {
    let says = |patterns: &[PatternChange], message: &str| {
        let example = patterns.first().and_then(|first| first.example.clone());
        let is_said = example.is_some_and(|example| example.contains(message));
        assert!(is_said, "{incident:?}: {message} in {patterns:#?}");
    };
    if let Some(message) = incident.new_message() {
        says(&answer.new_patterns, message);
        assert!(answer.new_patterns.iter().all(|pattern| pattern.is_unseen));
    }
    if let Some(message) = incident.changed_message() {
        says(&answer.changed_patterns, message);
    }
    let is_new = incident.new_message().is_some();
    assert_eq!(
        answer.new_patterns.len(),
        usize::from(is_new),
        "{incident:?}: {:#?}",
        answer.new_patterns
    );
}

#[test]
fn a_bad_version() {
    check(Incident::BadVersion);
}

#[test]
fn a_tenant_that_is_refused() {
    check(Incident::RateLimited);
}

#[test]
fn a_dependency_that_times_out() {
    check(Incident::DependencyTimeout);
}

#[test]
fn a_region_without_names() {
    check(Incident::RegionDns);
}

#[test]
fn a_feature_flag() {
    check(Incident::FeatureFlag);
}

#[test]
fn an_expired_certificate() {
    check(Incident::ExpiredCertificate);
}

#[test]
fn a_noisy_client() {
    check(Incident::NoisyClient);
}

#[test]
fn a_full_disk() {
    check(Incident::DiskFull);
}

#[test]
fn a_slow_query() {
    check(Incident::SlowQuery);
}

#[test]
fn a_service_gone_quiet() {
    check(Incident::GoneQuiet);
}
