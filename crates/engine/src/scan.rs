//! The quest for columns: rows that match, handed on part by part as values of the fields asked for, for whoever goes
//! on with columns instead of events.
//!
//! What is made of the rows of a part is made by a [`Gather`] on the engine's threads; the caller's thread hands it on
//! and stops the run by saying so, so that a slow reader holds the engine back instead of filling memory.

mod in_order;
mod rows;
mod windows;
mod written;

use std::ops::ControlFlow;
use std::sync::Arc;

use cordwood_query::Target;
use cordwood_store::{BlockHandle, OpenRows, Part, Snapshot};

use crate::block::OpenBlock;
use crate::budget::Budget;
use crate::engine::Engine;
use crate::evaluate::Failure;
use crate::matching::PartRows;
use crate::part::{Fate, PartAnswer};
use crate::plan::{Plan, PlannedPart};
use crate::row::FieldSet;
use crate::run::{Quest, Run};
use crate::search::find;
use crate::top::Found;
use crate::{Account, Error, Incomplete, SearchRequest};

use rows::Lie;

pub use in_order::{Window, WindowLimit};
pub use rows::{ScannedRows, Unread};

/// A question for columns.
#[derive(Clone, Debug)]
pub struct ScanRequest {
    /// Which events: its `after` and total do not count.
    pub search: SearchRequest,
    /// Whether the limit of the search counts.
    pub extent: Extent,
    /// The fields whose values are read, by the index they have here.
    pub fields: Vec<Target>,
}

/// How many of the matching rows are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All, in no order.
    All,
    /// As many as the limit of the search, those that come first in its order; among each other in no order.
    First,
}

/// Makes something of the rows of a part.
pub trait Gather: Send + Sync + 'static {
    /// What is made.
    type Gathered: Send + 'static;

    /// Makes it, on one of the engine's threads.
    fn gather(&self, rows: &ScannedRows<'_>) -> Result<Self::Gathered, Unread>;
}

impl Engine {
    /// Gathers the rows that match and hands on what was made of each part, in no order, until `hand_on` breaks it off.
    /// Blocks the caller as [`Engine::search`] does, and as there, whatever cuts it short is said in the account.
    pub fn scan<G: Gather>(
        &self,
        snapshot: &Snapshot,
        request: &ScanRequest,
        gather: &Arc<G>,
        hand_on: &mut dyn FnMut(G::Gathered) -> ControlFlow<()>,
    ) -> Result<Account, Error> {
        let started = self.clock().now();
        let search = SearchRequest {
            after: None,
            total: crate::Total::NotAsked,
            ..request.search.clone()
        };
        let means = self.means(&search);
        let (plan, planned) = self.plan(snapshot, &search, &means.budget);
        let mut run = Run::new(&means, plan, planned);
        let reading = Reading::new(&request.fields, gather);
        match request.extent {
            Extent::All => reading.scan_all(&mut run, hand_on)?,
            Extent::First => {
                let mut found = find(&mut run)?.rows;
                found.truncate(search.limit);
                hand_on_found(&mut run, &reading, &found, hand_on)?;
            }
        }
        let mut account = run.account();
        account.elapsed = self.clock().now().saturating_duration_since(started);
        Ok(account)
    }
}

/// What is read of each part, and what is made of it.
struct Reading<G> {
    fields: Arc<FieldSet>,
    /// By the index of the request, that in `fields`.
    places: Arc<[usize]>,
    gather: Arc<G>,
}

impl<G> Clone for Reading<G> {
    fn clone(&self) -> Reading<G> {
        Reading {
            fields: Arc::clone(&self.fields),
            places: Arc::clone(&self.places),
            gather: Arc::clone(&self.gather),
        }
    }
}

impl<G: Gather> Reading<G> {
    fn new(targets: &[Target], gather: &Arc<G>) -> Reading<G> {
        let mut fields = FieldSet::default();
        let places = targets.iter().map(|target| fields.index(target.clone()));
        Reading {
            places: places.collect(),
            fields: Arc::new(fields),
            gather: Arc::clone(gather),
        }
    }

    /// Gathers all rows of a run.
    fn scan_all(
        &self,
        run: &mut Run<'_>,
        hand_on: &mut dyn FnMut(G::Gathered) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let mut scan = Scan {
            reading: self.clone(),
            hand_on,
            is_broken_off: false,
        };
        run.pursue(&mut scan)
    }

    fn scan_open(
        &self,
        rows: &PartRows<'_>,
        open: &OpenRows,
    ) -> Result<PartAnswer<Option<G::Gathered>>, Failure> {
        let mut chosen = Vec::new();
        let visit = |row, _| {
            chosen.push(row);
            Ok(())
        };
        let rows_scanned = rows.match_open(open, |_| true, visit)?;
        Ok(PartAnswer {
            fate: Fate::OpenRows,
            found: self.gather_open(rows, open, &chosen)?,
            rows_scanned,
            bytes_scanned: 0,
        })
    }

    fn scan_block(
        &self,
        rows: &PartRows<'_>,
        handle: &BlockHandle,
    ) -> Result<PartAnswer<Option<G::Gathered>>, Failure> {
        rows.budget.check()?;
        let condition = match rows.condition_in(handle) {
            Ok(condition) => condition,
            Err(pruned) => return Ok(PartAnswer::unread(Fate::Pruned(pruned), None)),
        };
        let block = OpenBlock::new(handle);
        let among = rows.in_range(&block)?;
        let selected = rows.select(&condition, &block, among)?;
        let chosen: Vec<usize> = selected.rows.iter().collect();
        Ok(PartAnswer {
            fate: selected.fate,
            found: self.gather_block(rows, &block, &chosen)?,
            rows_scanned: selected.rows_scanned,
            bytes_scanned: block.bytes_read(),
        })
    }

    fn gather_open(
        &self,
        rows: &PartRows<'_>,
        open: &OpenRows,
        chosen: &[usize],
    ) -> Result<Option<G::Gathered>, Failure> {
        if chosen.is_empty() {
            return Ok(None);
        }
        let source = &rows.plan.sources[rows.part.source].searched;
        let scanned = ScannedRows {
            lie: Lie::of_open(open, &self.fields, source),
            places: &self.places,
            budget: rows.budget,
            source,
            rows: chosen,
        };
        self.gather
            .gather(&scanned)
            .map(Some)
            .map_err(|unread| unread.0)
    }

    fn gather_block(
        &self,
        rows: &PartRows<'_>,
        block: &OpenBlock,
        chosen: &[usize],
    ) -> Result<Option<G::Gathered>, Failure> {
        if chosen.is_empty() {
            return Ok(None);
        }
        rows.budget.check()?;
        let source = &rows.plan.sources[rows.part.source].searched;
        let scanned = ScannedRows {
            lie: Lie::of_block(block, &self.fields, source)?,
            places: &self.places,
            budget: rows.budget,
            source,
            rows: chosen,
        };
        self.gather
            .gather(&scanned)
            .map(Some)
            .map_err(|unread| unread.0)
    }

    /// Gathers rows that were found before.
    fn gather_found(
        &self,
        rows: &PartRows<'_>,
        chosen: &[usize],
    ) -> Result<(Option<G::Gathered>, u64), Failure> {
        match &rows.part.part {
            Part::Open(open) => Ok((self.gather_open(rows, open, chosen)?, 0)),
            Part::Block(handle) => {
                let block = OpenBlock::new(handle);
                let gathered = self.gather_block(rows, &block, chosen)?;
                Ok((gathered, block.bytes_read()))
            }
        }
    }
}

/// The scan of everything.
struct Scan<'h, G: Gather> {
    reading: Reading<G>,
    hand_on: &'h mut dyn FnMut(G::Gathered) -> ControlFlow<()>,
    is_broken_off: bool,
}

impl<G: Gather> Quest for Scan<'_, G> {
    type Found = Option<G::Gathered>;

    fn can_matter(&self, _part: &PlannedPart) -> bool {
        !self.is_broken_off
    }

    fn settle(
        &self,
        plan: &Plan,
        part: usize,
        budget: &Budget,
    ) -> Option<Result<PartAnswer<Self::Found>, Failure>> {
        let part = &plan.parts[part];
        let Part::Block(block) = &part.part else {
            return None;
        };
        if let Err(cut) = budget.check() {
            return Some(Err(cut.into()));
        }
        let rows = PartRows { plan, part, budget };
        let pruned = rows.condition_in(block).err()?;
        Some(Ok(PartAnswer::unread(Fate::Pruned(pruned), None)))
    }

    fn work_on(
        &self,
        part: usize,
    ) -> impl FnOnce(&Plan, &Budget) -> Result<PartAnswer<Self::Found>, Failure> + Send + 'static
    {
        let reading = self.reading.clone();
        move |plan: &Plan, budget: &Budget| {
            let part = &plan.parts[part];
            let rows = PartRows { plan, part, budget };
            match &part.part {
                Part::Open(open) => reading.scan_open(&rows, open),
                Part::Block(block) => reading.scan_block(&rows, block),
            }
        }
    }

    fn take(&mut self, _part: usize, found: Self::Found) -> Result<(), Incomplete> {
        if let Some(gathered) = found
            && !self.is_broken_off
        {
            self.is_broken_off = (self.hand_on)(gathered).is_break();
        }
        Ok(())
    }
}

/// Gathers rows found by a search, part by part.
fn hand_on_found<G: Gather>(
    run: &mut Run<'_>,
    reading: &Reading<G>,
    found: &[Found],
    hand_on: &mut dyn FnMut(G::Gathered) -> ControlFlow<()>,
) -> Result<(), Error> {
    let budget = run.means().budget.without_deadline();
    for group in crate::fetch::by_part(found) {
        let places = group
            .rows
            .iter()
            .map(|index| found[*index].place.row as usize);
        let chosen: Vec<usize> = places.collect();
        let (reading, plan, of_task) = (reading.clone(), Arc::clone(&run.plan), budget.clone());
        let gather = move || {
            let part = &plan.parts[group.part];
            let rows = PartRows {
                plan: &plan,
                part,
                budget: &of_task,
            };
            reading.gather_found(&rows, &chosen)
        };
        let share = run.means().share.afresh();
        let Some(gathered) = share.do_all(std::iter::once(gather), &budget)? else {
            run.incomplete.push(Incomplete::Cancelled);
            break;
        };
        let Some(gathered) = gathered.into_iter().next() else {
            return Err(Error::Broken);
        };
        match gathered {
            Ok((gathered, bytes_read)) => {
                run.count_bytes(bytes_read);
                if let Some(gathered) = gathered
                    && hand_on(gathered).is_break()
                {
                    break;
                }
            }
            Err(Failure::Cut(_)) => {
                run.incomplete.push(Incomplete::Cancelled);
                break;
            }
            Err(Failure::Unreadable(detail) | Failure::OutOfReach(detail)) => {
                run.note_unfetched(group.part, detail)
            }
        }
    }
    Ok(())
}
