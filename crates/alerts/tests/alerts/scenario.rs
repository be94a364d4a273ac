//! Scenario files: a rule, what checks read, and what is to happen.
//!
//! `rule` and JSON up to an empty line begin a file. Then there is a line for each check, `hours:minutes what`, or for a row of checks as
//! `check_every_s` has them, `from-to what`. What is read is one of
//!
//! - `none`, nothing; `failed why`; `partly …`, readings of a window that was not listened to as a whole;
//! - readings such as `web-1=3 web-2=9,100`, values with those of further conditions behind a comma; `=3` where there are no groups;
//!   `9~10±2` what is to be expected and by how much it varies, with `@40` the events there were; `-` for no value, quotes around text;
//! - `restart`, `resolve #1`, `retire web-1`, `edit`; `roster web-1@hours:minutes` who was heard from before (hours may be negative).
//!
//! Lines that begin with `>` say what happens, and when. Whatever a scenario says must also hold when the state is written and read between any two checks, and
//! in a back-test over its checks.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cordwood_alerts::{
    BackTest, CheckedRule, Closed, Condition, Effect, Group, Heard, Observation, Opened, Outcome,
    Reading, Reference, Rule, RuleState, Telling, Value, Window, back_test, step,
};
use cordwood_event::Timestamp;

const MINUTE: i64 = 60_000_000_000;

/// 2026-03-01T00:00:00Z, when every scenario begins.
const START: i64 = 1_772_323_200_000_000_000;

#[derive(Debug)]
pub(crate) struct Scenario {
    rule: CheckedRule,
    /// The name of the field that groups have in readings.
    field: Option<String>,
    lines: Vec<(Timestamp, Line)>,
    pub(crate) expected: String,
}

#[derive(Clone, Debug)]
enum Line {
    Check(Observation),
    Restart,
    Resolve(u64),
    Retire(Group),
    ListenAnew,
    Roster(Vec<(Group, Timestamp)>),
}

impl Scenario {
    pub(crate) fn parse(text: &str) -> Scenario {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        let (rule, lines) = text.split_once("\n\n").unwrap();
        let rule: Rule = serde_json::from_str(rule.trim().strip_prefix("rule").unwrap()).unwrap();
        let rule = rule
            .check()
            .unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
        let field = match rule.rule().condition {
            Condition::NewPattern(_) => Some("pattern".to_owned()),
            _ => rule
                .group_by()
                .first()
                .map(|field| field.as_str().to_owned()),
        };
        let mut scenario = Scenario {
            rule,
            field,
            lines: Vec::new(),
            expected: String::new(),
        };
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.strip_prefix("> ") {
                Some(effect) => writeln!(scenario.expected, "{effect}").unwrap(),
                None => scenario.read(line),
            }
        }
        scenario
    }

    fn read(&mut self, line: &str) {
        let (when, what) = line.split_once(' ').unwrap();
        let (from, to) = when.split_once('-').unwrap_or((when, when));
        let (mut at, to) = (time(from), time(to));
        let every = i64::from(self.rule.rule().check_every_s) * 1_000_000_000;
        while at <= to {
            let line = self.line(at, what.trim());
            self.lines.push((at, line));
            at = Timestamp::from_nanos(at.as_nanos() + every);
        }
    }

    fn line(&self, at: Timestamp, what: &str) -> Line {
        let (word, rest) = what.split_once(' ').unwrap_or((what, ""));
        match word {
            "restart" => Line::Restart,
            "resolve" => Line::Resolve(rest.trim_start_matches('#').parse().unwrap()),
            "retire" => Line::Retire(self.group(rest)),
            "edit" => Line::ListenAnew,
            "roster" => Line::Roster(rest.split(' ').map(|member| self.member(member)).collect()),
            "failed" => self.check(at, Outcome::Failed(rest.to_owned())),
            "partly" => self.check(at, self.seen(rest, Heard::Partly("was down".to_owned()))),
            _ => self.check(at, self.seen(what, Heard::All)),
        }
    }

    fn check(&self, at: Timestamp, outcome: Outcome) -> Line {
        let window = Window::ending(at, self.rule.rule().window_s);
        Line::Check(Observation { window, outcome })
    }

    fn member(&self, member: &str) -> (Group, Timestamp) {
        let (name, heard) = member.split_once('@').unwrap();
        (self.group(name), time(heard))
    }

    fn seen(&self, readings: &str, heard: Heard) -> Outcome {
        let readings = readings
            .split(' ')
            .filter(|reading| !matches!(*reading, "none" | ""));
        let readings = readings.map(|reading| {
            let (name, reading) = reading.split_once('=').unwrap();
            (self.group(name), read_reading(reading, name))
        });
        Outcome::Seen {
            readings: readings.collect(),
            heard,
        }
    }

    fn group(&self, name: &str) -> Group {
        match &self.field {
            Some(field) => Group::new(vec![(field.clone(), Some(name.to_owned()))]),
            None => Group::whole(),
        }
    }

    /// What happens, a line each. `write` is what is done with the state between two checks.
    pub(crate) fn transcript(&self, write: fn(RuleState) -> RuleState) -> String {
        let mut state = RuleState::new(Timestamp::from_nanos(START));
        let mut transcript = String::new();
        for (at, line) in &self.lines {
            state = write(state);
            let effects = match line {
                Line::Check(observation) => {
                    let (next, effects) = step(&self.rule, &state, observation, *at);
                    state = next;
                    effects
                }
                Line::Restart => {
                    state = written(state);
                    Vec::new()
                }
                Line::Resolve(episode) => {
                    state.resolve_by_hand(*episode, *at);
                    Vec::new()
                }
                Line::Retire(group) => state.retire(group, *at).into_iter().collect(),
                Line::ListenAnew => {
                    state.listen_anew(*at);
                    Vec::new()
                }
                Line::Roster(members) => {
                    state.fill_roster(members.iter().cloned());
                    Vec::new()
                }
            };
            for effect in effects {
                writeln!(transcript, "{} {}", shown(*at), self.told(&effect, *at)).unwrap();
            }
        }
        transcript
    }

    /// A back-test of the checks, if there is nothing else in the scenario.
    pub(crate) fn back_test(&self) -> Option<BackTest> {
        let checks = self.lines.iter().map(|(_, line)| match line {
            Line::Check(observation) => Some(observation.clone()),
            Line::Restart
            | Line::Resolve(_)
            | Line::Retire(_)
            | Line::ListenAnew
            | Line::Roster(_) => None,
        });
        let checks: Option<Vec<Observation>> = checks.collect();
        let beginning = RuleState::new(Timestamp::from_nanos(START));
        Some(back_test(&self.rule, beginning, checks?))
    }

    fn told(&self, effect: &Effect, at: Timestamp) -> String {
        match effect {
            Effect::Opened(opened) => format!("opened {}", self.opened(opened, at)),
            Effect::Joined(opened) => format!("joined {}", self.opened(opened, at)),
            Effect::Left(closed) => format!("left {}", told_closed(closed)),
            Effect::Recovered(closed) => format!("recovered {}", told_closed(closed)),
            Effect::Failing { reason, since } => {
                format!("failing since {}: {reason}", shown(*since))
            }
            Effect::Working { since } => format!("working, failed since {}", shown(*since)),
        }
    }

    fn opened(&self, opened: &Opened, at: Timestamp) -> String {
        let cause = self.rule.cause(&Telling {
            rule_name: "the rule",
            group: &opened.group,
            reading: &opened.reading,
            since: opened.since,
            at,
        });
        format!(
            "{} since {}: {cause}",
            numbered(&opened.group, opened.episode),
            shown(opened.since)
        )
    }
}

/// The state as it is when it was written and read.
pub(crate) fn written(state: RuleState) -> RuleState {
    let json = serde_json::to_string(&state).unwrap();
    serde_json::from_str(&json).unwrap()
}

fn told_closed(closed: &Closed) -> String {
    let numbered = numbered(&closed.group, closed.episode);
    format!(
        "{numbered} since {} until {}",
        shown(closed.since),
        shown(closed.until)
    )
}

fn numbered(group: &Group, episode: u64) -> String {
    match group.name().as_str() {
        "" => format!("#{episode}"),
        name => format!("#{episode} {name}"),
    }
}

fn read_reading(text: &str, name: &str) -> Reading {
    let (text, events) = match text.split_once('@') {
        Some((text, events)) => (text, Some(events.parse().unwrap())),
        None => (text, None),
    };
    let (values, reference) = match text.split_once('~') {
        Some((values, reference)) => (values, Some(read_reference(reference, events))),
        None => (text, None),
    };
    let mut values = values.split(',').map(value);
    Reading {
        value: values.next().unwrap(),
        further: values.collect(),
        events,
        reference,
        text: Some(format!("{name} took <*>")),
        ..Reading::default()
    }
}

fn read_reference(text: &str, events: Option<f64>) -> Reference {
    let (center, spread) = text.split_once('±').unwrap_or((text, "0"));
    Reference {
        center: center.parse().unwrap(),
        spread: spread.parse().unwrap(),
        events: events.unwrap_or_default(),
    }
}

fn value(text: &str) -> Option<Value> {
    match text.strip_prefix('"') {
        _ if text == "-" => None,
        Some(text) => Some(Value::Text(text.trim_end_matches('"').to_owned())),
        None => Some(Value::Number(text.parse().unwrap())),
    }
}

fn time(text: &str) -> Timestamp {
    let (hours, minutes) = text.split_once(':').unwrap();
    let (minutes, seconds) = minutes.split_once(':').unwrap_or((minutes, "0"));
    let hours: i64 = hours.replace('−', "-").parse().unwrap();
    let (minutes, seconds): (i64, i64) = (minutes.parse().unwrap(), seconds.parse().unwrap());
    Timestamp::from_nanos(START + (hours * 60 + minutes) * MINUTE + seconds * (MINUTE / 60))
}

fn shown(time: Timestamp) -> String {
    let seconds = (time.as_nanos() - START) / (MINUTE / 60);
    let (hours, minutes, seconds) = (
        seconds.div_euclid(3_600),
        seconds.rem_euclid(3_600) / 60,
        seconds.rem_euclid(60),
    );
    match seconds {
        0 => format!("{hours}:{minutes:02}"),
        seconds => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// What each opening of a back-test says, for comparing it with effects.
pub(crate) fn openings(back_test: &BackTest) -> BTreeMap<String, u32> {
    let mut openings = BTreeMap::new();
    for episode in &back_test.episodes {
        let numbered = numbered(&episode.group, episode.episode);
        *openings
            .entry(format!("{} {numbered}", shown(episode.opened_at)))
            .or_default() += 1;
    }
    openings
}
