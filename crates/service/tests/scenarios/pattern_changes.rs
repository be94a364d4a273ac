//! What changed of what messages say: patterns that are new, that have gone, and those much commoner or rarer.

use std::time::Duration;

use cordwood_service::{
    Access, Caller, Cancel, Direction, PatternChange, SearchRequest, WhatChanged,
    WhatChangedRequest,
};

use crate::ledger::{HOUR, Ledger};

/// Events that say the same: from so many minutes before now on, one a second.
struct Saying {
    minutes_before: i64,
    events: i64,
    level: &'static str,
    message: &'static str,
}

fn saying(minutes_before: i64, events: i64, level: &'static str, message: &'static str) -> Saying {
    Saying {
        minutes_before,
        events,
        level,
        message,
    }
}

fn send(ledger: &Ledger, token: &str, sayings: &[Saying]) {
    let now = ledger.now().as_nanos() / 1_000_000;
    let events = sayings.iter().flat_map(|saying| {
        (0..saying.events).map(move |number| {
            let time = now - saying.minutes_before * 60_000 + number * 1000;
            let Saying { level, message, .. } = saying;
            format!(r#"{{"dt":{time},"level":"{level}","message":"{message}","service":"api"}}"#)
        })
    });
    let body = format!("[{}]", events.collect::<Vec<_>>().join(","));
    ledger.send(token, &body).unwrap();
}

fn ask_as(ledger: &Ledger, caller: &Caller, request: &WhatChangedRequest) -> WhatChanged {
    let answer = ledger
        .service()
        .what_changed(caller, request, &Cancel::default());
    answer.unwrap()
}

fn ask(ledger: &Ledger) -> WhatChanged {
    ask_as(ledger, &ledger.admin(), &WhatChangedRequest::default())
}

/// What is compared: the text, the counts, and whether nobody said it before.
fn told(patterns: &[PatternChange]) -> Vec<(&str, u64, u64, bool)> {
    let told = patterns.iter().map(|pattern| {
        let (current, baseline) = (pattern.events.current, pattern.events.baseline);
        (&*pattern.pattern, current, baseline, pattern.is_unseen)
    });
    told.collect()
}

/// Steady requests in both windows.
const STEADY: [(i64, i64); 2] = [(115, 600), (55, 600)];

fn steady() -> Vec<Saying> {
    let steady = STEADY.into_iter().flat_map(|(before, events)| {
        [
            saying(before, events, "info", "request done"),
            saying(before, events, "info", "cache hit"),
            saying(before, events, "debug", "checked out"),
        ]
    });
    steady.collect()
}

/// A source with steady requests and what else is said.
fn ledger(sayings: Vec<Saying>) -> (Ledger, String) {
    let ledger = Ledger::new();
    let token = ledger.create_source("web").token.reveal().to_owned();
    let mut all = steady();
    all.extend(sayings);
    send(&ledger, &token, &all);
    (ledger, token)
}

#[test]
fn each_list_has_what_belongs_there() {
    let (mut ledger, _) = ledger(vec![
        saying(50, 40, "error", "no price rule"),
        saying(50, 3, "warn", "three of a kind"),
        saying(50, 2, "warn", "once or twice"),
        saying(110, 60, "info", "old worker started"),
        saying(110, 12, "info", "a few of these"),
        saying(110, 30, "warn", "retry"),
        saying(50, 400, "warn", "retry"),
        saying(110, 500, "info", "mail sent"),
        saying(50, 50, "info", "mail sent"),
    ]);
    for _ in 0..2 {
        let answer = ask(&ledger);
        assert!(answer.account.complete && answer.account.notes.is_empty());
        assert_eq!(
            told(&answer.new_patterns),
            [
                ("no price rule", 40, 0, true),
                ("three of a kind", 3, 0, true)
            ]
        );
        assert_eq!(
            told(&answer.vanished_patterns),
            [("old worker started", 0, 60, false)]
        );
        assert_eq!(
            told(&answer.changed_patterns),
            [("retry", 400, 30, false), ("mail sent", 50, 500, false)]
        );
        let directions = answer
            .changed_patterns
            .iter()
            .map(|change| change.direction);
        assert!(directions.eq([Direction::Up, Direction::Down]));
        let new = &answer.new_patterns[0];
        assert_eq!(
            new.sentence,
            "`no price rule` is new: 40 events, 40 of level error, none in the baseline, and none ever before."
        );
        assert_eq!(new.levels["error"].current, 40);
        assert_eq!(new.example.as_deref(), Some("no price rule"));
        ledger.service().learn_patterns().unwrap();
        ledger.reopen();
    }
}

#[test]
fn the_query_of_each_finds_its_events() {
    let (ledger, _) = ledger(vec![
        saying(50, 40, "error", "no price rule for t-7"),
        saying(110, 60, "info", "worker 17 started"),
    ]);
    let answer = ask(&ledger);
    let changes = [&answer.new_patterns[0], &answer.vanished_patterns[0]];
    for (change, events) in changes.into_iter().zip([40, 60]) {
        let search = SearchRequest {
            query: change.shown_by.query.clone(),
            from: Some(change.shown_by.from.to_string()),
            to: Some(change.shown_by.to.to_string()),
            total: true,
            ..SearchRequest::default()
        };
        let found = ledger
            .service()
            .search(&ledger.admin(), &search, &Cancel::default());
        assert_eq!(found.unwrap().total, Some(events), "{change:?}");
    }
}

#[test]
fn what_was_said_long_ago_is_back_and_not_new() {
    let (mut ledger, token) = ledger(vec![saying(600, 5, "error", "certificate expired")]);
    ledger.service().learn_patterns().unwrap();
    let first = ledger.now().as_nanos() - 600 * 60_000_000_000;
    let few = [saying(50, 5, "error", "certificate expired")];
    send(&ledger, &token, &few);
    assert!(ask(&ledger).new_patterns.is_empty(), "five may be chance");
    send(
        &ledger,
        &token,
        &[saying(40, 50, "error", "certificate expired")],
    );
    ledger.reopen();
    let answer = ask(&ledger);
    assert_eq!(
        told(&answer.new_patterns),
        [("certificate expired", 55, 0, false)]
    );
    let back = &answer.new_patterns[0];
    assert_eq!(back.first_seen.as_nanos(), first);
    assert!(back.sentence.contains("is back"), "{}", back.sentence);
}

#[test]
fn twice_as_much_of_everything_is_no_change_of_patterns() {
    let (ledger, _) = ledger(steady().into_iter().skip(3).collect());
    let answer = ask(&ledger);
    assert_eq!(answer.account.windows.current.events, 3600);
    assert!(answer.changed_patterns.is_empty(), "{answer:#?}");
    assert!(answer.new_patterns.is_empty() && answer.vanished_patterns.is_empty());
}

#[test]
fn lists_are_short_and_say_what_they_leave_out() {
    const WORDS: [&str; 12] = [
        "ash", "birch", "cedar", "elm", "fir", "hazel", "juniper", "larch", "maple", "oak", "pine",
        "yew",
    ];
    // Of as many words as there are shapes of sentences, so that none is a place of another.
    let messages: Vec<String> = (0..WORDS.len())
        .map(|index| WORDS[..=index].join(" "))
        .collect();
    let messages = messages.into_iter().map(String::leak);
    let sayings = (10..).zip(messages);
    let sayings = sayings.map(|(events, message)| saying(50, events, "error", message));
    let (ledger, _) = ledger(sayings.collect());
    let answer = ask(&ledger);
    assert_eq!(answer.new_patterns.len(), 10);
    let strongest = &answer.new_patterns[0];
    assert_eq!(strongest.events.current, 21);
    let note = "of 12 new patterns the 10 with the most evidence are told";
    assert_eq!(answer.account.notes, [note]);
}

#[test]
fn a_filter_and_the_sources_of_others_narrow_them() {
    let mut ledger = Ledger::new();
    let ours = ledger.create_client("ours");
    let our_token = ledger.create_source_of("web", Some(ours)).token;
    let their_token = ledger.create_source("payments").token;
    let theirs = [saying(600, 9, "error", "no price rule")];
    send(&ledger, their_token.reveal(), &theirs);
    ledger.service().learn_patterns().unwrap();
    send(&ledger, our_token.reveal(), &steady());
    let new = [
        saying(50, 40, "error", "no price rule"),
        saying(50, 40, "info", "warmed up"),
    ];
    send(&ledger, our_token.reveal(), &new);
    let caller = ledger.caller(Access::Read, &[ours]);
    let all = ask_as(&ledger, &caller, &WhatChangedRequest::default());
    assert_eq!(
        told(&all.new_patterns),
        [("no price rule", 40, 0, true), ("warmed up", 40, 0, true)],
        "what others were told says nothing of ours"
    );
    assert!(!ask(&ledger).new_patterns[0].is_unseen, "it does of all");
    let filtered = WhatChangedRequest {
        query: "level:info".to_owned(),
        ..WhatChangedRequest::default()
    };
    let filtered = ask_as(&ledger, &caller, &filtered);
    assert_eq!(told(&filtered.new_patterns), [("warmed up", 40, 0, true)]);
    assert!(
        filtered.new_patterns[0]
            .shown_by
            .query
            .starts_with("level:info AND ")
    );
}

#[test]
fn nothing_is_told_without_a_baseline_or_time() {
    let (ledger, _) = ledger(vec![saying(50, 40, "error", "no price rule")]);
    let hurried = WhatChangedRequest {
        deadline: Some(Duration::ZERO),
        ..WhatChangedRequest::default()
    };
    let answer = ask_as(&ledger, &ledger.admin(), &hurried);
    assert!(answer.new_patterns.is_empty() && !answer.account.complete);
    ledger.advance(HOUR);
    ledger.advance(HOUR);
    let answer = ask(&ledger);
    assert!(answer.vanished_patterns.is_empty() && !answer.account.notes.is_empty());
}

#[test]
fn what_is_new_may_have_been_forgotten() {
    let (ledger, token) = ledger(vec![saying(50, 3, "warn", "three of a kind")]);
    let is_noted = |answer: &WhatChanged| {
        let mut notes = answer.account.notes.iter();
        notes.any(|note| note.contains("were forgotten, because there were too many"))
    };
    ledger.service().learn_patterns().unwrap();
    assert!(!is_noted(&ask(&ledger)));
    // More than are kept, each said once, long before the windows.
    let time = ledger.now().as_nanos() / 1_000_000 - 300 * 60_000;
    let letters = |number: usize| -> String {
        let letter = |place: u32| b"klmnopqrst"[number / 10usize.pow(place) % 10];
        (0..4).map(|place| char::from(letter(place))).collect()
    };
    let events = (0..2100).map(|number| {
        let (first, second) = (letters(number), letters(number * 7));
        format!(r#"{{"dt":{time},"message":"{first} {second}"}}"#)
    });
    let body = format!("[{}]", events.collect::<Vec<_>>().join(","));
    ledger.send(&token, &body).unwrap();
    ledger.service().learn_patterns().unwrap();
    let answer = ask(&ledger);
    assert_eq!(
        told(&answer.new_patterns),
        [("three of a kind", 3, 0, true)]
    );
    assert!(is_noted(&answer), "{:?}", answer.account.notes);
}
