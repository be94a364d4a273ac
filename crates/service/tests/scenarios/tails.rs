//! Live tails: everything that matches comes once, what does not come is told, and who may not read any more reads no more.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use cordwood_event::Scalar;
use cordwood_service::{
    Access, Caller, Cancel, DropReason, Dropped, Error, LiveRow, NewDeletion, Since, SourceChanges,
    TAILS_PER_TOKEN_MAX, Tail, TailEnd, TailItem, TailRequest, Wake,
};

use crate::ledger::{HOUR, Ledger};

/// Longer than any test takes: what is waited for is an event.
const PATIENCE: Duration = Duration::from_secs(60);

/// A tail and the news that something waits.
struct Reading {
    tail: Tail,
    woken: Receiver<()>,
}

impl Reading {
    fn open(ledger: &Ledger, caller: &Caller, request: &TailRequest) -> Result<Reading, Error> {
        let (wake, woken) = channel();
        let wake = Wake::new(move || {
            let _ = wake.send(());
        });
        let tail = ledger
            .service()
            .tail(caller, request, wake, &Cancel::default())?;
        Ok(Reading { tail, woken })
    }

    fn next(&self) -> TailItem {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(item) = self.tail.take() {
                return item;
            }
            let left = until.saturating_duration_since(Instant::now());
            self.woken.recv_timeout(left).expect("something comes");
        }
    }

    fn rows(&self, count: usize) -> Vec<LiveRow> {
        let mut rows = Vec::new();
        while rows.len() < count {
            match self.next() {
                TailItem::Rows(batch) => rows.extend_from_slice(batch.rows()),
                other => panic!("{other:?} instead of rows"),
            }
        }
        rows
    }

    fn messages(&self, count: usize) -> Vec<String> {
        self.rows(count).iter().map(message).collect()
    }

    fn end(&self) -> TailEnd {
        loop {
            if let TailItem::Ended(end) = self.next() {
                return end;
            }
        }
    }
}

fn message(row: &LiveRow) -> String {
    let LiveRow::Event(event) = row else {
        panic!("{row:?} is no event");
    };
    let mut fields = event.fields.iter();
    let found = fields.find(|(path, _)| &**path == "message");
    match found.map(|(_, value)| value.as_scalar()) {
        Some(Scalar::Str(text)) => text.to_owned(),
        other => panic!("{other:?} is no message"),
    }
}

fn tail_of(query: &str, since: Since) -> TailRequest {
    TailRequest {
        query: query.to_owned(),
        since,
        ..TailRequest::default()
    }
}

fn numbered(range: std::ops::Range<u32>) -> String {
    let events: Vec<String> = range
        .map(|number| format!(r#"{{"message":"event {number}","number":{number}}}"#))
        .collect();
    format!("[{}]", events.join(","))
}

#[test]
fn what_matches_comes_as_it_is_sent() {
    let ledger = Ledger::new();
    let (web, shop) = (ledger.create_source("web"), ledger.create_source("shop"));
    ledger
        .send(web.token.reveal(), r#"{"message":"before"}"#)
        .unwrap();
    let request = TailRequest {
        sources: vec!["web".to_owned()],
        ..tail_of("level:error", Since::Now)
    };
    let reading = Reading::open(&ledger, &ledger.admin(), &request).unwrap();
    assert_eq!(reading.tail.hello().query, "level:error");
    assert_eq!(reading.tail.hello().sources[0].name, "web");
    assert_eq!(reading.tail.position(), Some(1));
    ledger
        .send(web.token.reveal(), r#"{"message":"fine","level":"info"}"#)
        .unwrap();
    ledger
        .send(
            shop.token.reveal(),
            r#"{"message":"other","level":"error"}"#,
        )
        .unwrap();
    ledger
        .send(web.token.reveal(), r#"{"message":"bad","level":"error"}"#)
        .unwrap();
    assert_eq!(reading.messages(1), ["bad"]);
}

#[test]
fn stages_that_look_at_one_event_work_and_others_are_named() {
    let ledger = Ledger::new();
    let web = ledger.create_source("web");
    let query = "* | parse \"took <ms:number>ms\" | where ms > 10 | fields ms, _source";
    let reading = Reading::open(&ledger, &ledger.admin(), &tail_of(query, Since::Now)).unwrap();
    let columns = reading.tail.hello().columns.clone().unwrap();
    assert_eq!(columns, ["ms", "_source"]);
    let body = r#"[{"message":"took 5ms"},{"message":"took 50ms"}]"#;
    ledger.send(web.token.reveal(), body).unwrap();
    let rows = reading.rows(1);
    let LiveRow::Columns(_, cells) = &rows[0] else {
        panic!("{rows:?}");
    };
    assert_eq!(format!("{cells:?}"), "[Int(50), Str(\"web\")]");

    let refused = ["a | where b | stats count()", "a | limit 5", "a |"].map(|query| {
        let opened = Reading::open(&ledger, &ledger.admin(), &tail_of(query, Since::Now));
        match opened.map(drop).unwrap_err() {
            Error::Query(problems) => (problems[0].position.clone(), problems[0].message.clone()),
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(refused[0].0, 12..27);
    assert!(refused[0].1.contains("no `stats`"), "{refused:?}");
    assert_eq!(refused[1].0, 2..11);
}

#[test]
fn the_newest_events_come_first_when_asked_for() {
    let ledger = Ledger::new();
    let web = ledger.create_source("web");
    ledger.send(web.token.reveal(), &numbered(0..2500)).unwrap();
    let admin = ledger.admin();
    for (query, last, expected) in [
        ("*", 3, vec![2497, 2498, 2499]),
        ("number:<1200", 2, vec![1198, 1199]),
        ("* | where message:7 OR number:<2", 2, vec![1, 7]),
        ("nothing", 10, vec![]),
        ("*", 0, vec![]),
        // Behind `parse`, stages look at what the filter finds, page by page.
        (
            "* | parse \"event <n:number>\" | where n <= 2",
            2,
            vec![1, 2],
        ),
    ] {
        let request = tail_of(query, Since::Last(last));
        let reading = Reading::open(&ledger, &admin, &request).unwrap();
        let expected: Vec<String> = expected
            .iter()
            .map(|number| format!("event {number}"))
            .collect();
        assert_eq!(reading.messages(expected.len()), expected, "{query}");
        assert!(reading.tail.take().is_none(), "{query}");
    }
    let request = tail_of("*", Since::Last(1001));
    let refused = Reading::open(&ledger, &admin, &request)
        .map(drop)
        .unwrap_err();
    assert_eq!(refused.code(), "invalid_parameter");
}

#[test]
fn a_tail_goes_on_where_another_ended() {
    let ledger = Ledger::new();
    let web = ledger.create_source("web");
    let admin = ledger.admin();
    let reading = Reading::open(&ledger, &admin, &tail_of("*", Since::Now)).unwrap();
    ledger.send(web.token.reveal(), &numbered(0..5)).unwrap();
    let rows = reading.rows(5);
    let position = rows[2].id().sequence;
    drop(reading);
    ledger.send(web.token.reveal(), &numbered(5..8)).unwrap();
    let again = Reading::open(&ledger, &admin, &tail_of("*", Since::After(position))).unwrap();
    ledger.send(web.token.reveal(), &numbered(8..9)).unwrap();
    let expected: Vec<String> = (3..9).map(|number| format!("event {number}")).collect();
    assert_eq!(again.messages(6), expected);
    // What was deleted meanwhile does not come again.
    let deletion = NewDeletion {
        query: "number:<6".to_owned(),
        sources: vec!["web".to_owned()],
        ..NewDeletion::default()
    };
    ledger
        .service()
        .delete_events(&admin, &deletion, &Cancel::default())
        .unwrap();
    let again = Reading::open(&ledger, &admin, &tail_of("*", Since::After(position))).unwrap();
    assert_eq!(again.messages(3), ["event 6", "event 7", "event 8"]);
}

#[test]
fn what_is_too_far_back_is_counted() {
    let ledger = Ledger::new();
    let web = ledger.create_source("web");
    for start in (0..12_000).step_by(2000) {
        ledger
            .send(web.token.reveal(), &numbered(start..start + 2000))
            .unwrap();
        ledger.advance(Duration::from_secs(1));
    }
    let admin = ledger.admin();
    let dropped = |query: &str, position| {
        let request = tail_of(query, Since::After(position));
        let reading = Reading::open(&ledger, &admin, &request).unwrap();
        match reading.next() {
            TailItem::Dropped(dropped) => {
                let TailItem::Rows(first) = reading.next() else {
                    panic!("rows follow");
                };
                (dropped, first.rows()[0].id().sequence)
            }
            other => panic!("{other:?}"),
        }
    };
    let (told, first) = dropped("*", 1000);
    assert_eq!(told.reason, DropReason::TooFarBack);
    assert_eq!(told.count, Some(first - 1001), "all between were counted");
    assert!(first <= 12_000 - 5_000);
    let reading = Reading::open(&ledger, &admin, &tail_of("*", Since::After(1 << 40))).unwrap();
    let TailItem::Dropped(told) = reading.next() else {
        panic!("a place that is not known is told");
    };
    let unknown = Dropped {
        reason: DropReason::UnknownPosition,
        count: None,
    };
    assert_eq!(told, unknown);
}

#[test]
fn a_reader_that_looks_away_is_told_what_it_missed() {
    let ledger = Ledger::new();
    let web = ledger.create_source("web");
    let admin = ledger.admin();
    let away = Reading::open(&ledger, &admin, &tail_of("*", Since::Now)).unwrap();
    let keen = Reading::open(&ledger, &admin, &tail_of("*", Since::Now)).unwrap();
    let mut seen = 0;
    for start in (0..30_000).step_by(1000) {
        ledger
            .send(web.token.reveal(), &numbered(start..start + 1000))
            .unwrap();
        seen += keen.rows(1000).len();
    }
    assert_eq!(seen, 30_000, "the other one keeps up");
    let TailItem::Dropped(dropped) = away.next() else {
        panic!("what was dropped is told first");
    };
    assert_eq!(dropped.reason, DropReason::SlowReader);
    let left = 30_000 - dropped.count.unwrap();
    assert!(left <= 10_000, "no more than a reader may hold: {left}");
    let rows = away.rows(usize::try_from(left).unwrap());
    let sequences: Vec<u64> = rows.iter().map(|row| row.id().sequence).collect();
    let expected: Vec<u64> = (30_001 - left..=30_000).collect();
    assert_eq!(sequences, expected, "the newest are kept");
    let metrics = ledger.service().metrics_text();
    assert!(metrics.contains("\ncordwood_tails 2\n"), "{metrics}");
    assert!(metrics.contains(&format!("cordwood_tail_dropped_total {}\n", 30_000 - left)));
    drop((away, keen));
    let metrics = ledger.service().metrics_text();
    assert!(
        metrics.contains("\ncordwood_tails 0\n")
            && metrics.contains("cordwood_tail_memory_bytes 0\n")
    );
}

/// Readers that begin, leave and go on in the midst of everything get each event once.
#[test]
fn each_event_comes_once_through_seals_and_flushes() {
    const SENDERS: u32 = 3;
    const BATCHES: u32 = 60;
    const EVENTS: u32 = 20;
    let ledger = Ledger::new();
    let admin = ledger.admin();
    let sources: Vec<_> = (0..SENDERS)
        .map(|sender| ledger.create_source(&format!("source {sender}")))
        .collect();
    let total = u64::from(SENDERS * BATCHES * EVENTS);
    std::thread::scope(|scope| {
        for source in &sources {
            let ledger = &ledger;
            scope.spawn(move || {
                for batch in 0..BATCHES {
                    let body = numbered(batch * EVENTS..(batch + 1) * EVENTS);
                    ledger.send(source.token.reveal(), &body).unwrap();
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..20 {
                // One that runs already is as good.
                let _ = ledger.service().start_compaction(&admin);
                std::thread::yield_now();
            }
        });
        for leaves_after in [usize::MAX, 50, 300] {
            let (ledger, admin) = (&ledger, &admin);
            scope.spawn(move || {
                let mut seen: BTreeSet<u64> = BTreeSet::new();
                let mut position = 0;
                while position < total {
                    let request = tail_of("number:*", Since::After(position));
                    let reading = Reading::open(ledger, admin, &request).unwrap();
                    let mut taken = 0;
                    while position < total && taken < leaves_after {
                        for row in reading.rows(1) {
                            let sequence = row.id().sequence;
                            assert!(sequence > position, "{sequence} after {position}");
                            position = sequence;
                            taken += 1;
                            assert!(seen.insert(sequence), "{sequence} came twice");
                            if taken == leaves_after {
                                break;
                            }
                        }
                    }
                }
                assert_eq!(seen.len() as u64, total);
            });
        }
    });
}

#[test]
fn another_clients_events_are_never_seen() {
    let mut ledger = Ledger::new();
    let (ours, theirs) = (ledger.create_client("ours"), ledger.create_client("theirs"));
    let own = ledger.create_source_of("own", Some(ours));
    let foreign = ledger.create_source_of("foreign", Some(theirs));
    let caller = ledger.caller(Access::Read, &[ours]);
    let all = Reading::open(&ledger, &caller, &tail_of("*", Since::Last(10))).unwrap();
    assert_eq!(all.tail.hello().sources.len(), 1);
    let by_admin = Reading::open(&ledger, &ledger.admin(), &tail_of("*", Since::Now)).unwrap();
    ledger
        .send(foreign.token.reveal(), r#"{"message":"secret"}"#)
        .unwrap();
    let later = ledger.create_source_of("later", Some(ours));
    ledger
        .send(later.token.reveal(), r#"{"message":"one"}"#)
        .unwrap();
    ledger
        .send(own.token.reveal(), r#"{"message":"two"}"#)
        .unwrap();
    assert_eq!(by_admin.messages(3), ["secret", "one", "two"]);
    assert_eq!(
        all.messages(2),
        ["one", "two"],
        "sources made later are among all"
    );
    let resumed = Reading::open(&ledger, &caller, &tail_of("*", Since::After(0))).unwrap();
    assert_eq!(resumed.messages(2), ["one", "two"]);
    let request = TailRequest {
        sources: vec!["foreign".to_owned()],
        ..TailRequest::default()
    };
    let refused = Reading::open(&ledger, &caller, &request)
        .map(drop)
        .unwrap_err();
    assert_eq!(refused.code(), "source_not_found");
}

#[test]
fn a_tail_ends_with_what_allowed_it() {
    let mut ledger = Ledger::new();
    let client = ledger.create_client("ours");
    let web = ledger.create_source_of("web", Some(client));
    ledger.create_source("other");
    let named = |name: &str| TailRequest {
        sources: vec![name.to_owned()],
        ..TailRequest::default()
    };
    let caller = ledger.caller(Access::Read, &[client]);
    let revoked = Reading::open(&ledger, &caller, &named("web")).unwrap();
    let admin = ledger.admin();
    let deleted = Reading::open(&ledger, &admin, &named("other")).unwrap();
    let stays = Reading::open(&ledger, &admin, &TailRequest::default()).unwrap();
    ledger
        .service()
        .revoke_api_token(&admin, caller.token_id())
        .unwrap();
    ledger
        .send(web.token.reveal(), r#"{"message":"too late"}"#)
        .unwrap();
    assert_eq!(stays.messages(1), ["too late"]);
    let TailItem::Ended(TailEnd::Unauthenticated) = revoked.next() else {
        panic!("nothing comes but the end");
    };
    ledger.service().delete_source(&admin, "other").unwrap();
    assert!(matches!(deleted.end(), TailEnd::SourceGone(_)));
    let pause = SourceChanges {
        ingesting_paused: Some(true),
        ..SourceChanges::default()
    };
    ledger
        .service()
        .update_source(&admin, "web", &pause)
        .unwrap();
    let paused = Reading::open(&ledger, &admin, &named("web")).unwrap();
    assert!(paused.tail.hello().sources[0].is_paused);
    ledger.service().end_tails();
    assert_eq!(
        (stays.end(), paused.end()),
        (TailEnd::Stopping, TailEnd::Stopping)
    );
    let late = Reading::open(&ledger, &admin, &TailRequest::default()).unwrap();
    assert_eq!(late.end(), TailEnd::Stopping);
    ledger.close();
}

#[test]
fn a_tail_outlives_its_service_as_ended() {
    let mut ledger = Ledger::new();
    let reading = Reading::open(&ledger, &ledger.admin(), &TailRequest::default()).unwrap();
    ledger.close();
    assert_eq!(reading.end(), TailEnd::Stopping);
}

#[test]
fn an_expired_event_does_not_come() {
    let ledger = Ledger::new();
    let web = ledger.create_source("web");
    let admin = ledger.admin();
    let keeps = SourceChanges {
        retention_days: Some(Some(1)),
        ..SourceChanges::default()
    };
    ledger
        .service()
        .update_source(&admin, "web", &keeps)
        .unwrap();
    let reading = Reading::open(&ledger, &admin, &tail_of("*", Since::Now)).unwrap();
    let long_ago = r#"{"dt":"2026-03-20T00:00:00Z","message":"old"}"#;
    ledger.send(web.token.reveal(), long_ago).unwrap();
    ledger
        .send(web.token.reveal(), r#"{"message":"new"}"#)
        .unwrap();
    assert_eq!(reading.messages(1), ["new"]);
}

#[test]
fn relative_times_go_on() {
    let ledger = Ledger::new();
    let web = ledger.create_source("web");
    let reading =
        Reading::open(&ledger, &ledger.admin(), &tail_of("dt:>now-1h", Since::Now)).unwrap();
    ledger.advance(HOUR * 5);
    let body = r#"[{"dt":"2026-03-27T11:00:00Z","message":"old"},{"message":"new"}]"#;
    ledger.send(web.token.reveal(), body).unwrap();
    assert_eq!(reading.messages(1), ["new"]);
}

#[test]
fn too_many_tails_are_refused_and_said_so() {
    let ledger = Ledger::new();
    let admin = ledger.admin();
    let open = || Reading::open(&ledger, &admin, &TailRequest::default());
    let mut open_tails: Vec<Reading> = (0..TAILS_PER_TOKEN_MAX).map(|_| open().unwrap()).collect();
    let refused = open().map(drop).unwrap_err();
    assert_eq!(refused.code(), "too_many_tails");
    assert!(refused.retry_after().is_some());
    open_tails.pop();
    open().unwrap();
}

/// Readers of questions of their own that take nothing hold no more than all tails may, and a reader that takes is served.
#[test]
fn readers_that_take_nothing_share_what_they_may_hold() {
    // A sixteenth of it is 4 MiB.
    let ledger = Ledger::with_memory(64 << 20);
    let web = ledger.create_source("web");
    let admin = ledger.admin();
    let away: Vec<Reading> = (0..8)
        .map(|number| {
            let query = format!("NOT message:reader{number}");
            Reading::open(&ledger, &admin, &tail_of(&query, Since::Now)).unwrap()
        })
        .collect();
    let keen = Reading::open(&ledger, &admin, &tail_of("*", Since::Now)).unwrap();
    let mut seen = 0;
    for start in (0..20_000).step_by(500) {
        ledger
            .send(web.token.reveal(), &numbered(start..start + 500))
            .unwrap();
        seen += keen.rows(500).len();
    }
    assert_eq!(seen, 20_000);
    let metrics = ledger.service().metrics_text();
    let held = metrics
        .lines()
        .find_map(|line| line.strip_prefix("cordwood_tail_memory_bytes "));
    assert!(
        held.unwrap().parse::<u64>().unwrap() <= 4 << 20,
        "{metrics}"
    );
    for reading in &away {
        assert!(matches!(reading.next(), TailItem::Dropped(_)));
    }
}
