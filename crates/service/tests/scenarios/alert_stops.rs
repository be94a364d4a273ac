//! An alert looks at all that comes once it was made or changed, whenever the server goes down: before its first check is written, or in the middle of one.

use std::sync::{Arc, Mutex, Weak};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use cordwood_event::Timestamp;
use cordwood_service::{AlertChanges, Clock, Options, Service};

use crate::alerts::{ERROR, MANY_ERRORS, TICK, Watch, rule_of};
use crate::ledger::{HOUR, Ledger, MINUTE};

/// What the trial that kills a server has.
const BURSTS: &str = r#"{"query": "burst:*", "group_by": ["burst"], "window_s": 10, "check_every_s": 10, "recovery_s": 0,
    "condition": {"type": "matches"}}"#;

/// Between two marks, and not at one.
const MOMENT: Duration = Duration::from_millis(200);

fn burst(number: u32) -> String {
    format!(r#""message":"burst {number}","burst":"{number}""#)
}

/// The names of all incidents, over or not.
fn opened(watch: &Watch) -> Vec<String> {
    let incidents = watch.incidents().into_iter();
    incidents.map(|incident| incident.name).collect()
}

/// A watch of a server that has checked alerts for a while.
fn running() -> Watch {
    let watch = Watch::new();
    watch.alert("other", MANY_ERRORS);
    watch.pass(MINUTE * 3);
    watch.ledger.advance(MOMENT);
    watch
}

fn change(ledger: &Ledger, name: &str, changes: &AlertChanges) {
    let admin = ledger.admin();
    ledger
        .service()
        .update_alert(&admin, name, changes)
        .unwrap();
}

#[test]
fn what_came_before_the_first_check_is_told_however_often_the_server_goes_down() {
    for downtime in [Duration::ZERO, MINUTE, HOUR * 5] {
        let mut watch = Watch::new();
        watch.ledger.advance(MOMENT);
        watch.alert("burst", BURSTS);
        for number in 0..3 {
            watch.send(1, &burst(number), Duration::ZERO);
            watch.ledger.advance(Duration::from_secs(3) + downtime);
            watch.ledger.reopen();
        }
        watch.pass(TICK * 2);
        let expected = ["burst: 0", "burst: 1", "burst: 2"];
        assert_eq!(opened(&watch), expected, "down for {downtime:?}");
    }
}

#[test]
fn what_came_after_a_mark_and_before_the_first_check_is_told_after_a_crash() {
    let mut watch = running();
    watch.alert("burst", BURSTS);
    watch.send(1, &burst(1), Duration::ZERO);
    watch.ledger.service().check_alerts().unwrap();
    watch.send(1, &burst(2), Duration::ZERO);
    watch.ledger.advance(TICK);
    watch.ledger.reopen();
    watch.pass(TICK * 2);
    assert_eq!(opened(&watch), ["burst: 1", "burst: 2"]);
}

#[test]
fn what_comes_right_after_an_alert_was_made_is_told_though_a_mark_is_late() {
    for is_first in [true, false] {
        let watch = match is_first {
            true => Watch::new(),
            false => running(),
        };
        // The time of a mark has come, and nobody has taken it yet.
        watch.ledger.advance(TICK);
        watch.alert("burst", BURSTS);
        watch.ledger.advance(MOMENT);
        watch.send(1, &burst(1), Duration::ZERO);
        watch.ledger.advance(MOMENT);
        watch.ledger.service().check_alerts().unwrap();
        watch.pass(TICK * 2);
        assert_eq!(opened(&watch), ["burst: 1"], "first: {is_first}");
    }
}

#[test]
fn a_change_is_remembered_over_a_crash_before_the_next_check() {
    let mut watch = running();
    watch.send(9, ERROR, Duration::ZERO);
    watch.pass(TICK);
    // Asks something else from here on: what came before is no news to it, what comes now is.
    watch.ledger.advance(MOMENT);
    let changes = AlertChanges {
        rule: Some(rule_of(BURSTS)),
        ..AlertChanges::default()
    };
    change(&watch.ledger, "other", &changes);
    watch.send(1, &burst(1), Duration::ZERO);
    watch.ledger.advance(Duration::from_secs(3));
    watch.ledger.reopen();
    watch.ledger.advance(MINUTE);
    watch.pass(TICK * 2);
    assert_eq!(opened(&watch), ["other: 1"]);
}

#[test]
fn what_came_before_an_alert_was_made_or_went_on_is_no_news_after_a_crash() {
    for is_checked in [false, true] {
        let mut watch = running();
        watch.send(1, &burst(1), Duration::ZERO);
        watch.pass(TICK * 3);
        watch.alert("burst", BURSTS);
        if is_checked {
            watch.pass(TICK * 2);
        }
        let paused = |is_paused| AlertChanges {
            is_paused: Some(is_paused),
            ..AlertChanges::default()
        };
        change(&watch.ledger, "burst", &paused(true));
        watch.send(1, &burst(2), Duration::ZERO);
        watch.pass(HOUR);
        change(&watch.ledger, "burst", &paused(false));
        watch.ledger.advance(Duration::from_secs(3));
        watch.ledger.reopen();
        watch.send(1, &burst(3), Duration::ZERO);
        watch.pass(TICK * 2);
        assert_eq!(opened(&watch), ["burst: 3"], "checked: {is_checked}");
    }
}

/// A clock that closes a service when its thread looks at the time for a deadline, as a check does that is about to ask.
#[derive(Debug)]
struct ClosingClock {
    now: Timestamp,
    closes: Mutex<Option<(ThreadId, Weak<Service>)>>,
}

impl Clock for ClosingClock {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn instant(&self) -> Instant {
        let mut closes = self.closes.lock().unwrap();
        let service = closes.take_if(|(thread, _)| *thread == thread::current().id());
        drop(closes);
        if let Some(service) = service.and_then(|(_, service)| service.upgrade()) {
            service.close().unwrap();
        }
        Instant::now()
    }
}

#[test]
fn a_check_that_is_broken_off_is_made_when_the_server_is_back() {
    let mut watch = running();
    watch.alert("burst", BURSTS);
    watch.pass(TICK * 2);
    watch.send(1, &burst(1), Duration::ZERO);
    watch.ledger.advance(TICK);
    watch.ledger.close();
    let clock = Arc::new(ClosingClock {
        now: watch.ledger.now(),
        closes: Mutex::new(None),
    });
    let options = Options {
        clock: clock.clone(),
        ..watch.ledger.options()
    };
    let service = Arc::new(Service::open(options).unwrap());
    *clock.closes.lock().unwrap() = Some((thread::current().id(), Arc::downgrade(&service)));
    let round = service.check_alerts().unwrap();
    assert!(clock.closes.lock().unwrap().is_none(), "it was not closed");
    assert!(round.failed > 0, "no check was broken off: {round:?}");
    drop(service);
    watch.ledger.reopen();
    watch.pass(TICK);
    assert_eq!(opened(&watch), ["burst: 1"]);
}
