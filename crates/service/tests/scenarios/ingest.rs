//! Ingest: what is taken, what is refused and how it is told and counted.

use cordwood_service::{Payload, Refusal, SourceChanges};

use crate::ledger::{HOUR, Ledger, MINUTE, json};

fn usage(ledger: &Ledger, source: &str) -> (u64, Vec<(String, u64)>) {
    let usage = ledger
        .service()
        .source(&ledger.admin(), source)
        .unwrap()
        .usage;
    (usage.events, usage.refused)
}

fn change(ledger: &Ledger, source: &str, changes: SourceChanges) {
    ledger
        .service()
        .update_source(&ledger.admin(), source, &changes)
        .unwrap();
}

#[test]
fn bodies_are_taken_and_counted() {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let cases = [
        (r#"{"message":"a"}"#, 1),
        (r#"[{"message":"a"},{"message":"b"}]"#, 2),
        ("[]", 0),
        ("", 0),
    ];
    for (body, accepted) in cases {
        let outcome = ledger.send(token.reveal(), body).unwrap();
        assert_eq!(outcome.accepted, accepted, "{body}");
        assert_eq!((outcome.rejected_count, outcome.duplicate), (0, false));
    }
    assert_eq!(usage(&ledger, "web"), (3, vec![]));
}

#[test]
fn a_bad_event_leaves_the_good_ones_beside_it() {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let deep = format!("{}1{}", r#"{"a":"#.repeat(130), "}".repeat(130));
    let body = format!(r#"[{{"message":"a"}},{deep},7,{{"message":"b"}}]"#);
    let outcome = ledger.send(token.reveal(), &body).unwrap();
    assert_eq!((outcome.accepted, outcome.rejected_count), (2, 2));
    let indexes: Vec<usize> = outcome.rejected.iter().map(|event| event.index).collect();
    assert_eq!(indexes, [1, 2]);
    assert!(outcome.rejected[0].reason.contains("128 levels"));
    let refused = vec![
        ("event_not_an_object".to_owned(), 1),
        ("event_too_deep".to_owned(), 1),
    ];
    assert_eq!(usage(&ledger, "web"), (2, refused));
}

#[test]
fn a_body_of_bad_events_only_is_refused_as_a_whole() {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let large = format!(r#"{{"message":"{}"}}"#, "x".repeat(10 << 20));
    assert_eq!(
        ledger.send(token.reveal(), &large).unwrap_err().code(),
        "too_large"
    );
    assert_eq!(
        ledger.send(token.reveal(), "[1,2]").unwrap_err().code(),
        "undecodable"
    );
    let beside = format!(r#"[{large},{{"message":"small"}}]"#);
    let outcome = ledger.send(token.reveal(), &beside).unwrap();
    assert_eq!((outcome.accepted, outcome.rejected_count), (1, 1));
}

#[test]
fn refusals_have_their_codes_and_are_counted() {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let payloads = [
        (
            Payload {
                content_encoding: Some("gzip".to_owned()),
                ..json("not gzip")
            },
            "undecodable",
        ),
        (
            Payload {
                content_encoding: Some("lzma".to_owned()),
                ..json("{}")
            },
            "undecodable",
        ),
        (
            Payload {
                batch_key: Some("k".repeat(257)),
                ..json("{}")
            },
            "invalid_request",
        ),
        (
            Payload {
                dt_field: Some("f".repeat(1025)),
                ..json("{}")
            },
            "invalid_request",
        ),
    ];
    for (payload, code) in payloads {
        let refusal = ledger
            .send_payload(token.reveal(), payload.clone())
            .unwrap_err();
        assert_eq!(refusal.code(), code, "{payload:?}");
    }
    let refused = vec![
        ("invalid_request".to_owned(), 2),
        ("undecodable".to_owned(), 2),
    ];
    assert_eq!(usage(&ledger, "web"), (0, refused));
    assert_eq!(ledger.send("nobody's", "{}"), Err(Refusal::Unauthorized));
    let metrics = ledger.service().metrics_text();
    assert!(
        metrics.contains("\ncordwood_ingest_unauthorized_total 1\n"),
        "{metrics}"
    );
    assert!(
        metrics.contains("{source=\"2\",reason=\"undecodable\"} 2\n"),
        "{metrics}"
    );
}

#[test]
fn a_paused_source_says_so() {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let paused = |paused| SourceChanges {
        ingesting_paused: Some(paused),
        ..SourceChanges::default()
    };
    change(&ledger, "web", paused(true));
    assert_eq!(ledger.send(token.reveal(), "{}"), Err(Refusal::Paused));
    let import = ledger
        .service()
        .ingest_as(&ledger.admin(), "web", json("{}"));
    assert_eq!(import.unwrap_err().code(), "ingesting_paused");
    assert_eq!(
        usage(&ledger, "web"),
        (0, vec![("ingesting_paused".to_owned(), 2)])
    );
    change(&ledger, "web", paused(false));
    assert!(ledger.send(token.reveal(), "{}").is_ok());
}

#[test]
fn a_quota_ends_with_its_month() {
    let mut ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let quota = |bytes| SourceChanges {
        quota_bytes_per_month: Some(bytes),
        ..SourceChanges::default()
    };
    change(&ledger, "web", quota(Some(20)));
    let event = r#"{"message":"x"}"#;
    assert!(ledger.send(token.reveal(), event).is_ok(), "15 of 20 bytes");
    assert!(
        ledger.send(token.reveal(), event).is_ok(),
        "the one that crosses the quota"
    );
    assert_eq!(
        ledger.send(token.reveal(), event),
        Err(Refusal::QuotaExceeded)
    );
    ledger.close();
    ledger.reopen();
    assert_eq!(
        ledger.send(token.reveal(), event),
        Err(Refusal::QuotaExceeded)
    );
    assert_eq!(
        usage(&ledger, "web"),
        (2, vec![("quota_exceeded".to_owned(), 2)])
    );
    ledger.advance(5 * 24 * HOUR);
    assert!(ledger.send(token.reveal(), event).is_ok(), "it is April");
    assert_eq!(usage(&ledger, "web"), (1, vec![]));
    change(&ledger, "web", quota(Some(0)));
    assert_eq!(
        ledger.send(token.reveal(), event),
        Err(Refusal::QuotaExceeded)
    );
    change(&ledger, "web", quota(None));
    assert!(ledger.send(token.reveal(), event).is_ok());
}

#[test]
fn a_batch_key_is_good_for_an_hour_and_one_source() {
    let mut ledger = Ledger::new();
    let web = ledger.create_source("web").token;
    let api = ledger.create_source("api").token;
    let keyed = || Payload {
        batch_key: Some("batch-1".to_owned()),
        ..json(r#"[{"message":"a"},{"message":"b"}]"#)
    };
    assert!(
        !ledger
            .send_payload(web.reveal(), keyed())
            .unwrap()
            .duplicate
    );
    for _ in 0..2 {
        let again = ledger.send_payload(web.reveal(), keyed()).unwrap();
        assert!(again.duplicate);
        assert_eq!(
            ledger
                .service()
                .source(&ledger.admin(), "web")
                .unwrap()
                .records_count,
            2
        );
        ledger.advance(29 * MINUTE);
        ledger.reopen();
    }
    assert!(
        !ledger
            .send_payload(api.reveal(), keyed())
            .unwrap()
            .duplicate
    );
    ledger.advance(3 * MINUTE);
    assert!(
        !ledger
            .send_payload(web.reveal(), keyed())
            .unwrap()
            .duplicate
    );
    assert_eq!(
        ledger
            .service()
            .source(&ledger.admin(), "web")
            .unwrap()
            .records_count,
        4
    );
}

#[test]
fn memory_is_reserved_and_given_back() {
    let ledger = Ledger::with_memory(64 << 20);
    let token = ledger.create_source("web").token;
    let service = ledger.service();
    let held = service.admit(token.reveal(), 60 << 20).unwrap();
    let refusal = service.admit(token.reveal(), 20 << 20).unwrap_err();
    assert!(matches!(refusal, Refusal::Busy { .. }));
    assert!(refusal.retry_after().is_some());
    drop(held);
    assert!(ledger.send(token.reveal(), r#"{"message":"x"}"#).is_ok());
    assert_eq!(usage(&ledger, "web"), (1, vec![("busy".to_owned(), 1)]));
}

/// A megabyte of zeros is a kilobyte of gzip: more than the first guess, and decoded all the same.
#[test]
fn a_body_that_compresses_well_is_decoded_with_more_memory() {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let line = format!("{{\"message\":\"{}\"}}\n", "0".repeat(1 << 10));
    let body = zstd::encode_all(line.repeat(5_000).as_bytes(), 3).unwrap();
    assert!(body.len() * 32 < line.len() * 5_000);
    let payload = |body: Vec<u8>| Payload {
        content_type: Some("application/x-ndjson".to_owned()),
        content_encoding: Some("zstd".to_owned()),
        body,
        ..Payload::default()
    };
    let outcome = ledger
        .send_payload(token.reveal(), payload(body.clone()))
        .unwrap();
    assert_eq!((outcome.accepted, outcome.rejected_count), (5_000, 0));
    let bomb = zstd::encode_all(line.repeat(110_000).as_bytes(), 3).unwrap();
    let refusal = ledger
        .send_payload(token.reveal(), payload(bomb))
        .unwrap_err();
    assert_eq!(refusal.code(), "too_large");
    let small = Ledger::with_memory(64 << 20);
    let token = small.create_source("web").token;
    let refusal = small
        .send_payload(token.reveal(), payload(body))
        .unwrap_err();
    assert_eq!(refusal.code(), "too_large");
}

#[test]
fn import_sends_by_name() {
    let ledger = Ledger::new();
    ledger.create_source("web");
    let admin = ledger.admin();
    for source in ["web", "WEB", "2", "src-2"] {
        let outcome = ledger
            .service()
            .ingest_as(&admin, source, json("{}"))
            .unwrap();
        assert_eq!((outcome.source.0, outcome.accepted), (2, 1), "{source}");
    }
}

/// More rejections than are named, and the same again under a batch key: counted once and whole.
#[test]
fn rejected_events_are_all_counted_once() {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let body = format!(r#"[{{"message":"good"}}{}]"#, ",7".repeat(1_500));
    let keyed = || Payload {
        batch_key: Some("k".to_owned()),
        ..json(&body)
    };
    for is_again in [false, true] {
        let outcome = ledger.send_payload(token.reveal(), keyed()).unwrap();
        assert_eq!((outcome.accepted, outcome.rejected_count), (1, 1_500));
        assert_eq!(
            (outcome.rejected.len(), outcome.duplicate),
            (1_000, is_again)
        );
        let refused = vec![("event_not_an_object".to_owned(), 1_500)];
        assert_eq!(usage(&ledger, "web"), (1, refused));
    }
}

#[test]
fn a_body_the_edge_refuses_is_counted_too() {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let admission = ledger.service().admit(token.reveal(), 20 << 20).unwrap();
    let refusal = Refusal::TooLarge {
        detail: "larger than the wire may carry".to_owned(),
    };
    ledger.service().refuse(&admission, &refusal);
    assert_eq!(
        usage(&ledger, "web"),
        (0, vec![("too_large".to_owned(), 1)])
    );
}

#[test]
fn a_closed_service_takes_nothing_and_answers() {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    ledger.service().close().unwrap();
    let refusal = ledger.send(token.reveal(), "{}").unwrap_err();
    assert_eq!(refusal.code(), "unavailable");
    assert!(refusal.retry_after().is_some());
    assert!(ledger.service().source(&ledger.admin(), "web").is_ok());
}
