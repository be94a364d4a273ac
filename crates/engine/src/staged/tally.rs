//! Many countings of the same events at once: how many there are of each value of some fields, and of their combinations; of
//! all of them, and of those of several cases.
//!
//! A `stats count() by` for each would read the columns of a block again for each. Here each is read once, by however many groupings
//! and in however many cases its rows are counted; what the directory of a block counts is not read even then.

use std::cell::Cell;
use std::sync::Arc;

use cordwood_event::EventId;
use cordwood_query::{Aggregate, FieldName, Filter, Function, GroupKey, Origin, Stage};
use cordwood_store::{BlockHandle, OpenRows, Part, Snapshot};

use super::aggregating::Work;
use super::block_tally::BlockTally;
use super::merging::Merging;
use super::open_tally::OpenTally;
use super::pipeline::aggregation;
use super::{Made, Staged, make_table, plain_search, tables};
use crate::block::OpenBlock;
use crate::budget::Budget;
use crate::evaluate::Failure;
use crate::groups::{Groups, Held};
use crate::matching::PartRows;
use crate::part::{Fate, PartAnswer};
use crate::plan::{Plan, PlannedPart};
use crate::row::FieldSet;
use crate::row::open::OpenFields;
use crate::run::{Quest, Run};
use crate::{Account, AnswerMemory, Engine, Error, Incomplete, SearchRequest, Table};

/// What is counted of some events.
#[derive(Clone, Debug)]
pub struct TallyRequest {
    /// Which events: its filter, sources and range; its order, limit and total do not count.
    pub search: SearchRequest,
    /// Of which of these, each for itself: filters beside that of the search.
    pub cases: Vec<Filter>,
    /// By what they are counted, each for itself.
    pub groupings: Vec<Grouping>,
    /// How many groups of a grouping are given back at most; its table says if there are more.
    pub groups_max: usize,
}

/// By what events are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grouping {
    /// The fields; a group for each combination of their values.
    pub by: Vec<FieldName>,
    /// Which groups are kept.
    pub kept: Kept,
}

/// Which groups of a grouping are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// All of them.
    All,
    /// Those of the most events, so many.
    Greatest(u64),
}

/// What was counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    /// For each case in turn: for each grouping in turn, a table of its fields and `count()`, in the order of the fields' values.
    pub cases: Vec<Vec<Table>>,
    /// Completeness, range and cost.
    pub account: Account,
    /// The memory the tables take; to be kept as long as they are.
    pub memory: Vec<AnswerMemory>,
}

impl Engine {
    /// Counts the events of each case in several ways at once. Blocks the caller as [`Engine::search`] does, and as there,
    /// whatever cuts it short is said in the account.
    pub fn tally(&self, snapshot: &Snapshot, request: &TallyRequest) -> Result<Tally, Error> {
        let started = self.clock().now();
        let means = self.means(&request.search);
        let search = plain_search(&request.search);
        let of_search = |case: &Filter| Filter::and(vec![search.filter.clone(), case.clone()]);
        let cases: Vec<Filter> = request.cases.iter().map(of_search).collect();
        let planned = self.plan_cases(snapshot, &search, &cases, &means.budget);
        let held = Arc::new(Held::new(means.memory));
        let compiler = means.budget.compiler(search.now);
        let mut fields = FieldSet::default();
        let stages = request.groupings.iter().map(Grouping::stage);
        let aggregations: Vec<_> = stages
            .map(|stage| aggregation(&stage, &compiler, &mut fields))
            .collect();
        let fields = Arc::new(fields);
        let works = aggregations
            .into_iter()
            .map(|aggregation| Work::plain(&fields, aggregation));
        let works: Arc<[Work]> = works.collect();
        let mut run = Run::new(&means, planned.0, planned.1);
        let countings = cases.len() * works.len();
        let mut quest = Tallying {
            merging: (0..countings)
                .map(|_| Merging::one_of(countings, &means, &held))
                .collect(),
            fields,
            works,
            are_directories_enough: Cell::new(true),
        };
        run.pursue(&mut quest)?;
        let (cases, memory) = quest.finish(&mut run, request)?;
        let mut account = run.account();
        account.elapsed = self.clock().now().saturating_duration_since(started);
        Ok(Tally {
            cases,
            account,
            memory,
        })
    }
}

impl Grouping {
    /// All groups of these fields.
    pub fn by(fields: impl IntoIterator<Item = FieldName>) -> Grouping {
        Grouping {
            by: fields.into_iter().collect(),
            kept: Kept::All,
        }
    }

    /// The stage that counts the same.
    fn stage(&self) -> Stage {
        match self.kept {
            Kept::Greatest(limit) => Stage::Top {
                limit,
                by: self.by.clone(),
            },
            Kept::All => Stage::Stats {
                aggregates: vec![Aggregate {
                    function: Function::Count(None),
                    condition: None,
                    name: "count()".to_owned(),
                }],
                by: self.by.iter().cloned().map(GroupKey::Field).collect(),
            },
        }
    }

    fn greatest(&self) -> Option<u64> {
        match self.kept {
            Kept::All => None,
            Kept::Greatest(limit) => Some(limit),
        }
    }
}

/// The groups so far.
struct Tallying<'a> {
    fields: Arc<FieldSet>,
    works: Arc<[Work]>,
    /// For each case in turn, of each grouping.
    merging: Vec<Merging<'a>>,
    /// Whether the directories of all whole blocks were, so far: where one is not, others are as a rule not either, and asking
    /// them all on the thread that hands out would leave the others idle.
    are_directories_enough: Cell<bool>,
}

impl Quest for Tallying<'_> {
    /// The groups of a part: for each case in turn, of each grouping.
    type Found = Vec<Groups>;

    fn can_matter(&self, _part: &PlannedPart) -> bool {
        true
    }

    fn asks_every_part(&self) -> bool {
        true
    }

    fn settle(
        &self,
        plan: &Plan,
        part: usize,
        budget: &Budget,
    ) -> Option<Result<PartAnswer<Vec<Groups>>, Failure>> {
        let part = &plan.parts[part];
        let Part::Block(handle) = &part.part else {
            return None;
        };
        let rows = PartRows { plan, part, budget };
        if !self.are_directories_enough.get() || !rows.holds_whole(handle) {
            return None;
        }
        if let Err(cut) = budget.check() {
            return Some(Err(cut.into()));
        }
        let settled = BlockTally::by_directory(&self.works, rows, handle);
        let is_settled = settled.is_whole();
        self.are_directories_enough.set(is_settled);
        is_settled.then(|| Ok(settled.into_answer(None)))
    }

    fn work_on(
        &self,
        part: usize,
    ) -> impl FnOnce(&Plan, &Budget) -> Result<PartAnswer<Vec<Groups>>, Failure> + Send + 'static
    {
        let (works, fields) = (Arc::clone(&self.works), Arc::clone(&self.fields));
        move |plan: &Plan, budget: &Budget| {
            let part = &plan.parts[part];
            let rows = PartRows { plan, part, budget };
            match &part.part {
                Part::Open(open) => tally_open(&works, &fields, &rows, open),
                Part::Block(handle) => tally_block(&works, &rows, handle),
            }
        }
    }

    fn take(&mut self, _part: usize, found: Vec<Groups>) -> Result<(), Incomplete> {
        let mut found = self.merging.iter_mut().zip(found);
        found.try_for_each(|(merging, groups)| merging.take(groups))
    }
}

impl Tallying<'_> {
    /// The tables of each case, as far as there is memory for them.
    fn finish(
        self,
        run: &mut Run<'_>,
        request: &TallyRequest,
    ) -> Result<(Vec<Vec<Table>>, Vec<AnswerMemory>), Error> {
        let mut memory = Vec::new();
        let mut merging = self.merging.into_iter();
        let mut cases = Vec::with_capacity(request.cases.len());
        for _ in &request.cases {
            let mut tables = Vec::with_capacity(request.groupings.len());
            let of_case = merging.by_ref().zip(self.works.iter());
            for (grouping, (merging, work)) in request.groupings.iter().zip(of_case) {
                let none = work.no_groups();
                let (mut groups, outcome) = merging.finish(none, grouping.greatest())?;
                if let Err(incomplete) = outcome {
                    run.note(incomplete);
                }
                groups.ensure_whole();
                let made = table_of(run, groups, grouping, request.groups_max)?;
                memory.push(made.memory.into());
                tables.push(match made.result {
                    Staged::Table(table) => table,
                    Staged::Events { .. } => Table::default(),
                });
            }
            cases.push(tables);
        }
        Ok((cases, memory))
    }
}

fn table_of(
    run: &mut Run<'_>,
    groups: Groups,
    grouping: &Grouping,
    groups_max: usize,
) -> Result<Made, Error> {
    let budget = run.means().budget.without_deadline();
    let keys = grouping.by.len();
    let shown = tables::of_top(groups, grouping.greatest(), &budget);
    let groups = match shown {
        Ok(groups) => groups,
        Err(cut) => {
            run.note(cut.into());
            return Ok(Made::nothing(run));
        }
    };
    make_table(run, groups_max, groups.table_bytes(), |run| {
        let table = groups.into_table(1.0, &budget).and_then(|mut table| {
            tables::order_groups(&mut table, (keys, None), &budget)?;
            Ok(table)
        });
        Ok(table.unwrap_or_else(|cut| {
            run.note(cut.into());
            Table::default()
        }))
    })
}

fn tally_open(
    works: &[Work],
    fields: &FieldSet,
    rows: &PartRows<'_>,
    open: &OpenRows,
) -> Result<PartAnswer<Vec<Groups>>, Failure> {
    let source = &rows.plan.sources[rows.part.source].searched;
    let batch = open.batch();
    let cases = rows.plan.cases.iter();
    let mut cases: Vec<_> = cases
        .map(|case| {
            let groups = works.iter().map(Work::no_groups).collect();
            let tally = OpenTally::new(groups, fields.targets().len());
            (case.in_batch(batch), tally)
        })
        .collect();
    let fields = OpenFields::new(batch, fields, source);
    let add = |row, id: EventId| {
        let origin = Origin {
            source: source.id,
            source_name: &source.name,
            sequence: id.sequence,
        };
        let event = batch.event(row);
        let of_row = cases
            .iter_mut()
            .filter(|(case, _)| case.matches(event, &origin));
        let values = fields.row(row, id.sequence);
        of_row
            .map(|(_, tally)| tally)
            .try_for_each(|tally| tally.add(&values))
    };
    let rows_scanned = rows.match_open(open, |_| true, add)?;
    let found = cases.into_iter().flat_map(|(_, tally)| tally.into_groups());
    Ok(PartAnswer {
        fate: Fate::OpenRows,
        found: found.collect(),
        rows_scanned,
        bytes_scanned: 0,
    })
}

fn tally_block(
    works: &[Work],
    rows: &PartRows<'_>,
    handle: &BlockHandle,
) -> Result<PartAnswer<Vec<Groups>>, Failure> {
    rows.budget.check()?;
    let mut tally = BlockTally::by_directory(works, *rows, handle);
    if tally.is_whole() {
        return Ok(tally.into_answer(None));
    }
    let block = OpenBlock::new(handle);
    tally.read(&block)?;
    Ok(tally.into_answer(Some(&block)))
}
