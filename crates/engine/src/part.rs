//! One part of the snapshot searched: the first of its rows that match, and how many do.

use std::cell::RefCell;

use cordwood_event::{EventId, Timestamp};
use cordwood_store::{BlockHandle, OpenRows, Part};

use crate::block::OpenBlock;
use crate::budget::Budget;
use crate::by_template::{self, Asking};
use crate::condition::Condition;
use crate::evaluate::Failure;
use crate::matching::PartRows;
use crate::narrow::{self, Pruned};
use crate::plan::{Plan, PlannedPart};
use crate::search::Matches;
use crate::selection::Selection;
use crate::top::{Found, Rank, RowPlace, TopRows};
use crate::{Order, Total};

/// What became of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Open rows were matched one by one.
    OpenRows,
    /// The block cannot hold a match.
    Pruned(Pruned),
    /// The block's matches were counted from its directory.
    CountedWhole,
    /// The block was evaluated.
    Read,
}

/// What a part has to give.
#[derive(Debug)]
pub(crate) struct PartAnswer<F> {
    pub(crate) fate: Fate,
    /// What the quest is after.
    pub(crate) found: F,
    pub(crate) rows_scanned: u64,
    pub(crate) bytes_scanned: u64,
}

impl<F> PartAnswer<F> {
    /// An answer for which no row was looked at.
    pub(crate) fn unread(fate: Fate, found: F) -> PartAnswer<F> {
        PartAnswer {
            fate,
            found,
            rows_scanned: 0,
            bytes_scanned: 0,
        }
    }
}

fn counted(count: u64) -> Matches {
    Matches {
        rows: Vec::new(),
        count,
    }
}

/// Searches the part at `index` of the plan. Rows not better than `bound` are not wanted, only counted.
pub(crate) fn search(
    plan: &Plan,
    index: usize,
    bound: Option<Rank>,
    budget: &Budget,
) -> Result<PartAnswer<Matches>, Failure> {
    let search = PartSearch::new(plan, index, bound, budget);
    match &search.part.part {
        Part::Open(rows) => search.open_rows(rows),
        Part::Block(block) => search.block(block),
    }
}

/// The same, if no row has to be looked at for it.
pub(crate) fn settle(
    plan: &Plan,
    index: usize,
    bound: Option<Rank>,
    budget: &Budget,
) -> Option<Result<PartAnswer<Matches>, Failure>> {
    let search = PartSearch::new(plan, index, bound, budget);
    match &search.part.part {
        Part::Open(_) => None,
        Part::Block(block) => match budget.check() {
            Ok(()) => search.settle(block).map(Ok),
            Err(cut) => Some(Err(cut.into())),
        },
    }
}

/// How a block would be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It cannot hold a match.
    Pruned(Pruned),
    /// From its directory.
    Counted,
    /// From the templates of its texts.
    ByTemplates,
    /// By being evaluated.
    Read,
}

/// How a block, the part at `index` of the plan, would be searched.
pub(crate) fn foresee(
    plan: &Plan,
    (index, handle): (usize, &BlockHandle),
    bound: Option<Rank>,
    budget: &Budget,
) -> Way {
    let search = PartSearch::new(plan, index, bound, budget);
    let condition = match search.ask_directory(handle) {
        Ok(answer) => return Way::unread(answer.fate),
        Err(condition) => condition,
    };
    match search.count_unread(&condition, handle, Asking::All) {
        Some(_) => Way::ByTemplates,
        None => Way::Read,
    }
}

impl Way {
    /// That of a block whose directory was enough.
    pub(crate) fn unread(fate: Fate) -> Way {
        match fate {
            Fate::Pruned(by) => Way::Pruned(by),
            Fate::CountedWhole => Way::Counted,
            Fate::OpenRows | Fate::Read => Way::Read,
        }
    }
}

struct PartSearch<'a> {
    plan: &'a Plan,
    part: &'a PlannedPart,
    rows: PartRows<'a>,
    place: u32,
    bound: Option<Rank>,
    budget: &'a Budget,
}

impl<'a> PartSearch<'a> {
    fn new(
        plan: &'a Plan,
        index: usize,
        bound: Option<Rank>,
        budget: &'a Budget,
    ) -> PartSearch<'a> {
        let part = &plan.parts[index];
        PartSearch {
            plan,
            part,
            rows: PartRows { plan, part, budget },
            place: u32::try_from(index).expect("a snapshot has fewer than 2^32 parts"),
            bound,
            budget,
        }
    }

    fn is_counting(&self) -> bool {
        self.plan.total == Total::Count
    }

    /// Whether a row of this rank could be given back.
    fn is_wanted(&self, rank: Rank) -> bool {
        self.plan.rows_wanted > 0
            && self.bound.is_none_or(|bound| rank < bound)
            && self.plan.after.is_none_or(|after| rank > after)
    }

    /// Whether any row of the part could be.
    fn wants_rows(&self) -> bool {
        let order = self.plan.order;
        let is_behind_cursor = |after: Rank| Rank::worst_between(self.part.times, order) > after;
        self.plan.rows_wanted > 0
            && self.bound.is_none_or(|bound| self.part.best < bound)
            && self.plan.after.is_none_or(is_behind_cursor)
    }

    fn open_rows(&self, rows: &OpenRows) -> Result<PartAnswer<Matches>, Failure> {
        let top = RefCell::new(TopRows::new(self.plan.rows_wanted));
        let mut matches = 0;
        let is_wanted = |rank: Rank| {
            self.is_wanted(rank) && top.borrow().bound().is_none_or(|bound| rank < bound)
        };
        let is_asked = |id: EventId| self.is_counting() || is_wanted(self.rank(id));
        let rows_scanned = self.rows.match_open(rows, is_asked, |row, id| {
            matches += 1;
            let rank = self.rank(id);
            if is_wanted(rank) {
                top.borrow_mut().offer(self.found(rank, id, row));
            }
            Ok(())
        })?;
        Ok(PartAnswer {
            fate: Fate::OpenRows,
            found: Matches {
                rows: top.into_inner().into_sorted(),
                count: matches,
            },
            rows_scanned,
            bytes_scanned: 0,
        })
    }

    /// What the directory of a block says, or what is left to evaluate in it.
    fn ask_directory(&self, handle: &BlockHandle) -> Result<PartAnswer<Matches>, Condition> {
        let condition = match self.rows.condition_in(handle) {
            Ok(condition) => condition,
            Err(pruned) => return Ok(PartAnswer::unread(Fate::Pruned(pruned), counted(0))),
        };
        if self.is_counted_whole(handle)
            && let Some(count) = narrow::count(
                &condition,
                &self.plan.clauses,
                handle.directory(),
                &self.plan.verdicts,
            )
        {
            return Ok(PartAnswer::unread(Fate::CountedWhole, counted(count)));
        }
        Err(condition)
    }

    /// Whether all that is asked of a block is how many of all its rows match.
    fn is_counted_whole(&self, handle: &BlockHandle) -> bool {
        !self.wants_rows() && self.rows.holds_whole(handle)
    }

    /// What is left to evaluate in a block, counted from the templates of its texts and the lengths of lists, if these are enough.
    fn count_unread(
        &self,
        condition: &Condition,
        handle: &BlockHandle,
        asking: Asking,
    ) -> Option<u64> {
        let count = || by_template::count_unread(condition, &self.plan.clauses, handle, asking);
        self.is_counted_whole(handle).then(count)?
    }

    /// What can be told of a block without reading it, by a thread on which others wait.
    fn settle(&self, handle: &BlockHandle) -> Option<PartAnswer<Matches>> {
        match self.ask_directory(handle) {
            Ok(answer) => Some(answer),
            Err(condition) => {
                let count = self.count_unread(&condition, handle, Asking::Known)?;
                Some(PartAnswer::unread(Fate::CountedWhole, counted(count)))
            }
        }
    }

    fn block(&self, handle: &BlockHandle) -> Result<PartAnswer<Matches>, Failure> {
        self.budget.check()?;
        let condition = match self.ask_directory(handle) {
            Ok(answer) => return Ok(answer),
            Err(condition) => condition,
        };
        let block = OpenBlock::new(handle);
        if self.is_counted_whole(handle)
            && let Some(answer) = self.count_by_template(&condition, &block)?
        {
            return Ok(answer);
        }
        let among = self.behind_cursor(self.rows.in_range(&block)?, &block)?;
        let selected = self.rows.select(&condition, &block, among)?;
        let mut found = counted(0);
        if self.is_counting() {
            found.count = selected.rows.count() as u64;
        }
        if self.wants_rows() && !selected.rows.is_empty() {
            found.rows = self.first_of(&selected.rows, &block)?;
        }
        Ok(PartAnswer {
            fate: selected.fate,
            found,
            rows_scanned: selected.rows_scanned,
            bytes_scanned: block.bytes_read(),
        })
    }

    fn count_by_template(
        &self,
        condition: &Condition,
        block: &OpenBlock,
    ) -> Result<Option<PartAnswer<Matches>>, Failure> {
        let of_block = by_template::count(condition, &self.plan.clauses, block, self.budget)?;
        Ok(of_block.map(|of_block| PartAnswer {
            fate: match block.bytes_read() {
                0 => Fate::CountedWhole,
                _ => Fate::Read,
            },
            found: counted(of_block.matches),
            rows_scanned: of_block.rows_scanned,
            bytes_scanned: block.bytes_read(),
        }))
    }

    /// Without those rows that earlier pages gave back, unless all are to be counted.
    fn behind_cursor(
        &self,
        mut selected: Selection,
        block: &OpenBlock,
    ) -> Result<Selection, Failure> {
        let order = self.plan.order;
        if !self.is_counting()
            && let Some(after) = self.plan.after
            && Rank::best_between(self.part.times, order) <= after
        {
            let (times, sequences) = (block.timestamps()?, block.sequences()?);
            selected = selected.filter(|row| {
                id_at(times, sequences, row).is_some_and(|id| Rank::of(id, order) > after)
            });
        }
        Ok(selected)
    }

    fn rank(&self, id: EventId) -> Rank {
        Rank::of(id, self.plan.order)
    }

    /// The rows of `selected` that come first, looked at from the end that holds them.
    fn first_of(&self, selected: &Selection, block: &OpenBlock) -> Result<Vec<Found>, Failure> {
        let mut rows: Box<dyn Iterator<Item = usize>> = match self.plan.order {
            Order::NewestFirst => Box::new(selected.iter_backwards()),
            Order::OldestFirst => Box::new(selected.iter()),
        };
        let mut top = TopRows::new(self.plan.rows_wanted);
        // One more than is wanted shows as a rule that the others come later.
        let few = selected
            .count()
            .min(self.plan.rows_wanted.saturating_add(1));
        if block.are_few(few) {
            let first: Vec<usize> = rows.by_ref().take(few).collect();
            for (row, id) in first.iter().zip(block.ids_of(&first)?) {
                if !self.offer(&mut top, *row, id) {
                    return Ok(top.into_sorted());
                }
            }
        }
        let mut rows = rows.peekable();
        if rows.peek().is_none() {
            return Ok(top.into_sorted());
        }
        let (times, sequences) = (block.timestamps()?, block.sequences()?);
        for row in rows {
            if let Some(id) = id_at(times, sequences, row)
                && !self.offer(&mut top, row, id)
            {
                break;
            }
        }
        Ok(top.into_sorted())
    }

    /// Adds a row if it is wanted; `false` if neither it is nor any that comes after it.
    fn offer(&self, top: &mut TopRows, row: usize, id: EventId) -> bool {
        let bounds = [top.bound(), self.bound];
        let best = Rank::best_at(id.timestamp, self.plan.order);
        if bounds.into_iter().flatten().any(|bound| best >= bound) {
            return false;
        }
        let rank = Rank::of(id, self.plan.order);
        if self.is_wanted(rank) {
            top.offer(self.found(rank, id, row));
        }
        true
    }

    fn found(&self, rank: Rank, id: EventId, row: usize) -> Found {
        let row = u32::try_from(row).expect("a part has fewer than 2^32 rows");
        let place = RowPlace {
            part: self.place,
            row,
        };
        Found { rank, id, place }
    }
}

pub(crate) fn id_at(times: &[i64], sequences: &[u64], row: usize) -> Option<EventId> {
    Some(EventId {
        timestamp: Timestamp::from_nanos(*times.get(row)?),
        sequence: *sequences.get(row)?,
    })
}
