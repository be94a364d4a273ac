//! Search from end to end: what was sent is found, by those who may.

use std::time::Duration;

use cordwood_event::Timestamp;
use cordwood_event::json::write_event;
use cordwood_service::{
    Access, Caller, Cancel, Error, Order, Payload, SearchAnswer, SearchRequest, SourceChanges,
};

use proptest::prelude::*;

use crate::ledger::{HOUR, Ledger, MINUTE, json};

fn request(query: &str) -> SearchRequest {
    SearchRequest {
        query: query.to_owned(),
        ..SearchRequest::default()
    }
}

fn search_as(
    ledger: &Ledger,
    caller: &Caller,
    request: &SearchRequest,
) -> Result<SearchAnswer, Error> {
    ledger.service().search(caller, request, &Cancel::default())
}

fn search(ledger: &Ledger, request: &SearchRequest) -> SearchAnswer {
    search_as(ledger, &ledger.admin(), request).unwrap()
}

fn error(ledger: &Ledger, request: &SearchRequest) -> Error {
    search_as(ledger, &ledger.admin(), request).unwrap_err()
}

/// The events as JSON, without their ids.
fn texts(answer: &SearchAnswer) -> Vec<String> {
    let events = answer.events.iter().map(|event| {
        let mut text = String::new();
        write_event(&mut text, event, answer.source_name(event.source));
        let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
        value.as_object_mut().unwrap().remove("_id");
        value.to_string()
    });
    events.collect()
}

fn messages(answer: &SearchAnswer) -> Vec<String> {
    let texts = texts(answer);
    let messages = texts.iter().map(|text| {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        value["message"].as_str().unwrap_or_default().to_owned()
    });
    messages.collect()
}

/// Sends `count` events, a second apart, named by their number.
fn send_numbered(ledger: &Ledger, token: &str, numbers: std::ops::Range<u32>) {
    let events = numbers.map(|number| {
        let (minute, second) = (number / 60, number % 60);
        format!(r#"{{"dt":"2026-03-27T08:{minute:02}:{second:02}Z","message":"m{number}","n":{number}}}"#)
    });
    let body = format!("[{}]", events.collect::<Vec<_>>().join(","));
    ledger.send(token, &body).unwrap();
}

#[test]
fn what_was_sent_is_found_before_and_after_a_restart() {
    let mut ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let body = r#"{"dt":"2026-03-27T09:59:59.5Z","level":"WARNING","message":"disk is nearly full","disk":{"free":12,"path":"/var"},"tags":["a","b"]}"#;
    ledger.send(token.reveal(), body).unwrap();
    let expected = r#"{"_source":"web","disk":{"free":12,"path":"/var"},"dt":"2026-03-27T09:59:59.500Z","level":"WARNING","message":"disk is nearly full","tags":["a","b"]}"#;
    for _ in 0..2 {
        for query in [
            "",
            "level:warn",
            "disk.free:<20",
            "\"nearly full\"",
            "tags:b AND _source:web",
        ] {
            let answer = search(&ledger, &request(query));
            assert_eq!(texts(&answer), [expected], "{query}");
            assert!(answer.account.complete && answer.next.is_none());
        }
        ledger.reopen();
    }
}

#[test]
fn pages_show_one_set_while_events_arrive() {
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let ledger = Ledger::new();
        let token = ledger.create_source("web").token;
        send_numbered(&ledger, token.reveal(), 0..250);
        let mut page = SearchRequest {
            batch_size: Some(40),
            total: true,
            order,
            from: Some("now-4h".to_owned()),
            ..request("n:<300 dt:<now")
        };
        let mut found = Vec::new();
        for arrived in 0.. {
            let answer = search(&ledger, &page);
            assert_eq!(answer.total, Some(250), "page {arrived}");
            found.extend(messages(&answer));
            let Some(next) = answer.next else {
                break;
            };
            page.cursor = Some(next);
            ledger.advance(HOUR);
            send_numbered(&ledger, token.reveal(), 100..110);
            ledger.create_source(&format!("new {arrived}"));
        }
        let numbers: Vec<u32> = match order {
            Order::NewestFirst => (0..250).rev().collect(),
            Order::OldestFirst => (0..250).collect(),
        };
        let expected: Vec<String> = numbers.iter().map(|number| format!("m{number}")).collect();
        assert_eq!(found, expected, "{order:?}");
    }
}

#[test]
fn a_cursor_belongs_to_its_question() {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    ledger.create_source("api");
    send_numbered(&ledger, token.reveal(), 0..10);
    let first = SearchRequest {
        batch_size: Some(3),
        sources: vec!["web".to_owned()],
        ..request("n:>=0")
    };
    let next = search(&ledger, &first).next;
    let with = |change: fn(&mut SearchRequest)| {
        let mut request = SearchRequest {
            cursor: next.clone(),
            ..first.clone()
        };
        change(&mut request);
        request
    };
    let same: [fn(&mut SearchRequest); 4] = [
        |_| {},
        |request| request.query = "  n:>=0  ".to_owned(),
        |request| request.sources = vec!["src-2".to_owned(), "WEB".to_owned()],
        |request| request.batch_size = Some(7),
    ];
    for change in same {
        assert_eq!(messages(&search(&ledger, &with(change)))[0], "m6");
    }
    let others: [fn(&mut SearchRequest); 6] = [
        |request| request.query = "n:>=1".to_owned(),
        |request| request.sources.clear(),
        |request| request.sources = vec!["api".to_owned()],
        |request| request.from = Some("now-1d".to_owned()),
        |request| request.to = Some("now".to_owned()),
        |request| request.order = Order::OldestFirst,
    ];
    for change in others {
        let error = error(&ledger, &with(change));
        assert_eq!(error.code(), "invalid_cursor");
        assert!(error.to_string().contains("another query"), "{error}");
    }
    for broken in ["", "abc", &next.clone().unwrap().replace('1', "2")] {
        let error = error(
            &ledger,
            &SearchRequest {
                cursor: Some(broken.to_owned()),
                ..first.clone()
            },
        );
        assert_eq!(
            error.to_string(),
            "the cursor is not one we gave out",
            "{broken}"
        );
    }
}

#[test]
fn a_client_finds_its_own_events_only() {
    let mut ledger = Ledger::new();
    let ours = ledger.create_client("ours");
    let theirs = ledger.create_client("theirs");
    let our_web = ledger.create_source_of("web", Some(ours));
    let their_web = ledger.create_source_of("web", Some(theirs));
    ledger
        .send(our_web.token.reveal(), r#"{"message":"ours","shared":1}"#)
        .unwrap();
    ledger
        .send(
            their_web.token.reveal(),
            r#"{"message":"theirs","shared":1,"secretfield":1}"#,
        )
        .unwrap();
    let caller = ledger.caller(Access::Read, &[ours]);
    for query in [
        "",
        "shared:1",
        "_source:web",
        "NOT message:nothing",
        "shared:1 OR secretfield:*",
    ] {
        let answer = search_as(
            &ledger,
            &caller,
            &SearchRequest {
                total: true,
                ..request(query)
            },
        )
        .unwrap();
        assert_eq!(messages(&answer), ["ours"], "{query}");
        assert_eq!(
            (answer.total, answer.account.rows_scanned),
            (Some(1), 1),
            "{query}"
        );
        assert_eq!(answer.account.sources, [our_web.source.id]);
        assert_eq!(answer.source_names.len(), 1);
    }
    let answer = search_as(&ledger, &caller, &request("secretfeld:*")).unwrap();
    assert!(!format!("{:?}", answer.explanation.unwrap()).contains("secretfield"));
    let id = search(&ledger, &request("message:theirs")).events[0].id;
    assert!(
        search_as(&ledger, &caller, &request(&format!("_id:{id}")))
            .unwrap()
            .events
            .is_empty()
    );
    assert_eq!(messages(&search(&ledger, &request("shared:1"))).len(), 2);
    let cursor = search(
        &ledger,
        &SearchRequest {
            batch_size: Some(1),
            ..request("shared:1")
        },
    )
    .next;
    let stolen = search_as(
        &ledger,
        &caller,
        &SearchRequest {
            cursor,
            ..request("shared:1")
        },
    )
    .unwrap();
    assert!(messages(&stolen).iter().all(|message| message == "ours"));
}

#[test]
fn events_of_a_deleted_source_are_gone() {
    let mut ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    ledger.send(token.reveal(), r#"{"message":"x"}"#).unwrap();
    ledger
        .service()
        .delete_source(&ledger.admin(), "web")
        .unwrap();
    ledger.create_source("web");
    for _ in 0..2 {
        assert!(search(&ledger, &request("")).events.is_empty());
        ledger.reopen();
    }
}

#[test]
fn sources_are_chosen_by_id_or_name() {
    let ledger = Ledger::new();
    for name in ["web", "api"] {
        let token = ledger.create_source(name).token;
        ledger
            .send(token.reveal(), &format!(r#"{{"message":"{name}"}}"#))
            .unwrap();
    }
    let cases: [(&[&str], &[&str]); 5] = [
        (&["web"], &["web"]),
        (&["2"], &["web"]),
        (&["src-3", "API"], &["api"]),
        (&["web", "3"], &["api", "web"]),
        (&[], &["api", "web"]),
    ];
    for (sources, expected) in cases {
        let sources = sources.iter().map(ToString::to_string).collect();
        let mut found = messages(&search(
            &ledger,
            &SearchRequest {
                sources,
                ..request("")
            },
        ));
        found.sort();
        assert_eq!(found, expected);
    }
    let sources = vec!["web".to_owned(), "wbe".to_owned()];
    let error = error(
        &ledger,
        &SearchRequest {
            sources,
            ..request("")
        },
    );
    assert_eq!(error.code(), "source_not_found");
    assert_eq!(error.to_string(), "source `wbe` was not found");
    assert_eq!(error.hint().as_deref(), Some("did you mean web?"));
}

#[test]
fn a_range_narrows_and_is_told() {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    send_numbered(&ledger, token.reveal(), 0..10);
    let cases: [(Option<&str>, Option<&str>, &str, usize); 7] = [
        (None, None, "", 10),
        (Some("2026-03-27T08:00:05Z"), None, "", 5),
        (
            Some("2026-03-27T08:00:05Z"),
            Some("2026-03-27T08:00:07Z"),
            "",
            3,
        ),
        (Some("2026-03-27"), Some("2026-03-27"), "", 10),
        (Some("now-2h"), None, "dt:<2026-03-27T08:00:03Z", 3),
        (Some("now-1h"), None, "", 0),
        (None, Some("1774598404"), "", 5),
    ];
    for (from, to, query, count) in cases {
        let ends = (from.map(str::to_owned), to.map(str::to_owned));
        let answer = search(
            &ledger,
            &SearchRequest {
                from: ends.0,
                to: ends.1,
                ..request(query)
            },
        );
        assert_eq!(answer.events.len(), count, "{from:?} {to:?} {query}");
        assert_eq!(answer.account.from.is_some(), from.is_some());
    }
    let told = search(
        &ledger,
        &SearchRequest {
            from: Some("now-2h".to_owned()),
            ..request("")
        },
    );
    assert_eq!(
        told.account.from.unwrap().to_string(),
        "2026-03-27T08:00:00.000Z"
    );
    assert_eq!(told.account.to, None);
    for (from, to) in [
        (Some("then"), None),
        (None, Some("then")),
        (Some("now"), Some("now-1h")),
    ] {
        let ends = (from.map(str::to_owned), to.map(str::to_owned));
        let error = error(
            &ledger,
            &SearchRequest {
                from: ends.0,
                to: ends.1,
                ..request("")
            },
        );
        assert_eq!(error.code(), "invalid_parameter");
    }
}

#[test]
fn wrong_questions_are_told_where_and_why() {
    let ledger = Ledger::new();
    let Error::Query(problems) = error(&ledger, &request("level:error AND (")) else {
        panic!("that is no query");
    };
    assert!(problems[0].position.start <= 17 && !problems[0].message.is_empty());
    for batch_size in [0, 1001] {
        let error = error(
            &ledger,
            &SearchRequest {
                batch_size: Some(batch_size),
                ..request("")
            },
        );
        assert_eq!(error.code(), "invalid_parameter");
        assert!(error.to_string().contains("1 to 1000"), "{error}");
    }
    let hinted = search(&ledger, &request("one and two"));
    assert_eq!(hinted.hints[0].position, 4..7);
}

#[test]
fn an_empty_answer_is_explained() {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let body = r#"[{"service":"checkout","level":"error"},{"service":"search","level":"info"}]"#;
    ledger.send(token.reveal(), body).unwrap();
    let answer = search(&ledger, &request("sevice:checkout level:error"));
    let explanation = answer.explanation.unwrap();
    assert_eq!(explanation.clauses.len(), 2);
    assert_eq!(explanation.clauses[0].clause, "sevice:checkout");
    assert!(explanation.clauses[0].matches.is_none());
    assert_eq!(explanation.clauses[0].near_fields[0].near, ["service"]);
    assert_eq!(explanation.emptied_by, Some(0));
    ledger.advance(MINUTE);
    let later = SearchRequest {
        from: Some("now-1s".to_owned()),
        ..request("service:checkout")
    };
    let explanation = search(&ledger, &later).explanation.unwrap();
    assert!(explanation.events_in_range.is_none());
    assert!(explanation.nearest_before.is_some() && explanation.nearest_after.is_none());
    assert!(
        search(&ledger, &request("service:checkout"))
            .explanation
            .is_none()
    );
}

#[test]
fn a_cancelled_search_says_so() {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    send_numbered(&ledger, token.reveal(), 0..10);
    let cancel = Cancel::default();
    cancel.cancel();
    let answer = ledger
        .service()
        .search(&ledger.admin(), &request("n:1"), &cancel);
    assert!(matches!(answer, Err(Error::Cancelled)));
}

#[test]
fn a_deadline_that_passed_is_an_incomplete_answer() {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    send_numbered(&ledger, token.reveal(), 0..10);
    let hurried = SearchRequest {
        deadline: Some(Duration::ZERO),
        ..request("n:1")
    };
    let answer = search(&ledger, &hurried);
    assert!(!answer.account.complete);
    assert!(answer.account.incomplete_reason.unwrap().contains("time"));
}

#[test]
fn answers_count_against_the_memory() {
    let ledger = Ledger::with_memory(16 << 20);
    let token = ledger.create_source("web").token;
    let body = format!(r#"{{"message":"{}"}}"#, "x".repeat(1 << 20));
    ledger.send(token.reveal(), &body).unwrap();
    let mut answers = Vec::new();
    let busy = loop {
        match search_as(&ledger, &ledger.admin(), &request("")) {
            Ok(answer) => answers.push(answer),
            Err(error) => break error,
        }
        assert!(answers.len() < 20, "answers are not counted");
    };
    assert_eq!(busy.code(), "busy");
    assert!(busy.retry_after().is_some());
    answers.clear();
    assert_eq!(search(&ledger, &request("")).events.len(), 1);
}

#[test]
fn plain_lines_take_the_time_they_hold() {
    let ledger = Ledger::new();
    ledger.create_source("web");
    let payload = Payload {
        lines: true,
        ..json("2026-03-27 08:00:00 ERROR out of memory\n2026-03-27 08:00:01 INFO all is well\n")
    };
    ledger
        .service()
        .ingest_as(&ledger.admin(), "web", payload)
        .unwrap();
    let answer = search(&ledger, &request("level:error"));
    assert_eq!(answer.events.len(), 1);
    assert_eq!(
        answer.events[0].id.timestamp.to_string(),
        "2026-03-27T08:00:00.000Z"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the times, sources and page sizes, and whatever arrives between pages: the pages show
    /// what was there at the first one, in order, each event once.
    #[test]
    fn paging_neither_skips_nor_repeats(
        seconds in proptest::collection::vec((0u32..5, 0usize..2), 1..60),
        sizes in proptest::collection::vec(1usize..20, 1..10),
        is_newest_first: bool,
        reopens: bool,
    ) {
        let mut ledger = Ledger::new();
        let tokens = [ledger.create_source("a").token, ledger.create_source("b").token];
        let send = |ledger: &Ledger, name: &str, second: u32, source: usize| {
            let event = format!(r#"{{"dt":"2026-03-27T08:00:0{second}Z","message":"{name}"}}"#);
            ledger.send(tokens[source].reveal(), &event).unwrap();
        };
        let mut sent: Vec<(u32, usize)> = Vec::new();
        for (index, (second, source)) in seconds.iter().enumerate() {
            send(&ledger, &index.to_string(), *second, *source);
            sent.push((*second, index));
        }
        sent.sort_unstable();
        if is_newest_first {
            sent.reverse();
        }
        let order = if is_newest_first { Order::NewestFirst } else { Order::OldestFirst };
        let mut page = SearchRequest { order, total: true, ..request("") };
        let mut found = Vec::new();
        for index in 0.. {
            page.batch_size = Some(sizes[index % sizes.len()]);
            let answer = search(&ledger, &page);
            prop_assert_eq!(answer.total, Some(sent.len() as u64));
            found.extend(messages(&answer));
            let Some(next) = answer.next else { break };
            page.cursor = Some(next);
            send(&ledger, "late", seconds[index % seconds.len()].0, index % 2);
            if reopens && index % 3 == 1 {
                ledger.reopen();
            }
        }
        let expected: Vec<String> = sent.iter().map(|(_, index)| index.to_string()).collect();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn what_has_expired_is_not_found_and_the_answer_says_so() {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let other = ledger.create_source("other").token;
    let day = |day: u32| format!(r#"[{{"dt":"2026-03-{day:02}T10:00:00Z","message":"{day}"}}]"#);
    for number in [10, 20, 26] {
        ledger.send(token.reveal(), &day(number)).unwrap();
    }
    ledger.send(other.reveal(), &day(11)).unwrap();
    let all = SearchRequest {
        order: Order::OldestFirst,
        total: true,
        ..request("")
    };
    assert!(search(&ledger, &all).account.kept_from.is_empty());
    let keep = |days| SourceChanges {
        retention_days: Some(days),
        ..SourceChanges::default()
    };
    let service = ledger.service();
    let source = service
        .update_source(&ledger.admin(), "web", &keep(Some(7)))
        .unwrap();
    let answer = search(&ledger, &all);
    assert_eq!(messages(&answer), ["11", "20", "26"]);
    assert_eq!(answer.total, Some(3));
    let kept_from = Timestamp::parse_rfc3339("2026-03-20T10:00:00Z").unwrap();
    assert_eq!(answer.account.kept_from, [(source.id, kept_from)].into());
    assert!(answer.account.complete);

    // As time goes on, events expire; those of another source do not.
    ledger.advance(HOUR);
    let answer = search(&ledger, &all);
    assert_eq!(messages(&answer), ["11", "26"]);
    let within = SearchRequest {
        from: Some("2026-03-25".to_owned()),
        ..all.clone()
    };
    assert!(search(&ledger, &within).account.kept_from.is_empty());
    service
        .update_source(&ledger.admin(), "web", &keep(None))
        .unwrap();
    assert_eq!(search(&ledger, &all).total, Some(4));
}
