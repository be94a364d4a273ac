//! Many countings of the same events at once: how many there are of each value of some fields, and of their combinations.
//!
//! A `stats count() by` for each would find the events of a block again for each. Here they are found once; what the
//! directory of a block counts is not read even then.

use std::sync::Arc;

use cordwood_event::EventId;
use cordwood_query::{Aggregate, FieldName, Function, GroupKey, Stage};
use cordwood_store::{BlockHandle, OpenRows, Part, Snapshot};

use super::aggregating::Work;
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
    /// For each grouping in turn, a table of its fields and `count()`, in the order of the fields' values.
    pub tables: Vec<Table>,
    /// Completeness, range and cost.
    pub account: Account,
    /// The memory the tables take; to be kept as long as they are.
    pub memory: Vec<AnswerMemory>,
}

impl Engine {
    /// Counts the events that match in several ways at once. Blocks the caller as [`Engine::search`] does, and as there,
    /// whatever cuts it short is said in the account.
    pub fn tally(&self, snapshot: &Snapshot, request: &TallyRequest) -> Result<Tally, Error> {
        let started = self.clock().now();
        let means = self.means(&request.search);
        let search = plain_search(&request.search);
        let planned = self.plan(snapshot, &search, &means.budget);
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
        let mut quest = Tallying {
            merging: works.iter().map(|_| Merging::new(&means, &held)).collect(),
            fields,
            works,
        };
        run.pursue(&mut quest)?;
        let (tables, memory) = quest.finish(&mut run, request)?;
        let mut account = run.account();
        account.elapsed = self.clock().now().saturating_duration_since(started);
        Ok(Tally {
            tables,
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

/// The groups so far, for each grouping.
struct Tallying<'a> {
    fields: Arc<FieldSet>,
    works: Arc<[Work]>,
    merging: Vec<Merging<'a>>,
}

impl Quest for Tallying<'_> {
    type Found = Vec<Groups>;

    fn can_matter(&self, _part: &PlannedPart) -> bool {
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
        if let Err(cut) = budget.check() {
            return Some(Err(cut.into()));
        }
        let rows = PartRows { plan, part, budget };
        let condition = match rows.condition_in(handle) {
            Ok(condition) => condition,
            Err(pruned) => return Some(Ok(PartAnswer::unread(Fate::Pruned(pruned), Vec::new()))),
        };
        let mut found = Vec::with_capacity(self.works.len());
        for work in self.works.iter() {
            let mut groups = work.no_groups();
            if !work.group_by_directory(&mut groups, &rows, handle, &condition) {
                return None;
            }
            found.push(groups);
        }
        Some(Ok(PartAnswer::unread(Fate::CountedWhole, found)))
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
    /// The tables, as far as there is memory for them.
    fn finish(
        self,
        run: &mut Run<'_>,
        request: &TallyRequest,
    ) -> Result<(Vec<Table>, Vec<AnswerMemory>), Error> {
        let (mut tables, mut memory) = (Vec::new(), Vec::new());
        let merged = self.merging.into_iter().zip(self.works.iter());
        for ((merging, work), grouping) in merged.zip(&request.groupings) {
            let (mut groups, outcome) = merging.finish(work.no_groups(), grouping.greatest())?;
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
        Ok((tables, memory))
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
    let groups = works.iter().map(Work::no_groups).collect();
    let mut tally = OpenTally::new(groups, fields.targets().len());
    let fields = OpenFields::new(open.batch(), fields, source);
    let add = |row, id: EventId| tally.add(&fields.row(row, id.sequence));
    let rows_scanned = rows.match_open(open, |_| true, add)?;
    Ok(PartAnswer {
        fate: Fate::OpenRows,
        found: tally.into_groups(),
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
    let condition = match rows.condition_in(handle) {
        Ok(condition) => condition,
        Err(pruned) => return Ok(PartAnswer::unread(Fate::Pruned(pruned), Vec::new())),
    };
    let mut found: Vec<Groups> = works.iter().map(Work::no_groups).collect();
    let is_left = |(work, groups): (&Work, &mut Groups)| {
        !work.group_by_directory(groups, rows, handle, &condition)
    };
    let left: Vec<bool> = works.iter().zip(&mut found).map(is_left).collect();
    if !left.contains(&true) {
        return Ok(PartAnswer::unread(Fate::CountedWhole, found));
    }
    let block = OpenBlock::new(handle);
    let among = rows.in_range(&block)?;
    let selected = rows.select(&condition, &block, among)?;
    let each = works.iter().zip(&mut found).zip(left);
    for ((work, groups), _) in each.filter(|(_, is_left)| *is_left) {
        rows.budget.check()?;
        work.group_selected(groups, &block, &selected.rows, rows)?;
    }
    Ok(PartAnswer {
        fate: selected.fate,
        found,
        rows_scanned: selected.rows_scanned,
        bytes_scanned: block.bytes_read(),
    })
}
