//! The engine's threads, shared by all questions under way.
//!
//! A question hands in small tasks, a block each as a rule, and [`Schedule`] says whose is next, so that a question that
//! needs little does not wait for those that need much. A task that was begun is not interrupted.

mod schedule;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::budget::Budget;
use crate::run::PATIENCE;
use crate::{Clock, Error};
use schedule::{QuestionId, Schedule};

type Task = Box<dyn FnOnce() + Send>;

/// The threads. They end when this is dropped.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    /// Told of each task that is handed in, and of the end.
    wakes: Condvar,
    clock: Clock,
}

#[derive(Default)]
struct State {
    schedule: Schedule<Task>,
    is_closed: bool,
}

/// What one question has of the threads. What it has handed in and nobody has begun is dropped with it.
pub(crate) struct Share<'p> {
    pool: &'p Pool,
    question: QuestionId,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let threads = self.threads.len();
        f.debug_struct("Pool").field("threads", &threads).finish()
    }
}

impl std::fmt::Debug for Share<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Share").field(&self.question).finish()
    }
}

impl Pool {
    /// Starts the threads, at least one. The clock measures what questions use.
    pub(crate) fn new(threads: usize, clock: Clock) -> Result<Pool, Error> {
        let mut pool = Pool {
            shared: Arc::new(Shared {
                state: Mutex::default(),
                wakes: Condvar::new(),
                clock,
            }),
            threads: Vec::new(),
        };
        for index in 0..threads.max(1) {
            let shared = Arc::clone(&pool.shared);
            let thread = thread::Builder::new()
                .name(format!("search-{index}"))
                .spawn(move || shared.work())
                .map_err(Error::Threads)?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// A share for a question that begins.
    pub(crate) fn share(&self) -> Share<'_> {
        Share {
            pool: self,
            question: self.shared.lock().schedule.enter(),
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.wakes.notify_all();
        for thread in self.threads.drain(..) {
            // Panics of tasks do not reach it.
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// A panic inside the lock leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some((turn, task)) = state.schedule.next() {
                drop(state);
                let began = self.clock.now();
                // Whoever waits for the task misses what it would have sent.
                let _ = catch_unwind(AssertUnwindSafe(task));
                let took = self.clock.now().saturating_duration_since(began);
                state = self.lock();
                state.schedule.charge(turn, took);
            } else if state.is_closed {
                return;
            } else {
                let woken = self.wakes.wait(state);
                state = woken.unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

impl<'p> Share<'p> {
    /// A share that has used nothing yet: for what the caller waits for, so that a question which has used much is not
    /// kept from its end, nor from noticing that it was cancelled.
    pub(crate) fn afresh(&self) -> Share<'p> {
        self.pool.share()
    }

    /// Whether the question has used so much that what the caller waits for is better done [`afresh`](Self::afresh). One that has used
    /// little keeps its place in line: afresh it would soon stand at the end of the same line again.
    pub(crate) fn has_used_much(&self) -> bool {
        let state = self.pool.shared.lock();
        state.schedule.has_used_much(self.question)
    }

    /// How many threads there are for all questions.
    pub(crate) fn threads(&self) -> usize {
        self.pool.threads.len()
    }

    /// Hands in a task.
    pub(crate) fn spawn(&self, task: impl FnOnce() + Send + 'static) {
        let shared = &self.pool.shared;
        shared.lock().schedule.push(self.question, Box::new(task));
        shared.wakes.notify_one();
    }

    /// Has all tasks done and gives what came of them, in their order; `None` when the caller gives up meanwhile.
    pub(crate) fn do_all<T, F>(
        &self,
        tasks: impl Iterator<Item = F>,
        budget: &Budget,
    ) -> Result<Option<Vec<T>>, Error>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let (sender, receiver) = channel();
        let mut count = 0;
        for (index, task) in tasks.enumerate() {
            let sender = sender.clone();
            // Nobody listens to what comes after a task that failed.
            self.spawn(move || drop(sender.send((index, task()))));
            count += 1;
        }
        drop(sender);
        let mut done: Vec<(usize, T)> = Vec::with_capacity(count);
        while done.len() < count {
            match receiver.recv_timeout(PATIENCE) {
                Ok(one) => done.push(one),
                Err(RecvTimeoutError::Timeout) if budget.is_cancelled() => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Error::Broken),
            }
        }
        done.sort_by_key(|(index, _)| *index);
        Ok(Some(done.into_iter().map(|(_, value)| value).collect()))
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        let left = self.pool.shared.lock().schedule.leave(self.question);
        // Outside the lock: they may hold much.
        drop(left);
    }
}

#[cfg(test)]
mod tests;
