//! Alerts that hold a window against earlier ones: the same time yesterday, last week, or on all days before. Days of history are sent at once, and hours
//! pass in milliseconds.

use std::fmt::Write;
use std::time::Duration;

use crate::alerts::{TICK, Watch};
use crate::ledger::{HOUR, MINUTE};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const HALF_HOUR: Duration = Duration::from_secs(30 * 60);
const ORDER: &str = r#""level":"info","message":"order placed","host":"web-1""#;

/// Sends what happened on an earlier day: so many events every ten seconds, by how long after the time of day it is now.
fn send_day(watch: &Watch, days_ago: u32, fields: &str, per_tick: impl Fn(Duration) -> usize) {
    let now = watch.ledger.now().as_nanos() / 1_000_000;
    let begin = now - i64::try_from((DAY * days_ago).as_millis()).unwrap();
    let mut body = String::from("[");
    // An hour before too, so that the first window is whole.
    for tick in -360i64..720 {
        let after = Duration::from_secs(u64::try_from(tick.max(0)).unwrap() * TICK.as_secs());
        for number in 0..per_tick(after) {
            let dt = begin + tick * 10_000 + i64::try_from(number).unwrap() + 1;
            let comma = if body.len() > 1 { "," } else { "" };
            write!(body, "{comma}{{\"dt\":{dt},{fields}}}").unwrap();
        }
    }
    body.push(']');
    watch.ledger.send(&watch.token, &body).unwrap();
}

/// Lets time pass, with so many events every ten seconds.
fn pass_sending(watch: &Watch, time: Duration, per_tick: usize) {
    watch.pass_with(time, |watch| {
        watch.send(per_tick, ORDER, Duration::ZERO);
    });
}

fn relative(against: &str) -> String {
    format!(
        r#"{{"query": "*", "window_s": 600, "check_every_s": 60, "recovery_s": 60, "condition":
            {{"type": "relative", "operator": "increases_by", "by_percent": 100, "against": "{against}"}}}}"#
    )
}

fn check_relative(against: &str, days_ago: u32) {
    let watch = Watch::new();
    // Whatever it was on other days.
    send_day(&watch, days_ago + 1, ORDER, |_| 9);
    send_day(&watch, days_ago, ORDER, |_| 2);
    watch.alert("more", &relative(against));
    pass_sending(&watch, HALF_HOUR, 3);
    assert_eq!(
        watch.told(),
        [""; 0],
        "half as much more is not twice as much"
    );
    pass_sending(&watch, HALF_HOUR, 5);
    assert_eq!(watch.told(), ["more"]);
    let cause = watch.incidents().remove(0).cause;
    assert!(cause.contains("from 120"), "{cause}");
    pass_sending(&watch, HALF_HOUR, 2);
    assert_eq!(watch.told(), ["more ✓"]);
}

#[test]
fn the_same_time_yesterday() {
    check_relative("yesterday", 1);
}

#[test]
fn the_same_time_last_week() {
    check_relative("last_week", 7);
}

#[test]
fn fewer_than_yesterday_and_nothing_at_all() {
    let watch = Watch::new();
    send_day(&watch, 1, ORDER, |_| 4);
    let fewer = relative("yesterday")
        .replace("increases_by", "decreases_by")
        .replace("100", "60");
    watch.alert("fewer", &fewer);
    pass_sending(&watch, HALF_HOUR, 3);
    assert_eq!(watch.told(), [""; 0]);
    pass_sending(&watch, HALF_HOUR, 0);
    assert_eq!(watch.told(), ["fewer"]);
}

#[test]
fn what_was_not_kept_or_not_sent_yet_is_no_comparison() {
    let watch = Watch::new();
    watch.alert("more than yesterday", &relative("yesterday"));
    watch.alert("more than last week", &relative("last_week"));
    watch.alert(
        "unusual",
        r#"{"query": "*", "group_by": ["host"], "window_s": 600, "check_every_s": 60, "condition": {"type": "anomaly", "sensitivity": 0}}"#,
    );
    pass_sending(&watch, HOUR, 1);
    pass_sending(&watch, HOUR, 50);
    assert_eq!(watch.told(), [""; 0], "nothing fires from a cold start");
    let status = watch.shown("unusual").status;
    assert_eq!((status.is_firing, status.failing), (Some(false), None));
}

#[test]
fn a_seasonal_baseline_knows_the_time_of_day() {
    let watch = Watch::new();
    let season = |after: Duration| {
        if (HALF_HOUR..HOUR).contains(&after) {
            8
        } else {
            2
        }
    };
    for day in 1..=7 {
        send_day(&watch, day, ORDER, season);
    }
    watch.alert(
        "unusual",
        r#"{"query": "*", "window_s": 600, "check_every_s": 60, "recovery_s": 60, "condition": {"type": "anomaly", "training_days": 7}}"#,
    );
    pass_sending(&watch, HALF_HOUR, 2);
    pass_sending(&watch, HALF_HOUR, 8);
    assert_eq!(watch.told(), [""; 0], "four times as much, as on any day");
    pass_sending(&watch, HALF_HOUR, 8);
    assert_eq!(watch.told(), ["unusual"]);
    let cause = watch.incidents().remove(0).cause;
    assert!(cause.contains("usually"), "{cause}");
    pass_sending(&watch, MINUTE * 20, 2);
    assert_eq!(watch.told(), ["unusual ✓"]);
}

#[test]
fn a_group_without_a_history_is_not_unusual() {
    let watch = Watch::new();
    for day in 1..=7 {
        send_day(&watch, day, ORDER, |_| 2);
    }
    watch.alert(
        "unusual",
        r#"{"query": "*", "group_by": ["host"], "window_s": 600, "check_every_s": 60, "recovery_s": 60,
            "condition": {"type": "anomaly", "training_days": 7}}"#,
    );
    let new = ORDER.replace("web-1", "web-2");
    watch.pass_with(HALF_HOUR, |watch| {
        watch.send(2, ORDER, Duration::ZERO);
        watch.send(20, &new, Duration::ZERO);
    });
    assert_eq!(watch.told(), [""; 0]);
    // One that has a history is judged all the same.
    watch.pass_with(HALF_HOUR, |watch| {
        watch.send(9, ORDER, Duration::ZERO);
        watch.send(20, &new, Duration::ZERO);
    });
    assert_eq!(watch.told(), ["unusual: web-1"]);
}
