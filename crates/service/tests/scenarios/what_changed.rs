//! What changed, from end to end: windows and filters, what cannot be told, and who may ask.

use std::time::Duration;

use cordwood_service::{
    Access, Baseline, Caller, Cancel, Error, FieldValue, SourceChanges, WhatChanged,
    WhatChangedRequest,
};

use crate::ledger::Ledger;

fn ask_as(
    ledger: &Ledger,
    caller: &Caller,
    request: &WhatChangedRequest,
) -> Result<WhatChanged, Error> {
    ledger
        .service()
        .what_changed(caller, request, &Cancel::default())
}

fn ask(ledger: &Ledger, request: &WhatChangedRequest) -> WhatChanged {
    ask_as(ledger, &ledger.admin(), request).unwrap()
}

/// Sends an event every ten seconds from so many minutes before now on, for so many; in each turn of ten, `errors` fail, all on
/// the host.
fn send(ledger: &Ledger, token: &str, (before, minutes): (i64, i64), host: &str, errors: i64) {
    let start = ledger.now().as_nanos() / 1_000_000 - before * 60_000;
    let events = (0..minutes * 6).map(|number| {
        let time = start + number * 10_000;
        let host = if number % 10 < errors { host } else { "calm" };
        let level = if number % 10 < errors {
            "error"
        } else {
            "info"
        };
        format!(
            r#"{{"dt":{time},"level":"{level}","message":"m","host":"{host}","service":"api"}}"#
        )
    });
    let body = format!("[{}]", events.collect::<Vec<_>>().join(","));
    ledger.send(token, &body).unwrap();
}

/// An hour in which a host fails, after five in which none did.
fn ledger() -> Ledger {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    send(&ledger, token.reveal(), (360, 300), "calm", 0);
    send(&ledger, token.reveal(), (60, 60), "broken", 4);
    ledger
}

fn value(field: &str, value: &str) -> FieldValue {
    FieldValue {
        field: field.to_owned(),
        value: value.to_owned(),
    }
}

fn first_values(answer: &WhatChanged) -> Vec<FieldValue> {
    let first = answer
        .causes
        .first()
        .unwrap_or_else(|| panic!("no cause: {answer:?}"));
    first.values.clone()
}

#[test]
fn each_line_has_its_counts_and_a_query_that_finds_them() {
    let mut ledger = ledger();
    for _ in 0..2 {
        let answer = ask(&ledger, &WhatChangedRequest::default());
        let cause = &answer.causes[0];
        assert_eq!(cause.values, [value("host", "broken")]);
        assert_eq!((cause.hits.current, cause.hits.baseline), (144, 0));
        assert_eq!(cause.shown_by.query, "host=broken AND level:>=error");
        assert!(cause.explained > 0.99);
        let found = cordwood_service::SearchRequest {
            query: cause.shown_by.query.clone(),
            from: Some(cause.shown_by.from.to_string()),
            to: Some(cause.shown_by.to.to_string()),
            total: true,
            ..cordwood_service::SearchRequest::default()
        };
        let found = ledger
            .service()
            .search(&ledger.admin(), &found, &Cancel::default());
        assert_eq!(found.unwrap().total, Some(144));

        let service = &answer.services[0];
        assert_eq!(service.service, value("service", "api"));
        assert_eq!(service.errors.current, 144);
        assert!((service.rate - 0.4).abs() < 1e-9 && service.usual.mean.abs() < 1e-9);
        assert_eq!(answer.new_values[0].value, value("host", "broken"));
        assert!(answer.account.complete && answer.account.notes.is_empty());
        assert_eq!(answer.account.windows.current.events, 360);
        ledger.reopen();
    }
}

#[test]
fn nothing_is_told_where_nothing_changed() {
    let ledger = ledger();
    let calm = WhatChangedRequest {
        to: Some("now-61m".to_owned()),
        ..WhatChangedRequest::default()
    };
    let answer = ask(&ledger, &calm);
    assert!(answer.causes.is_empty() && answer.services.is_empty() && answer.quiet.is_empty());
    assert!(answer.new_values.is_empty() && answer.vanished_values.is_empty());
    assert_eq!(answer.changes.len(), 3);
    assert_eq!(answer.account.windows.baseline.events, 360);
}

#[test]
fn a_filter_narrows_both_windows() {
    let ledger = ledger();
    let filtered = |query: &str| {
        let request = WhatChangedRequest {
            query: query.to_owned(),
            ..WhatChangedRequest::default()
        };
        ask(&ledger, &request)
    };
    assert!(filtered("host:calm").causes.is_empty());
    let broken = filtered("service:api");
    assert_eq!(first_values(&broken), [value("host", "broken")]);
    assert!(
        broken.causes[0]
            .shown_by
            .query
            .starts_with("service:api AND ")
    );
}

#[test]
fn what_was_asked_to_be_explained_is() {
    let ledger = ledger();
    let request = WhatChangedRequest {
        explain: Some("level:error".to_owned()),
        ..WhatChangedRequest::default()
    };
    let answer = ask(&ledger, &request);
    assert_eq!(answer.changes.len(), 1);
    assert_eq!(answer.changes[0].hits.current, 144);
    assert_eq!(first_values(&answer), [value("host", "broken")]);
}

#[test]
fn windows_of_different_lengths_are_compared_by_their_rates() {
    let ledger = ledger();
    let against = |from: &str, to: &str| {
        let request = WhatChangedRequest {
            baseline: Baseline::Between {
                from: from.to_owned(),
                to: to.to_owned(),
            },
            ..WhatChangedRequest::default()
        };
        ask(&ledger, &request)
    };
    for (from, to) in [("now-4h", "now-61m"), ("now-80m", "now-61m")] {
        let answer = against(from, to);
        assert_eq!(first_values(&answer), [value("host", "broken")]);
        let volume = answer.changes.last().unwrap();
        let [current, baseline] = [volume.rates.current, volume.rates.baseline];
        // Four of ten are errors now, and what is left comes as often as it did.
        assert!(
            (current / baseline - 0.6).abs() < 0.02,
            "{current} {baseline}"
        );
        let of_volume = answer
            .causes
            .iter()
            .any(|cause| cause.kind.name() == "volume");
        assert!(!of_volume, "the same service sends as much as before");
    }
}

#[test]
fn an_empty_window_is_said_to_be_empty() {
    let ledger = ledger();
    let notes = |to: &str| {
        let request = WhatChangedRequest {
            to: Some(to.to_owned()),
            ..WhatChangedRequest::default()
        };
        let answer = ask(&ledger, &request);
        assert!(answer.causes.is_empty() && answer.new_values.is_empty());
        answer.account.notes.join(" ")
    };
    assert!(notes("now-5h").contains("the baseline has no events"));
    assert!(notes("now-9h").contains("neither window"));
    ledger.advance(Duration::from_secs(3600));
    let answer = ask(&ledger, &WhatChangedRequest::default());
    assert!(answer.account.notes[0].contains("the window has no events"));
    let quiet = &answer.quiet[0];
    assert_eq!(quiet.service, value("service", "api"));
    assert_eq!((quiet.events.current, quiet.events.baseline), (0, 360));
    let last = ledger.now().as_nanos() - 3_610_000_000_000;
    assert_eq!(quiet.last_seen.unwrap().as_nanos(), last);
}

#[test]
fn a_window_that_is_not_kept_is_said_to_be_cut() {
    let ledger = ledger();
    let changes = SourceChanges {
        retention_days: Some(Some(1)),
        ..SourceChanges::default()
    };
    ledger
        .service()
        .update_source(&ledger.admin(), "web", &changes)
        .unwrap();
    let request = WhatChangedRequest {
        baseline: Baseline::LastWeek,
        ..WhatChangedRequest::default()
    };
    let account = ask(&ledger, &request).account;
    assert_eq!(account.windows.baseline.kept_from.len(), 1);
    assert!(account.windows.current.kept_from.is_empty());
    assert!(account.notes[0].contains("the baseline has no events"));
    assert!(
        account.notes[1].contains("are not kept"),
        "{:?}",
        account.notes
    );
}

#[test]
fn what_makes_no_sense_is_refused() {
    let ledger = ledger();
    let between = |from: &str, to: &str| Baseline::Between {
        from: from.to_owned(),
        to: to.to_owned(),
    };
    let asked = |query: &str, baseline: Baseline| WhatChangedRequest {
        query: query.to_owned(),
        baseline,
        ..WhatChangedRequest::default()
    };
    let cases = [
        (asked("", between("now-1h", "now")), "baseline"),
        (asked("", between("now-90m", "now-30m")), "baseline"),
        (asked("* | stats count()", Baseline::Previous), "query"),
        (asked("dt:>now-1h", Baseline::Previous), "query"),
    ];
    for (request, parameter) in cases {
        match ask_as(&ledger, &ledger.admin(), &request).unwrap_err() {
            Error::InvalidParameter {
                parameter: told,
                hint,
                ..
            } => {
                assert_eq!((told, hint.is_some()), (parameter, true));
            }
            other => panic!("{other:?}"),
        }
    }
    let error = ask_as(
        &ledger,
        &ledger.admin(),
        &asked("level:(", Baseline::Previous),
    );
    assert_eq!(error.unwrap_err().code(), "invalid_query");
}

#[test]
fn no_time_is_said_to_be_too_little() {
    let ledger = ledger();
    let request = WhatChangedRequest {
        deadline: Some(Duration::ZERO),
        ..WhatChangedRequest::default()
    };
    let account = ask(&ledger, &request).account;
    assert!(!account.complete);
    assert!(account.incomplete_reason.unwrap().contains("ran out"));
    let cancel = Cancel::default();
    cancel.cancel();
    let request = WhatChangedRequest::default();
    let cancelled = ledger
        .service()
        .what_changed(&ledger.admin(), &request, &cancel);
    assert!(matches!(cancelled, Err(Error::Cancelled)));
}

#[test]
fn what_others_send_is_not_told() {
    let mut ledger = Ledger::new();
    let ours = ledger.create_client("ours");
    let theirs = ledger.create_client("theirs");
    let our_token = ledger.create_source_of("web", Some(ours)).token;
    let their_token = ledger.create_source_of("payments", Some(theirs)).token;
    send(&ledger, our_token.reveal(), (360, 360), "calm", 0);
    let caller = ledger.caller(Access::Read, &[ours]);
    let alone = format!("{:?}", told(&ledger, &caller));
    send(&ledger, their_token.reveal(), (360, 300), "calm", 0);
    send(&ledger, their_token.reveal(), (60, 60), "broken", 4);
    assert_eq!(format!("{:?}", told(&ledger, &caller)), alone);
    assert!(!told(&ledger, &ledger.admin()).causes.is_empty());

    let named = |name: &str| {
        let request = WhatChangedRequest {
            sources: vec![name.to_owned()],
            ..WhatChangedRequest::default()
        };
        let error = ask_as(&ledger, &caller, &request).unwrap_err();
        (
            error.code(),
            error.to_string().replace(name, "…"),
            error.hint(),
        )
    };
    assert_eq!(named("payments"), named("playmints"));
}

/// The answer but for what it cost.
fn told(ledger: &Ledger, caller: &Caller) -> WhatChanged {
    let mut answer = ask_as(ledger, caller, &WhatChangedRequest::default()).unwrap();
    answer.account.elapsed = Duration::ZERO;
    answer
}
