//! A source keeps to its size, and answers say from when on its events are kept.

use std::time::{Duration, Instant};

use cordwood_event::Timestamp;
use cordwood_service::{Cancel, SearchAnswer, SearchRequest, SourceChanges};

use crate::ledger::{HOUR, Ledger};

/// Events of an hour that do not compress, enough for about a block of two megabytes.
fn body(seed: u64) -> String {
    let mut state = seed;
    let mut noise = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        format!("{:016x}", state ^ (state >> 29))
    };
    let events = (0..700).map(|number| {
        let text: String = (0..256).map(|_| noise()).collect();
        format!(r#"{{"hour":{seed},"n":{number},"message":"{text}"}}"#)
    });
    format!("[{}]", events.collect::<Vec<String>>().join(","))
}

fn search(ledger: &Ledger, query: &str, from: Option<&str>) -> SearchAnswer {
    let request = SearchRequest {
        query: query.to_owned(),
        from: from.map(str::to_owned),
        total: true,
        batch_size: Some(1),
        ..SearchRequest::default()
    };
    let service = ledger.service();
    let answer = service.search(&ledger.admin(), &request, &Cancel::default());
    answer.unwrap()
}

pub(crate) fn compact(ledger: &Ledger) {
    let admin = ledger.admin();
    ledger.service().start_compaction(&admin).unwrap();
    let give_up = Instant::now() + Duration::from_secs(120);
    loop {
        let job = ledger.service().compaction(&admin).unwrap().unwrap();
        if let Some(outcome) = job.outcome {
            outcome.unwrap();
            return;
        }
        assert!(Instant::now() < give_up);
        std::thread::yield_now();
    }
}

fn limited(bytes: Option<u64>) -> SourceChanges {
    SourceChanges {
        disk_bytes_max: Some(bytes),
        ..SourceChanges::default()
    }
}

#[test]
fn the_oldest_events_go_and_answers_say_so() {
    let mut ledger = Ledger::new();
    let made = ledger.create_source("web");
    let mut hours: Vec<Timestamp> = Vec::new();
    for hour in 1..=3 {
        hours.push(ledger.now());
        ledger.send(made.token.reveal(), &body(hour)).unwrap();
        compact(&ledger);
        ledger.advance(HOUR);
    }
    let admin = ledger.admin();
    let source = ledger.service().source(&admin, "web").unwrap();
    assert!(source.disk_bytes > 3 << 20, "{source:?}");
    assert!(search(&ledger, "*", None).account.kept_from.is_empty());

    let limit = source.disk_bytes * 5 / 6;
    let service = ledger.service();
    service
        .update_source(&admin, "web", &limited(Some(limit)))
        .unwrap();
    compact(&ledger);
    let answer = search(&ledger, "*", None);
    assert_eq!(answer.total, Some(1400));
    assert_eq!(search(&ledger, "hour:1", None).total, Some(0));
    let kept_from = answer.account.kept_from[&source.id];
    assert_eq!(kept_from.as_nanos(), hours[0].as_nanos() + 1);
    assert!(answer.account.complete);
    let later = hours[1].to_string();
    assert!(
        search(&ledger, "*", Some(&later))
            .account
            .kept_from
            .is_empty()
    );
    let smaller = service.source(&admin, "web").unwrap();
    assert!(smaller.disk_bytes <= limit && smaller.records_count == 1400);

    // The limit goes; what went stays gone, and is said. Room is for what comes.
    service
        .update_source(&admin, "web", &limited(None))
        .unwrap();
    ledger.reopen();
    let answer = search(&ledger, "*", None);
    assert_eq!(answer.total, Some(1400));
    assert_eq!(answer.account.kept_from, [(source.id, kept_from)].into());
    let old = r#"{"dt":"2020-01-01T00:00:00Z","message":"found in an attic"}"#;
    ledger.send(made.token.reveal(), old).unwrap();
    assert_eq!(search(&ledger, "attic", None).total, Some(1));
}
