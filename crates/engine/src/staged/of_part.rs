//! The rows of one part that stages in order may need, found where they lie.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

use cordwood_event::EventId;
use cordwood_query::SortKey;
use cordwood_store::{BlockHandle, OpenRows};

use super::local::{LocalStage, pass};
use super::tables::{compare, identity, sort_values};
use crate::Order;
use crate::block::OpenBlock;
use crate::dense::{ColumnGrouping, Leading, best_in};
use crate::evaluate::Failure;
use crate::key::Key;
use crate::matching::PartRows;
use crate::part::{Fate, PartAnswer, id_at};
use crate::plan::Plan;
use crate::row::block::BlockFields;
use crate::row::kept::{Extended, KeptRow};
use crate::row::open::OpenFields;
use crate::row::{FieldSet, Row};
use crate::selection::Selection;
use crate::table::SortValue;
use crate::top::{Found, Rank, RowPlace};

/// How many rows are looked at between two looks at the budget.
const ROWS_PER_CHECK: usize = 512;

/// What is done with the rows of a part.
#[derive(Clone)]
pub(super) struct Work {
    pub(super) fields: Arc<FieldSet>,
    pub(super) local: Arc<[LocalStage]>,
    /// More rows than these of one part are never needed.
    pub(super) rows_wanted: usize,
    /// How rows are sorted, if they are first of all.
    pub(super) sorted: Option<Sorted>,
    /// The fields that tell rows apart first of all: of equal rows of one part only the first is needed then.
    pub(super) different_by: Option<Arc<[usize]>>,
}

/// The order in which rows are sorted, and how far down they are needed.
#[derive(Clone)]
pub(super) struct Sorted {
    pub(super) keys: Arc<[(usize, SortKey)]>,
    /// How many rows are needed of all.
    pub(super) rows_max: usize,
    /// The last of so many rows, all of which come before those of the part: only what is to stand before it is needed.
    pub(super) bound: Option<Arc<[SortValue]>>,
}

impl Sorted {
    /// By what rows are sorted before all else.
    fn leading(&self) -> Option<Leading<'_>> {
        let (field, key) = self.keys.first()?;
        Some(Leading {
            field: *field,
            direction: key.direction,
            rows_max: self.rows_max,
            bound: self.bound.as_ref().and_then(|bound| bound.first()),
        })
    }
}

impl Work {
    /// Whether the directory of a block says that no row of it stands before the bound.
    pub(super) fn needs_none_of(&self, block: &BlockHandle) -> bool {
        let Some(sorted) = self.sorted.as_ref().filter(|_| self.local.is_empty()) else {
            return false;
        };
        let best = sorted.leading().and_then(|leading| {
            let target = self.fields.targets().get(leading.field)?;
            let best = best_in(block.directory(), target, leading.direction)?;
            Some(best.compare_towards(leading.bound?, leading.direction))
        });
        match best {
            // What stands beside it may do so by the other keys still.
            Some(Ordering::Equal) => sorted.keys.len() == 1,
            best => best == Some(Ordering::Greater),
        }
    }

    pub(super) fn keep_open(
        &self,
        rows: &PartRows<'_>,
        open: &OpenRows,
        part: u32,
    ) -> Result<PartAnswer<Vec<KeptRow>>, Failure> {
        let source = &rows.plan.sources[rows.part.source].searched;
        let fields = OpenFields::new(open.batch(), &self.fields, source);
        let mut kept = Kept::new(self);
        let is_asked = |id: EventId| is_behind_cursor(rows.plan, id);
        let rows_scanned = rows.match_open(open, is_asked, |row, id| {
            kept.offer(
                &fields.row(row, id.sequence),
                found(rows.plan, id, part, row),
            )
        })?;
        Ok(PartAnswer {
            fate: Fate::OpenRows,
            found: kept.into_rows(),
            rows_scanned,
            bytes_scanned: 0,
        })
    }

    pub(super) fn keep_block(
        &self,
        rows: &PartRows<'_>,
        handle: &BlockHandle,
        part: u32,
    ) -> Result<PartAnswer<Vec<KeptRow>>, Failure> {
        rows.budget.check()?;
        let mut kept = Kept::new(self);
        let condition = match rows.condition_in(handle) {
            Ok(condition) => condition,
            Err(pruned) => return Ok(PartAnswer::unread(Fate::Pruned(pruned), Vec::new())),
        };
        let block = OpenBlock::new(handle);
        let selected = rows.select(&condition, &block, rows.in_range(&block)?)?;
        if !selected.rows.is_empty() {
            self.keep_selected(&mut kept, rows, &block, &selected.rows, part)?;
        }
        Ok(PartAnswer {
            fate: selected.fate,
            found: kept.into_rows(),
            rows_scanned: selected.rows_scanned,
            bytes_scanned: block.bytes_read(),
        })
    }

    fn keep_selected(
        &self,
        kept: &mut Kept<'_>,
        rows: &PartRows<'_>,
        block: &OpenBlock,
        selected: &Selection,
        part: u32,
    ) -> Result<(), Failure> {
        let source = &rows.plan.sources[rows.part.source].searched;
        let (times, sequences) = (block.timestamps()?, block.sequences()?);
        let asked = |row: usize| {
            let id = id_at(times, sequences, row)?;
            is_behind_cursor(rows.plan, id).then_some((row, id))
        };
        let on_columns = ColumnGrouping {
            block,
            fields: &self.fields,
            source,
            budget: rows.budget,
        };
        let mut fewer = None;
        if let Some(by) = &self.different_by {
            if self.local.is_empty() {
                let in_order = in_order(selected, rows.plan.order);
                let in_order = in_order.filter(|row| asked(*row).is_some());
                fewer = on_columns.first_of_each(by, selected, in_order)?;
            }
            if fewer.is_none() {
                kept.seen = Some(HashSet::new());
            }
        }
        if let Some(leading) = self.sorted.as_ref().and_then(Sorted::leading)
            && self.local.is_empty()
            && rows.plan.after.is_none()
        {
            fewer = on_columns.leading(leading, selected)?;
        }
        let selected = fewer.as_ref().unwrap_or(selected);
        let fields = BlockFields::new(block, &self.fields, source)?;
        let in_order = in_order(selected, rows.plan.order);
        for (index, (row, id)) in in_order.filter_map(asked).enumerate() {
            if index.is_multiple_of(ROWS_PER_CHECK) {
                rows.budget.check()?;
            }
            if kept.rows.len() >= self.rows_wanted {
                break;
            }
            kept.offer(&fields.row(row), found(rows.plan, id, part, row))?;
        }
        Ok(())
    }
}

fn in_order(selected: &Selection, order: Order) -> Box<dyn Iterator<Item = usize> + '_> {
    match order {
        Order::NewestFirst => Box::new(selected.iter_backwards()),
        Order::OldestFirst => Box::new(selected.iter()),
    }
}

/// The rows of one part that may be needed.
struct Kept<'a> {
    work: &'a Work,
    rows: Vec<(Vec<SortValue>, KeptRow)>,
    /// What a row must stand before to be needed, once more were seen than are.
    bound: Option<(Vec<SortValue>, Found)>,
    /// The rows so far by what tells them apart, if they come in order and only the first of equals is needed.
    seen: Option<HashSet<Vec<Vec<Key>>>>,
}

impl Kept<'_> {
    fn new(work: &Work) -> Kept<'_> {
        Kept {
            work,
            rows: Vec::new(),
            bound: None,
            seen: None,
        }
    }

    fn offer(&mut self, row: &dyn Row, found: Found) -> Result<(), Failure> {
        let mut added = Vec::new();
        if !pass(&self.work.local, row, &mut added)? {
            return Ok(());
        }
        let extended = Extended {
            base: row,
            added: &added,
        };
        if let (Some(by), Some(seen)) = (&self.work.different_by, &mut self.seen)
            && !seen.insert(identity(&extended, by)?)
        {
            return Ok(());
        }
        let mut values = Vec::new();
        if let Some(sorted) = &self.work.sorted {
            values = sort_values(&extended, &sorted.keys)?;
            if self.is_behind(sorted, &values, found) {
                return Ok(());
            }
        }
        let kept = KeptRow::copy_of(row, found, Arc::clone(&self.work.fields), added)?;
        self.rows.push((values, kept));
        self.drop_surplus();
        Ok(())
    }

    /// Whether there are enough rows that come before. Open rows are not in order: of equals the later may be here first.
    fn is_behind(&self, sorted: &Sorted, values: &[SortValue], found: Found) -> bool {
        let is_behind_all = sorted
            .bound
            .as_ref()
            .is_some_and(|bound| compare(values, bound, &sorted.keys).is_ge());
        is_behind_all
            || self.bound.as_ref().is_some_and(|(bound, row)| {
                let order = compare(values, bound, &sorted.keys);
                order.then_with(|| found.cmp(row)).is_gt()
            })
    }

    fn drop_surplus(&mut self) {
        if let Some(Sorted { rows_max, .. }) = self.work.sorted
            && self.rows.len() >= sorted_at(rows_max)
        {
            self.keep_first(rows_max);
            let last = self.rows.last();
            self.bound = last.map(|(values, row)| (values.clone(), row.found));
        }
    }

    fn keep_first(&mut self, rows_max: usize) {
        if let Some(Sorted { keys, .. }) = &self.work.sorted {
            self.rows.sort_by(|(a, a_row), (b, b_row)| {
                compare(a, b, keys).then_with(|| a_row.found.cmp(&b_row.found))
            });
            self.rows.truncate(rows_max);
        }
    }

    fn into_rows(mut self) -> Vec<KeptRow> {
        if let Some(Sorted { rows_max, .. }) = self.work.sorted
            && self.rows.len() > rows_max
        {
            self.keep_first(rows_max);
        }
        self.rows.into_iter().map(|(_, row)| row).collect()
    }
}

/// When so many rows are kept, those that are not needed are dropped: sorting now and then costs little for each row.
pub(super) fn sorted_at(rows_max: usize) -> usize {
    /// With fewer it would be done too often.
    const ROWS_MIN: usize = 16;
    rows_max.saturating_mul(2).max(ROWS_MIN)
}

fn is_behind_cursor(plan: &Plan, id: EventId) -> bool {
    plan.after
        .is_none_or(|after| Rank::of(id, plan.order) > after)
}

fn found(plan: &Plan, id: EventId, part: u32, row: usize) -> Found {
    let row = u32::try_from(row).expect("a part has fewer than 2^32 rows");
    Found {
        rank: Rank::of(id, plan.order),
        id,
        place: RowPlace { part, row },
    }
}
