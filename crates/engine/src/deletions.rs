//! Which rows deletions mean, and what was evicted: what a search leaves out, and what the store purges.
//!
//! A deletion is evaluated on the rows of those parts that may hold some of its events, after the filter of the search: on few
//! rows as a rule. All other parts keep every shortcut.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use cordwood_event::{EventId, EventRef, SourceId, Timestamp};
use cordwood_query::{BatchMatcher, CompiledClause, Filter, Matcher, Origin, TimeBounds, parse};
use cordwood_store::{
    BlockHandle, DeletedSource, DeletionRequest, Eviction, FindDeleted, Part, Snapshot, Untold,
};

use crate::block::OpenBlock;
use crate::budget::{Budget, Cancel, Clock};
use crate::clauses::{Clauses, Compiler};
use crate::condition::{ClauseId, Condition};
use crate::counted::ValueVerdicts;
use crate::evaluate::{BlockClauses, Failure};
use crate::narrow::{is_within, narrow, times_of};
use crate::selection::Selection;
use crate::words::WordSearch;

/// A deletion whose query is compiled.
#[derive(Debug)]
pub(crate) struct Deletion {
    request: Arc<DeletionRequest>,
    condition: Condition,
    clauses: Clauses,
    matcher: Matcher,
    /// Why its query cannot be read; it then counts as meaning everything it could mean: what was deleted must not come back.
    pub(crate) misunderstood: Option<String>,
}

/// A deletion, and what is left of its query in one part of a source.
#[derive(Clone, Debug)]
pub(crate) struct PartDeletion {
    deletion: Arc<Deletion>,
    condition: Condition,
}

/// The deletions that take rows of one part.
#[derive(Clone, Debug)]
pub(crate) enum PartDeletions {
    /// These, if any, and none of them may take every row.
    Some(Vec<PartDeletion>),
    /// No row is left.
    All,
}

impl Deletion {
    fn new(request: Arc<DeletionRequest>) -> Deletion {
        let parsed = parse(&request.query);
        let misunderstood = parsed.as_ref().err().map(|diagnostics| {
            let first = diagnostics.0.first();
            first.map_or_else(String::new, |first| first.message.clone())
        });
        let filter = parsed.map_or(Filter::All, |parsed| parsed.query.filter);
        let now = request.requested_at;
        let (condition, clauses) = Condition::of(&filter);
        // One for all questions, and for who purges: nobody interrupts it.
        let compiler = Compiler::new(now);
        Deletion {
            clauses: Clauses::new(compiler.clauses(&clauses)),
            condition,
            matcher: compiler.matcher(&filter),
            misunderstood,
            request,
        }
    }

    pub(crate) fn times(&self) -> TimeBounds {
        TimeBounds {
            first: self.request.first,
            last: self.request.last,
        }
    }

    pub(crate) fn is_about(&self, source: SourceId) -> bool {
        self.name_of(source).is_some()
    }

    /// What the query may call a source.
    fn name_of(&self, source: SourceId) -> Option<&str> {
        let sources = self.request.sources.iter();
        let mut found = sources.filter(|deleted| deleted.id == source);
        found.next().map(|deleted| &*deleted.name)
    }

    /// What the query asks of the events of a source.
    fn condition_in(&self, source: SourceId) -> Condition {
        let Some(name) = self.name_of(source) else {
            return Condition::Constant(false);
        };
        self.condition
            .decide(&mut |ClauseId(index)| match self.clauses.get(index) {
                Some(CompiledClause::Source(test)) => Some(test.matches(source, name)),
                _ => None,
            })
    }
}

/// The deletions of one source, while its parts are looked at.
pub(crate) struct SourceDeletions<'d> {
    source: SourceId,
    deletions: Vec<(&'d Arc<Deletion>, Condition, WordSearch<'d>)>,
    verdicts: ValueVerdicts,
}

impl<'d> SourceDeletions<'d> {
    pub(crate) fn new(all: &'d [Arc<Deletion>], source: SourceId) -> SourceDeletions<'d> {
        let deletions = all.iter().filter_map(|deletion| {
            let condition = deletion.condition_in(source);
            let words = || WordSearch::new(&deletion.clauses);
            (condition != Condition::Constant(false)).then(|| (deletion, condition, words()))
        });
        SourceDeletions {
            source,
            deletions: deletions.collect(),
            verdicts: ValueVerdicts::default(),
        }
    }

    /// The deletions that may take rows of a part.
    pub(crate) fn of_part(
        &mut self,
        part: &Part,
        times: TimeBounds,
        sequences: (u64, u64),
    ) -> PartDeletions {
        let mut touching = Vec::new();
        for (deletion, condition, words) in &mut self.deletions {
            let request = &deletion.request;
            if !request.may_touch(self.source, (times.first, times.last), sequences.0) {
                continue;
            }
            let condition = match part {
                Part::Open(_) => condition.clone(),
                Part::Block(block) => {
                    let absent = words.absent(block);
                    let narrowed = narrow(
                        condition,
                        &deletion.clauses,
                        block.directory(),
                        &absent,
                        &self.verdicts,
                    );
                    match narrowed {
                        Ok(condition) => condition,
                        Err(_) => continue,
                    }
                }
            };
            let reaches_all =
                is_within(times, deletion.times()) && sequences.1 <= request.up_to_sequence;
            if reaches_all && condition == Condition::Constant(true) {
                return PartDeletions::All;
            }
            touching.push(PartDeletion {
                deletion: Arc::clone(deletion),
                condition,
            });
        }
        PartDeletions::Some(touching)
    }
}

impl PartDeletion {
    /// Those of some rows of a block that it takes.
    pub(crate) fn select(
        &self,
        block: &OpenBlock,
        among: &Selection,
        budget: &Budget,
    ) -> Result<Selection, Failure> {
        let bounds = Bounds {
            times: self.deletion.times(),
            after_sequence: 0,
            up_to_sequence: self.deletion.request.up_to_sequence,
        };
        let among = bounds.select(block, among.clone())?;
        let clauses = BlockClauses::new(block, &self.deletion.clauses, budget);
        self.condition.evaluate(&clauses, among)
    }

    pub(crate) fn in_batch<'m>(&'m self, batch: &'m cordwood_event::Batch) -> OpenDeletion<'m> {
        OpenDeletion {
            deletion: &self.deletion,
            matcher: self.deletion.matcher.in_batch(batch),
        }
    }
}

/// A deletion, for the rows of one batch.
pub(crate) struct OpenDeletion<'m> {
    deletion: &'m Deletion,
    matcher: BatchMatcher<'m>,
}

impl OpenDeletion<'_> {
    pub(crate) fn takes(&self, source: SourceId, event: EventRef<'_>, id: EventId) -> bool {
        let origin = Origin {
            source,
            source_name: self.deletion.name_of(source).unwrap_or_default(),
            sequence: id.sequence,
        };
        id.sequence <= self.deletion.request.up_to_sequence
            && self.deletion.times().contains(id.timestamp)
            && self.matcher.matches(event, &origin)
    }
}

/// Times and sequence numbers that rows are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) times: TimeBounds,
    pub(crate) after_sequence: u64,
    pub(crate) up_to_sequence: u64,
}

impl Bounds {
    /// Those of some rows of a block that lie within.
    pub(crate) fn select(
        self,
        block: &OpenBlock,
        mut selected: Selection,
    ) -> Result<Selection, Failure> {
        if !is_within(times_of(block.directory()), self.times) {
            let times = block.timestamps()?;
            let start = times.partition_point(|time| *time < self.times.first.as_nanos());
            let end = times.partition_point(|time| *time <= self.times.last.as_nanos());
            selected.keep_range(start..end);
        }
        let held = block.directory().sequences;
        if held.1 > self.up_to_sequence || held.0 <= self.after_sequence {
            let sequences = block.sequences()?;
            selected = selected.filter(|row| {
                sequences.get(row).is_some_and(|sequence| {
                    *sequence <= self.up_to_sequence && *sequence > self.after_sequence
                })
            });
        }
        Ok(selected)
    }
}

/// What went for the size of a source, as a deletion of everything before a time.
fn evicted_from(source: SourceId, eviction: Eviction) -> Option<Arc<DeletionRequest>> {
    let last = eviction.before.as_nanos().checked_sub(1)?;
    let deleted = DeletedSource {
        id: source,
        name: String::new(),
    };
    Some(Arc::new(DeletionRequest {
        sources: vec![deleted],
        first: Timestamp::MIN,
        last: Timestamp::from_nanos(last),
        query: Filter::All.to_string(),
        requested_at: Timestamp::from_nanos(0),
        up_to_sequence: eviction.up_to_sequence,
    }))
}

/// The deletions that stand and what was evicted, each compiled once.
#[derive(Debug, Default)]
pub(crate) struct Deletions {
    compiled: Mutex<HashMap<Arc<DeletionRequest>, Arc<Deletion>>>,
}

impl Deletions {
    /// Those of a snapshot, in its order.
    pub(crate) fn of(&self, snapshot: &Snapshot) -> Vec<Arc<Deletion>> {
        let standing = snapshot.deletions().iter();
        let standing = standing.map(|deletion| Arc::clone(&deletion.request));
        let evicted = snapshot.evictions().iter();
        let evicted = evicted.filter_map(|(source, eviction)| evicted_from(*source, *eviction));
        let requests: Vec<Arc<DeletionRequest>> = standing.chain(evicted).collect();
        if requests.is_empty() {
            return Vec::new();
        }
        let deletions = requests.iter().map(|request| self.get(request)).collect();
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if compiled.len() > requests.len() {
            let wanted: HashSet<&Arc<DeletionRequest>> = requests.iter().collect();
            compiled.retain(|request, _| wanted.contains(request));
        }
        deletions
    }

    fn get(&self, request: &Arc<DeletionRequest>) -> Arc<Deletion> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let found = compiled.entry(Arc::clone(request));
        let found = found.or_insert_with(|| Arc::new(Deletion::new(Arc::clone(request))));
        Arc::clone(found)
    }
}

/// Tells the store which rows deletions mean, for it to purge them.
#[derive(Debug)]
pub struct DeletedRows {
    clock: Clock,
    /// The deletion that was asked about last: the store asks block after block.
    last: Mutex<Option<Arc<Deletion>>>,
}

impl DeletedRows {
    pub(crate) fn new(clock: Clock) -> DeletedRows {
        DeletedRows {
            clock,
            last: Mutex::new(None),
        }
    }

    fn compiled(&self, request: &DeletionRequest) -> Arc<Deletion> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some(deletion) if *deletion.request == *request => Arc::clone(deletion),
            _ => {
                let deletion = Arc::new(Deletion::new(Arc::new(request.clone())));
                Arc::clone(last.insert(deletion))
            }
        }
    }
}

impl FindDeleted for DeletedRows {
    fn deleted_rows(
        &self,
        request: &DeletionRequest,
        source: SourceId,
        block: &BlockHandle,
    ) -> Result<Vec<usize>, Untold> {
        let deletion = self.compiled(request);
        if let Some(reason) = &deletion.misunderstood {
            return Err(Untold::Lasting(format!(
                "the query of the deletion is not understood: {reason}"
            )));
        }
        let deletions = [deletion];
        let mut of_source = SourceDeletions::new(&deletions, source);
        let (part, times) = (Part::Block(block.clone()), times_of(block.directory()));
        let of_part = of_source.of_part(&part, times, block.directory().sequences);
        let PartDeletions::Some(touching) = of_part else {
            return Ok((0..block.rows()).collect());
        };
        let Some(touching) = touching.first() else {
            return Ok(Vec::new());
        };
        let budget = Budget::new(self.clock.clone(), None, Cancel::default());
        let open = OpenBlock::new(block);
        match touching.select(&open, &Selection::all(block.rows()), &budget) {
            Ok(selected) => Ok(selected.iter().collect()),
            Err(Failure::OutOfReach(detail)) => Err(Untold::OutOfReach(detail)),
            Err(Failure::Unreadable(detail)) => Err(Untold::Lasting(detail)),
            Err(Failure::Cut(_)) => Err(Untold::Lasting("it took too long".to_owned())),
        }
    }
}
