//! What an answer that is not full says of why.

use cordwood_service::{Access, Caller, Cancel, SearchRequest, SourceChanges};

use crate::ledger::Ledger;

fn notes(ledger: &Ledger, caller: &Caller, request: &SearchRequest) -> Vec<String> {
    let service = ledger.service();
    let answer = service.search(caller, request, &Cancel::default()).unwrap();
    answer.account.notes
}

fn request(query: &str) -> SearchRequest {
    SearchRequest {
        query: query.to_owned(),
        ..SearchRequest::default()
    }
}

#[test]
fn sources_that_refuse_are_told() {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let admin = ledger.admin();
    let nothing = request("message:nowhere");
    assert_eq!(notes(&ledger, &admin, &nothing), [""; 0]);
    let changes = SourceChanges {
        quota_bytes_per_month: Some(Some(1)),
        ..SourceChanges::default()
    };
    ledger
        .service()
        .update_source(&admin, "web", &changes)
        .unwrap();
    ledger
        .send(token.reveal(), r#"{"message":"taken"}"#)
        .unwrap();
    for _ in 0..2 {
        ledger
            .send(token.reveal(), r#"{"message":"refused"}"#)
            .unwrap_err();
    }
    assert_eq!(
        notes(&ledger, &admin, &nothing),
        ["The quota of source `web` is spent: 2 requests to it were refused this month."]
    );
    let changes = SourceChanges {
        ingesting_paused: Some(true),
        ..SourceChanges::default()
    };
    ledger
        .service()
        .update_source(&admin, "web", &changes)
        .unwrap();
    let told = notes(&ledger, &admin, &nothing);
    assert_eq!(told[0], "What is sent to source `web` is refused: paused.");
    // A full answer has nothing to explain.
    let full = SearchRequest {
        batch_size: Some(1),
        ..request("")
    };
    assert_eq!(notes(&ledger, &admin, &full), [""; 0]);
}

#[test]
fn events_in_the_future_are_told() {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    for day in ["27", "28", "29"] {
        let event = format!(r#"{{"dt":"2026-03-{day}T09:00:00Z","message":"m"}}"#);
        ledger.send(token.reveal(), &event).unwrap();
    }
    let admin = ledger.admin();
    let to_now = SearchRequest {
        from: Some("now-1h".to_owned()),
        to: Some("now".to_owned()),
        ..request("message:m")
    };
    let told = "2 events that match lie in the future, after this range: a clock of who sent them is wrong.";
    assert_eq!(notes(&ledger, &admin, &to_now), [told]);
    let by_clause = request("message:m dt:[now-1h TO now]");
    assert_eq!(notes(&ledger, &admin, &by_clause), [told]);
    let other = SearchRequest {
        query: "message:other".to_owned(),
        ..to_now
    };
    assert_eq!(notes(&ledger, &admin, &other), [""; 0]);
    // Without an end they are found.
    assert_eq!(notes(&ledger, &admin, &request("message:m")), [""; 0]);
}

/// Who reads some clients only is told so, and nothing of what the others have.
#[test]
fn a_narrow_token_is_told() {
    let mut ledger = Ledger::new();
    let ours = ledger.create_client("ours");
    let told =
        "This token reads the sources of some clients only; what others have is not searched.";
    let caller = ledger.caller(Access::Read, &[ours]);
    assert_eq!(notes(&ledger, &caller, &request("")), [told]);
    let theirs = ledger.create_client("theirs");
    let shop = ledger.create_source_of("shop", Some(theirs)).token;
    ledger
        .send(
            shop.reveal(),
            r#"{"dt":"2026-03-28T10:00:00Z","message":"secret"}"#,
        )
        .unwrap();
    let changes = SourceChanges {
        ingesting_paused: Some(true),
        ..SourceChanges::default()
    };
    ledger
        .service()
        .update_source(&ledger.admin(), "shop", &changes)
        .unwrap();
    let caller = ledger.caller(Access::Read, &[ours]);
    let until_now = SearchRequest {
        to: Some("now".to_owned()),
        ..request("")
    };
    assert_eq!(notes(&ledger, &caller, &until_now), [told]);
}
