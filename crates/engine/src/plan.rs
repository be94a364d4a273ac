//! What a search has to look at, and in which order: decided once, before the first block is read.

use std::collections::HashSet;
use std::sync::Arc;

use cordwood_query::{CompiledClause, Filter, Matcher, TimeBounds};
use cordwood_store::{BlockHandle, Part, Snapshot};

use crate::budget::Budget;
use crate::clauses::Clauses;
use crate::condition::{ClauseId, Condition};
use crate::counted::ValueVerdicts;
use crate::deletions::{Deletion, PartDeletion, PartDeletions, SourceDeletions};
use crate::narrow::{Pruned, times_of};
use crate::top::Rank;
use crate::words::WordSearch;
use crate::{BlockCounts, Incomplete, Order, SearchRequest, SearchedSource, Total};

/// A search, compiled. Shared by all threads that work on it.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) clauses: Clauses,
    pub(crate) verdicts: ValueVerdicts,
    pub(crate) matcher: Matcher,
    /// What tells of an open row that matches of which cases it is; see [`Asked`].
    pub(crate) cases: Vec<Matcher>,
    pub(crate) sources: Vec<PlannedSource>,
    /// The parts that can hold a match, those that can hold the first of all first.
    pub(crate) parts: Vec<PlannedPart>,
    pub(crate) range: TimeBounds,
    /// Events up to here are too old to be seen; 0 when none is.
    pub(crate) after_sequence: u64,
    pub(crate) up_to_sequence: u64,
    pub(crate) after: Option<Rank>,
    pub(crate) order: Order,
    /// How many rows to find: one more than are given back, to know whether a page follows.
    pub(crate) rows_wanted: usize,
    pub(crate) total: Total,
    /// Deletions that stand.
    pub(crate) deletions: Vec<Arc<Deletion>>,
}

/// A source, and what is left of the filter there once `_source` clauses are decided.
#[derive(Debug)]
pub(crate) struct PlannedSource {
    pub(crate) searched: SearchedSource,
    /// The range of the search, without what has expired in the source.
    pub(crate) range: TimeBounds,
    pub(crate) condition: Condition,
    /// What is left of each case in turn. The condition is then that one of them holds.
    pub(crate) cases: Vec<Condition>,
}

/// What a plan is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) search: &'a SearchRequest,
    /// Filters that tell apart the events looked for, each holding that of the search: an event may be of several cases, and one
    /// of none is not looked for. Without cases, all are that match.
    pub(crate) cases: &'a [Filter],
}

/// A part of the snapshot.
#[derive(Debug)]
pub(crate) struct PlannedPart {
    /// An index into [`Plan::sources`].
    pub(crate) source: usize,
    pub(crate) part: Part,
    pub(crate) times: TimeBounds,
    /// No event of the part comes before this place.
    pub(crate) best: Rank,
    /// The clauses that hold for no row of it, as its words tell.
    pub(crate) absent: Vec<ClauseId>,
    /// The deletions that may take rows of it.
    pub(crate) deletions: Vec<PartDeletion>,
}

/// What planning alone ruled out, and what the store cannot give.
#[derive(Debug, Default)]
pub(crate) struct Planned {
    pub(crate) blocks: BlockCounts,
    pub(crate) segments: u64,
    pub(crate) incomplete: Vec<Incomplete>,
}

/// A block that planning alone rules out.
#[derive(Debug)]
pub(crate) struct RuledOut<'a> {
    /// An index into [`Plan::sources`].
    pub(crate) source: usize,
    pub(crate) block: &'a BlockHandle,
    pub(crate) by: Pruned,
    /// The clauses that hold for no row of it, as far as its words were asked.
    pub(crate) absent: &'a [ClauseId],
}

impl Plan {
    /// `witness` learns of each block that is ruled out. A plan that is cancelled is short of parts, and nothing is made of it.
    pub(crate) fn new(
        snapshot: &Snapshot,
        asked: Asked<'_>,
        deletions: Vec<Arc<Deletion>>,
        budget: &Budget,
        witness: &mut dyn FnMut(RuledOut<'_>),
    ) -> (Plan, Planned) {
        let request = asked.search;
        let (condition, cases, clauses) = Condition::of_several(&request.filter, asked.cases);
        let compiler = budget.compiler(request.now);
        let clauses = compiler.clauses(&clauses);
        let bounds = request.filter.time_bounds(request.now);
        let range = request.range.intersection(bounds);
        let up_to_sequence = request
            .up_to_sequence
            .map_or(snapshot.last_sequence(), |asked| {
                asked.min(snapshot.last_sequence())
            });
        let mut plan = Plan {
            matcher: compiler.matcher(&request.filter),
            cases: asked
                .cases
                .iter()
                .map(|case| compiler.matcher(case))
                .collect(),
            sources: planned_sources(request, range, (&condition, &cases), &clauses),
            clauses: Clauses::new(clauses),
            verdicts: ValueVerdicts::default(),
            parts: Vec::new(),
            range,
            after_sequence: request.after_sequence.unwrap_or(0),
            up_to_sequence,
            after: request.after.map(|after| Rank::of(after, request.order)),
            order: request.order,
            rows_wanted: match request.limit {
                0 => 0,
                limit => limit.saturating_add(1),
            },
            total: request.total,
            deletions,
        };
        let planned = plan.collect_parts(snapshot, budget, witness);
        (plan, planned)
    }

    fn collect_parts(
        &mut self,
        snapshot: &Snapshot,
        budget: &Budget,
        witness: &mut dyn FnMut(RuledOut<'_>),
    ) -> Planned {
        let mut planned = Planned::default();
        let mut segments = HashSet::new();
        let mut parts = Vec::new();
        let mut words = WordSearch::new(&self.clauses);
        for (index, source) in self.sources.iter().enumerate() {
            let id = source.searched.id;
            planned.incomplete.extend(source.missing(snapshot));
            planned
                .incomplete
                .extend(source.misunderstood(&self.deletions));
            let mut deletions = SourceDeletions::new(&self.deletions, id);
            let mut last_segment: Option<String> = None;
            for part in snapshot.parts(id) {
                if budget.is_cancelled() {
                    planned.incomplete = vec![Incomplete::Cancelled];
                    return planned;
                }
                if let Part::Block(block) = &part {
                    planned.blocks.total += 1;
                    // Blocks of a segment follow each other: its name is looked up once.
                    if block.segment_file() != last_segment.as_deref() {
                        last_segment = block.segment_file().map(str::to_owned);
                        segments.extend(last_segment.clone());
                    }
                }
                let mut absent = Vec::new();
                let asked = self.ask(source, &part, &mut absent, (&mut words, &mut deletions));
                match (asked, &part) {
                    (Ok((times, deletions)), _) => parts.push(PlannedPart {
                        source: index,
                        times,
                        best: Rank::best_between(times, self.order),
                        absent,
                        deletions,
                        part,
                    }),
                    (Err(by), Part::Block(block)) => {
                        planned.blocks.count_pruned(by);
                        witness(RuledOut {
                            source: index,
                            block,
                            by,
                            absent: &absent,
                        });
                    }
                    (Err(_), Part::Open(_)) => {}
                }
            }
        }
        parts.sort_by_key(|part| part.best);
        self.parts = parts;
        planned.segments = segments.len() as u64;
        planned
    }

    /// The times of a part and the deletions that may take rows of it, or what rules it out. `absent` gets the clauses that
    /// hold for no row of it.
    fn ask(
        &self,
        source: &PlannedSource,
        part: &Part,
        absent: &mut Vec<ClauseId>,
        (words, deletions): (&mut WordSearch<'_>, &mut SourceDeletions<'_>),
    ) -> Result<(TimeBounds, Vec<PartDeletion>), Pruned> {
        let (times, sequences) = extent_of(part);
        if !self.is_in_time(source, times) {
            return Err(Pruned::Time);
        }
        if sequences.0 > self.up_to_sequence || sequences.1 <= self.after_sequence {
            return Err(Pruned::Sequence);
        }
        if let Part::Block(block) = part {
            *absent = words.absent(block);
        }
        if is_ruled_out(&source.condition, absent) {
            return Err(Pruned::Tokens);
        }
        match deletions.of_part(part, times, sequences) {
            PartDeletions::Some(deletions) => Ok((times, deletions)),
            PartDeletions::All => Err(Pruned::Deletion),
        }
    }

    /// Whether events of a source between these times can be asked for: inside the range, and not all before the cursor.
    fn is_in_time(&self, source: &PlannedSource, times: TimeBounds) -> bool {
        let is_behind_cursor = self
            .after
            .is_none_or(|after| Rank::worst_between(times, self.order) > after);
        let is_counted = self.total == Total::Count;
        !source.range.intersection(times).is_empty() && (is_counted || is_behind_cursor)
    }
}

impl PlannedSource {
    /// Deletions whose text cannot be read hide more than they should.
    fn misunderstood(&self, deletions: &[Arc<Deletion>]) -> impl Iterator<Item = Incomplete> {
        let (source, range) = (self.searched.id, self.range);
        deletions.iter().filter_map(move |deletion| {
            let reason = deletion.misunderstood.as_ref()?;
            let times = range.intersection(deletion.times());
            (deletion.is_about(source) && !times.is_empty()).then(|| Incomplete::Deletion {
                source,
                range: times,
                reason: reason.clone(),
            })
        })
    }

    fn missing(&self, snapshot: &Snapshot) -> impl Iterator<Item = Incomplete> {
        let (source, range) = (self.searched.id, self.range);
        snapshot.missing(source).filter_map(move |missing| {
            let times = TimeBounds {
                first: missing.totals.time_min,
                last: missing.totals.time_max,
            };
            let can_matter = !range.intersection(times).is_empty();
            can_matter.then(|| Incomplete::Missing {
                source,
                file: missing.file.clone(),
                range: times,
                rows: missing.totals.rows,
                reason: missing.reason.clone(),
            })
        })
    }
}

/// The sources in which anything can match, with what the filter asks there.
fn planned_sources(
    request: &SearchRequest,
    range: TimeBounds,
    (condition, cases): (&Condition, &[Condition]),
    clauses: &[CompiledClause],
) -> Vec<PlannedSource> {
    let mut seen = HashSet::new();
    let of_source = |condition: &Condition, source: &SearchedSource| {
        condition.decide(&mut |ClauseId(index)| match &clauses[index] {
            CompiledClause::Source(test) => Some(test.matches(source.id, &source.name)),
            _ => None,
        })
    };
    let sources = request.sources.iter();
    sources
        .filter(|source| seen.insert(source.id))
        .filter_map(|source| {
            let cases: Vec<Condition> = cases.iter().map(|case| of_source(case, source)).collect();
            let condition = match cases.is_empty() {
                true => of_source(condition, source),
                false => Condition::or(cases.iter().cloned()),
            };
            (condition != Condition::Constant(false)).then(|| PlannedSource {
                searched: source.clone(),
                range: range.intersection(source.kept()),
                condition,
                cases,
            })
        })
        .collect()
}

/// Whether the condition holds for no row when these clauses do not.
fn is_ruled_out(condition: &Condition, absent: &[ClauseId]) -> bool {
    let without = || condition.decide(&mut |clause| absent.contains(&clause).then_some(false));
    !absent.is_empty() && without() == Condition::Constant(false)
}

/// The times of a part's rows, and the first and the last of their sequence numbers.
fn extent_of(part: &Part) -> (TimeBounds, (u64, u64)) {
    match part {
        Part::Open(rows) => {
            let (first, last) = rows.time_range();
            let last_row = rows.batch().len().saturating_sub(1);
            let sequences = (rows.sequence(0), rows.sequence(last_row));
            (TimeBounds { first, last }, sequences)
        }
        Part::Block(block) => {
            let directory = block.directory();
            (times_of(directory), directory.sequences)
        }
    }
}
