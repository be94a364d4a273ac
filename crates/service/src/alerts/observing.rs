//! What a check sees: the readings of its window, held against earlier ones, and whether the server listened all the while.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cordwood_alerts::{Condition, Group, Heard, Observation, Outcome, Reading, Tally, Window};
use cordwood_catalog as catalog;
use cordwood_event::Timestamp;

use super::asking::{Answered, Asking, Span};
use super::watched::Watched;

/// What a check saw.
#[derive(Clone, Debug)]
pub(super) struct Observed {
    pub(super) observation: Observation,
    /// Queries for the events of patterns, where these are the groups.
    pub(super) of_patterns: BTreeMap<Group, String>,
    /// The query that was asked.
    pub(super) asked: String,
    /// How long it took.
    pub(super) took: Duration,
}

/// The readings of a window, and queries for the events of its patterns.
type Seen = (BTreeMap<Group, Reading>, BTreeMap<Group, String>);

impl Asking<'_> {
    /// Looks at the window that ends there. A rule on absent members that is new hears first who there is.
    pub(super) fn observe(
        &mut self,
        watched: &mut Watched,
        sources: &[Arc<catalog::Source>],
        end: Timestamp,
    ) -> Observed {
        let service = self.service;
        let began = service.options.clock.instant();
        let asked = watched.rule.question().key().to_owned();
        let rule = watched.rule.rule();
        let window = Window::ending(end, rule.window_s);
        let span = Span::Arrived {
            window,
            lateness_s: rule.lateness_s,
        };
        let seen = self
            .recall_members(watched, sources)
            .and_then(|()| self.see(watched, sources, span));
        let (outcome, of_patterns) = match seen {
            Ok((readings, of_patterns)) => {
                let heard = self.heard(window, sources);
                (Outcome::Seen { readings, heard }, of_patterns)
            }
            Err(reason) => (Outcome::Failed(reason), BTreeMap::new()),
        };
        Observed {
            observation: Observation { window, outcome },
            of_patterns,
            asked,
            took: service
                .options
                .clock
                .instant()
                .saturating_duration_since(began),
        }
    }

    /// The readings of a window, and queries for the events of its patterns.
    pub(super) fn see(
        &mut self,
        watched: &Watched,
        sources: &[Arc<catalog::Source>],
        span: Span,
    ) -> Result<Seen, String> {
        if sources.is_empty() {
            return Err("none of the sources it looks at is there any more".to_owned());
        }
        let rule = &watched.rule;
        let window = span.window();
        let answered = self.ask(&rule.question(), sources, span)?;
        let mut readings = rule.readings(&answered.whole(), window);
        let earlier: Vec<_> = rule
            .references(window)
            .into_iter()
            .map(|earlier| self.earlier(watched, sources, earlier))
            .collect::<Result<_, String>>()?;
        rule.hold_against(&mut readings, &earlier);
        if let Condition::NewPattern(pattern) = &rule.rule().condition {
            self.note_first_seen(&pattern.field, sources, &mut readings);
        }
        Ok((readings, answered.of_patterns.clone()))
    }

    /// The readings of an earlier window; `None` if nobody can know them any more.
    fn earlier(
        &mut self,
        watched: &Watched,
        sources: &[Arc<catalog::Source>],
        window: Window,
    ) -> Result<Option<BTreeMap<Group, Reading>>, String> {
        if !self.is_kept(sources, window) || !self.was_heard(window) {
            return Ok(None);
        }
        let rule = &watched.rule;
        let answered = self.ask(&rule.question(), sources, Span::Happened(window))?;
        Ok(Some(rule.readings(&answered.whole(), window)))
    }

    /// Who has sent something before the rule was made.
    pub(super) fn recall_members(
        &mut self,
        watched: &mut Watched,
        sources: &[Arc<catalog::Source>],
    ) -> Result<(), String> {
        if watched.state.checked_until().is_some() {
            return Ok(());
        }
        let began = watched.state.listens_since();
        let Some((question, window)) = watched.rule.roster_question(began) else {
            return Ok(());
        };
        let answered = self.ask(&question, sources, Span::Happened(window))?;
        let members = answered.whole().into_iter();
        let members = members.filter_map(|(group, tally): (Group, Tally)| {
            let last_seen = tally.time()?;
            Some((group, last_seen))
        });
        watched.state.fill_roster(members);
        Ok(())
    }

    /// When patterns were seen first, as far as that is kept.
    fn note_first_seen(
        &self,
        field: &str,
        sources: &[Arc<catalog::Source>],
        readings: &mut BTreeMap<Group, Reading>,
    ) {
        let first_seen = self.service.first_seen(field, sources);
        for (group, reading) in readings {
            let id = group
                .fields()
                .first()
                .and_then(|(_, value)| value.as_deref());
            reading.first_seen = id.and_then(|id| first_seen.get(id).copied());
        }
    }

    /// Whether all that was sent in a window could arrive.
    fn heard(&self, window: Window, sources: &[Arc<catalog::Source>]) -> Heard {
        if !self.arrivals.heard(window) {
            return Heard::Partly("the server did not run for all of the window".to_owned());
        }
        match self.refusals.within(window, sources) {
            Some(reason) => Heard::Partly(reason),
            None => Heard::All,
        }
    }

    /// Whether the server listened, as far as anybody knows: of what was before the first mark nothing is known.
    fn was_heard(&self, window: Window) -> bool {
        !self.arrivals.reach_to(window.start) || self.arrivals.heard(window)
    }
}

impl Span {
    pub(super) fn window(self) -> Window {
        match self {
            Span::Arrived { window, .. } | Span::Happened(window) => window,
        }
    }
}

impl Answered {
    /// All that was found, of a question that is not in steps.
    pub(super) fn whole(&self) -> BTreeMap<Group, Tally> {
        self.steps.values().next().cloned().unwrap_or_default()
    }
}
