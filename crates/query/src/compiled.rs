//! A clause compiled: what it asks of the level, the time, the source, the id or a field.

use cordwood_event::{EventId, Level, Scalar, SourceId, Timestamp};

use crate::{Clause, FieldName, Interrupt, Predicate, Range, Row, Target, Test, TimeBounds};

/// A clause, compiled for its target.
#[derive(Clone, Debug)]
pub enum CompiledClause {
    /// Holds when any stored field matches (see [`Predicate::matches_anywhere`]), or the level's name does.
    AnyField(Predicate, LevelPredicate),
    /// Holds when any stored value the field reaches matches.
    Field(FieldName, Predicate),
    /// Holds for the level.
    Level(LevelPredicate),
    /// Holds for the event's time.
    Time(TimePredicate),
    /// Holds for the source.
    Source(SourcePredicate),
    /// Holds for the event's id.
    Id(IdPredicate),
}

impl CompiledClause {
    /// Compiles a clause, with relative times counted from `now`.
    pub fn new(clause: &Clause, now: Timestamp) -> CompiledClause {
        let test = &clause.test;
        match &clause.target {
            Target::AnyField => {
                CompiledClause::AnyField(Predicate::new(test, now), LevelPredicate::of_name(test))
            }
            Target::Field(field) => CompiledClause::Field(field.clone(), Predicate::new(test, now)),
            Target::Level => CompiledClause::Level(LevelPredicate::new(test)),
            Target::Time => CompiledClause::Time(TimePredicate::new(test, now)),
            Target::Source => CompiledClause::Source(SourcePredicate::new(test)),
            Target::Id => CompiledClause::Id(IdPredicate::new(test)),
        }
    }

    /// The same clause, whose tests of text give up when interrupted.
    #[must_use]
    pub fn interrupted_by(self, interrupt: &Interrupt) -> CompiledClause {
        match self {
            CompiledClause::AnyField(predicate, level) => {
                CompiledClause::AnyField(predicate.interrupted_by(interrupt), level)
            }
            CompiledClause::Field(field, predicate) => {
                CompiledClause::Field(field, predicate.interrupted_by(interrupt))
            }
            CompiledClause::Level(level) => CompiledClause::Level(LevelPredicate {
                raw: level.raw.map(|raw| raw.interrupted_by(interrupt)),
                ..level
            }),
            small @ (CompiledClause::Time(_)
            | CompiledClause::Source(_)
            | CompiledClause::Id(_)) => small,
        }
    }

    /// Whether the clause holds for a row.
    pub fn holds_for(&self, row: &impl Row) -> bool {
        match self {
            CompiledClause::AnyField(predicate, level) => {
                row.level().is_some_and(|name| level.holds(name))
                    || row.any_field(&mut |value| predicate.matches_anywhere(value))
            }
            CompiledClause::Field(field, predicate) => row.any_value(field, &mut |reach, value| {
                predicate.matches_at(reach, value)
            }),
            CompiledClause::Level(level) => {
                row.level().is_some_and(|name| level.holds(name))
                    || level
                        .raw()
                        .is_some_and(|raw| row.any_raw_level(&mut |value| raw.matches(value)))
            }
            CompiledClause::Time(time) => row.meets_time(time),
            CompiledClause::Source(source) => row.meets_source(source),
            CompiledClause::Id(id) => row.meets_id(id),
        }
    }
}

/// A test of the level. A literal that names a level is about the normalised level alone; any other test holds
/// when the normalised name or the raw value passes it.
#[derive(Clone, Debug)]
pub struct LevelPredicate {
    /// By [`Level::code`].
    holds: [bool; 7],
    raw: Option<Predicate>,
}

impl LevelPredicate {
    /// Compiles a test of `level`.
    pub fn new(test: &Test) -> LevelPredicate {
        match test {
            Test::Contains(literal) | Test::Equals(literal) => match Level::parse(literal) {
                Some(level) => LevelPredicate::of_levels(|other| other == level),
                None => LevelPredicate::of_text(match test {
                    Test::Equals(literal) => Predicate::equals_folded(literal),
                    _ => Predicate::of_field(test),
                }),
            },
            Test::Range(range) => LevelPredicate::of_levels(|level| range_holds(range, level)),
            Test::AnyOf(tests) => LevelPredicate::any_of(tests),
            _ => LevelPredicate::of_text(Predicate::of_field(test)),
        }
    }

    /// The levels whose name passes a test of any field; the raw value is a field of its own.
    fn of_name(test: &Test) -> LevelPredicate {
        let predicate = Predicate::of_field(test);
        LevelPredicate::of_levels(|level| predicate.matches_text(level.name()))
    }

    fn of_text(predicate: Predicate) -> LevelPredicate {
        let by_name = LevelPredicate::of_levels(|level| predicate.matches_text(level.name()));
        LevelPredicate {
            raw: Some(predicate),
            ..by_name
        }
    }

    fn of_levels(is_held: impl Fn(Level) -> bool) -> LevelPredicate {
        let mut holds = [false; 7];
        for level in Level::ALL {
            holds[usize::from(level.code())] = is_held(level);
        }
        LevelPredicate { holds, raw: None }
    }

    fn any_of(tests: &[Test]) -> LevelPredicate {
        let members: Vec<_> = tests.iter().map(LevelPredicate::new).collect();
        let joined =
            LevelPredicate::of_levels(|level| members.iter().any(|member| member.holds(level)));
        let raw: Vec<_> = members
            .into_iter()
            .filter_map(|member| member.raw)
            .collect();
        LevelPredicate {
            raw: (!raw.is_empty()).then(|| Predicate::any_of(raw)),
            ..joined
        }
    }

    /// Whether it holds for the normalised level, whatever the raw value.
    pub fn holds(&self, level: Level) -> bool {
        self.holds[usize::from(level.code())]
    }

    /// The test of the raw value, stored as field `level` where it differs from the normalised name;
    /// `None` when the raw value does not matter.
    pub fn raw(&self) -> Option<&Predicate> {
        self.raw.as_ref()
    }

    /// Whether it holds for an event with this normalised level and this raw value.
    pub fn matches(&self, level: Option<Level>, raw: Option<Scalar<'_>>) -> bool {
        level.is_some_and(|level| self.holds(level))
            || match (&self.raw, raw) {
                (Some(predicate), Some(value)) => predicate.matches(value),
                _ => false,
            }
    }
}

fn range_holds(range: &Range, level: Level) -> bool {
    use std::ops::Bound;
    let is_above = match range.lower().map(Level::parse) {
        Bound::Unbounded => true,
        Bound::Included(lower) => lower.is_some_and(|lower| level >= lower),
        Bound::Excluded(lower) => lower.is_some_and(|lower| level > lower),
    };
    is_above
        && match range.upper().map(Level::parse) {
            Bound::Unbounded => true,
            Bound::Included(upper) => upper.is_some_and(|upper| level <= upper),
            Bound::Excluded(upper) => upper.is_some_and(|upper| level < upper),
        }
}

/// A test of the event's time: any of some ranges.
#[derive(Clone, Debug)]
pub struct TimePredicate(Box<[TimeBounds]>);

impl TimePredicate {
    /// Compiles a test of `dt`, with relative times counted from `now`.
    pub fn new(test: &Test, now: Timestamp) -> TimePredicate {
        let ranges = test.alternatives().iter().filter_map(|test| match test {
            Test::Present => Some(TimeBounds::ALL),
            Test::Time(time) => Some(time.bounds(now)),
            _ => None,
        });
        TimePredicate(ranges.collect())
    }

    /// The ranges any of which a time must lie in.
    pub fn ranges(&self) -> &[TimeBounds] {
        &self.0
    }

    /// Whether it holds for an event of this time.
    pub fn matches(&self, timestamp: Timestamp) -> bool {
        self.0.iter().any(|range| range.contains(timestamp))
    }
}

/// A test of the source: its id (`5`, `src-5`) or its name, as a whole.
#[derive(Clone, Debug)]
pub struct SourcePredicate {
    ids: Vec<SourceId>,
    name: Predicate,
}

impl SourcePredicate {
    /// Compiles a test of `_source`. `:` ignores the case of the name, `=` does not.
    pub fn new(test: &Test) -> SourcePredicate {
        let mut ids = Vec::new();
        let mut names = Vec::new();
        for test in test.alternatives() {
            match test {
                Test::Contains(literal) => {
                    ids.extend(source_id(literal));
                    names.push(Predicate::equals_folded(literal));
                }
                Test::Equals(literal) => {
                    ids.extend(source_id(literal));
                    names.push(Predicate::of_field(test));
                }
                _ => names.push(Predicate::of_field(test)),
            }
        }
        SourcePredicate {
            ids,
            name: Predicate::any_of(names),
        }
    }

    /// Whether it holds for a source of which only this is known: its name, its id or `src-<id>`.
    pub fn matches_text(&self, text: &str) -> bool {
        source_id(text).is_some_and(|id| self.ids.contains(&id)) || self.name.matches_text(text)
    }

    /// Whether it holds for events of this source.
    pub fn matches(&self, source: SourceId, source_name: &str) -> bool {
        self.ids.contains(&source) || self.name.matches_text(source_name)
    }
}

fn source_id(literal: &str) -> Option<SourceId> {
    let digits = literal.strip_prefix("src-").unwrap_or(literal);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number).map(SourceId)
}

/// A test of the event's id: any of some ids, or any id at all.
#[derive(Clone, Debug)]
pub struct IdPredicate {
    ids: Vec<EventId>,
    is_any: bool,
}

impl IdPredicate {
    /// Compiles a test of `_id`.
    pub fn new(test: &Test) -> IdPredicate {
        let alternatives = test.alternatives();
        IdPredicate {
            ids: alternatives
                .iter()
                .filter_map(|test| match test {
                    Test::Id(id) => Some(*id),
                    _ => None,
                })
                .collect(),
            is_any: alternatives.contains(&Test::Present),
        }
    }

    /// The ids it holds for; `None` when it holds for every event.
    pub fn ids(&self) -> Option<&[EventId]> {
        (!self.is_any).then_some(&*self.ids)
    }

    /// Whether it holds for this event.
    pub fn matches(&self, id: EventId) -> bool {
        self.is_any || self.ids.contains(&id)
    }
}
