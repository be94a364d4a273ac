//! Groups of parts are merged by the threads of the engine, beside their work on further parts.
//!
//! Each thread merges into groups of its own, so that none waits for another; what they have is put together at the end. Of many
//! countings at once, each is merged by one thread at a time.
//! A part comes here whole and only once it was read to its end, so that one that fails leaves nothing behind.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::budget::Budget;
use crate::groups::{Groups, Held};
use crate::pool::Share;
use crate::run::{Means, PATIENCE};
use crate::{Error, Incomplete};

/// Groups of so many parts are merged together, so that a thread is not asked for each.
const PARTS_AT_ONCE: usize = 8;

/// So many times as many parts may wait before no more are handed out.
const BACKLOG: usize = 4;

/// Groups after some were merged into them, whether there was memory for all.
type Merged = Result<(Groups, Result<(), Incomplete>), Error>;

/// Groups on their way into one.
pub(super) struct Merging<'a> {
    share: Share<'a>,
    /// How many threads may be at work on it.
    threads: usize,
    held: &'a Arc<Held>,
    /// Without a deadline: what was found before it passed is merged still.
    budget: Budget,
    /// Of parts, not merged yet.
    waiting: Vec<Groups>,
    /// Merged, and no thread is at work on them.
    idle: Vec<Groups>,
    threads_busy: usize,
    sender: Sender<Merged>,
    receiver: Receiver<Merged>,
    /// What a thread could not finish.
    failed: Option<Failed>,
}

enum Failed {
    Incomplete(Incomplete),
    Broken,
}

impl<'a> Merging<'a> {
    pub(super) fn new(means: &Means<'a>, held: &'a Arc<Held>) -> Merging<'a> {
        Merging::one_of(1, means, held)
    }

    /// One of so many, which keep all threads busy together: in one table a group is made once, in those of two threads twice.
    pub(super) fn one_of(mergings: usize, means: &Means<'a>, held: &'a Arc<Held>) -> Merging<'a> {
        let (sender, receiver) = channel();
        Merging {
            threads: means.share.threads().div_ceil(mergings),
            share: means.share.afresh(),
            held,
            budget: means.budget.without_deadline(),
            waiting: Vec::new(),
            idle: Vec::new(),
            threads_busy: 0,
            sender,
            receiver,
            failed: None,
        }
    }

    /// Takes the groups of a part.
    pub(super) fn take(&mut self, groups: Groups) -> Result<(), Incomplete> {
        if !groups.is_empty() {
            self.waiting.push(groups);
        }
        while let Ok(merged) = self.receiver.try_recv() {
            self.returned(merged);
        }
        while self.waiting.len() >= PARTS_AT_ONCE * BACKLOG && self.threads_busy > 0 {
            self.wait();
        }
        if self.waiting.len() >= PARTS_AT_ONCE && self.threads_busy < self.threads {
            self.spawn();
        }
        match self.failed.take() {
            Some(Failed::Incomplete(incomplete)) => Err(incomplete),
            broken => {
                self.failed = broken;
                Ok(())
            }
        }
    }

    fn spawn(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        let Some(first) = waiting.first() else {
            return;
        };
        let groups = self.idle.pop().unwrap_or_else(|| first.afresh());
        let (held, budget) = (Arc::clone(self.held), self.budget.clone());
        let sender = self.sender.clone();
        self.threads_busy += 1;
        self.share.spawn(move || {
            let merge = || merge_all(groups, waiting, &held, &budget);
            let merged = catch_unwind(AssertUnwindSafe(merge)).map_err(|_| Error::Broken);
            // Nobody listens to a question that failed.
            let _ = sender.send(merged);
        });
    }

    /// Waits for a thread, or for the caller to give up, who then waits for none.
    fn wait(&mut self) {
        // The sender beside the receiver keeps the channel open.
        match self.receiver.recv_timeout(PATIENCE) {
            Ok(merged) => self.returned(merged),
            Err(_) if self.budget.is_cancelled() => {
                self.threads_busy = 0;
                self.failed
                    .get_or_insert(Failed::Incomplete(Incomplete::Cancelled));
            }
            Err(_) => {}
        }
    }

    fn returned(&mut self, merged: Merged) {
        self.threads_busy = self.threads_busy.saturating_sub(1);
        match merged {
            Ok((groups, outcome)) => {
                self.idle.push(groups);
                self.failed = match (self.failed.take(), outcome) {
                    (None, Err(incomplete)) => Some(Failed::Incomplete(incomplete)),
                    (failed, _) => failed,
                };
            }
            Err(_) => self.failed = Some(Failed::Broken),
        }
    }

    /// All groups as one, and whether there was memory for them. For `top`, only those that it may keep.
    pub(super) fn finish(mut self, none: Groups, top: Option<u64>) -> Merged {
        while self.threads_busy > 0 {
            self.wait();
        }
        let outcome = match self.failed {
            None => Ok(()),
            Some(Failed::Incomplete(incomplete)) => Err(incomplete),
            Some(Failed::Broken) => return Err(Error::Broken),
        };
        // Few are looked for among many, which costs less than many among few.
        self.idle.sort_by_key(Groups::len);
        let groups = self.idle.pop().unwrap_or(none);
        let (groups, merged) = merge_all(groups, self.waiting, self.held, &self.budget);
        let outcome = outcome.and(merged);
        let limit = top.and_then(|limit| usize::try_from(limit).ok());
        self.idle.push(groups);
        let greatest = match limit {
            Some(limit) => Groups::greatest_of(&self.idle, limit, &self.budget),
            None => Ok(None),
        };
        let groups = self.idle.pop().ok_or(Error::Broken)?;
        match greatest {
            Ok(Some(greatest)) => return Ok((greatest, outcome)),
            Ok(None) => {}
            Err(cut) => return Ok((groups, outcome.and(Err(cut.into())))),
        }
        let (mut groups, merged) = merge_all(groups, self.idle, self.held, &self.budget);
        let settled = groups.settle_aside(self.held, &self.budget);
        Ok((groups, outcome.and(merged).and(settled)))
    }
}

fn merge_all(
    mut groups: Groups,
    others: impl IntoIterator<Item = Groups>,
    held: &Held,
    budget: &Budget,
) -> (Groups, Result<(), Incomplete>) {
    let merged = others
        .into_iter()
        .try_for_each(|other| groups.merge(other, held, budget))
        .and_then(|()| groups.review_aside(held, budget));
    (groups, merged)
}
