//! What the directory of a block tells about a filter before anything of the block is read.

use cordwood_event::Level;
use cordwood_query::{
    CompiledClause, FieldName, IdPredicate, LevelPredicate, NumberInterval, Predicate, Reach,
    TextTest, TimeBounds, TimePredicate,
};
use cordwood_store::Encoding;
use cordwood_store::block::{BlockDirectory, ColumnEntry, NumberRange};

use crate::condition::{ClauseId, Condition};
use crate::counted::{CountedColumn, ValueVerdicts};
use crate::evaluate::Reading;

/// What ruled a block out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pruned {
    Time,
    Sequence,
    Tokens,
    Deletion,
    Statistics,
    AbsentColumn,
    Dictionary,
}

/// What is known of a clause for all rows of a block together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    HoldsForAll,
    HoldsForNone(Pruned),
    Open,
}

/// What is left to evaluate in a block; a constant when nothing is, with what decided that. The clauses `absent` hold for
/// no row of it, as its words tell.
pub(crate) fn narrow(
    condition: &Condition,
    clauses: &[CompiledClause],
    directory: &BlockDirectory,
    absent: &[ClauseId],
    verdicts: &ValueVerdicts,
) -> Result<Condition, Pruned> {
    let mut first_reason = None;
    let narrowed = condition.decide(&mut |clause| {
        let reason = match verdict(&clauses[clause.0], directory, verdicts) {
            Verdict::HoldsForAll => return Some(true),
            Verdict::HoldsForNone(reason) => reason,
            Verdict::Open if absent.contains(&clause) => Pruned::Tokens,
            Verdict::Open => return None,
        };
        first_reason.get_or_insert(reason);
        Some(false)
    });
    match narrowed {
        // Without a clause that holds for none, a negation met one that holds for all: a statistic as well.
        Condition::Constant(false) => Err(first_reason.unwrap_or(Pruned::Statistics)),
        narrowed => Ok(narrowed),
    }
}

/// How many rows of a block match, where its directory says so.
pub(crate) fn count(
    condition: &Condition,
    clauses: &[CompiledClause],
    directory: &BlockDirectory,
    verdicts: &ValueVerdicts,
) -> Option<u64> {
    let Some(levels) = LevelSet::of(condition, clauses, directory) else {
        let column = CountedColumn::of_condition(condition, clauses, directory, verdicts)?;
        let selected = column.select(condition, clauses)?;
        let rows = column.rows().enumerate();
        return Some(
            rows.filter_map(|(value, rows)| selected.contains(value).then_some(rows))
                .sum(),
        );
    };
    let all = [None].into_iter().chain(Level::ALL.map(Some));
    let selected = all.filter(|level| levels.contains(*level));
    let counts = selected.map(|level| u64::from(directory.levels.of(level)));
    Some(counts.sum())
}

/// The levels whose rows a condition selects, when it looks at nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LevelSet {
    /// By code.
    selects: [bool; Level::ALL.len() + 1],
}

impl LevelSet {
    /// Every row.
    pub(crate) const ALL: LevelSet = LevelSet {
        selects: [true; Level::ALL.len() + 1],
    };

    /// `None` when the condition looks at more than normalised levels.
    pub(crate) fn of(
        condition: &Condition,
        clauses: &[CompiledClause],
        directory: &BlockDirectory,
    ) -> Option<LevelSet> {
        let of_term = |term: &Condition| LevelSet::of(term, clauses, directory);
        match condition {
            Condition::Constant(held) => Some(LevelSet::where_each(|_| *held)),
            Condition::Not(term) => {
                let term = of_term(term)?;
                Some(LevelSet::where_each(|level| !term.contains(level)))
            }
            Condition::And(terms) => {
                let terms: Vec<LevelSet> = terms.iter().map(of_term).collect::<Option<_>>()?;
                Some(LevelSet::where_each(|level| {
                    terms.iter().all(|term| term.contains(level))
                }))
            }
            Condition::Or(terms) => {
                let terms: Vec<LevelSet> = terms.iter().map(of_term).collect::<Option<_>>()?;
                Some(LevelSet::where_each(|level| {
                    terms.iter().any(|term| term.contains(level))
                }))
            }
            Condition::Clause(ClauseId(index)) => match clauses.get(*index)? {
                CompiledClause::Level(level) if !asks_raw(level, directory) => {
                    let holds =
                        |known: Option<Level>| known.is_some_and(|known| level.holds(known));
                    Some(LevelSet::where_each(holds))
                }
                _ => None,
            },
        }
    }

    fn where_each(holds: impl Fn(Option<Level>) -> bool) -> LevelSet {
        let code = |code: usize| u8::try_from(code).ok().and_then(Level::from_code);
        LevelSet {
            selects: std::array::from_fn(|index| holds(code(index))),
        }
    }

    /// Whether rows of this level are selected.
    pub(crate) fn contains(self, level: Option<Level>) -> bool {
        let code = level.map_or(0, Level::code);
        self.selects[usize::from(code)]
    }
}

/// What the directory of a block says of a clause.
pub(crate) fn verdict(
    clause: &CompiledClause,
    directory: &BlockDirectory,
    verdicts: &ValueVerdicts,
) -> Verdict {
    match clause {
        CompiledClause::Source(_) => Verdict::Open,
        CompiledClause::Time(time) => of_time(time, directory),
        CompiledClause::Id(id) => of_id(id, directory),
        CompiledClause::Level(level) => of_level(level, directory),
        CompiledClause::Field(field, predicate) => of_field(field, predicate, directory, verdicts),
        CompiledClause::AnyField(predicate, level) => {
            of_any_field(predicate, level, directory, verdicts)
        }
    }
}

/// The time of all rows of a block.
pub(crate) fn times_of(directory: &BlockDirectory) -> TimeBounds {
    TimeBounds {
        first: directory.timestamps.0,
        last: directory.timestamps.1,
    }
}

/// Whether `inner` has no instant that `outer` lacks.
pub(crate) fn is_within(inner: TimeBounds, outer: TimeBounds) -> bool {
    outer.first <= inner.first && inner.last <= outer.last
}

fn of_time(time: &TimePredicate, directory: &BlockDirectory) -> Verdict {
    let times = times_of(directory);
    let mut ranges = time.ranges().iter();
    if ranges.clone().any(|range| is_within(times, *range)) {
        return Verdict::HoldsForAll;
    }
    if ranges.all(|range| range.intersection(times).is_empty()) {
        return Verdict::HoldsForNone(Pruned::Time);
    }
    Verdict::Open
}

fn of_id(id: &IdPredicate, directory: &BlockDirectory) -> Verdict {
    let Some(ids) = id.ids() else {
        return Verdict::HoldsForAll;
    };
    let times = times_of(directory);
    let (first, last) = directory.sequences;
    let mut in_time = ids
        .iter()
        .filter(|id| times.contains(id.timestamp))
        .peekable();
    if in_time.peek().is_none() {
        return Verdict::HoldsForNone(Pruned::Time);
    }
    if in_time.any(|id| first <= id.sequence && id.sequence <= last) {
        return Verdict::Open;
    }
    Verdict::HoldsForNone(Pruned::Sequence)
}

fn of_level(level: &LevelPredicate, directory: &BlockDirectory) -> Verdict {
    let named = count_levels(level, directory);
    if named == u64::from(directory.rows) {
        return Verdict::HoldsForAll;
    }
    if named == 0 && !asks_raw(level, directory) {
        return Verdict::HoldsForNone(Pruned::Statistics);
    }
    Verdict::Open
}

pub(crate) fn count_levels(level: &LevelPredicate, directory: &BlockDirectory) -> u64 {
    Level::ALL
        .into_iter()
        .filter(|known| level.holds(*known))
        .map(|known| u64::from(directory.levels.of(Some(known))))
        .sum()
}

/// Whether raw values of the level, stored as a field, can make a difference.
fn asks_raw(level: &LevelPredicate, directory: &BlockDirectory) -> bool {
    level.raw().is_some() && (directory.rest.is_some() || directory.column_index("level").is_some())
}

fn of_field(
    field: &FieldName,
    predicate: &Predicate,
    directory: &BlockDirectory,
    verdicts: &ValueVerdicts,
) -> Verdict {
    let reading = |entry: &ColumnEntry| field.reach(&entry.path).map(Reading::Field);
    of_columns(predicate, directory, reading, verdicts)
}

fn of_any_field(
    predicate: &Predicate,
    level: &LevelPredicate,
    directory: &BlockDirectory,
    verdicts: &ValueVerdicts,
) -> Verdict {
    let anywhere = |_: &ColumnEntry| Some(Reading::Anywhere);
    match of_level(level, directory) {
        Verdict::HoldsForNone(_) => of_columns(predicate, directory, anywhere, verdicts),
        verdict => verdict,
    }
}

fn of_columns<'t>(
    predicate: &Predicate,
    directory: &BlockDirectory,
    reading: impl Fn(&ColumnEntry) -> Option<Reading<'t>>,
    verdicts: &ValueVerdicts,
) -> Verdict {
    let reached = || {
        let entries = directory.columns.iter();
        entries.filter_map(|entry| Some((entry, reading(entry)?)))
    };
    let must_match = |(entry, reading)| match verdicts.holds_for_all(predicate, reading, entry) {
        Some(holds) => holds && entry.presence.is_none(),
        None => must_match(entry, predicate, reading),
    };
    if reached().any(must_match) {
        return Verdict::HoldsForAll;
    }
    if directory.rest.is_some() {
        return Verdict::Open;
    }
    if reached().next().is_none() {
        return Verdict::HoldsForNone(Pruned::AbsentColumn);
    }
    let mut reason = Pruned::Statistics;
    for (entry, reading) in
        reached().filter(|(entry, reading)| may_match(entry, predicate, *reading))
    {
        match verdicts.holds_for_any(predicate, reading, entry) {
            Some(false) => reason = Pruned::Dictionary,
            Some(true) | None => return Verdict::Open,
        }
    }
    Verdict::HoldsForNone(reason)
}

/// Whether any value of the column can match, as far as its entry in the directory tells.
pub(crate) fn may_match(entry: &ColumnEntry, predicate: &Predicate, reading: Reading<'_>) -> bool {
    let has_arrays = match entry.encoding {
        Encoding::Const | Encoding::Dict | Encoding::Mixed => entry.numbers.is_none(),
        Encoding::Int | Encoding::Float => false,
        Encoding::Str | Encoding::Hex | Encoding::Ip4 | Encoding::Text => false,
    };
    if matches!(reading, Reading::Field(Reach::Inside(_))) {
        return has_arrays;
    }
    if is_text(entry.encoding) {
        return !matches!(predicate.text_test(), TextTest::Never);
    }
    match (entry.numbers, predicate.number_intervals()) {
        (Some(numbers), Some(intervals)) => {
            intervals.iter().any(|interval| overlaps(interval, numbers))
        }
        _ => true,
    }
}

/// Whether all values of such a column are texts.
fn is_text(encoding: Encoding) -> bool {
    matches!(
        encoding,
        Encoding::Str | Encoding::Hex | Encoding::Ip4 | Encoding::Text
    )
}

/// Whether every row of the block must match.
fn must_match(entry: &ColumnEntry, predicate: &Predicate, reading: Reading<'_>) -> bool {
    if entry.presence.is_some() || matches!(reading, Reading::Field(Reach::Inside(_))) {
        return false;
    }
    match entry.encoding {
        Encoding::Const | Encoding::Dict | Encoding::Mixed => false,
        Encoding::Str | Encoding::Hex | Encoding::Ip4 | Encoding::Text => {
            matches!(predicate.text_test(), TextTest::Always)
        }
        Encoding::Int | Encoding::Float => match (entry.numbers, predicate.number_intervals()) {
            (Some(numbers), Some(intervals)) => intervals
                .iter()
                .any(|interval| interval.contains(numbers.min) && interval.contains(numbers.max)),
            _ => false,
        },
    }
}

fn overlaps(interval: &NumberInterval, numbers: NumberRange) -> bool {
    let below = NumberInterval {
        lower: std::ops::Bound::Unbounded,
        upper: interval.upper,
    };
    let above = NumberInterval {
        lower: interval.lower,
        upper: std::ops::Bound::Unbounded,
    };
    below.contains(numbers.min) && above.contains(numbers.max)
}
