//! Traces: one id through the sources of several services.

use std::time::Duration;

use cordwood_service::{
    Access, Caller, Cancel, Count, Error, SearchRequest, Trace, TraceRequest, TraceSubject,
};

use crate::ledger::Ledger;
use crate::size::compact;

const REQUEST: &str = "550e8400-e29b-41d4-a716-446655440000";

fn of_value(value: &str) -> TraceRequest {
    TraceRequest {
        subject: TraceSubject::Value(value.to_owned()),
        sources: Vec::new(),
        from: None,
        to: None,
        limit: None,
        deadline: None,
    }
}

fn trace(ledger: &Ledger, caller: &Caller, request: &TraceRequest) -> Result<Trace, Error> {
    ledger.service().trace(caller, request, &Cancel::default())
}

/// A request that a proxy takes in, the shop fails at, and a worker of another client hears of.
fn ledger() -> (Ledger, Caller) {
    let mut ledger = Ledger::new();
    let (ours, theirs) = (ledger.create_client("ours"), ledger.create_client("theirs"));
    let proxy = ledger.create_source_of("proxy", Some(ours)).token;
    let shop = ledger.create_source_of("shop", Some(ours)).token;
    let worker = ledger.create_source_of("worker", Some(theirs)).token;
    let send = |token: &cordwood_service::Secret, events: &[String]| {
        ledger
            .send(token.reveal(), &format!("[{}]", events.join(",")))
            .unwrap();
    };
    send(
        &proxy,
        &[
            format!(r#"{{"dt":"2026-03-27T08:00:00Z","message":"GET /cart {REQUEST}"}}"#),
            format!(
                r#"{{"dt":"2026-03-27T08:00:05Z","message":"502","headers":{{"x-request-id":"{REQUEST}"}}}}"#
            ),
            r#"{"dt":"2026-03-27T08:00:02Z","message":"GET /other"}"#.to_owned(),
        ],
    );
    send(
        &shop,
        &[
            format!(
                r#"{{"dt":"2026-03-27T08:00:01Z","service":"checkout","request_id":"{REQUEST}","session":"s-1742","level":"info"}}"#
            ),
            format!(
                r#"{{"dt":"2026-03-27T08:00:04.5Z","service":"checkout","request_id":"{REQUEST}","level":"error"}}"#
            ),
            format!(
                r#"{{"dt":"2026-03-27T08:00:02Z","service":"stock","request_id":"{}"}}"#,
                REQUEST.to_uppercase()
            ),
            r#"{"dt":"2026-03-27T08:00:03Z","service":"stock","session":"s-1742"}"#.to_owned(),
        ],
    );
    send(
        &worker,
        &[format!(
            r#"{{"dt":"2026-03-27T09:00:00Z","request_id":"{REQUEST}"}}"#
        )],
    );
    let caller = ledger.caller(Access::Read, &[ours]);
    (ledger, caller)
}

#[test]
fn a_value_is_followed_through_services() {
    let (ledger, caller) = ledger();
    for _ in 0..2 {
        let found = trace(&ledger, &caller, &of_value(REQUEST)).unwrap();
        assert_eq!(found.total, Count::Exactly(5));
        let matched: Vec<String> = found
            .events
            .iter()
            .map(|event| event.matched.join(","))
            .collect();
        assert_eq!(
            matched,
            [
                "message",
                "request_id",
                "request_id",
                "request_id",
                "headers.x-request-id"
            ]
        );
        let services: Vec<(&str, u64, u64)> = found
            .services
            .iter()
            .map(|service| (service.name.as_str(), service.events, service.errors))
            .collect();
        assert_eq!(
            services,
            [("proxy", 2, 0), ("checkout", 2, 1), ("stock", 1, 0)]
        );
        assert_eq!(found.duration, Duration::from_secs(5));
        assert_eq!(found.gaps[0].duration, Duration::from_millis(2500));
        assert_eq!(found.gaps[0].after, found.events[2].event.id);
        assert_eq!(found.gaps.len(), 4);
        assert!(found.account.complete);
        compact(&ledger);
    }
    // Whoever sees all clients sees the whole of it.
    let all = trace(&ledger, &ledger.admin(), &of_value(REQUEST)).unwrap();
    assert_eq!(all.total, Count::Exactly(6));
    let cut = TraceRequest {
        limit: Some(2),
        ..of_value(REQUEST)
    };
    let cut = trace(&ledger, &caller, &cut).unwrap();
    assert_eq!((cut.events.len(), cut.total), (2, Count::Exactly(5)));
    let one_source = TraceRequest {
        sources: vec!["shop".to_owned()],
        ..of_value(REQUEST)
    };
    assert_eq!(
        trace(&ledger, &caller, &one_source).unwrap().total,
        Count::Exactly(3)
    );
}

#[test]
fn an_event_is_followed_by_its_ids() {
    let (ledger, caller) = ledger();
    let find = |query: &str| {
        let request = SearchRequest {
            query: query.to_owned(),
            ..SearchRequest::default()
        };
        let found = ledger
            .service()
            .search(&caller, &request, &Cancel::default())
            .unwrap();
        found.events[0].id.to_string()
    };
    let of_event = |id: String| TraceRequest {
        subject: TraceSubject::Event(id),
        ..of_value("")
    };
    let found = trace(
        &ledger,
        &caller,
        &of_event(find("service:checkout level:info")),
    )
    .unwrap();
    assert_eq!(found.total, Count::Exactly(5));
    assert_eq!(found.identifiers[0].field.as_deref(), Some("request_id"));
    assert_eq!(found.others[0].value, "s-1742");
    let by_session = trace(
        &ledger,
        &caller,
        &of_event(find("service:stock NOT request_id:*")),
    )
    .unwrap();
    assert_eq!(by_session.total, Count::Exactly(2));
    let error = trace(&ledger, &caller, &of_event(find("message:other"))).unwrap_err();
    assert!(
        error.to_string().contains("no field that looks like an id"),
        "{error}"
    );
    let admin = ledger.admin();
    let hidden = SearchRequest {
        sources: vec!["worker".to_owned()],
        ..SearchRequest::default()
    };
    let hidden = ledger
        .service()
        .search(&admin, &hidden, &Cancel::default())
        .unwrap();
    let hidden = hidden.events[0].id.to_string();
    let error = trace(&ledger, &caller, &of_event(hidden)).unwrap_err();
    assert_eq!(error.code(), "event_not_found");
}

#[test]
fn what_cannot_be_followed_is_refused() {
    let (ledger, caller) = ledger();
    for value in ["", "  ", &"x".repeat(257)] {
        let error = trace(&ledger, &caller, &of_value(value)).unwrap_err();
        assert_eq!(error.code(), "invalid_parameter");
    }
    let none = trace(&ledger, &caller, &of_value("no-such-id-4711")).unwrap();
    assert_eq!((none.events.len(), none.total), (0, Count::Exactly(0)));
    assert!(none.gaps.is_empty() && none.services.is_empty());
}
