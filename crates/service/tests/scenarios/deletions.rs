//! Deletion by query from end to end: what is deleted is not found by anyone, and then gone.

use std::time::{Duration, Instant};

use cordwood_service::{
    Access, Caller, Cancel, Deletion, DeletionState, Error, NewDeletion, SearchRequest,
};

use crate::ledger::{HOUR, Ledger, MINUTE};

fn deletion(query: &str, source: &str) -> NewDeletion {
    NewDeletion {
        query: query.to_owned(),
        sources: vec![source.to_owned()],
        ..NewDeletion::default()
    }
}

fn delete_as(ledger: &Ledger, caller: &Caller, new: &NewDeletion) -> Result<Deletion, Error> {
    ledger
        .service()
        .delete_events(caller, new, &Cancel::default())
}

fn delete(ledger: &Ledger, new: &NewDeletion) -> Deletion {
    delete_as(ledger, &ledger.admin(), new).unwrap()
}

fn refusal(ledger: &Ledger, new: &NewDeletion) -> Error {
    delete_as(ledger, &ledger.admin(), new).unwrap_err()
}

fn count(ledger: &Ledger, query: &str) -> u64 {
    let request = SearchRequest {
        query: query.to_owned(),
        total: true,
        ..SearchRequest::default()
    };
    let answer = ledger
        .service()
        .search(&ledger.admin(), &request, &Cancel::default())
        .unwrap();
    assert!(answer.account.complete);
    answer.total.unwrap()
}

/// Waits until the store has purged a deletion, which it does by itself.
fn wait_until_purged(ledger: &Ledger, id: u64) -> Deletion {
    let give_up = Instant::now() + Duration::from_secs(60);
    loop {
        let found = ledger.service().deletion(&ledger.admin(), &id.to_string());
        let found = found.unwrap();
        if found.state == DeletionState::Purged {
            return found;
        }
        assert!(Instant::now() < give_up, "{found:?}");
        std::thread::yield_now();
    }
}

fn send(ledger: &Ledger, token: &str, user: &str, events: u32) {
    let events = (0..events).map(|number| format!(r#"{{"user":"{user}","n":{number}}}"#));
    let body = format!("[{}]", events.collect::<Vec<String>>().join(","));
    ledger.send(token, &body).unwrap();
}

#[test]
fn what_is_deleted_is_hidden_and_then_purged() {
    let mut ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    send(&ledger, token.reveal(), "ann", 30);
    send(&ledger, token.reveal(), "bob", 20);
    let new = deletion("user:ann n:>=10", "web");
    let admin = ledger.admin();
    let preview = ledger
        .service()
        .preview_deletion(&admin, &new, &Cancel::default());
    let preview = preview.unwrap();
    assert_eq!((preview.events, preview.incomplete_reason), (20, None));
    assert_eq!(preview.query, "user:ann AND n:>=10");
    assert_eq!(count(&ledger, "*"), 50, "a preview deletes nothing");

    let deleted = delete(&ledger, &new);
    assert_eq!(deleted.events_hidden, Some(20));
    assert_eq!(count(&ledger, "*"), 30);
    assert_eq!(count(&ledger, "user:ann"), 10);
    send(&ledger, token.reveal(), "ann", 12);
    assert_eq!(
        count(&ledger, "user:ann"),
        22,
        "what comes later is not deleted"
    );
    let purged = wait_until_purged(&ledger, deleted.id);
    assert_eq!((purged.events_hidden, purged.events_purged), (Some(20), 20));
    assert!(purged.bytes_purged > 20 * 10, "{purged:?}");
    assert_eq!(count(&ledger, "*"), 42);
    ledger.reopen();
    assert_eq!(count(&ledger, "*"), 42);
    let again = ledger.service().deletion(&ledger.admin(), "1").unwrap();
    assert_eq!(again, purged);
    let source = ledger.service().source(&ledger.admin(), "web").unwrap();
    assert_eq!(source.records_count, 42);
}

#[test]
fn sources_and_times_bound_a_deletion() {
    let ledger = Ledger::new();
    let web = ledger.create_source("web").token;
    let other = ledger.create_source("other").token;
    for token in [&web, &other] {
        send(&ledger, token.reveal(), "ann", 3);
    }
    ledger.advance(HOUR);
    send(&ledger, web.reveal(), "ann", 5);
    let early = NewDeletion {
        to: Some("now-30m".to_owned()),
        ..deletion("user:ann", "web")
    };
    assert_eq!(delete(&ledger, &early).events_hidden, Some(3));
    assert_eq!(count(&ledger, "_source:web"), 5);
    assert_eq!(count(&ledger, "_source:other"), 3);
    // Relative times and names mean what they meant then, whatever becomes of them.
    let by_name = deletion("_source:other dt:<now-30m", "other");
    let deleted = delete(&ledger, &by_name);
    assert_eq!(deleted.events_hidden, Some(3));
    ledger.advance(HOUR);
    wait_until_purged(&ledger, deleted.id);
    assert_eq!(count(&ledger, "*"), 5);
}

#[test]
fn a_deletion_says_what_it_needs() {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    send(&ledger, token.reveal(), "ann", 4);
    for everything in ["", "*", "_source:web"] {
        let error = refusal(&ledger, &deletion(everything, "web"));
        assert_eq!(error.code(), "invalid_parameter", "{everything}");
        assert!(error.to_string().contains("every event"), "{error}");
        assert!(error.hint().unwrap().contains("everything"));
    }
    let error = refusal(&ledger, &deletion("user:\"a|b\" | limit 3", "web"));
    let Error::Query(problems) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(
        problems[0].message,
        "a deletion takes a filter only, no stages"
    );
    assert_eq!(problems[0].position, 11..20);
    assert_eq!(
        refusal(&ledger, &deletion("user:", "web")).code(),
        "invalid_query"
    );
    let error = refusal(&ledger, &deletion("user:ann", "wed"));
    assert_eq!(error.hint().unwrap(), "did you mean web?");
    let nowhere = NewDeletion {
        query: "user:ann".to_owned(),
        ..NewDeletion::default()
    };
    assert!(
        refusal(&ledger, &nowhere)
            .hint()
            .unwrap()
            .contains("source_id")
    );
    assert_eq!(count(&ledger, "*"), 4);
    let meant = NewDeletion {
        everything: true,
        ..deletion("*", "web")
    };
    assert_eq!(delete(&ledger, &meant).events_hidden, Some(4));
    assert_eq!(count(&ledger, "*"), 0);
}

#[test]
fn who_may_delete_and_who_may_know() {
    let mut ledger = Ledger::new();
    let ours = ledger.create_client("ours");
    let theirs = ledger.create_client("theirs");
    let web = ledger.create_source_of("web", Some(ours)).token;
    ledger.create_source_of("pay", Some(theirs));
    send(&ledger, web.reveal(), "ann", 2);
    for access in [Access::Read, Access::Write] {
        let caller = ledger.caller(access, &[ours]);
        let error = delete_as(&ledger, &caller, &deletion("user:ann", "web")).unwrap_err();
        assert_eq!(error.code(), "forbidden");
        let preview = ledger.service().preview_deletion(
            &caller,
            &deletion("user:ann", "web"),
            &Cancel::default(),
        );
        assert_eq!(preview.unwrap_err().code(), "forbidden");
    }
    let stranger = ledger.caller(Access::Admin, &[theirs]);
    let error = delete_as(&ledger, &stranger, &deletion("user:ann", "web")).unwrap_err();
    assert_eq!(error.code(), "source_not_found");
    let owner = ledger.caller(Access::Admin, &[ours]);
    let deleted = delete_as(&ledger, &owner, &deletion("user:ann", "web")).unwrap();
    let both = NewDeletion {
        sources: vec!["web".to_owned(), "pay".to_owned()],
        ..deletion("user:bob", "")
    };
    let of_both = delete(&ledger, &both);
    let seen_by = |caller: &Caller| -> Vec<u64> {
        let page = ledger.service().list_deletions(caller, None, None).unwrap();
        page.deletions.iter().map(|deletion| deletion.id).collect()
    };
    assert_eq!(seen_by(&ledger.admin()), [of_both.id, deleted.id]);
    assert_eq!(seen_by(&owner), [deleted.id]);
    assert_eq!(seen_by(&stranger), [0; 0]);
    assert_eq!(seen_by(&ledger.caller(Access::Read, &[ours])), [deleted.id]);
    let hidden = ledger
        .service()
        .deletion(&stranger, &deleted.id.to_string());
    let never = ledger.service().deletion(&stranger, "4711");
    assert_eq!(hidden.unwrap_err().code(), "not_found");
    assert_eq!(never.unwrap_err().code(), "not_found");
}

#[test]
fn a_deletion_that_is_given_up_deletes_nothing() {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    send(&ledger, token.reveal(), "ann", 4);
    let cancel = Cancel::default();
    cancel.cancel();
    let admin = ledger.admin();
    let given_up = ledger
        .service()
        .delete_events(&admin, &deletion("user:ann", "web"), &cancel);
    assert!(matches!(given_up, Err(Error::Cancelled)));
    assert_eq!(count(&ledger, "*"), 4);
    ledger.advance(MINUTE);
    let page = ledger.service().list_deletions(&admin, None, None).unwrap();
    assert!(page.deletions.is_empty());
}
