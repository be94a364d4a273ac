//! Delivery: one thread that says what is to be sent next, and a few that send.
//!
//! Notices of a channel go in their order and one at a time, so that "resolved" never overtakes "opened"; channels do not wait for each
//! other as long as a sender is free. What was sent and not yet written to be so when the process dies is sent again under the same
//! name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cordwood_catalog::{Catalog, Channel, ChannelId, Settlement, WaitingNotice};
use cordwood_event::Timestamp;

use super::backoff::later;
use super::budget::Budget;
use super::record::kind;
use super::{Outward, digest, task};
use crate::{Clock, Error};

/// Notices sent at once: one provider that hangs leaves three senders to the others.
const SENDERS: usize = 4;
/// How often the outbox is looked at without being told: for what is due again, and for clocks that jump.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// How long a channel is left alone after what came of an attempt could not be written: it would be sent the same again and again.
const UNWRITTEN_PAUSE: Duration = Duration::from_secs(60);
/// How long the log is kept.
const LOG_LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How often the log is shortened, and by how many notices at most.
const FORGET_INTERVAL: Duration = Duration::from_secs(60);
const FORGOTTEN_MAX: u32 = 10_000;
/// Notices that may wait for a channel; more become a digest even while it takes none.
const WAITING_MAX: u32 = 1000;

/// What delivery works with.
#[derive(Clone, Debug)]
pub(crate) struct Means {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) outward: Arc<Outward>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// What delivery counts; since the start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) delivered: AtomicU64,
    pub(crate) retried: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) digested: AtomicU64,
}

#[derive(Debug)]
enum Event {
    /// Something was written.
    Written,
    /// A sender is done with a channel; whether what came of it was written.
    Done(ChannelId, Result<Settlement, ()>),
    Stop,
}

/// A notice and where it goes.
#[derive(Debug)]
struct Job {
    channel: Arc<Channel>,
    waiting: WaitingNotice,
}

/// The threads, stopped and joined when this is dropped.
#[derive(Debug)]
pub(crate) struct Delivery {
    events: Mutex<Sender<Event>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    pub(crate) counters: Arc<Counters>,
}

impl Delivery {
    pub(crate) fn start(means: Means) -> Result<Delivery, Error> {
        let (events, heard) = mpsc::channel();
        let (jobs, taken) = mpsc::channel();
        let taken = Arc::new(Mutex::new(taken));
        let counters = Arc::new(Counters::default());
        let mut threads = Vec::new();
        for _ in 0..SENDERS {
            let (means, taken, events) = (means.clone(), Arc::clone(&taken), events.clone());
            threads.push(spawn("notify-send", move || {
                send_all(&means, &taken, &events)
            })?);
        }
        let dispatcher = Dispatcher {
            means,
            jobs,
            counters: Arc::clone(&counters),
            busy: BTreeSet::new(),
            budgets: BTreeMap::new(),
            left_alone: BTreeMap::new(),
            forget_at: None,
            is_failing: false,
        };
        threads.push(spawn("notify", move || dispatcher.run(&heard))?);
        Ok(Delivery {
            events: Mutex::new(events),
            threads: Mutex::new(threads),
            counters,
        })
    }

    /// Says that notices were written. Without it they are found within a second.
    pub(crate) fn wake(&self) {
        self.tell(Event::Written);
    }

    /// Lets what is being sent end, and sends nothing more.
    pub(crate) fn stop(&self) {
        self.tell(Event::Stop);
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of delivery panicked");
            }
        }
    }

    fn tell(&self, event: Event) {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        // After the end, nobody listens.
        let _ = events.send(event);
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.stop();
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Error> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map_err(|error| Error::internal("starting a thread", error))
}

/// What a sender does until there are no more jobs.
fn send_all(means: &Means, jobs: &Mutex<Receiver<Job>>, events: &Sender<Event>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { channel, waiting }) = job else {
            return;
        };
        let settled = task::deliver(
            &means.outward,
            &means.catalog,
            &*means.clock,
            &channel,
            &waiting,
        );
        let settled = settled.map_err(|error| {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "what came of a notice could not be written");
        });
        if events.send(Event::Done(channel.id, settled)).is_err() {
            return;
        }
    }
}

/// The thread that says what is next.
#[derive(Debug)]
struct Dispatcher {
    means: Means,
    jobs: Sender<Job>,
    counters: Arc<Counters>,
    /// Channels that are being sent to.
    busy: BTreeSet<ChannelId>,
    budgets: BTreeMap<ChannelId, Budget>,
    /// Until when channels are left alone.
    left_alone: BTreeMap<ChannelId, Timestamp>,
    forget_at: Option<Timestamp>,
    is_failing: bool,
}

impl Dispatcher {
    fn run(mut self, heard: &Receiver<Event>) {
        loop {
            let now = self.means.clock.now();
            let dispatched = self.dispatch(now).and_then(|()| self.forget(now));
            if let (Err(error), false) = (&dispatched, self.is_failing) {
                let error: &dyn std::error::Error = error;
                tracing::warn!(error, "the outbox could not be read, will try again");
            }
            self.is_failing = dispatched.is_err();
            let mut event = heard.recv_timeout(LOOK_INTERVAL);
            loop {
                match event {
                    Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                    Ok(Event::Done(channel, settled)) => self.note(channel, settled),
                    Ok(Event::Written) => {}
                    Err(RecvTimeoutError::Timeout) => break,
                }
                event = heard.try_recv().map_err(|_| RecvTimeoutError::Timeout);
            }
        }
    }

    /// Hands out the first notice of each channel that is due, as long as a sender is free; oldest first.
    fn dispatch(&mut self, now: Timestamp) -> Result<(), cordwood_catalog::Error> {
        if self.busy.len() >= SENDERS {
            return Ok(());
        }
        for waiting in self.means.catalog.first_waiting()? {
            if self.busy.len() >= SENDERS {
                break;
            }
            let channel = self.means.catalog.channel(waiting.notice.channel);
            let channel = channel.filter(|channel| self.is_free(channel) && waiting.due_at <= now);
            let Some(channel) = channel else {
                continue;
            };
            let budget = self.budgets.entry(channel.id).or_default();
            if !budget.allows(channel.content.per_minute, now) {
                continue;
            }
            let was_spent = budget.take_spent();
            if was_spent && self.digest(&channel, &waiting, now)? {
                // The digest waits now, and is found in the next round.
                continue;
            }
            self.hand_out(channel, waiting, now);
        }
        Ok(())
    }

    fn is_free(&self, channel: &Channel) -> bool {
        let now = self.means.clock.now();
        let is_left_alone = self
            .left_alone
            .get(&channel.id)
            .is_some_and(|until| *until > now);
        !channel.content.is_paused && !self.busy.contains(&channel.id) && !is_left_alone
    }

    fn hand_out(&mut self, channel: Arc<Channel>, waiting: WaitingNotice, now: Timestamp) {
        let id = channel.id;
        self.budgets.entry(id).or_default().spend(now);
        if self.jobs.send(Job { channel, waiting }).is_ok() {
            self.busy.insert(id);
        }
    }

    /// Puts what waits for a channel into one notice, unless its first was tried already and may have arrived; whether it did.
    fn digest(
        &mut self,
        channel: &Channel,
        first: &WaitingNotice,
        now: Timestamp,
    ) -> Result<bool, cordwood_catalog::Error> {
        if kind(&channel.content).keeps_incidents() || first.attempts > 0 {
            return Ok(false);
        }
        self.digest_untried(channel, now)
    }

    fn digest_untried(
        &mut self,
        channel: &Channel,
        now: Timestamp,
    ) -> Result<bool, cordwood_catalog::Error> {
        let untried = self.means.catalog.untried(channel.id, WAITING_MAX)?;
        let digest = digest::of(channel, &untried).filter(|_| untried.len() > 1);
        let Some(digest) = digest else {
            return Ok(false);
        };
        let ids: Vec<_> = untried.iter().map(|waiting| waiting.id).collect();
        self.means.catalog.digest_notices(&ids, &digest, now)?;
        self.counters
            .digested
            .fetch_add(ids.len() as u64, Ordering::Relaxed);
        Ok(true)
    }

    fn note(&mut self, channel: ChannelId, settled: Result<Settlement, ()>) {
        self.busy.remove(&channel);
        let counter = match settled {
            Ok(Settlement::Delivered) => &self.counters.delivered,
            Ok(Settlement::Retry { .. }) => &self.counters.retried,
            Ok(Settlement::Failed) => &self.counters.failed,
            Err(()) => {
                let until = later(self.means.clock.now(), UNWRITTEN_PAUSE);
                self.left_alone.insert(channel, until);
                return;
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Shortens the log and long queues, now and then.
    fn forget(&mut self, now: Timestamp) -> Result<(), cordwood_catalog::Error> {
        if self.forget_at.is_some_and(|at| now < at) {
            return Ok(());
        }
        self.forget_at = Some(later(now, FORGET_INTERVAL));
        let life = i64::try_from(LOG_LIFE.as_nanos()).unwrap_or(i64::MAX);
        let before = Timestamp::from_nanos(now.as_nanos().saturating_sub(life));
        self.means
            .catalog
            .forget_deliveries(before, FORGOTTEN_MAX)?;
        let channels = self.means.catalog.channels();
        self.budgets
            .retain(|id, _| channels.iter().any(|channel| channel.id == *id));
        self.left_alone.retain(|_, until| *until > now);
        for channel in channels {
            let waiting = self.means.catalog.channel_health(channel.id)?.waiting;
            let is_full = waiting > u64::from(WAITING_MAX);
            if is_full
                && !kind(&channel.content).keeps_incidents()
                && !self.busy.contains(&channel.id)
            {
                self.digest_untried(&channel, now)?;
            }
        }
        Ok(())
    }
}
