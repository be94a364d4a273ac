//! Many at once: senders, searchers and those who change sources, on one service.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use cordwood_service::{Cancel, SearchRequest, SourceChanges, SourceFilter};

use crate::ledger::Ledger;

const SENDERS: usize = 4;
const BATCHES: usize = 40;

/// Every acknowledged event is found once, and no look at the service in between sees a half-made change.
#[test]
fn senders_searchers_and_changes_do_not_disturb_each_other() {
    let mut ledger = Ledger::new();
    let tokens: Vec<_> = (0..SENDERS)
        .map(|number| ledger.create_source(&format!("s{number}")).token)
        .collect();
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| change_sources(&ledger, &is_done));
        scope.spawn(|| search_all(&ledger, &is_done));
        let senders: Vec<_> = tokens
            .iter()
            .enumerate()
            .map(|(sender, token)| {
                let ledger = &ledger;
                scope.spawn(move || {
                    for batch in 0..BATCHES {
                        let body = format!(r#"[{{"message":"{sender}-{batch}-a"}},{{"message":"{sender}-{batch}-b"}}]"#);
                        ledger.send(token.reveal(), &body).unwrap();
                    }
                })
            })
            .collect();
        for sender in senders {
            sender.join().unwrap();
        }
        is_done.store(true, Ordering::Relaxed);
    });
    for _ in 0..2 {
        let request = SearchRequest {
            total: true,
            query: "message:*".to_owned(),
            batch_size: Some(1000),
            ..SearchRequest::default()
        };
        let answer = ledger
            .service()
            .search(&ledger.admin(), &request, &Cancel::default())
            .unwrap();
        assert_eq!(answer.total, Some((SENDERS * BATCHES * 2) as u64));
        let mut messages: Vec<String> = answer
            .events
            .iter()
            .map(|event| format!("{:?}", event.fields))
            .collect();
        messages.sort();
        messages.dedup();
        assert_eq!(messages.len(), SENDERS * BATCHES * 2);
        ledger.reopen();
    }
}

fn change_sources(ledger: &Ledger, is_done: &AtomicBool) {
    let admin = ledger.admin();
    let service = ledger.service();
    for number in 0.. {
        let name = format!("other {number}");
        ledger.create_source(&name);
        let rename = SourceChanges {
            name: Some(format!("renamed {number}")),
            ..SourceChanges::default()
        };
        service.update_source(&admin, &name, &rename).unwrap();
        // Refused once the source has as many live tokens as it may; the old ones stay good either way.
        let _ = service.rotate_source_token(&admin, "s0", None);
        service
            .delete_source(&admin, &format!("renamed {number}"))
            .unwrap();
        if is_done.load(Ordering::Relaxed) {
            break;
        }
    }
}

fn search_all(ledger: &Ledger, is_done: &AtomicBool) {
    let admin = ledger.admin();
    let mut seen = 0;
    while !is_done.load(Ordering::Relaxed) {
        let request = SearchRequest {
            total: true,
            ..SearchRequest::default()
        };
        let answer = ledger
            .service()
            .search(&admin, &request, &Cancel::default())
            .unwrap();
        let total = answer.total.unwrap();
        assert!(total >= seen, "{total} after {seen}");
        seen = total;
        let listed = ledger
            .service()
            .list_sources(&admin, &SourceFilter::default())
            .unwrap();
        assert!(listed.total > SENDERS);
        assert!(
            ledger
                .service()
                .metrics_text()
                .contains("cordwood_ingest_events_total")
        );
    }
}
