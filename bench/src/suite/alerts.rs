//! Many alerts checked all the time on a server that has the corpus, while events come in: what that costs, and whether checks are in time.

mod rules;

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use cordwood_harness::{Api, Sending, Server};

use super::questions::Stage;
use crate::load::{self, Body};
use crate::process;

pub(crate) use self::rules::MIX;

/// Events of a batch, and how often one comes: 1000 a second.
const BATCH_EVENTS: usize = 100;
const BATCH_INTERVAL: Duration = Duration::from_millis(100);
/// Different batches; then they begin anew.
const BATCHES: usize = 3000;
/// Each event says first when it was, which is long ago; without that it is of when it comes.
const TIME_BYTES: usize = r#""dt":"2026-06-10T00:00:00.110Z","#.len();
/// How often it is looked how late checks are.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How many alerts there are, and how long it is looked at them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub(super) alerts: usize,
    pub(super) check_every_s: u32,
    /// How many times each is checked while it is measured.
    pub(super) periods: u32,
}

impl Extent {
    pub(super) const WHOLE: Extent = Extent {
        alerts: 5000,
        check_every_s: 60,
        periods: 2,
    };
    /// Whether it runs.
    pub(super) const SMOKE: Extent = Extent {
        alerts: 50,
        check_every_s: 10,
        periods: 1,
    };

    fn period(self) -> Duration {
        Duration::from_secs(self.check_every_s.into())
    }
}

/// What checking alerts took.
#[derive(Clone, Debug)]
pub(crate) struct Alerting {
    pub(crate) alerts: usize,
    pub(crate) check_every_s: u32,
    /// How long making them took, one after the other.
    pub(crate) created: Duration,
    /// Events a second that came in meanwhile.
    pub(crate) events_per_second: f64,
    /// Cores that the server used before there were any.
    pub(crate) cores_without: f64,
    /// Cores that it used with them.
    pub(crate) cores_with: f64,
    /// For how long each of the two was measured.
    pub(crate) elapsed: Duration,
    pub(crate) checks: f64,
    pub(crate) failed: f64,
    /// Questions that the checks asked.
    pub(crate) questions: f64,
    /// How late checks were on average, and the latest.
    pub(crate) lateness_mean_ms: f64,
    pub(crate) lateness_max_ms: f64,
    pub(crate) incidents: f64,
}

impl Alerting {
    /// Cores that checking took.
    pub(crate) fn cores(&self) -> f64 {
        self.cores_with - self.cores_without
    }

    /// What is wrong: a check that failed tells nothing, and one that was left out costs nothing.
    pub(crate) fn fault(&self) -> Option<String> {
        let periods = (self.elapsed.as_secs_f64() / f64::from(self.check_every_s)).floor();
        let expected = self.alerts as f64 * periods;
        if self.failed > 0.0 {
            return Some(format!("{} checks failed", self.failed));
        }
        // A round on its way when it was looked first or last is counted or not.
        (self.checks < 0.8 * expected)
            .then(|| format!("{} checks of {expected} were made", self.checks))
    }
}

/// What the server has counted by some time.
#[derive(Clone, Copy, Debug)]
struct Counted {
    processor_seconds: f64,
    checks: f64,
    failed: f64,
    questions: f64,
    lateness_ms: f64,
    incidents: f64,
}

pub(super) fn measure(
    stage: &Stage<'_>,
    corpus: &Path,
    extent: Extent,
) -> anyhow::Result<Alerting> {
    let batches = batches(corpus)?;
    let server = Server::start(&stage.options)?;
    let api = server.api();
    let is_over = AtomicBool::new(false);
    let (measured, sent) = thread::scope(|scope| {
        let sender = scope.spawn(|| send(&batches, stage, &server.api(), &is_over));
        let measured = watch(&server, &api, extent);
        is_over.store(true, Ordering::Relaxed);
        (measured, sender.join().expect("sending does not panic"))
    });
    let (sent, measured) = (sent?, measured?);
    server.stop()?;
    Ok(Alerting {
        events_per_second: sent,
        ..measured
    })
}

/// Measures without alerts, makes them, lets each be checked once, and measures with them.
fn watch(server: &Server, api: &Api, extent: Extent) -> anyhow::Result<Alerting> {
    let time = extent.period() * extent.periods;
    // What a server does once it is started is over.
    look_on(api, extent.period())?;
    let before = Counted::now(server, api)?;
    look_on(api, time)?;
    let without = Counted::now(server, api)?.since(before);
    let started = Instant::now();
    for number in 0..extent.alerts {
        let alert = rules::alert(number, extent.check_every_s);
        api.post("/api/v1/alerts", &alert)
            .with_context(|| format!("the alert {alert}"))?;
    }
    let created = started.elapsed();
    look_on(api, extent.period() + extent.period() / 2)?;
    let before = Counted::now(server, api)?;
    let lateness_max_ms = look_on(api, time)?;
    let with = Counted::now(server, api)?.since(before);
    Ok(Alerting {
        alerts: extent.alerts,
        check_every_s: extent.check_every_s,
        created,
        events_per_second: 0.0,
        cores_without: without.processor_seconds / time.as_secs_f64(),
        cores_with: with.processor_seconds / time.as_secs_f64(),
        elapsed: time,
        checks: with.checks,
        failed: with.failed,
        questions: with.questions,
        lateness_mean_ms: with.lateness_ms / with.checks.max(1.0),
        lateness_max_ms,
        incidents: with.incidents,
    })
}

/// Lets time pass. How late the latest check was meanwhile, in milliseconds.
fn look_on(api: &Api, time: Duration) -> anyhow::Result<f64> {
    let started = Instant::now();
    let mut latest = 0f64;
    while started.elapsed() < time {
        thread::sleep(LOOK_EVERY.min(time.saturating_sub(started.elapsed())));
        latest = latest.max(api.metric("cordwood_alert_lateness_last_ms")?);
    }
    Ok(latest)
}

impl Counted {
    fn now(server: &Server, api: &Api) -> anyhow::Result<Counted> {
        Ok(Counted {
            processor_seconds: process::processor_seconds(server.id())?,
            checks: api.metric("cordwood_alert_checks_total")?,
            failed: api.metric("cordwood_alert_checks_failed_total")?,
            questions: api.metric("cordwood_alert_questions_total")?,
            lateness_ms: api.metric("cordwood_alert_lateness_ms_total")?,
            incidents: api.metric("cordwood_alert_incidents_total")?,
        })
    }

    fn since(self, before: Counted) -> Counted {
        Counted {
            processor_seconds: self.processor_seconds - before.processor_seconds,
            checks: self.checks - before.checks,
            failed: self.failed - before.failed,
            questions: self.questions - before.questions,
            lateness_ms: self.lateness_ms - before.lateness_ms,
            incidents: self.incidents - before.incidents,
        }
    }
}

/// Sends a batch whenever one is due, until it is over; events a second that came.
fn send(
    batches: &[Body],
    stage: &Stage<'_>,
    api: &Api,
    is_over: &AtomicBool,
) -> anyhow::Result<f64> {
    let sending = Sending {
        source_token: &stage.source.token,
        content_encoding: None,
        batch_key: None,
    };
    let started = Instant::now();
    let mut sent: u32 = 0;
    for batch in batches.iter().cycle() {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        thread::sleep((BATCH_INTERVAL * sent).saturating_sub(started.elapsed()));
        load::send_body(batch, &sending, api)?;
        sent += 1;
    }
    Ok(f64::from(sent) * BATCH_EVENTS as f64 / started.elapsed().as_secs_f64())
}

/// The corpus from its beginning, in batches of events that do not say when they were.
fn batches(corpus: &Path) -> anyhow::Result<Vec<Body>> {
    let file = File::open(corpus).with_context(|| format!("open {}", corpus.display()))?;
    let mut lines = BufReader::with_capacity(1 << 20, file).lines();
    let mut batches = Vec::new();
    while batches.len() < BATCHES {
        let mut body = Vec::new();
        for line in lines.by_ref().take(BATCH_EVENTS) {
            body.extend(without_time(&line?)?.bytes());
            body.push(b'\n');
        }
        if body.is_empty() {
            break;
        }
        batches.push(Body {
            raw_bytes: body.len() as u64,
            on_wire: body,
        });
    }
    ensure!(!batches.is_empty(), "the corpus is empty");
    Ok(batches)
}

fn without_time(line: &str) -> anyhow::Result<String> {
    let rest = line
        .strip_prefix(r#"{"dt":"#)
        .and_then(|_| line.get(1 + TIME_BYTES..))
        .with_context(|| format!("an event that does not say first when it was: {line}"))?;
    Ok(format!("{{{rest}"))
}

#[cfg(test)]
mod tests {
    use super::without_time;

    #[test]
    fn an_event_without_its_time_is_one() {
        let line = r#"{"dt":"2026-06-10T00:00:00.110Z","level":"info","message":"hi"}"#;
        let expected = r#"{"level":"info","message":"hi"}"#;
        assert_eq!(without_time(line).expect("it has a time"), expected);
        assert!(without_time(r#"{"level":"info"}"#).is_err());
    }
}
