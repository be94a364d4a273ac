//! Patterns from end to end: what is counted, what is kept since the first event, and that nobody learns of another's.

use std::time::Duration;

use cordwood_event::Timestamp;
use cordwood_service::{
    Access, Cancel, Error, PATTERNS_MAX, PatternFound, PatternsAnswer, PatternsRequest,
    SearchRequest,
};

use crate::ledger::Ledger;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn request(query: &str) -> PatternsRequest {
    PatternsRequest {
        search: SearchRequest {
            query: query.to_owned(),
            ..SearchRequest::default()
        },
        ..PatternsRequest::default()
    }
}

fn ask(ledger: &Ledger, request: &PatternsRequest) -> Result<PatternsAnswer, Error> {
    let cancel = Cancel::default();
    ledger.service().patterns(&ledger.admin(), request, &cancel)
}

fn event(minute: u32, level: &str, message: &str) -> String {
    format!(
        r#"{{"dt":"2026-03-27T08:{minute:02}:00Z","level":"{level}","message":"{message}","path":"/a/{minute}"}}"#
    )
}

fn body(events: &[String]) -> String {
    format!("[{}]", events.join(","))
}

/// A source of thirty logins, three failures and an event without a message.
fn ledger() -> Ledger {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let mut events: Vec<String> = (0..30)
        .map(|n| event(n, "info", &format!("user-{n} logged in from 10.0.0.{n}")))
        .collect();
    events.extend((40..43).map(|n| event(n, "error", "connection refused by database")));
    events.push(r#"{"dt":"2026-03-27T08:50:00Z","n":1}"#.to_owned());
    ledger.send(token.reveal(), &body(&events)).unwrap();
    ledger
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn told(pattern: &PatternFound) -> (String, u64, Vec<(&'static str, u64)>) {
    let PatternFound {
        text,
        count,
        levels,
        ..
    } = pattern;
    (text.clone(), *count, levels.clone())
}

#[test]
fn events_are_counted_by_what_they_say_alike() {
    let mut ledger = ledger();
    for is_learnt in [false, true] {
        let answer = ask(&ledger, &request("")).unwrap();
        assert!(answer.account.complete && !answer.has_more);
        assert_eq!(
            (answer.events, answer.without_field, answer.other),
            (34, 1, 0)
        );
        let patterns: Vec<_> = answer.patterns.iter().map(told).collect();
        let expected = [
            ("user-<num> logged in from <ip>", 30, "info"),
            ("connection refused by database", 3, "error"),
        ];
        assert_eq!(
            patterns,
            expected.map(|(text, count, level)| (text.to_owned(), count, vec![(level, count)]))
        );
        let [logins, refused] = &*answer.patterns else {
            unreachable!()
        };
        assert_eq!(refused.first, time("2026-03-27T08:40:00Z"));
        assert_eq!(refused.last, time("2026-03-27T08:42:00Z"));
        assert_eq!(refused.trend.iter().sum::<u64>(), 3);
        assert_eq!(refused.trend.len(), answer.buckets.len());
        assert!((logins.share - 30.0 / 34.0).abs() < 1e-9);
        let example = logins.example.as_ref().unwrap();
        assert_eq!(example.id.timestamp, time("2026-03-27T08:29:00Z"));
        assert_eq!(logins.sources.values().sum::<u64>(), 30);
        if !is_learnt {
            ledger.service().learn_patterns().unwrap();
            ledger.reopen();
        }
    }
}

#[test]
fn the_query_of_a_pattern_finds_its_events() {
    let ledger = ledger();
    for pattern in ask(&ledger, &request("")).unwrap().patterns {
        let search = SearchRequest {
            query: pattern.query.clone(),
            total: true,
            ..SearchRequest::default()
        };
        let cancel = Cancel::default();
        let found = ledger
            .service()
            .search(&ledger.admin(), &search, &cancel)
            .unwrap();
        assert_eq!(found.total, Some(pattern.count), "{}", pattern.query);
    }
}

#[test]
fn a_filter_a_range_and_a_field_narrow_it() {
    let ledger = ledger();
    let errors = ask(&ledger, &request("level:error")).unwrap();
    assert_eq!((errors.events, errors.patterns.len()), (3, 1));
    let early = PatternsRequest {
        search: SearchRequest {
            to: Some("2026-03-27T08:09:59Z".to_owned()),
            ..SearchRequest::default()
        },
        buckets: Some(5),
        ..PatternsRequest::default()
    };
    let early = ask(&ledger, &early).unwrap();
    assert_eq!((early.events, early.patterns[0].count), (10, 10));
    assert_eq!(
        (early.buckets.len(), &*early.patterns[0].trend),
        (5, &[2; 5][..])
    );
    let paths = PatternsRequest {
        field: Some("path".to_owned()),
        limit: Some(1),
        ..PatternsRequest::default()
    };
    let paths = ask(&ledger, &paths).unwrap();
    assert_eq!(paths.patterns[0].text, "<path>");
    assert_eq!((paths.patterns[0].count, paths.without_field), (33, 1));
    assert!(!paths.has_more);
}

#[test]
fn what_was_seen_is_kept_when_the_events_are_gone() {
    let mut ledger = ledger();
    ledger.service().learn_patterns().unwrap();
    let refused = |answer: &PatternsAnswer| {
        let found = answer.patterns.iter();
        found
            .clone()
            .find(|pattern| pattern.text.contains("refused"))
            .cloned()
    };
    let before = refused(&ask(&ledger, &request("")).unwrap()).unwrap();
    let changes = cordwood_service::SourceChanges {
        retention_days: Some(Some(1)),
        ..Default::default()
    };
    ledger
        .service()
        .update_source(&ledger.admin(), "web", &changes)
        .unwrap();
    let created = ledger
        .service()
        .rotate_source_token(&ledger.admin(), "web", None)
        .unwrap();
    ledger.advance(3 * DAY);
    let late = format!(
        r#"[{{"dt":"{}","message":"connection refused by database"}}]"#,
        ledger.now()
    );
    ledger.send(created.token.reveal(), &late).unwrap();
    for _ in 0..2 {
        let now = refused(&ask(&ledger, &request("")).unwrap()).unwrap();
        assert_eq!((now.id, now.count), (before.id, 1));
        assert_eq!(now.first_seen, before.first_seen);
        assert!(now.last_seen > before.last_seen && now.first > before.last);
        ledger.service().learn_patterns().unwrap();
        ledger.reopen();
    }
    let now = refused(&ask(&ledger, &request("")).unwrap()).unwrap();
    assert_eq!(now.seen, before.seen + 1);
}

#[test]
fn every_event_is_counted_once_however_often_it_is_looked_at() {
    let mut ledger = ledger();
    let seen = |ledger: &Ledger| {
        let since = Timestamp::MIN;
        let patterns = ledger
            .service()
            .new_patterns(&ledger.admin(), &[], since)
            .unwrap();
        patterns.iter().map(|pattern| pattern.seen).sum::<u64>()
    };
    assert_eq!(seen(&ledger), 0);
    for _ in 0..2 {
        ledger.service().learn_patterns().unwrap();
        ledger.service().learn_patterns().unwrap();
        assert_eq!(seen(&ledger), 33);
        ledger.reopen();
        assert_eq!(seen(&ledger), 33);
    }
}

#[test]
fn what_was_learnt_late_was_seen_first_when_it_came() {
    let mut ledger = ledger();
    let learn = |ledger: &Ledger| {
        ledger.service().learn_sealed_patterns().unwrap();
        let all = ledger
            .service()
            .new_patterns(&ledger.admin(), &[], Timestamp::MIN);
        let told = all.unwrap().into_iter();
        let told = told.map(|pattern| (pattern.text, pattern.first_seen, pattern.seen));
        told.collect::<Vec<_>>()
    };
    // The rows have been open for no time at all; then they stay open for a round.
    assert_eq!(learn(&ledger), []);
    assert_eq!(ask(&ledger, &request("")).unwrap().events, 34);
    let refused = (
        "connection refused by database".to_owned(),
        time("2026-03-27T08:40:00Z"),
        3,
    );
    let logins = (
        "user-<num> logged in from <ip>".to_owned(),
        time("2026-03-27T08:00:00Z"),
        30,
    );
    let expected = [refused, logins];
    assert_eq!(learn(&ledger), expected);
    let token = ledger
        .service()
        .rotate_source_token(&ledger.admin(), "web", None)
        .unwrap()
        .token;
    let late = [event(55, "error", "connection refused by database")];
    ledger.send(token.reveal(), &body(&late)).unwrap();
    assert_eq!(learn(&ledger), expected);
    // What was left is open again after a start, and waits once more.
    ledger.reopen();
    assert_eq!(learn(&ledger), expected);
    let [mut refused, logins] = expected;
    refused.2 += 1;
    assert_eq!(learn(&ledger), [refused, logins]);
    let last = ledger.service().learn_sealed_patterns().unwrap();
    assert_eq!(last, 35);
}

#[test]
fn new_patterns_are_told_of() {
    let ledger = ledger();
    ledger.service().learn_patterns().unwrap();
    let since = time("2026-03-27T08:35:00Z");
    let new = ledger
        .service()
        .new_patterns(&ledger.admin(), &[], since)
        .unwrap();
    let texts: Vec<&str> = new.iter().map(|pattern| &*pattern.text).collect();
    assert_eq!(texts, ["connection refused by database"]);
    let since = PatternsRequest {
        new_since: Some("2026-03-27T08:35:00Z".to_owned()),
        ..PatternsRequest::default()
    };
    let answer = ask(&ledger, &since).unwrap();
    assert_eq!((answer.patterns.len(), answer.patterns_total), (1, 1));
    assert_eq!(answer.patterns[0].id, new[0].id);
}

#[test]
fn names_that_vary_become_one_pattern_that_is_not_new() {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token;
    let send = |names: &[&str], minute: u32| {
        let events: Vec<String> = names
            .iter()
            .map(|name| event(minute, "info", &format!("user {name} logged in at last")))
            .collect();
        ledger.send(token.reveal(), &body(&events)).unwrap();
        ledger.service().learn_patterns().unwrap();
    };
    send(&["ann", "bob", "cid"], 1);
    assert_eq!(ask(&ledger, &request("")).unwrap().patterns.len(), 3);
    send(&["dan", "eve", "fay", "gus", "hal", "ivy", "jim"], 30);
    let answer = ask(&ledger, &request("")).unwrap();
    let [pattern] = &*answer.patterns else {
        panic!("{answer:?}")
    };
    assert_eq!(
        (&*pattern.text, pattern.count),
        ("user <*> logged in at last", 10)
    );
    assert_eq!(
        (pattern.first_seen, pattern.seen),
        (time("2026-03-27T08:01:00Z"), 10)
    );
    let one = ask(&ledger, &request("message:eve")).unwrap();
    assert_eq!(one.patterns[0].id, pattern.id);
}

#[test]
fn nobody_sees_the_patterns_of_another() {
    let mut ledger = Ledger::new();
    let ours = ledger.create_client("ours");
    let theirs = ledger.create_client("theirs");
    let our_token = ledger.create_source_of("web", Some(ours)).token;
    let their_token = ledger.create_source_of("web", Some(theirs)).token;
    let early = [event(1, "info", "secret handshake of their own")];
    ledger.send(their_token.reveal(), &body(&early)).unwrap();
    let common = |minute| event(minute, "info", "something that both say");
    ledger
        .send(their_token.reveal(), &body(&[common(2)]))
        .unwrap();
    ledger
        .send(our_token.reveal(), &body(&[common(30)]))
        .unwrap();
    ledger.service().learn_patterns().unwrap();
    let caller = ledger.caller(Access::Read, &[ours]);
    let answer = ledger
        .service()
        .patterns(&caller, &request(""), &Cancel::default())
        .unwrap();
    let [pattern] = &*answer.patterns else {
        panic!("{answer:?}")
    };
    assert_eq!(
        (pattern.seen, pattern.first_seen),
        (1, time("2026-03-27T08:30:00Z"))
    );
    assert_eq!(pattern.sources.len(), 1);
    let new = ledger
        .service()
        .new_patterns(&caller, &[], Timestamp::MIN)
        .unwrap();
    assert_eq!(new.len(), 1);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let ledger = ledger();
    let wrong = |request: PatternsRequest| match ask(&ledger, &request) {
        Err(Error::InvalidParameter { parameter, .. }) => parameter,
        other => panic!("{other:?}"),
    };
    assert_eq!(wrong(request("* | stats count()")), "query");
    let limit = Some(PATTERNS_MAX + 1);
    assert_eq!(
        wrong(PatternsRequest {
            limit,
            ..request("")
        }),
        "limit"
    );
    assert_eq!(
        wrong(PatternsRequest {
            buckets: Some(0),
            ..request("")
        }),
        "buckets"
    );
    let cancel = Cancel::default();
    cancel.cancel();
    let cancelled = ledger
        .service()
        .patterns(&ledger.admin(), &request(""), &cancel);
    assert!(matches!(cancelled, Err(Error::Cancelled)));
}
