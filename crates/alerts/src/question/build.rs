//! The questions of a rule.

use std::collections::BTreeMap;

use cordwood_event::Timestamp;
use cordwood_query::{Aggregate, FieldName, Function, GroupKey, Interval, Query, Stage};

use super::column::Columns;
use super::{Fold, Question, Shape, Source, Tally};
use crate::check::CheckedMeasure;
use crate::window::nanos;
use crate::{AbsenceOf, CheckedRule, Condition, Group, Reading, Value, Window};

/// Where the values of a rule are among the columns of its question.
#[derive(Debug)]
struct Layout {
    columns: Columns,
    value: Source,
    further: Vec<Source>,
    /// How many events there were, where the condition asks for it.
    events: Option<Source>,
}

impl CheckedRule {
    /// What is asked of a window.
    pub fn question(&self) -> Question {
        match &self.rule.condition {
            Condition::NewPattern(pattern) => self.patterns_question(pattern.field.as_str()),
            _ => self.groups_question(None),
        }
    }

    /// The same for many windows at once: a row for each group and step of time, which [`CheckedRule::add_up`] makes windows of. Steps begin where the
    /// interval, counted from 1970, says. `None` where the values of steps do not tell those of a window.
    pub fn question_in_steps(&self) -> Option<Question> {
        let interval = self.step()?;
        Some(self.groups_question(Some(interval)))
    }

    /// Who has sent something in the days before, which a rule on absent members that is new has to know: see
    /// [`RuleState::fill_roster`](crate::RuleState::fill_roster). Each row is a member and, as [`Tally::time`], its last event. `None` for other rules.
    pub fn roster_question(&self, now: Timestamp) -> Option<(Question, Window)> {
        let days = match &self.rule.condition {
            Condition::Absence(absence) if absence.of == AbsenceOf::Members => absence.roster_days,
            _ => return None,
        };
        let last = Aggregate {
            function: Function::Max(FieldName::new("dt")),
            condition: None,
            name: "_last".to_owned(),
        };
        let stats = Stage::Stats {
            aggregates: vec![last],
            by: self.group_by.iter().cloned().map(GroupKey::Field).collect(),
        };
        let window = Window::ending(now, days.saturating_mul(86_400));
        Some((self.asked(stats, Shape::Groups, 1), window))
    }

    /// How long a step is: the longest of which windows and the time between checks are multiples. `None` where steps do not add up.
    pub fn step(&self) -> Option<Interval> {
        self.folds()?;
        let seconds = greatest_common_divisor(self.rule.window_s, self.rule.check_every_s);
        Some(Interval {
            nanos: nanos(seconds),
        })
    }

    /// Adds what a later step found to what those before did.
    pub fn add_up(&self, tally: &mut Tally, later: &Tally) {
        if let Some(folds) = self.folds() {
            tally.add(later, &folds);
        }
    }

    /// What a window's tallies say.
    pub fn readings(
        &self,
        tallies: &BTreeMap<Group, Tally>,
        window: Window,
    ) -> BTreeMap<Group, Reading> {
        let layout = self.layout();
        let tallies = tallies.iter();
        tallies
            .filter(|(group, _)| self.is_about(group))
            .map(|(group, tally)| (group.clone(), layout.reading(tally, window)))
            .filter(|(_, reading)| reading.events != Some(0.0) || !self.is_one_group())
            .collect()
    }

    /// Whether the rule judges this group.
    pub(crate) fn is_about(&self, group: &Group) -> bool {
        let (only, except) = (&self.rule.only_groups, &self.rule.except_groups);
        let is_meant = only.is_empty() || only.iter().any(|matcher| matcher.fits(group));
        is_meant && !except.iter().any(|matcher| matcher.fits(group))
    }

    /// Whether everything is one group, which is there whatever was found.
    pub(crate) fn is_one_group(&self) -> bool {
        self.group_by.is_empty() && !matches!(self.rule.condition, Condition::NewPattern(_))
    }

    fn layout(&self) -> Layout {
        let mut columns = Columns::default();
        let value = columns.source(&self.measure);
        let further = self.further.iter();
        let further = further
            .map(|further| columns.source(&further.measure))
            .collect();
        // Without groups there is a row even where nothing was found; only the number of events tells.
        let asks_events =
            matches!(self.rule.condition, Condition::Relative(_)) || self.is_one_group();
        let events = asks_events.then(|| columns.source(&CheckedMeasure::COUNT));
        Layout {
            columns,
            value,
            further,
            events,
        }
    }

    fn folds(&self) -> Option<Vec<Fold>> {
        if matches!(self.rule.condition, Condition::NewPattern(_)) {
            return None;
        }
        let layout = self.layout();
        let aggregates = layout.columns.aggregates.iter();
        aggregates
            .map(|aggregate| Fold::of(&aggregate.function))
            .collect()
    }

    fn groups_question(&self, step: Option<Interval>) -> Question {
        let Layout { columns, .. } = self.layout();
        let time = step.map(GroupKey::Time);
        let fields = self.group_by.iter().cloned().map(GroupKey::Field);
        let count = columns.aggregates.len();
        let stats = Stage::Stats {
            aggregates: columns.aggregates,
            by: time.into_iter().chain(fields).collect(),
        };
        let shape = if step.is_some() {
            Shape::Steps
        } else {
            Shape::Groups
        };
        self.asked(stats, shape, count)
    }

    fn patterns_question(&self, field: &str) -> Question {
        let field = FieldName::new(field);
        self.asked(Stage::Patterns { field }, Shape::Patterns, 1)
    }

    fn asked(&self, last: Stage, shape: Shape, columns: usize) -> Question {
        let mut stages = self.stages.clone();
        stages.push(last);
        let query = Query {
            filter: self.filter.clone(),
            stages,
        };
        let group_by = self.group_by.iter();
        Question {
            key: query.to_string(),
            query,
            group_by: group_by.map(|field| field.as_str().to_owned()).collect(),
            columns,
            shape,
        }
    }
}

impl Layout {
    fn reading(&self, tally: &Tally, window: Window) -> Reading {
        let read = |source: &Source| source.read(tally, window);
        Reading {
            value: read(&self.value),
            further: self.further.iter().map(read).collect(),
            events: self
                .events
                .as_ref()
                .and_then(read)
                .and_then(|events| events.number()),
            text: tally.text().map(str::to_owned),
            ..Reading::default()
        }
    }
}

impl Source {
    fn read(self, tally: &Tally, window: Window) -> Option<Value> {
        match self {
            Source::Value(column) => tally.value(column).cloned(),
            Source::PerSecond(column) => {
                let count = tally.number(column)?;
                Some(Value::Number(count / window.seconds()))
            }
            Source::Percent { of, to } => {
                let (of, to) = (tally.number(of)?, tally.number(to)?);
                (to > 0.0).then(|| Value::Number(of / to * 100.0))
            }
        }
    }
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    match b {
        0 => a,
        b => greatest_common_divisor(b, a % b),
    }
}
