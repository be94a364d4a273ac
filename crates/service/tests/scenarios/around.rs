//! An event by its id, and the events around it.

use cordwood_event::Event;
use cordwood_service::{
    Access, Caller, Cancel, ContextRequest, Error, EventContext, NewDeletion, Order, Same,
    SearchRequest, SourceChanges,
};
use proptest::prelude::*;

use crate::ledger::{HOUR, Ledger};
use crate::size::compact;

fn context(request: ContextRequest, ledger: &Ledger) -> Result<EventContext, Error> {
    let service = ledger.service();
    service.event_context(&ledger.admin(), &request, &Cancel::default())
}

fn around(id: &str) -> ContextRequest {
    ContextRequest {
        id: id.to_owned(),
        ..ContextRequest::default()
    }
}

/// All events of a query, the earliest first.
fn all(ledger: &Ledger, caller: &Caller, query: &str) -> Vec<Event> {
    let request = SearchRequest {
        query: query.to_owned(),
        order: Order::OldestFirst,
        batch_size: Some(1000),
        ..SearchRequest::default()
    };
    let found = ledger
        .service()
        .search(caller, &request, &Cancel::default());
    found.unwrap().events
}

fn numbers(events: &[Event]) -> Vec<i64> {
    let number = |event: &Event| {
        let mut fields = event.fields.iter();
        let found = fields.find(|(path, _)| &**path == "n");
        found.and_then(|(_, value)| value.as_scalar().as_number()?.as_integer())
    };
    let numbers = events.iter().filter_map(number);
    numbers
        .map(|number| i64::try_from(number).unwrap())
        .collect()
}

/// Events of so many seconds, numbered as sent, of three hosts in two sources that name these differently.
fn ledger(seconds: &[u32]) -> Ledger {
    let ledger = Ledger::new();
    let web = ledger.create_source("web").token;
    let proxy = ledger.create_source("proxy").token;
    for (number, second) in seconds.iter().enumerate() {
        let (token, name) = match number % 2 {
            0 => (&web, "host"),
            _ => (&proxy, "hostname"),
        };
        let event = format!(
            r#"{{"dt":"2026-03-27T08:{:02}:{:02}Z","{name}":"h{}","n":{number}}}"#,
            second / 60,
            second % 60,
            number % 3,
        );
        ledger.send(token.reveal(), &event).unwrap();
    }
    ledger
}

#[test]
fn an_event_keeps_its_id_through_restarts_and_merges() {
    let mut ledger = ledger(&[5, 1, 3, 3, 3]);
    let before = all(&ledger, &ledger.admin(), "");
    assert_eq!(before.len(), 5);
    let check = |ledger: &Ledger| {
        for event in &before {
            let id = event.id.to_string();
            let found = ledger
                .service()
                .event(&ledger.admin(), &id, &Cancel::default())
                .unwrap();
            assert_eq!(
                numbers(&[found.event]),
                numbers(std::slice::from_ref(event))
            );
            let source = if numbers(std::slice::from_ref(event))[0] % 2 == 0 {
                "web"
            } else {
                "proxy"
            };
            assert_eq!(found.source_name, source);
        }
    };
    check(&ledger);
    ledger.reopen();
    check(&ledger);
    compact(&ledger);
    check(&ledger);
    let token = ledger
        .service()
        .rotate_source_token(&ledger.admin(), "web", None)
        .unwrap()
        .token;
    ledger
        .send(token.reveal(), r#"{"dt":"2026-03-27T08:00:03Z","n":9}"#)
        .unwrap();
    compact(&ledger);
    check(&ledger);
    ledger.close();
    ledger.reopen();
    check(&ledger);
}

#[test]
fn what_is_not_there_says_why() {
    let ledger = ledger(&[1, 2, 3, 4]);
    let admin = ledger.admin();
    let find = |id: &str| ledger.service().event(&admin, id, &Cancel::default());
    let told = |id: &str| {
        let error = find(id).unwrap_err();
        assert_eq!(error.code(), "event_not_found");
        error.hint().unwrap()
    };
    let events = all(&ledger, &admin, "");
    let ids: Vec<String> = events.iter().map(|event| event.id.to_string()).collect();
    for id in ["", "x", "0-1", "18a0af9b3dfd8000", "18a0af9b3dfd8000-zz"] {
        assert!(told(id).contains("16 hexadecimal digits"), "{id}");
    }
    let other = format!("{}-ffff", ids[0].split('-').next().unwrap());
    assert!(told(&other).contains("no source that you may read"));

    let deletion = NewDeletion {
        query: "n:0".to_owned(),
        sources: vec!["web".to_owned()],
        ..NewDeletion::default()
    };
    ledger
        .service()
        .delete_events(&admin, &deletion, &Cancel::default())
        .unwrap();
    assert!(told(&ids[0]).contains("deletion 1 was about events of that time"));
    find(&ids[1]).unwrap();

    for source in ["web", "proxy"] {
        let changes = SourceChanges {
            retention_days: Some(Some(1)),
            ..SourceChanges::default()
        };
        ledger
            .service()
            .update_source(&admin, source, &changes)
            .unwrap();
    }
    ledger.advance(HOUR * 48);
    assert!(told(&ids[1]).contains("keeps no events of before"));
}

/// Another client's event looks as one that never was, in every way to it.
#[test]
fn another_clients_event_is_as_good_as_none() {
    let mut ledger = Ledger::new();
    let (ours, theirs) = (ledger.create_client("ours"), ledger.create_client("theirs"));
    let our_token = ledger.create_source_of("web", Some(ours)).token;
    let their_token = ledger.create_source_of("shop", Some(theirs)).token;
    let event = |n: u32| format!(r#"{{"dt":"2026-03-27T08:00:00Z","host":"h","n":{n}}}"#);
    ledger.send(our_token.reveal(), &event(1)).unwrap();
    ledger.send(their_token.reveal(), &event(2)).unwrap();
    let caller = ledger.caller(Access::Read, &[ours]);
    let service = ledger.service();
    let events = all(&ledger, &ledger.admin(), "");
    let ours = all(&ledger, &caller, "");
    assert_eq!((events.len(), ours.len()), (2, 1));
    let hidden = events
        .iter()
        .find(|event| event.id != ours[0].id)
        .unwrap()
        .id
        .to_string();
    let never = format!("{}-7777", hidden.split('-').next().unwrap());
    let shape = |error: Error, id: &str| {
        (
            error.code(),
            error.to_string().replace(id, "…"),
            error.hint(),
        )
    };
    let cancel = Cancel::default();
    assert_eq!(
        shape(
            service.event(&caller, &hidden, &cancel).unwrap_err(),
            &hidden
        ),
        shape(service.event(&caller, &never, &cancel).unwrap_err(), &never),
    );
    assert_eq!(
        shape(
            service
                .event_context(&caller, &around(&hidden), &cancel)
                .unwrap_err(),
            &hidden
        ),
        shape(
            service
                .event_context(&caller, &around(&never), &cancel)
                .unwrap_err(),
            &never
        ),
    );
    // Of the same host, in a source of another client.
    let same_host = ContextRequest {
        same: Some("host".to_owned()),
        ..around(&ours[0].id.to_string())
    };
    let found = service.event_context(&caller, &same_host, &cancel).unwrap();
    assert!(found.before.is_empty() && found.after.is_empty());
    assert!(!found.has_more_before && !found.has_more_after);
    assert_eq!(found.source_names.len(), 1);
}

#[test]
fn contexts_of_source_host_and_time() {
    let seconds: Vec<u32> = (0..60).collect();
    let ledger = ledger(&seconds);
    let events = all(&ledger, &ledger.admin(), "");
    let id = events[30].id.to_string();
    let found = context(around(&id), &ledger).unwrap();
    assert_eq!(
        numbers(&found.before),
        (10..30).step_by(2).collect::<Vec<i64>>()
    );
    assert_eq!(
        numbers(&found.after),
        (32..52).step_by(2).collect::<Vec<i64>>()
    );
    assert!(found.has_more_before && found.has_more_after);
    assert_eq!(found.same, Same::Source(events[30].source));

    let host = ContextRequest {
        same: Some("host".to_owned()),
        before: Some(3),
        after: Some(0),
        ..around(&id)
    };
    let found = context(host, &ledger).unwrap();
    assert_eq!(numbers(&found.before), [21, 24, 27]);
    assert!(found.after.is_empty() && found.has_more_after);
    let expected = Same::Field {
        name: "host".to_owned(),
        value: "h0".to_owned(),
    };
    assert_eq!(found.same, expected);

    let near = ContextRequest {
        within: Some("4s".to_owned()),
        ..around(&id)
    };
    let found = context(near, &ledger).unwrap();
    assert_eq!(
        (numbers(&found.before), numbers(&found.after)),
        (vec![26, 28], vec![32, 34])
    );
    assert!(!found.has_more_before && !found.has_more_after && found.account.complete);

    let wrong = [
        (
            ContextRequest {
                same: Some("nothing".to_owned()),
                ..around(&id)
            },
            "no field nothing",
        ),
        (
            ContextRequest {
                same: Some("service".to_owned()),
                ..around(&id)
            },
            "service or service.name",
        ),
        (
            ContextRequest {
                within: Some("soon".to_owned()),
                ..around(&id)
            },
            "`within`",
        ),
        (
            ContextRequest {
                before: Some(1001),
                ..around(&id)
            },
            "`before`",
        ),
    ];
    for (request, part) in wrong {
        let error = context(request, &ledger).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// However many events share an instant, none is skipped or doubled.
    #[test]
    fn contexts_are_cut_from_the_order_of_all(
        seconds in proptest::collection::vec(0u32..4, 1..40),
        chosen in any::<proptest::sample::Index>(),
        (before, after) in (0usize..12, 0usize..12),
        is_compacted in any::<bool>(),
    ) {
        let ledger = ledger(&seconds);
        if is_compacted {
            compact(&ledger);
        }
        let events = all(&ledger, &ledger.admin(), "");
        let event = chosen.get(&events);
        let same: Vec<Event> = events.iter().filter(|other| other.source == event.source).cloned().collect();
        let place = same.iter().position(|other| other.id == event.id).unwrap();
        let request = ContextRequest { before: Some(before), after: Some(after), ..around(&event.id.to_string()) };
        let found = context(request, &ledger).unwrap();
        let first = place.saturating_sub(before);
        let last = (place + 1 + after).min(same.len());
        prop_assert_eq!(numbers(&found.before), numbers(&same[first..place]));
        prop_assert_eq!(numbers(&found.after), numbers(&same[place + 1..last]));
        prop_assert_eq!(found.has_more_before, first > 0);
        prop_assert_eq!(found.has_more_after, last < same.len());
    }
}
