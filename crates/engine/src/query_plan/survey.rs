//! Goes over the blocks of a question without reading any, asking of each what a run would ask of its directory.
//!
//! What rules a block out and what answers it unread is decided by the same code that runs the question, so that a plan and
//! the account of the run agree.

use std::time::Duration;

use cordwood_query::{CompiledClause, TimeBounds};
use cordwood_store::{BlockHandle, OpenRows, Part, Snapshot};

use super::blocks::{Fate, SurveyedBlocks};
use super::columns::ChunksRead;
use super::matches::{AskedBlock, Matches, SHARE_UNKNOWN, float};
use super::{ClausePlan, Estimate, Left, MatchBounds, Pruning, QueryPlan, Scope};
use crate::block::OpenBlock;
use crate::budget::{Budget, Cut};
use crate::by_template::{self, Asking};
use crate::condition::{ClauseId, Condition};
use crate::evaluate::BlockClauses;
use crate::matching::PartRows;
use crate::narrow::{Pruned, Verdict, is_within, verdict};
use crate::part::Way;
use crate::plan::{Plan, PlannedPart, PlannedSource, RuledOut};
use crate::staged::Outline;
use crate::top::Rank;
use crate::{Engine, Incomplete, Order, StagedRequest};

/// About what matching one open row takes.
const OPEN_ROW_TIME: Duration = Duration::from_micros(2);

impl Engine {
    /// What a question would do: what pruning leaves, what is left to be read, and about what that costs. Reads no event. A
    /// request without stages is the search it holds.
    pub fn explain(&self, snapshot: &Snapshot, request: &StagedRequest) -> QueryPlan {
        let started = self.clock().now();
        let budget = self.budget(&request.search);
        let outline = Outline::of(request, &budget);
        let mut ruled_out = Vec::new();
        let witness = &mut |out: RuledOut<'_>| {
            ruled_out.push((out.source, out.block.clone(), out.by, out.absent.to_vec()));
        };
        let (plan, planned) = self.plan_before(snapshot, &outline.search, &budget, witness);
        let mut survey = Survey::new(&plan, &outline, &budget);
        survey.add_other_sources(snapshot);
        for (source, block, by, absent) in &ruled_out {
            survey.blocks.add(block, Fate::RuledOut(step_of(*by)));
            if matches!(by, Pruned::Tokens | Pruned::Deletion) {
                survey.ask_clauses(&plan.sources[*source], block, absent);
            }
        }
        let cut = survey.add_parts().err().or(budget.interrupted());
        let mut query_plan = survey.finish();
        query_plan.incomplete = planned.incomplete;
        query_plan.incomplete.extend(cut.map(Incomplete::from));
        query_plan.elapsed = self.clock().now().saturating_duration_since(started);
        query_plan
    }
}

struct Survey<'a> {
    plan: &'a Plan,
    outline: &'a Outline,
    budget: &'a Budget,
    blocks: SurveyedBlocks,
    clauses: Vec<ClausePlan>,
    open_rows: u64,
    /// Of the columns read in blocks that are evaluated.
    bytes_read: u64,
    matches: MatchBounds,
    expected: f64,
    estimate: Estimate,
    first: FirstRows,
}

/// How far the first rows asked for are known to reach.
struct FirstRows {
    /// How many are asked for.
    wanted: u64,
    /// How many there are at least in the parts so far.
    certain: u64,
    /// The worst place that one of these has.
    worst: Option<Rank>,
    order: Order,
}

impl FirstRows {
    fn add(&mut self, part: &PlannedPart, matches: MatchBounds) {
        if matches.at_least > 0 && self.bound().is_none() {
            let worst = Rank::worst_between(part.times, self.order);
            self.worst = self.worst.max(Some(worst));
            self.certain = self.certain.saturating_add(matches.at_least);
        }
    }

    /// No row from here on is one of the first.
    fn bound(&self) -> Option<Rank> {
        self.worst.filter(|_| self.certain >= self.wanted)
    }
}

impl<'a> Survey<'a> {
    fn new(plan: &'a Plan, outline: &'a Outline, budget: &'a Budget) -> Survey<'a> {
        let (_, clauses) = Condition::of(&outline.search.filter);
        let clauses = clauses.into_iter().map(|clause| ClausePlan {
            clause: clause.to_string(),
            ..ClausePlan::default()
        });
        Survey {
            clauses: clauses.collect(),
            plan,
            outline,
            budget,
            blocks: SurveyedBlocks::default(),
            open_rows: 0,
            bytes_read: 0,
            matches: MatchBounds::default(),
            expected: 0.0,
            estimate: Estimate::default(),
            first: FirstRows {
                // Behind a cursor nobody knows how many of them count.
                wanted: match plan.after {
                    None => plan.rows_wanted as u64,
                    Some(_) => u64::MAX,
                },
                certain: 0,
                worst: None,
                order: plan.order,
            },
        }
    }

    /// The blocks of sources that were asked for and in which nothing can match.
    fn add_other_sources(&mut self, snapshot: &Snapshot) {
        let mut known: Vec<_> = self.plan.sources.iter().map(|s| s.searched.id).collect();
        for source in &self.outline.search.sources {
            if known.contains(&source.id) {
                continue;
            }
            known.push(source.id);
            for part in snapshot.parts(source.id) {
                if let Part::Block(block) = &part {
                    self.blocks.add(block, Fate::RuledOut(Pruning::Source));
                }
            }
        }
    }

    fn add_parts(&mut self) -> Result<(), Cut> {
        for (index, part) in self.plan.parts.iter().enumerate() {
            self.budget.check()?;
            let matches = match &part.part {
                Part::Open(rows) => self.add_open(part, rows),
                Part::Block(block) => self.add_part(index, part, block),
            };
            self.matches.at_least += matches.bounds.at_least;
            self.matches.at_most += matches.bounds.at_most;
            self.expected += matches.expected;
            self.first.add(part, matches.bounds);
        }
        Ok(())
    }

    fn add_open(&mut self, part: &PlannedPart, rows: &OpenRows) -> Matches {
        let all = rows.batch().len() as u64;
        let condition = &self.plan.sources[part.source].condition;
        let share = match condition {
            Condition::Constant(true) => 1.0,
            _ => SHARE_UNKNOWN,
        };
        self.open_rows += all;
        if self.goes_on() {
            self.estimate.rows += all;
            self.estimate.cpu += OPEN_ROW_TIME * u32::try_from(all).unwrap_or(u32::MAX);
        }
        Matches {
            bounds: MatchBounds {
                at_least: 0,
                at_most: all,
            },
            expected: float(all) * share,
        }
    }

    fn add_part(&mut self, index: usize, part: &PlannedPart, block: &BlockHandle) -> Matches {
        let plan = self.plan;
        let bound = self.first.bound();
        let way = self
            .outline
            .foresee(plan, (index, block), bound, self.budget);
        let rows = PartRows {
            plan,
            part,
            budget: self.budget,
        };
        let source = &plan.sources[part.source];
        self.ask_clauses(source, block, &part.absent);
        let condition = match (way, rows.condition_in(block)) {
            (Way::Pruned(by), _) | (_, Err(by)) => {
                self.blocks.add(block, Fate::RuledOut(step_of(by)));
                return Matches::default();
            }
            (_, Ok(condition)) => condition,
        };
        let asked = AskedBlock {
            clauses: &plan.clauses,
            directory: block.directory(),
            verdicts: &plan.verdicts,
        };
        let mut matches = asked.matches(&condition);
        if !rows.holds_whole(block) {
            matches.bounds.at_least = 0;
            matches.expected *= share_within(part.times, source.range);
        }
        match way {
            Way::Counted => self.blocks.add(block, Fate::Counted),
            Way::ByTemplates => self.blocks.add(block, Fate::ByTemplates),
            Way::Read | Way::Pruned(_) => {
                self.blocks.add(block, Fate::Read);
                self.add_reading(source, part, block, &condition);
            }
        }
        matches
    }

    /// Whether what was seen so far is not expected to be enough.
    fn goes_on(&self) -> bool {
        let enough = self.outline.rows_enough;
        enough.is_none_or(|rows| self.expected < float(rows as u64))
    }

    fn add_reading(
        &mut self,
        source: &PlannedSource,
        part: &PlannedPart,
        block: &BlockHandle,
        condition: &Condition,
    ) {
        let directory = block.directory();
        let mut read = ChunksRead::of(directory);
        for clause in condition.clauses() {
            let mut of_clause = ChunksRead::of(directory);
            of_clause.add_clause(&self.plan.clauses[clause.0]);
            self.clauses[clause.0].bytes += of_clause.bytes;
            read.add_clause(&self.plan.clauses[clause.0]);
        }
        if !is_within(part.times, source.range) {
            read.add_times();
        }
        let held = directory.sequences;
        if held.1 > self.plan.up_to_sequence || held.0 <= self.plan.after_sequence {
            read.add_sequences();
        }
        if self.plan.rows_wanted > 0 || self.plan.after.is_some() {
            read.add_ids();
        }
        if !part.deletions.is_empty() {
            read.add_all();
        }
        if let Some(targets) = self.outline.targets() {
            read.add_targets(targets);
        }
        self.bytes_read += read.bytes;
        if !self.goes_on() {
            return;
        }
        let open = OpenBlock::new(block);
        let clauses = BlockClauses::new(&open, &self.plan.clauses, self.budget);
        let nanos = condition.cost(&clauses, directory.rows as usize) + read.nanos;
        self.estimate.blocks += 1;
        self.estimate.rows += u64::from(directory.rows);
        self.estimate.cpu += Duration::from_nanos(nanos);
        if self.outline.gives_events && self.expected < float(self.outline.search.limit as u64) {
            read.add_all();
        }
        self.estimate.bytes += read.bytes;
    }

    fn ask_clauses(&mut self, source: &PlannedSource, block: &BlockHandle, absent: &[ClauseId]) {
        let (clauses, directory) = (&self.plan.clauses, block.directory());
        for (index, clause) in self.clauses.iter_mut().enumerate() {
            let id = ClauseId(index);
            let is_by_templates = || {
                by_template::count_unread(&Condition::Clause(id), clauses, block, Asking::All)
                    .is_some()
            };
            let of_source = match &clauses[index] {
                CompiledClause::Source(test) => {
                    Some(test.matches(source.searched.id, &source.searched.name))
                }
                _ => None,
            };
            let counter = match (
                of_source,
                verdict(&clauses[index], directory, &self.plan.verdicts),
            ) {
                (Some(true), _) | (None, Verdict::HoldsForAll) => &mut clause.blocks_with_all,
                (Some(false), _) | (None, Verdict::HoldsForNone(_)) => &mut clause.blocks_with_none,
                _ if absent.contains(&id) => &mut clause.blocks_without_words,
                _ if is_by_templates() => &mut clause.blocks_by_templates,
                _ => &mut clause.blocks_open,
            };
            *counter += 1;
        }
    }

    fn finish(self) -> QueryPlan {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a guess between zero and the number of rows"
        )]
        let expected = self.expected.round() as u64;
        QueryPlan {
            range: self.plan.range,
            sources: self.plan.sources.iter().map(|s| s.searched.id).collect(),
            stages: self.outline.stages.clone(),
            steps: self.blocks.steps(),
            left: Left {
                counted: self.blocks.with(Fate::Counted),
                by_templates: self.blocks.with(Fate::ByTemplates),
                read: Scope {
                    bytes: self.bytes_read,
                    ..self.blocks.with(Fate::Read)
                },
                open_rows: self.open_rows,
            },
            stops_early: self.outline.may_stop,
            matches: self.matches,
            estimate: Estimate {
                matches: expected.clamp(self.matches.at_least, self.matches.at_most),
                ..self.estimate
            },
            clauses: self.clauses,
            incomplete: Vec::new(),
            elapsed: Duration::ZERO,
        }
    }
}

/// The share of some times that lies in a range.
#[expect(
    clippy::cast_precision_loss,
    reason = "a guess at a number of rows is none the worse for it"
)]
fn share_within(times: TimeBounds, range: TimeBounds) -> f64 {
    let length = |times: TimeBounds| {
        i128::from(times.last.as_nanos()) - i128::from(times.first.as_nanos()) + 1
    };
    let within = length(times.intersection(range)).max(0);
    within as f64 / length(times).max(1) as f64
}

fn step_of(pruned: Pruned) -> Pruning {
    match pruned {
        Pruned::Time => Pruning::Time,
        Pruned::Sequence => Pruning::Snapshot,
        Pruned::Tokens => Pruning::TokenMap,
        Pruned::Deletion => Pruning::Deletions,
        Pruned::Statistics => Pruning::MinMax,
        Pruned::AbsentColumn => Pruning::Fields,
        Pruned::Dictionary => Pruning::Dictionaries,
    }
}
