//! The scan in order: everything that matches, window of time after window, in bounded memory however much that is.
//!
//! Within a window rows are gathered as parts come, on all threads; whoever takes the window puts its rows in order, which are
//! few. Windows do not overlap, so that one behind the other they are in order as a whole.

use std::ops::ControlFlow;
use std::sync::Arc;

use cordwood_query::TimeBounds;
use cordwood_store::{Part, Snapshot};

use super::windows::Windows;
use super::{Gather, Reading, ScanRequest, hand_on_found};
use crate::engine::Engine;
use crate::plan::{Plan, Planned};
use crate::run::{Means, Run};
use crate::search::find;
use crate::{Account, Error, Incomplete, Position, SearchRequest, Total};

/// When more rows than may be held together have one time, so many come in each window.
const ROWS_OF_INSTANT: usize = 4096;

/// How much one window may hold.
#[derive(Clone, Copy, Debug)]
pub struct WindowLimit<T> {
    /// The bytes that what is gathered of a window should take at most.
    pub bytes_max: u64,
    /// How many something gathered takes.
    pub bytes_of: fn(&T) -> u64,
}

/// What was gathered in one window.
#[derive(Debug)]
pub struct Window<T> {
    /// Part by part, in no order. All rows lie behind those of the windows before.
    pub gathered: Vec<T>,
    /// How much of what was to be read has been, with this window: 0 to 1.
    pub progress: f64,
}

impl Engine {
    /// Gathers the rows that match and hands on what was made of them, window after window in the order of the search, until
    /// `hand_on` breaks it off. The limit of the search does not count.
    pub fn scan_in_order<G: Gather>(
        &self,
        snapshot: &Snapshot,
        request: &ScanRequest,
        gather: &Arc<G>,
        limit: WindowLimit<G::Gathered>,
        hand_on: &mut dyn FnMut(Window<G::Gathered>) -> ControlFlow<()>,
    ) -> Result<Account, Error> {
        let started = self.clock().now();
        let search = SearchRequest {
            after: None,
            limit: 0,
            total: Total::NotAsked,
            ..request.search.clone()
        };
        // One share of the threads for all windows: a scan that has used much stands behind questions that have not.
        let means = self.means(&search);
        let (plan, planned) = self.plan(snapshot, &search, &means.budget);
        let mut windows = windows_of(&plan, limit.bytes_max);
        let mut walk = Walk {
            engine: self,
            snapshot,
            means: &means,
            search,
            reading: Reading::new(&request.fields, gather),
            limit,
            account: account_of(&plan, planned),
        };
        drop(plan);
        while let Some(window) = windows.next() {
            if walk.is_cut() {
                break;
            }
            let flow = match walk.gather(window)? {
                Some(gathered) => hand_on(Window {
                    gathered,
                    progress: windows.progress(),
                }),
                None if windows.halve(window) => ControlFlow::Continue(()),
                None => walk.gather_instant(window, windows.progress(), hand_on)?,
            };
            if flow.is_break() {
                break;
            }
        }
        walk.account.elapsed = self.clock().now().saturating_duration_since(started);
        Ok(walk.account)
    }
}

fn windows_of(plan: &Plan, bytes_max: u64) -> Windows {
    let parts = plan.parts.iter().map(|part| {
        let bytes = match &part.part {
            Part::Open(rows) => rows.event_bytes(),
            Part::Block(block) => block.directory().source_bytes,
        };
        (part.times, bytes)
    });
    Windows::new(parts, plan.range, plan.order, bytes_max)
}

/// The account before the first window: what planning alone ruled out.
fn account_of(plan: &Plan, planned: Planned) -> Account {
    Account {
        incomplete: planned.incomplete,
        range: plan.range,
        covered: plan.range,
        rows_scanned: 0,
        bytes_scanned: 0,
        blocks: planned.blocks,
        segments: planned.segments,
        elapsed: std::time::Duration::ZERO,
    }
}

/// A scan, some windows on its way.
struct Walk<'a, G: Gather> {
    engine: &'a Engine,
    snapshot: &'a Snapshot,
    means: &'a Means<'a>,
    search: SearchRequest,
    reading: Reading<G>,
    limit: WindowLimit<G::Gathered>,
    account: Account,
}

impl<G: Gather> Walk<'_, G> {
    /// Whether something ended the scan that will not pass.
    fn is_cut(&self) -> bool {
        let mut reasons = self.account.incomplete.iter();
        reasons.any(|reason| {
            matches!(
                reason,
                Incomplete::Cancelled | Incomplete::Deadline | Incomplete::Memory
            )
        })
    }

    fn run(&self, search: &SearchRequest) -> Run<'_> {
        let (plan, planned) = self.engine.plan(self.snapshot, search, &self.means.budget);
        Run::new(self.means, plan, planned)
    }

    /// What was gathered in a window; `None` if that is too much.
    fn gather(&mut self, window: TimeBounds) -> Result<Option<Vec<G::Gathered>>, Error> {
        let search = SearchRequest {
            range: window,
            ..self.search.clone()
        };
        let mut run = self.run(&search);
        let (mut gathered, mut bytes) = (Vec::new(), 0);
        let bytes_allowed = self.limit.bytes_max.saturating_mul(2);
        self.reading.scan_all(&mut run, &mut |one| {
            bytes += (self.limit.bytes_of)(&one);
            gathered.push(one);
            match bytes > bytes_allowed {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })?;
        let account = run.account();
        if bytes > bytes_allowed {
            return Ok(None);
        }
        self.add(account);
        Ok(Some(gathered))
    }

    /// Hands on a window of one instant in which there is too much, in several.
    fn gather_instant(
        &mut self,
        window: TimeBounds,
        progress: f64,
        hand_on: &mut dyn FnMut(Window<G::Gathered>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Error> {
        let mut after: Option<Position> = None;
        loop {
            let search = SearchRequest {
                range: window,
                limit: ROWS_OF_INSTANT,
                after,
                ..self.search.clone()
            };
            let mut run = self.run(&search);
            let mut found = find(&mut run)?.rows;
            found.truncate(ROWS_OF_INSTANT);
            let mut gathered = Vec::new();
            hand_on_found(&mut run, &self.reading, &found, &mut |one| {
                gathered.push(one);
                ControlFlow::Continue(())
            })?;
            let account = run.account();
            self.add(account);
            let flow = hand_on(Window { gathered, progress });
            after = found.last().map(|last| last.id);
            if found.len() < ROWS_OF_INSTANT || flow.is_break() || self.is_cut() {
                return Ok(flow);
            }
        }
    }

    /// Adds what a window took. What planning ruled out was counted for all windows together.
    fn add(&mut self, window: Account) {
        self.account.rows_scanned += window.rows_scanned;
        self.account.bytes_scanned += window.bytes_scanned;
        self.account.blocks.read += window.blocks.read;
        self.account.blocks.unreadable += window.blocks.unreadable;
        for reason in window.incomplete {
            if !self.account.incomplete.contains(&reason) {
                self.account.incomplete.push(reason);
            }
        }
    }
}
