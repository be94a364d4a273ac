//! The machine: what a rule knew and what a check found, to what it knows then and what has happened.
//!
//! Each group goes its own way: quiet, pending while it is breached and not yet confirmed, firing, recovering while it is clear and not yet for long
//! enough. Its clock is the end of the window. Time that nothing is known of, because a check failed or was left out, counts neither for
//! a confirmation nor for a recovery.

mod finding;
mod judge;
mod missing;
mod room;
mod transition;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};

use cordwood_event::Timestamp;

use crate::window::{nanos, nanos_between, shifted};
use crate::{
    CheckedRule, Closed, Condition, Effect, Group, Heard, IncidentPer, Observation, Opened,
    Outcome, Phase, Reading, Reference, Roster, RuleState, Window,
};
use finding::Listening;
use room::Room;
use transition::Turn;
use verdict::Verdict;

/// A group of which nothing is found is remembered for so long, unless it fires: a week, so that what runs weekly is known.
const GROUP_KEPT_S: u32 = 7 * 86_400;

/// The state after an observation, and what has happened. `now` is the time of the check, for what is said of checks themselves. An observation whose window ends no later
/// than one before changes nothing, so that one that is brought twice is counted once.
pub fn step(
    rule: &CheckedRule,
    state: &RuleState,
    observation: &Observation,
    now: Timestamp,
) -> (RuleState, Vec<Effect>) {
    let window = observation.window;
    let is_known = state.checked_until.is_some_and(|until| window.end <= until);
    if is_known {
        return (state.clone(), Vec::new());
    }
    let mut machine = Machine {
        rule,
        window,
        state: state.clone(),
        effects: Vec::new(),
        reference_of_none: None,
    };
    match &observation.outcome {
        Outcome::Failed(reason) => machine.fail(reason, now),
        Outcome::Seen { readings, heard } => machine.see(readings, heard),
    }
    machine.state.checked_until = Some(window.end);
    (machine.state, machine.effects)
}

/// A step being made.
#[derive(Debug)]
struct Machine<'a> {
    rule: &'a CheckedRule,
    window: Window,
    state: RuleState,
    effects: Vec<Effect>,
    /// What a group is held against that was not there in the earlier windows either, if these are known.
    reference_of_none: Option<Reference>,
}

impl Machine<'_> {
    fn fail(&mut self, reason: &str, now: Timestamp) {
        let failing = self.state.failures.add(reason, now);
        self.effects.extend(failing);
        let clock = self.state.checked_until.unwrap_or(self.window.end);
        self.leave_out(nanos_between(clock, self.window.end));
    }

    /// So much time counts neither for confirmations nor for recoveries.
    fn leave_out(&mut self, nanos: i64) {
        for group in self.state.groups.values_mut() {
            group.phase = transition::left_out(group.phase, nanos);
        }
    }

    fn see(&mut self, readings: &BTreeMap<Group, Reading>, heard: &Heard) {
        let working = self.state.failures.end();
        self.effects.extend(working);
        if let Some(until) = self.state.checked_until {
            self.leave_out(nanos_between(until, self.window.start).max(0));
        }
        let began = self.window.start >= self.state.listens_since;
        let listening = match heard {
            Heard::All if began => Listening::ToAll,
            Heard::All | Heard::Partly(_) => Listening::ToSome,
        };
        let mut references = readings.values().map(|reading| reading.reference);
        self.reference_of_none = references
            .any(|known| known.is_some())
            .then_some(Reference::NONE);
        self.hear_members(readings);
        self.judge_all(readings, listening);
        self.forget();
        self.teach_patterns(readings);
    }

    /// What the first check finds was there before, unless it is known from elsewhere since when.
    fn teach_patterns(&mut self, readings: &BTreeMap<Group, Reading>) {
        let is_about_patterns = matches!(self.rule.rule.condition, Condition::NewPattern(_));
        if !is_about_patterns || self.state.patterns.is_taught() {
            return;
        }
        for (pattern, reading) in readings {
            if reading.first_seen.is_none() {
                self.state.patterns.know(pattern, self.window.end);
            }
        }
        self.state.patterns.finish_teaching();
    }

    fn hear_members(&mut self, readings: &BTreeMap<Group, Reading>) {
        if self.rule.keeps_roster() {
            self.state.roster.begin_check(self.window);
            for (group, _) in readings
                .iter()
                .filter(|(_, reading)| finding::is_found(reading))
            {
                self.state.roster.hear(group, self.window.end);
            }
        }
    }

    /// Those that are breached come first, so that an incident of all groups goes on when one fires in the moment in which the last is clear.
    fn judge_all(&mut self, readings: &BTreeMap<Group, Reading>, listening: Listening) {
        let mut verdicts: Vec<(Group, Verdict)> = Vec::new();
        for group in self.known_groups(readings) {
            let verdict = self.judge(&group, readings.get(&group), listening);
            verdicts.push((group, verdict));
        }
        verdicts.sort_by_key(|(_, verdict)| *verdict != Verdict::Breached);
        let mut room = Room::of(&self.state);
        for (group, verdict) in verdicts {
            self.turn(group, verdict, readings, &mut room);
        }
        self.state.groups_left_out = room.left_out;
    }

    /// All groups there is something to say of: those found, those remembered, and those expected.
    fn known_groups(&self, readings: &BTreeMap<Group, Reading>) -> BTreeSet<Group> {
        let mut groups: BTreeSet<Group> = readings.keys().cloned().collect();
        groups.extend(self.state.groups.keys().cloned());
        groups.extend(self.state.roster.members().keys().cloned());
        if self.rule.is_one_group() {
            groups.insert(Group::whole());
        }
        groups
    }

    /// Takes a group on by a verdict.
    fn turn(
        &mut self,
        group: Group,
        verdict: Verdict,
        readings: &BTreeMap<Group, Reading>,
        room: &mut Room,
    ) {
        let at = self.window.end;
        let before = self.state.groups.get(&group).cloned().unwrap_or_default();
        let since = self.breached_since(&group);
        let turn = match verdict {
            Verdict::Unknown => Turn::Stays(transition::left_out(before.phase, self.looked_at())),
            verdict => transition::turn(self.rule, before.phase, verdict, at, since),
        };
        let reading = readings.get(&group);
        let mut after = missing::remembered(self.rule, &before, reading, at);
        let phase = self.phase_after(turn, at);
        after.phase = phase;
        let is_known = self.state.groups.contains_key(&group);
        if !missing::is_worth_remembering(self.rule, &after) {
            self.state.groups.remove(&group);
        } else if is_known || room.is_made(&mut self.state, phase) {
            self.state.groups.insert(group.clone(), after);
        } else {
            room.left_out += 1;
            return;
        }
        self.tell(group, turn, phase, reading.cloned().unwrap_or_default());
    }

    /// How much of the window no check before has looked at.
    fn looked_at(&self) -> i64 {
        let before = self.state.checked_until.unwrap_or(self.window.start);
        nanos_between(before.max(self.window.start), self.window.end)
    }

    fn phase_after(&self, turn: Turn, at: Timestamp) -> Phase {
        match turn {
            Turn::Stays(phase) => phase,
            Turn::Fires { since } => {
                let episode = self
                    .episode_to_join()
                    .unwrap_or(self.state.last_episode + 1);
                Phase::Firing { since, episode }
            }
            Turn::Recovers { .. } => Phase::Quiet {
                recovered_at: Some(at),
                awaits_clear: false,
            },
        }
    }

    /// The episode that is open already for all groups together.
    fn episode_to_join(&self) -> Option<u64> {
        match self.rule.rule.incident_per {
            IncidentPer::Rule => self
                .state
                .groups
                .values()
                .find_map(|group| group.phase.episode()),
            IncidentPer::Group => None,
        }
    }

    fn tell(&mut self, group: Group, turn: Turn, phase: Phase, reading: Reading) {
        match (turn, phase.episode()) {
            (Turn::Fires { since }, Some(episode)) => self.open(group, since, episode, reading),
            (Turn::Stays(_) | Turn::Fires { .. }, _) => {}
            (
                Turn::Recovers {
                    since,
                    episode,
                    until,
                },
                _,
            ) => {
                let closed = Closed {
                    group,
                    episode,
                    since,
                    until,
                };
                let effect = self.state.closing(closed);
                self.effects.push(effect);
            }
        }
    }

    fn open(&mut self, group: Group, since: Timestamp, episode: u64, reading: Reading) {
        if matches!(self.rule.rule.condition, Condition::NewPattern(_)) {
            self.state.patterns.know(&group, self.window.end);
        }
        let is_new = episode > self.state.last_episode;
        self.state.last_episode = self.state.last_episode.max(episode);
        let opened = Opened {
            limit: self.rule.limit_text(&reading),
            group,
            episode,
            since,
            reading,
        };
        self.effects.push(match is_new {
            true => Effect::Opened(opened),
            false => Effect::Joined(opened),
        });
    }

    /// When a breach that is seen first at this check began: a silence with the window, or with the member's last event if that is long ago.
    fn breached_since(&self, group: &Group) -> Timestamp {
        match &self.rule.rule.condition {
            Condition::Absence(_) => match self.state.roster.last_seen(group) {
                Some(last) if shifted(last, Roster::NOTED_EVERY_NANOS) < self.window.start => last,
                _ => self.window.start,
            },
            _ => self.window.end,
        }
    }

    /// Forgets groups and members of which nothing was heard for long.
    fn forget(&mut self) {
        let at = self.window.end;
        let mut kept_s = GROUP_KEPT_S;
        if let Condition::Absence(absence) = &self.rule.rule.condition {
            let roster_s = absence.roster_days.saturating_mul(86_400);
            let groups = &self.state.groups;
            let fires = |group: &Group| {
                groups
                    .get(group)
                    .is_some_and(|of| of.phase.episode().is_some())
            };
            self.state.roster.forget(at, nanos(roster_s), fires);
            // Longer than on the roster: what was resolved by hand must not be news again while it is expected.
            kept_s = roster_s.saturating_add(86_400);
        }
        let from = shifted(at, -nanos(kept_s));
        self.state.groups.retain(|_, group| {
            group.phase.episode().is_some() || group.missing_since.is_none_or(|since| since > from)
        });
    }
}
