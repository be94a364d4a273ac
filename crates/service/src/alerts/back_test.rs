//! What a rule would have done: its questions over the past, and the machine that evaluates it live.
//!
//! Nobody knows when events of the past arrived, so that windows are of the times of the events. Where the steps of a window add up, a day
//! is asked at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cordwood_alerts::{
    BackTest, Group, Heard, Observation, Outcome, Reading, RuleState, Tally, Window, back_test,
};
use cordwood_catalog as catalog;
use cordwood_event::{Event, Timestamp};

use super::alert::AlertChanges;
use super::arrivals::Arrivals;
use super::asking::{Asking, Span};
use super::groups::filter_of;
use super::refusals::Refusals;
use super::rules::{checked, invalid};
use super::watched::Watched;
use crate::{Access, Caller, Cancel, ClientId, Error, Service};

/// Days that a back-test looks at at most.
const DAYS_MAX: u32 = 30;

/// Days unless asked otherwise.
const DAYS_DEFAULT: u32 = 7;

/// Episodes that are shown with events: the first, and enough to see whether they are what was meant.
const EPISODES_SHOWN: usize = 20;

/// Events that show an episode.
const EVENTS_SHOWN: usize = 3;

/// How long it may take unless asked otherwise; what was not looked at by then is said.
const TIME_DEFAULT: Duration = Duration::from_secs(30);

/// How long it may take at most.
const TIME_MAX: Duration = Duration::from_secs(600);

/// Nanoseconds that are asked for at once.
const DAY_NANOS: i64 = 86_400_000_000_000;

/// What to test.
#[derive(Clone, Debug, Default)]
pub struct BackTestRequest {
    /// The alert that is there already, by id or name; `None` for one that is not.
    pub alert: Option<String>,
    /// What it is to be, or how it is to be changed.
    pub changes: AlertChanges,
    /// Whose it is, of one that is not there.
    pub client: Option<ClientId>,
    /// Over how many days up to now, from 1 to 30; 7 when `None`.
    pub days: Option<u32>,
    /// How long it may take.
    pub deadline: Option<Duration>,
}

/// What would have been.
#[derive(Clone, Debug)]
pub struct BackTestAnswer {
    /// When it would have fired.
    pub outcome: BackTest,
    /// Events that show the first episodes, in their order.
    pub events: Vec<Vec<(Event, String)>>,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
    /// Whether all of it was looked at.
    pub complete: bool,
    /// Why not, if not.
    pub incomplete_reason: Option<String>,
    /// How many questions that took.
    pub questions: u64,
    /// How long it took.
    pub elapsed: Duration,
}

impl Service {
    /// When a rule would have fired in the last days, by the code that checks it.
    pub fn back_test(
        &self,
        caller: &Caller,
        request: &BackTestRequest,
        cancel: &Cancel,
    ) -> Result<BackTestAnswer, Error> {
        caller.require(Access::Read)?;
        let record = self.rule_to_test(caller, request)?;
        let days = request.days.unwrap_or(DAYS_DEFAULT);
        if !(1..=DAYS_MAX).contains(&days) {
            return Err(invalid("days", format!("have to be 1 to {DAYS_MAX}")));
        }
        let started = self.options.clock.instant();
        let time = request.deadline.unwrap_or(TIME_DEFAULT).min(TIME_MAX);
        let (arrivals, refusals) = (Arrivals::default(), Refusals::default());
        let asking = Asking::new(self, (&arrivals, &refusals), cancel);
        let mut past = Past::new(self, asking, record, days)?;
        past.give_up_at = started.checked_add(time);
        let outcome = past.run();
        if cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let events = past.events_of(&outcome);
        let clock = &self.options.clock;
        Ok(BackTestAnswer {
            outcome,
            events,
            from: past.from,
            to: past.reached,
            complete: past.reached >= past.to,
            incomplete_reason: (past.reached < past.to).then(|| {
                format!(
                    "it took longer than {} s, and what is behind {} was not looked at",
                    time.as_secs(),
                    past.reached
                )
            }),
            questions: past.asking.asked,
            elapsed: clock.instant().saturating_duration_since(started),
        })
    }

    /// The rule as it is, or as it would be.
    fn rule_to_test(
        &self,
        caller: &Caller,
        request: &BackTestRequest,
    ) -> Result<catalog::Rule, Error> {
        let known = match &request.alert {
            Some(name) => Some(self.find_rule(caller, name)?),
            None => None,
        };
        let client = match &known {
            Some(known) => known.client,
            None => self.client_meant(caller, request.client)?,
        };
        let mut changes = request.changes.clone();
        // A rule may be tested before it has a name.
        if known.is_none() {
            changes.name.get_or_insert_with(|| "this alert".to_owned());
        }
        let content = known.as_ref().map(|known| &known.content);
        let now = self.now();
        Ok(catalog::Rule {
            id: known.as_ref().map_or(catalog::RuleId(0), |known| known.id),
            client,
            content: self.changed_rule(caller, client, content, &changes)?,
            created_by: None,
            created_at: now,
            updated_at: now,
            resumed_at: None,
        })
    }
}

/// A rule over a stretch of the past.
struct Past<'a> {
    service: &'a Service,
    asking: Asking<'a>,
    watched: Watched,
    sources: Vec<Arc<catalog::Source>>,
    from: Timestamp,
    to: Timestamp,
    /// Until when it was looked at.
    reached: Timestamp,
    give_up_at: Option<std::time::Instant>,
    /// What was found in the steps of the day that is looked at, and where that ends.
    steps: BTreeMap<Timestamp, BTreeMap<Group, Tally>>,
    steps_until: Timestamp,
    /// Queries for the events of patterns, where these are the groups.
    of_patterns: BTreeMap<Group, String>,
}

impl<'a> Past<'a> {
    fn new(
        service: &'a Service,
        asking: Asking<'a>,
        record: catalog::Rule,
        days: u32,
    ) -> Result<Past<'a>, Error> {
        let rule = checked(&record.content.rule)?;
        let sources = service.sources_of_rule(&record);
        let every = i64::from(rule.rule().check_every_s) * 1_000_000_000;
        let to = service.now().as_nanos().div_euclid(every) * every;
        let to = Timestamp::from_nanos(to);
        let from = Timestamp::from_nanos(to.as_nanos() - i64::from(days) * DAY_NANOS);
        let mut watched = Watched::new(Arc::new(record), None, from)?;
        watched.state = RuleState::new(from);
        Ok(Past {
            service,
            asking,
            watched,
            sources,
            from,
            to,
            reached: from,
            give_up_at: None,
            steps: BTreeMap::new(),
            steps_until: Timestamp::MIN,
            of_patterns: BTreeMap::new(),
        })
    }

    fn run(&mut self) -> BackTest {
        let recalled = self.asking.recall_members(&mut self.watched, &self.sources);
        let rule = self.watched.rule.clone();
        let beginning = self.watched.state.clone();
        let every = i64::from(rule.rule().check_every_s) * 1_000_000_000;
        let mut end = self.from;
        let observations = std::iter::from_fn(|| {
            end = Timestamp::from_nanos(end.as_nanos() + every);
            if end > self.to || self.is_out_of_time() {
                return None;
            }
            let window = Window::ending(end, rule.rule().window_s);
            let readings = match &recalled {
                Ok(()) => self.readings(window),
                Err(reason) => Err(reason.clone()),
            };
            self.reached = end;
            Some(Observation {
                window,
                outcome: match readings {
                    Ok(readings) => Outcome::Seen {
                        readings,
                        heard: self.heard(window),
                    },
                    Err(reason) => Outcome::Failed(reason),
                },
            })
        });
        back_test(&rule, beginning, observations)
    }

    fn is_out_of_time(&self) -> bool {
        let now = self.service.options.clock.instant();
        self.asking.is_cancelled() || self.give_up_at.is_some_and(|at| now >= at)
    }

    /// Of what is not kept any more, or was not there yet, few events are no news.
    fn heard(&self, window: Window) -> Heard {
        match self.asking.is_kept(&self.sources, window) {
            true => Heard::All,
            false => Heard::Partly("there are no events of that time".to_owned()),
        }
    }

    fn readings(&mut self, window: Window) -> Result<BTreeMap<Group, Reading>, String> {
        if self.watched.rule.question_in_steps().is_none() {
            let span = Span::Happened(window);
            let (readings, of_patterns) = self.asking.see(&self.watched, &self.sources, span)?;
            self.of_patterns.extend(of_patterns);
            // Nothing that was asked will be asked again.
            self.asking.forget();
            return Ok(readings);
        }
        let mut readings = self.readings_of_steps(window)?;
        let rule = self.watched.rule.clone();
        let mut earlier = Vec::new();
        for reference in rule.references(window) {
            let is_known = self.asking.is_kept(&self.sources, reference);
            earlier.push(match is_known {
                true => Some(self.readings_of_steps(reference)?),
                false => None,
            });
        }
        rule.hold_against(&mut readings, &earlier);
        Ok(readings)
    }

    /// The readings of a window out of its steps.
    fn readings_of_steps(&mut self, window: Window) -> Result<BTreeMap<Group, Reading>, String> {
        self.read_steps(window)?;
        let rule = &self.watched.rule;
        let mut tallies: BTreeMap<Group, Tally> = BTreeMap::new();
        for groups in self
            .steps
            .range(window.start..window.end)
            .map(|(_, groups)| groups)
        {
            for (group, tally) in groups {
                let sum = tallies.entry(group.clone()).or_default();
                rule.add_up(sum, tally);
            }
        }
        Ok(rule.readings(&tallies, window))
    }

    /// Reads the steps of a window, with those of the day behind it. Steps are kept as far back as windows are held against.
    fn read_steps(&mut self, window: Window) -> Result<(), String> {
        let Some(question) = self.watched.rule.question_in_steps() else {
            return Ok(());
        };
        if self.steps_until == Timestamp::MIN {
            let windows = self.watched.rule.references(window);
            let starts = windows.iter().map(|window| window.start);
            self.steps_until = starts.fold(window.start, Timestamp::min);
        }
        while self.steps_until < window.end && !self.is_out_of_time() {
            let start = self.steps_until;
            let end = Timestamp::from_nanos(start.as_nanos().saturating_add(DAY_NANOS));
            let span = Span::Happened(Window { start, end });
            let answered = self.asking.ask(&question, &self.sources, span)?;
            self.steps.extend(answered.steps.clone());
            self.asking.forget();
            self.steps_until = end;
        }
        Ok(())
    }

    /// Events of the first episodes, each with the name of its source.
    fn events_of(&self, outcome: &BackTest) -> Vec<Vec<(Event, String)>> {
        let rule = &self.watched.rule;
        let shown = outcome.episodes.iter().take(EPISODES_SHOWN);
        let events = shown.map(|episode| {
            let of_pattern = self.of_patterns.get(&episode.group).map(String::as_str);
            let filter = filter_of(rule, &episode.group, of_pattern);
            let window = Window::ending(episode.opened_at, rule.rule().window_s);
            let mut search = self
                .asking
                .search(filter, &self.sources, Span::Happened(window));
            search.limit = EVENTS_SHOWN;
            let found = self.service.engine.search(&self.asking.snapshot, &search);
            let events = found.map(|found| found.events).unwrap_or_default();
            let named = events.into_iter().map(|event| {
                let source = self.sources.iter().find(|source| source.id == event.source);
                let name = source.map_or_else(String::new, |source| source.name.clone());
                (event, name)
            });
            named.collect()
        });
        events.collect()
    }
}
