//! What messages say: patterns of one window alone, and those that became much commoner or rarer.

use std::collections::{BTreeMap, HashMap};

use cordwood_engine::{Pattern, Patterns};
use cordwood_event::{Event, Level, Timestamp, Value, path};
use cordwood_query::{Filter, TimeBounds};

use super::counts::Counts;
use super::evidence::{Direction, EVIDENCE_MIN, Observation, drift};
use super::outcome::{ChangeKind, Expectation, Numbers, Outcome, float};
use super::reading::{MESSAGE, Reading};
use super::sentence::count;
use super::windows::{Both, seconds};
use crate::{Error, PatternId};

/// Patterns of each list that are told, the strongest first: what somebody reads.
const PATTERNS_MAX: usize = 10;
/// So many events of a pattern that was never seen are worth telling: one or two may be a name, or a line somebody wrote by hand.
const UNSEEN_EVENTS_MIN: u64 = 3;
/// A pattern that was not in the baseline, but is known, may have been there as often by chance.
const EXPECTED_MIN: f64 = 1.0;
/// A pattern that is in both windows is told of from so many times as many, or as few, on.
const MUCH: f64 = 2.0;
/// An example is cut to so many bytes: stack traces are long.
const EXAMPLE_BYTES_MAX: usize = 1000;

/// The patterns of which there are more or fewer than expected.
#[derive(Clone, Debug, Default)]
pub(super) struct PatternsCompared {
    /// The baseline has none of them.
    pub(super) new: Vec<FoundPattern>,
    /// The current window has none of them.
    pub(super) vanished: Vec<FoundPattern>,
    /// Both have some.
    pub(super) changed: Vec<FoundPattern>,
    /// What these lists leave out.
    pub(super) notes: Vec<String>,
}

/// What is kept of the patterns that the sources have had.
#[derive(Clone, Debug, Default)]
pub(super) struct KeptPatterns {
    /// When any of them had each first.
    pub(super) first_seen: HashMap<PatternId, Timestamp>,
    /// How many were forgotten, because there were too many.
    pub(super) forgotten: u64,
}

/// A pattern, with what is known of it.
#[derive(Clone, Debug)]
pub(super) struct FoundPattern {
    pub(super) id: PatternId,
    pub(super) text: String,
    pub(super) filter: Filter,
    pub(super) events: Both<u64>,
    /// How many of each level, by name, `none` for those without.
    pub(super) levels: BTreeMap<&'static str, Both<u64>>,
    pub(super) observation: Observation,
    /// When the sources had it first, as far as is kept.
    pub(super) first_seen: Timestamp,
    pub(super) example: Option<String>,
}

/// A pattern as the windows have it.
struct Compared {
    of: Both<Option<Pattern>>,
    observation: Observation,
}

/// What became of a pattern.
enum Fate {
    New,
    Vanished,
    Changed,
    /// It is about as common as it was, or it is not known whether it is.
    Untold,
}

/// Patterns by what became of them, and when the sources had each first.
#[derive(Default)]
struct Lists {
    new: Vec<(Compared, Timestamp)>,
    vanished: Vec<(Compared, Timestamp)>,
    changed: Vec<(Compared, Timestamp)>,
}

/// The patterns of both windows, against what is kept of those that the sources have had.
pub(super) fn compare(
    reading: &mut Reading<'_>,
    events: &Both<Counts>,
    kept: impl FnOnce() -> Result<KeptPatterns, Error>,
) -> Result<PatternsCompared, Error> {
    let windows = reading.windows;
    let found = windows.map(|window| reading.patterns(window)).transpose()?;
    if reading.is_cut() {
        return Ok(PatternsCompared::default());
    }
    let other = found.as_ref().map(|patterns| patterns.other);
    let compared = observed(found, events, windows);
    let kept = kept()?;
    let mut lists = Lists::default();
    for compared in compared {
        let first_seen = compared.first_seen(&kept.first_seen);
        let is_unseen = first_seen >= windows.current.first;
        match compared.fate(is_unseen, other) {
            Fate::New => lists.new.push((compared, first_seen)),
            Fate::Vanished => lists.vanished.push((compared, first_seen)),
            Fate::Changed => lists.changed.push((compared, first_seen)),
            Fate::Untold => {}
        }
    }
    let mut notes = notes_of_other(other);
    let mut new = lists.new.iter();
    if new.any(|(_, first_seen)| *first_seen >= windows.current.first) {
        notes.extend(note_of_forgotten(kept.forgotten));
    }
    let mut told = |name, list| strongest(reading, name, list, &mut notes);
    let new = told("new", lists.new)?;
    let vanished = told("vanished", lists.vanished)?;
    let changed = told("changed", lists.changed)?;
    Ok(PatternsCompared {
        new,
        vanished,
        changed,
        notes,
    })
}

/// Every pattern of either window, with what was to be expected of it.
fn observed(
    found: Both<Patterns>,
    events: &Both<Counts>,
    windows: Both<TimeBounds>,
) -> Vec<Compared> {
    let mut by_form: BTreeMap<String, Both<Option<Pattern>>> = BTreeMap::new();
    for pattern in found.current.patterns {
        let of = by_form.entry(pattern.form.clone()).or_default();
        of.current = Some(pattern);
    }
    for pattern in found.baseline.patterns {
        let of = by_form.entry(pattern.form.clone()).or_default();
        of.baseline = Some(pattern);
    }
    let longer = seconds(windows.current) / seconds(windows.baseline);
    let counts: Vec<Both<u64>> = by_form.values().map(events_of).collect();
    let expectation = Expectation {
        rate: 0.0,
        longer,
        drift: drift_of(events, &counts, longer),
    };
    let compared = by_form.into_values().zip(counts);
    compared
        .map(|(of, events)| Compared {
            of,
            observation: observe(events, &expectation),
        })
        .collect()
}

/// By how much all of the events went up or down alike, by their values and by what they say.
fn drift_of(events: &Both<Counts>, patterns: &[Both<u64>], longer: f64) -> f64 {
    let plainly = |count: Both<u64>| Observation {
        observed: float(count.current),
        expected: float(count.baseline) * longer,
    };
    let fields = events.baseline.fields().filter_map(|(name, baseline)| {
        let current = events.current.field(name)?;
        (baseline.is_whole() && current.is_whole()).then(|| {
            let values = baseline.rows.iter().map(|(value, rows)| Both {
                current: current.rows.get(value).copied().unwrap_or(0),
                baseline: *rows,
            });
            values.map(plainly).collect::<Vec<_>>()
        })
    });
    let patterns = patterns.iter().copied().map(plainly).collect();
    drift(fields.chain([patterns]))
}

/// As events of a value are observed that are of no other kind than any.
fn observe(events: Both<u64>, expectation: &Expectation) -> Observation {
    if events.baseline == 0 {
        return Observation {
            observed: float(events.current),
            expected: EXPECTED_MIN * expectation.longer.max(1.0),
        };
    }
    let any = Outcome {
        kind: ChangeKind::Volume,
        filter: Filter::All,
    };
    let numbers = Numbers {
        events,
        hits: events,
    };
    any.observe(numbers, expectation)
}

fn events_of(of: &Both<Option<Pattern>>) -> Both<u64> {
    let count = |pattern: &Option<Pattern>| pattern.as_ref().map_or(0, |pattern| pattern.count);
    of.as_ref().map(count)
}

impl Compared {
    fn events(&self) -> Both<u64> {
        events_of(&self.of)
    }

    /// What became of it; `other` are the events of patterns that were not told apart, of which this may be one.
    fn fate(&self, is_unseen: bool, other: Both<u64>) -> Fate {
        let has_evidence = self.observation.evidence() >= EVIDENCE_MIN;
        match self.events() {
            Both { baseline: 0, .. } if other.baseline > 0 => Fate::Untold,
            Both { current: 0, .. } if other.current > 0 => Fate::Untold,
            Both { baseline: 0, .. } if self.is_news(is_unseen) => Fate::New,
            Both { baseline: 0, .. } => Fate::Untold,
            Both { current: 0, .. } if has_evidence => Fate::Vanished,
            Both { current: 0, .. } => Fate::Untold,
            _ if has_evidence && self.is_much() => Fate::Changed,
            _ => Fate::Untold,
        }
    }

    /// Whether a pattern that the baseline has none of is worth telling.
    fn is_news(&self, is_unseen: bool) -> bool {
        let is_unseen = is_unseen && self.events().current >= UNSEEN_EVENTS_MIN;
        is_unseen || self.observation.evidence() >= EVIDENCE_MIN
    }

    fn is_much(&self) -> bool {
        let Observation { observed, expected } = self.observation;
        match self.observation.direction() {
            Direction::Up => observed >= expected * MUCH,
            Direction::Down => observed * MUCH <= expected,
        }
    }

    /// When the sources had it first; what has come in the last seconds is not known yet.
    fn first_seen(&self, known: &HashMap<PatternId, Timestamp>) -> Timestamp {
        let both = [&self.of.current, &self.of.baseline];
        let both = both.into_iter().flatten();
        let times = both.flat_map(|pattern| {
            let known = known.get(&pattern.id).copied();
            known.into_iter().chain([pattern.first.timestamp])
        });
        times.min().unwrap_or(Timestamp::MAX)
    }

    fn levels(&self) -> BTreeMap<&'static str, Both<u64>> {
        let levels = [None].into_iter().chain(Level::ALL.map(Some));
        let with_counts = levels.map(|level| {
            let code = level.map_or(0, |level| usize::from(level.code()));
            let count = |pattern: &Option<Pattern>| {
                let of_level = pattern.as_ref().and_then(|found| found.by_level.get(code));
                of_level.copied().unwrap_or(0)
            };
            (
                level.map_or("none", Level::name),
                self.of.as_ref().map(count),
            )
        });
        with_counts
            .filter(|(_, events)| *events != Both::default())
            .collect()
    }
}

/// The first of a list by evidence, each with an example; what it leaves out is noted.
fn strongest(
    reading: &mut Reading<'_>,
    name: &str,
    mut list: Vec<(Compared, Timestamp)>,
    notes: &mut Vec<String>,
) -> Result<Vec<FoundPattern>, Error> {
    let rank = |compared: &Compared| {
        let Both { current, baseline } = compared.events();
        (compared.observation.evidence(), current.max(baseline))
    };
    list.sort_by(|(a, _), (b, _)| {
        let ((a_evidence, a_events), (b_evidence, b_events)) = (rank(a), rank(b));
        let by_evidence = b_evidence.total_cmp(&a_evidence);
        by_evidence.then(b_events.cmp(&a_events))
    });
    if list.len() > PATTERNS_MAX {
        notes.push(format!(
            "of {} {name} patterns the {PATTERNS_MAX} with the most evidence are told",
            count(list.len() as u64)
        ));
    }
    let strongest = list.into_iter().take(PATTERNS_MAX);
    let told = strongest.map(|(compared, first_seen)| told(reading, compared, first_seen));
    let told: Result<Vec<Option<FoundPattern>>, Error> = told.collect();
    Ok(told?.into_iter().flatten().collect())
}

fn told(
    reading: &mut Reading<'_>,
    compared: Compared,
    first_seen: Timestamp,
) -> Result<Option<FoundPattern>, Error> {
    let (events, levels) = (compared.events(), compared.levels());
    let windows = reading.windows;
    let (window, pattern) = match compared.of {
        Both {
            current: Some(pattern),
            ..
        } => (windows.current, pattern),
        Both {
            baseline: Some(pattern),
            ..
        } => (windows.baseline, pattern),
        Both { .. } => return Ok(None),
    };
    let pattern = reading.with_example(window, pattern)?;
    let parsed = cordwood_query::parse(&pattern.query)
        .map_err(|error| Error::internal("reading the query of a pattern", error))?;
    Ok(Some(FoundPattern {
        id: pattern.id,
        filter: parsed.query.filter,
        events,
        levels,
        observation: compared.observation,
        first_seen,
        example: pattern.example.as_ref().and_then(message_of),
        text: pattern.text,
    }))
}

/// What an event says, cut if it is long.
fn message_of(event: &Event) -> Option<String> {
    let mut fields = event.fields.iter();
    let (_, value) = fields.find(|(path, _)| path::name(path) == MESSAGE)?;
    let Value::Str(text) = value else {
        return None;
    };
    let end = text.floor_char_boundary(EXAMPLE_BYTES_MAX);
    text.get(..end).map(str::to_owned)
}

fn notes_of_other(other: Both<u64>) -> Vec<String> {
    let windows = [("window", other.current), ("baseline", other.baseline)];
    let many = windows.into_iter().filter(|(_, events)| *events > 0);
    many.map(|(name, events)| {
        format!(
            "{} events of the {name} say things of too many kinds to be told apart: which patterns it has none of is not known",
            count(events)
        )
    })
    .collect()
}

fn note_of_forgotten(forgotten: u64) -> Option<String> {
    let patterns = match forgotten {
        0 => return None,
        1 => "a pattern of these sources was".to_owned(),
        _ => format!("{} patterns of these sources were", count(forgotten)),
    };
    Some(format!(
        "{patterns} forgotten, because there were too many: what was never seen before may have been"
    ))
}
