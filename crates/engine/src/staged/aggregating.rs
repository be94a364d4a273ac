//! The quest for groups: every part groups its own rows, and the groups are merged as they come back.

use std::sync::Arc;

use cordwood_event::EventId;
use cordwood_store::{BlockHandle, OpenRows, Part};

use super::local::{LocalStage, pass};
use super::merging::Merging;
use super::pipeline::Pipeline;
use crate::block::OpenBlock;
use crate::budget::{Budget, Cut};
use crate::condition::Condition;
use crate::dense::{ColumnGrouping, DirectoryGrouping};
use crate::evaluate::Failure;
use crate::groups::{Aggregation, Groups, Held};
use crate::matching::PartRows;
use crate::part::{Fate, PartAnswer};
use crate::plan::{Plan, PlannedPart};
use crate::row::block::BlockFields;
use crate::row::kept::Extended;
use crate::row::open::OpenFields;
use crate::row::{FieldSet, Row};
use crate::run::{Quest, Run};
use crate::selection::Selection;
use crate::{Error, Incomplete};

/// How many rows are added one by one between two looks at the budget.
const ROWS_PER_CHECK: usize = 512;

/// A part has no more groups than these, several for each of its rows.
const GROUPS_OF_PART_MAX: usize = 1 << 20;

/// What is done with the rows of a part.
#[derive(Clone)]
pub(super) struct Work {
    fields: Arc<FieldSet>,
    local: Arc<[LocalStage]>,
    aggregation: Arc<Aggregation>,
}

/// The groups so far.
struct Aggregating<'a> {
    work: Work,
    merging: Merging<'a>,
}

impl Quest for Aggregating<'_> {
    type Found = Groups;

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
    ) -> Option<Result<PartAnswer<Groups>, Failure>> {
        let part = &plan.parts[part];
        let Part::Block(block) = &part.part else {
            return None;
        };
        if let Err(cut) = budget.check() {
            return Some(Err(cut.into()));
        }
        let rows = PartRows { plan, part, budget };
        self.work.ask_directory(&rows, block).ok().map(Ok)
    }

    fn work_on(
        &self,
        part: usize,
    ) -> impl FnOnce(&Plan, &Budget) -> Result<PartAnswer<Groups>, Failure> + Send + 'static {
        let work = self.work.clone();
        move |plan: &Plan, budget: &Budget| {
            let rows = PartRows {
                plan,
                part: &plan.parts[part],
                budget,
            };
            match &rows.part.part {
                Part::Open(open) => work.group_open(&rows, open),
                Part::Block(block) => work.group_block(&rows, block),
            }
        }
    }

    fn take(&mut self, _part: usize, found: Groups) -> Result<(), Incomplete> {
        self.merging.take(found)
    }
}

/// The groups of all rows that the run can reach.
pub(super) fn aggregate(
    run: &mut Run<'_>,
    pipeline: &Pipeline,
    aggregation: &Arc<Aggregation>,
    held: &Arc<Held>,
) -> Result<Groups, Error> {
    let mut quest = Aggregating {
        work: Work::new(pipeline, aggregation),
        merging: Merging::new(run.means(), held),
    };
    run.pursue(&mut quest)?;
    let (mut groups, merged) = quest
        .merging
        .finish(Groups::new(aggregation), pipeline.top)?;
    if let Err(incomplete) = merged {
        run.note(incomplete);
    }
    groups.ensure_whole();
    Ok(groups)
}

impl Work {
    pub(super) fn new(pipeline: &Pipeline, aggregation: &Arc<Aggregation>) -> Work {
        Work {
            fields: Arc::clone(&pipeline.fields),
            local: pipeline.local.clone().into(),
            aggregation: Arc::clone(aggregation),
        }
    }

    /// The work of grouping rows as they are stored.
    pub(super) fn plain(fields: &Arc<FieldSet>, aggregation: Aggregation) -> Work {
        Work {
            fields: Arc::clone(fields),
            local: Arc::default(),
            aggregation: Arc::new(aggregation),
        }
    }

    fn group_open(
        &self,
        rows: &PartRows<'_>,
        open: &OpenRows,
    ) -> Result<PartAnswer<Groups>, Failure> {
        let source = &rows.plan.sources[rows.part.source].searched;
        let fields = OpenFields::new(open.batch(), &self.fields, source);
        let mut groups = self.no_groups();
        let rows_scanned = rows.match_open(
            open,
            |_| true,
            |row, id: EventId| self.add(&mut groups, &fields.row(row, id.sequence)),
        )?;
        Ok(PartAnswer {
            fate: Fate::OpenRows,
            found: groups,
            rows_scanned,
            bytes_scanned: 0,
        })
    }

    /// What the directory of a block says, or what is left to evaluate in it.
    pub(super) fn ask_directory(
        &self,
        rows: &PartRows<'_>,
        handle: &BlockHandle,
    ) -> Result<PartAnswer<Groups>, Condition> {
        let mut groups = self.no_groups();
        let condition = match rows.condition_in(handle) {
            Ok(condition) => condition,
            Err(pruned) => return Ok(PartAnswer::unread(Fate::Pruned(pruned), groups)),
        };
        match self.group_by_directory(&mut groups, rows, handle, &condition) {
            true => Ok(PartAnswer::unread(Fate::CountedWhole, groups)),
            false => Err(condition),
        }
    }

    pub(super) fn no_groups(&self) -> Groups {
        Groups::new(&self.aggregation)
    }

    /// Adds the rows of a block that meet the condition, if its directory says enough; `false` when it does not, and nothing
    /// was added.
    pub(super) fn group_by_directory(
        &self,
        groups: &mut Groups,
        rows: &PartRows<'_>,
        handle: &BlockHandle,
        condition: &Condition,
    ) -> bool {
        let grouping = DirectoryGrouping {
            directory: handle.directory(),
            verdicts: &rows.plan.verdicts,
            fields: &self.fields,
            source: &rows.plan.sources[rows.part.source].searched,
        };
        self.local.is_empty()
            && rows.holds_whole(handle)
            && grouping.group(groups, condition, &rows.plan.clauses)
    }

    fn group_block(
        &self,
        rows: &PartRows<'_>,
        handle: &BlockHandle,
    ) -> Result<PartAnswer<Groups>, Failure> {
        rows.budget.check()?;
        let condition = match self.ask_directory(rows, handle) {
            Ok(answer) => return Ok(answer),
            Err(condition) => condition,
        };
        let mut groups = self.no_groups();
        let block = OpenBlock::new(handle);
        let among = rows.in_range(&block)?;
        let selected = rows.select(&condition, &block, among)?;
        self.group_selected(&mut groups, &block, &selected.rows, rows)?;
        Ok(PartAnswer {
            fate: selected.fate,
            found: groups,
            rows_scanned: selected.rows_scanned,
            bytes_scanned: block.bytes_read(),
        })
    }

    /// Adds rows of a block, on its columns if that can be.
    pub(super) fn group_selected(
        &self,
        groups: &mut Groups,
        block: &OpenBlock,
        selected: &Selection,
        rows: &PartRows<'_>,
    ) -> Result<(), Failure> {
        if selected.is_empty() {
            return Ok(());
        }
        let on_columns = ColumnGrouping {
            block,
            fields: &self.fields,
            source: &rows.plan.sources[rows.part.source].searched,
            budget: rows.budget,
        };
        match self.local.is_empty() && on_columns.group(groups, selected)? {
            true => Ok(()),
            false => self.group_rows(groups, block, selected, rows),
        }
    }

    /// Adds the rows of a block one by one.
    fn group_rows(
        &self,
        groups: &mut Groups,
        block: &OpenBlock,
        selected: &Selection,
        rows: &PartRows<'_>,
    ) -> Result<(), Failure> {
        let source = &rows.plan.sources[rows.part.source].searched;
        let fields = BlockFields::new(block, &self.fields, source)?;
        for (index, row) in selected.iter().enumerate() {
            if index.is_multiple_of(ROWS_PER_CHECK) {
                rows.budget.check()?;
            }
            self.add(groups, &fields.row(row))?;
        }
        Ok(())
    }

    fn add(&self, groups: &mut Groups, row: &dyn Row) -> Result<(), Failure> {
        let mut added = Vec::new();
        if pass(&self.local, row, &mut added)? {
            groups.add(&Extended {
                base: row,
                added: &added,
            })?;
        }
        // Without arrays there are no more groups than rows.
        match groups.len() > GROUPS_OF_PART_MAX {
            true => Err(Cut::Combinations.into()),
            false => Ok(()),
        }
    }
}
