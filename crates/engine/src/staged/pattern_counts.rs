//! The patterns of the events that match: how many of each there are, by level, by time and by source.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cordwood_event::{Event, EventId, Level, SourceId, Timestamp, Value, path};
use cordwood_query::{FieldName, Filter, Function, Interval, Target, TimeBounds};
use cordwood_store::Snapshot;
use rapidhash::RapidHashMap;

use super::patterns::{Settling, grouped_by, number_and_source};
use super::pipeline::{Ending, Pipeline};
use super::{StagedRequest, aggregating, range};
use crate::budget::Budget;
use crate::groups::{GroupBy, Held, interval_start};
use crate::pattern::{OTHER, PatternId, PatternQuery, shown, typed};
use crate::row::FieldSet;
use crate::run::Run;
use crate::{Account, Cell, Engine, Error, Order, SearchRequest, Total};

/// A question for patterns.
#[derive(Clone, Debug)]
pub struct PatternsRequest {
    /// Which events: its filter, sources and range count, its order, limit and total do not.
    pub search: SearchRequest,
    /// The field whose texts are looked at, as a rule `message`.
    pub field: FieldName,
    /// How many buckets the range is cut into at most; 0 for none.
    pub buckets_max: usize,
    /// For so many of the commonest, an example is fetched.
    pub examples_max: usize,
}

/// What many events have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// Names it.
    pub id: PatternId,
    /// What tells it apart, as [`form_of`](crate::pattern::form_of) has it.
    pub form: String,
    /// What people read: `took <num>ms for <uuid>`.
    pub text: String,
    /// A query for its events, which may find a few of others besides.
    pub query: String,
    /// How many events have it.
    pub count: u64,
    /// How many of each level, from none on, by [`Level::code`].
    pub by_level: [u64; LEVELS],
    /// How many in each bucket of [`Patterns::buckets`].
    pub by_bucket: Vec<u64>,
    /// How many in each source.
    pub by_source: BTreeMap<SourceId, u64>,
    /// The earliest of these events.
    pub first: EventId,
    /// The latest.
    pub last: EventId,
    /// The latest, if it was asked for and could be read.
    pub example: Option<Event>,
}

/// As many levels as there are, and none.
pub const LEVELS: usize = 7;

/// The patterns of some events.
#[derive(Clone, Debug, PartialEq)]
pub struct Patterns {
    /// The commonest first.
    pub patterns: Vec<Pattern>,
    /// How many events were looked at.
    pub events: u64,
    /// How many of these do not have the field.
    pub without_field: u64,
    /// How many are of no pattern of their own, because there are too many different texts.
    pub other: u64,
    /// How long a bucket is; `None` when there are none.
    pub interval: Option<Interval>,
    /// When each bucket begins; they follow each other.
    pub buckets: Vec<Timestamp>,
    /// The last sequence number the question could see.
    pub up_to_sequence: u64,
    /// Completeness, range and cost.
    pub account: Account,
}

impl Engine {
    /// Counts the events that match by pattern. Blocks the caller as [`Engine::search`] does, and as there, whatever cuts it short is
    /// said in the account.
    pub fn patterns(
        &self,
        snapshot: &Snapshot,
        request: &PatternsRequest,
    ) -> Result<Patterns, Error> {
        let started = self.clock().now();
        let means = self.means(&request.search);
        let search = SearchRequest {
            order: Order::OldestFirst,
            limit: 0,
            after: None,
            total: Total::NotAsked,
            ..request.search.clone()
        };
        let (plan, planned) = self.plan(snapshot, &search, &means.budget);
        let up_to_sequence = plan.up_to_sequence;
        let times = range::lasting(self, &plan, snapshot, &search)?.times;
        let buckets = Buckets::of(times, request.buckets_max);
        let mut run = Run::new(&means, plan, planned);
        let pipeline = pipeline(self, request, &search, buckets.as_ref(), &means.budget);
        let Ending::Groups(aggregation) = pipeline.ending.clone() else {
            return Err(Error::Broken);
        };
        let held = Arc::new(Held::new(means.memory));
        let groups = aggregating::aggregate(&mut run, &pipeline, &aggregation, &held)?;
        let mut counting = Counting::new(buckets);
        let budget = means.budget.without_deadline();
        match (groups.into_table(1.0, &budget), &pipeline.patterns) {
            (Ok(table), Some(patterns)) => {
                let settling = Settling::of(&table.rows, patterns);
                table
                    .rows
                    .iter()
                    .for_each(|row| counting.add(row, &settling));
            }
            (Err(cut), _) => run.note(cut.into()),
            (Ok(_), None) => {}
        }
        let mut found = counting.finish(&request.field, (up_to_sequence, run.account()));
        for pattern in found.patterns.iter_mut().take(request.examples_max) {
            self.fetch_example(snapshot, request, pattern)?;
        }
        found.account.elapsed = self.clock().now().saturating_duration_since(started);
        Ok(found)
    }

    /// Fetches the last event of a pattern that was found for a request, and says of which kinds its places are.
    pub fn fetch_example(
        &self,
        snapshot: &Snapshot,
        request: &PatternsRequest,
        pattern: &mut Pattern,
    ) -> Result<(), Error> {
        let at = pattern.last.timestamp;
        // Of one instant, the greatest sequence number comes first.
        let search = SearchRequest {
            filter: Filter::All,
            range: TimeBounds {
                first: at,
                last: at,
            },
            order: Order::NewestFirst,
            up_to_sequence: Some(pattern.last.sequence),
            limit: 1,
            total: Total::NotAsked,
            after: None,
            ..request.search.clone()
        };
        let found = self.search(snapshot, &search)?.events.into_iter().next();
        let event = found.filter(|event| event.id == pattern.last);
        let text = event
            .as_ref()
            .and_then(|event| text_of(event, &request.field));
        if let Some(text) = text {
            pattern.text = typed(&pattern.form, &text);
        }
        pattern.example = event;
        Ok(())
    }
}

/// The text of the field in an event.
fn text_of(event: &Event, field: &FieldName) -> Option<String> {
    let mut fields = event.fields.iter();
    let (_, value) = fields.find(|(path, _)| path::name(path) == field.as_str())?;
    match value {
        Value::Str(text) => Some(text.to_string()),
        _ => None,
    }
}

/// What is grouped by: form, source, level and, with buckets, time.
fn pipeline(
    engine: &Engine,
    request: &PatternsRequest,
    search: &SearchRequest,
    buckets: Option<&Buckets>,
    budget: &Budget,
) -> Pipeline {
    let staged = StagedRequest {
        search: search.clone(),
        stages: Vec::new(),
        rows_max: 0,
    };
    let mut pipeline = Pipeline::new(&staged, budget);
    let mut fields = FieldSet::default();
    let mut others = vec![GroupBy::Field(fields.index(Target::Level))];
    others.extend(buckets.map(|buckets| GroupBy::Time(buckets.interval)));
    let id = FieldName::new("_id");
    let functions = vec![
        Function::Count(None),
        Function::First(id.clone()),
        Function::Last(id),
    ];
    let aggregation = grouped_by(&request.field, &others, functions, &mut fields);
    if let Some(patterns) = aggregation.patterns() {
        patterns.know(engine.known_patterns(&search.sources));
    }
    pipeline.patterns = aggregation.patterns().cloned();
    pipeline.ending = Ending::Groups(Arc::new(aggregation));
    pipeline.fields = Arc::new(fields);
    pipeline
}

/// The range in pieces of one length.
#[derive(Clone, Debug)]
struct Buckets {
    interval: Interval,
    starts: Vec<Timestamp>,
}

/// Lengths that people read at a glance, in seconds: the greatest is a year.
const LENGTHS: [i64; 25] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
    172_800, 604_800, 1_209_600, 2_592_000, 7_776_000, 15_552_000, 31_536_000,
];

const NANOS_PER_SECOND: i64 = 1_000_000_000;

impl Buckets {
    /// At most so many, of the shortest length with which they are enough; `None` for none, or where there is no range.
    fn of(times: Option<TimeBounds>, buckets_max: usize) -> Option<Buckets> {
        let times = times.filter(|_| buckets_max > 0)?;
        let mut lengths = LENGTHS
            .into_iter()
            .map(|seconds| seconds * NANOS_PER_SECOND);
        let interval = lengths.find_map(|nanos| {
            let interval = Interval { nanos };
            (count(times, interval) <= buckets_max as u64).then_some(interval)
        })?;
        let first = interval_start(times.first, interval).as_nanos();
        let starts = (0..count(times, interval).cast_signed())
            .map_while(|bucket| first.checked_add(bucket.checked_mul(interval.nanos)?));
        Some(Buckets {
            interval,
            starts: starts.map(Timestamp::from_nanos).collect(),
        })
    }

    fn index_of(&self, start: Timestamp) -> Option<usize> {
        self.starts.binary_search(&start).ok()
    }
}

/// How many buckets of a length a range touches.
fn count(times: TimeBounds, interval: Interval) -> u64 {
    let bucket = |time: Timestamp| time.as_nanos().div_euclid(interval.nanos);
    bucket(times.last).abs_diff(bucket(times.first)) + 1
}

/// The patterns so far.
struct Counting {
    buckets: Option<Buckets>,
    patterns: Vec<(String, Counts)>,
    /// By form, the index of its pattern.
    by_form: HashMap<String, usize>,
    /// The same by source and the number of a form.
    by_number: RapidHashMap<(Option<SourceId>, usize), usize>,
    events: u64,
    without_field: u64,
    other: u64,
}

/// What is counted of one pattern.
#[derive(Clone, Debug, Default)]
struct Counts {
    count: u64,
    by_level: [u64; LEVELS],
    by_bucket: Vec<u64>,
    by_source: BTreeMap<SourceId, u64>,
    edges: Option<(EventId, EventId)>,
}

impl Counting {
    fn new(buckets: Option<Buckets>) -> Counting {
        Counting {
            buckets,
            patterns: Vec::new(),
            by_form: HashMap::new(),
            by_number: RapidHashMap::default(),
            events: 0,
            without_field: 0,
            other: 0,
        }
    }

    /// Adds a group: form, source, level, time if there are buckets, count, and the first and last id.
    fn add(&mut self, row: &[Cell], settling: &Settling) {
        let (number, source) = number_and_source(row);
        let count = match row.iter().rev().nth(2) {
            Some(Cell::Int(count)) => u64::try_from(*count).unwrap_or(0),
            _ => 0,
        };
        self.events += count;
        let Some(number) = number else {
            self.without_field += count;
            return;
        };
        let index = self.index_of((source, number), settling);
        match self.patterns.get_mut(index) {
            Some((form, _)) if form == OTHER => self.other += count,
            Some((_, counts)) => counts.add(count, source, row, self.buckets.as_ref()),
            None => {}
        }
    }

    /// The pattern of the texts of a source whose own form has this number.
    fn index_of(&mut self, own: (Option<SourceId>, usize), settling: &Settling) -> usize {
        if let Some(index) = self.by_number.get(&own) {
            return *index;
        }
        let form = settling.form(own.0, own.1);
        let index = self.by_form.get(form).copied().unwrap_or_else(|| {
            self.patterns.push((form.to_owned(), Counts::default()));
            self.by_form
                .insert(form.to_owned(), self.patterns.len() - 1);
            self.patterns.len() - 1
        });
        self.by_number.insert(own, index);
        index
    }

    fn finish(self, field: &FieldName, (up_to_sequence, account): (u64, Account)) -> Patterns {
        let mut patterns: Vec<Pattern> = self
            .patterns
            .into_iter()
            .filter_map(|(form, counts)| counts.into_pattern(form, field))
            .collect();
        patterns.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.form.cmp(&b.form)));
        Patterns {
            patterns,
            events: self.events,
            without_field: self.without_field,
            other: self.other,
            interval: self.buckets.as_ref().map(|buckets| buckets.interval),
            buckets: self
                .buckets
                .map(|buckets| buckets.starts)
                .unwrap_or_default(),
            up_to_sequence,
            account,
        }
    }
}

impl Counts {
    fn add(
        &mut self,
        count: u64,
        source: Option<SourceId>,
        row: &[Cell],
        buckets: Option<&Buckets>,
    ) {
        self.count += count;
        if let Some(source) = source {
            *self.by_source.entry(source).or_default() += count;
        }
        let level = match row.get(2) {
            Some(Cell::Str(name)) => Level::parse(name),
            _ => None,
        };
        if let Some(of_level) = self
            .by_level
            .get_mut(level.map_or(0, |level| usize::from(level.code())))
        {
            *of_level += count;
        }
        if let (Some(buckets), Some(Cell::Time(start))) = (buckets, row.get(3)) {
            self.by_bucket.resize(buckets.starts.len(), 0);
            let bucket = buckets.index_of(*start);
            if let Some(of_bucket) = bucket.and_then(|bucket| self.by_bucket.get_mut(bucket)) {
                *of_bucket += count;
            }
        }
        if let [.., Cell::Str(first), Cell::Str(last)] = row
            && let (Ok(first), Ok(last)) = (first.parse::<EventId>(), last.parse::<EventId>())
        {
            let (earliest, latest) = self.edges.get_or_insert((first, last));
            *earliest = (*earliest).min(first);
            *latest = (*latest).max(last);
        }
    }

    fn into_pattern(self, form: String, field: &FieldName) -> Option<Pattern> {
        let (first, last) = self.edges?;
        Some(Pattern {
            id: PatternId::of_form(&form),
            text: shown(&form),
            query: PatternQuery::of(field.as_str(), &form).text,
            form,
            count: self.count,
            by_level: self.by_level,
            by_bucket: self.by_bucket,
            by_source: self.by_source,
            first,
            last,
            example: None,
        })
    }
}
