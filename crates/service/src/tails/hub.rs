//! Who reads what: readers with the same question sit in one group, for which events are looked at once.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cordwood_catalog::ApiTokenId;
use cordwood_engine::LiveQuery;
use cordwood_event::SourceId;
use cordwood_store::{Feed, MemoryBudget};

use super::counters::TailCounters;
use super::reader::{Reader, TailEnd};
use crate::{Error, Scope};

/// Tails at once. Each costs a connection, and one with a question of its own a look at every event: a thousand of these is
/// what one core can do beside 10 000 events a second.
pub const TAILS_MAX: usize = 1024;

/// Of these with one API token, so that none takes the places of all others.
pub const TAILS_PER_TOKEN_MAX: usize = 512;

/// Into how many shares the time of the thread that serves all is cut: as many as there are questions, but a question that is
/// alone leaves half of it, and of many, most are done in a fraction of theirs.
const TIME_SHARES: std::ops::RangeInclusive<usize> = 2..=8;

/// The time of which a question may take its share at once, if it has taken nothing for a while.
const TIME_AT_ONCE: Duration = Duration::from_secs(2);

/// What makes two readers see the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// As the language writes it.
    pub(crate) query: String,
    /// The sources asked for, by id; `None` for all that the caller sees, those made later too.
    pub(crate) named: Option<Vec<SourceId>>,
    pub(crate) scope: Scope,
}

/// A question and how it is asked; only the thread that serves tails asks it.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) question: Question,
    pub(crate) asking: Mutex<Asking>,
}

/// A question under way.
#[derive(Debug)]
pub(crate) struct Asking {
    pub(crate) live: LiveQuery,
    credit: Duration,
    credited_at: Instant,
}

impl Asking {
    pub(crate) fn new(live: LiveQuery, now: Instant) -> Asking {
        Asking {
            live,
            // Cut to its share when it is first asked.
            credit: TIME_AT_ONCE,
            credited_at: now,
        }
    }

    /// Until when it may look at what came, as one of so many questions.
    pub(crate) fn until(&mut self, now: Instant, questions: usize) -> Instant {
        let shares = questions.clamp(*TIME_SHARES.start(), *TIME_SHARES.end());
        let shares = u32::try_from(shares).unwrap_or(u32::MAX);
        let since = now.saturating_duration_since(self.credited_at);
        self.credit = (self.credit + since / shares).min(TIME_AT_ONCE / shares);
        self.credited_at = now;
        now + self.credit
    }

    pub(crate) fn spend(&mut self, time: Duration) {
        self.credit = self.credit.saturating_sub(time);
    }
}

/// A group and who sits in it; never empty.
#[derive(Clone, Debug)]
pub(crate) struct Seated {
    pub(crate) group: Arc<Group>,
    pub(crate) readers: Vec<Arc<Reader>>,
}

/// All tails.
#[derive(Debug)]
pub(crate) struct Hub {
    seats: Mutex<Seats>,
    changed: Condvar,
    /// The part of the memory that rows on their way to readers may take.
    pub(crate) memory: MemoryBudget,
    pub(crate) counters: TailCounters,
}

#[derive(Debug, Default)]
struct Seats {
    groups: Vec<Seated>,
    /// What arrives, while there is anybody to tell.
    feed: Option<Arc<Feed>>,
    is_stopped: bool,
}

impl Seats {
    fn readers(&self) -> impl Iterator<Item = &Arc<Reader>> {
        self.groups.iter().flat_map(|seated| &seated.readers)
    }

    fn check_room(&self, token: ApiTokenId) -> Result<(), Error> {
        let of_token = self.readers().filter(|reader| reader.token == token);
        let (open, own) = (self.readers().count(), of_token.count());
        if open >= TAILS_MAX || own >= TAILS_PER_TOKEN_MAX {
            return Err(Error::TooManyTails { open, own });
        }
        Ok(())
    }

    fn end_all(&mut self) {
        for seated in self.groups.drain(..) {
            for reader in seated.readers {
                reader.end(TailEnd::Stopping);
            }
        }
        if let Some(feed) = self.feed.take() {
            feed.close();
        }
    }
}

impl Hub {
    pub(crate) fn new(memory: MemoryBudget) -> Hub {
        Hub {
            seats: Mutex::default(),
            changed: Condvar::new(),
            memory,
            counters: TailCounters::default(),
        }
    }

    /// Seats a reader; what arrives from now on is offered to it. `follow` is called for the first.
    pub(crate) fn join(
        &self,
        question: Question,
        live: LiveQuery,
        reader: &Arc<Reader>,
        follow: impl FnOnce() -> Feed,
    ) -> Result<(), Error> {
        let mut seats = self.lock();
        if seats.is_stopped {
            reader.end(TailEnd::Stopping);
            return Ok(());
        }
        seats
            .check_room(reader.token)
            .inspect_err(|_| self.counters.refuse())?;
        if seats.feed.is_none() {
            seats.feed = Some(Arc::new(follow()));
            self.changed.notify_all();
        }
        let mut groups = seats.groups.iter_mut();
        match groups.find(|seated| seated.group.question == question) {
            Some(seated) => seated.readers.push(Arc::clone(reader)),
            None => seats.groups.push(Seated {
                group: Arc::new(Group {
                    question,
                    asking: Mutex::new(Asking::new(live, Instant::now())),
                }),
                readers: vec![Arc::clone(reader)],
            }),
        }
        self.counters.open();
        Ok(())
    }

    /// Gives up the seat of a reader. With the last one, nobody follows the store any more.
    pub(crate) fn leave(&self, reader: &Arc<Reader>) {
        let mut seats = self.lock();
        for seated in &mut seats.groups {
            seated.readers.retain(|other| !Arc::ptr_eq(other, reader));
        }
        seats.groups.retain(|seated| !seated.readers.is_empty());
        if seats.groups.is_empty()
            && let Some(feed) = seats.feed.take()
        {
            feed.close();
        }
    }

    pub(crate) fn seated(&self) -> Vec<Seated> {
        self.lock().groups.clone()
    }

    /// How many tails are open.
    pub(crate) fn open_tails(&self) -> usize {
        self.lock().readers().count()
    }

    /// Waits until there is somebody to tell; `None` once there never will be.
    pub(crate) fn next_feed(&self) -> Option<Arc<Feed>> {
        let seats = self.lock();
        let is_idle = |seats: &mut Seats| seats.feed.is_none() && !seats.is_stopped;
        let woken = self.changed.wait_while(seats, is_idle);
        woken.unwrap_or_else(PoisonError::into_inner).feed.clone()
    }

    /// The store has closed a feed: if it was the one, there is nothing more to tell anybody.
    pub(crate) fn feed_ended(&self, ended: &Arc<Feed>) {
        let mut seats = self.lock();
        if seats
            .feed
            .as_ref()
            .is_some_and(|feed| Arc::ptr_eq(feed, ended))
        {
            seats.end_all();
        }
    }

    /// Ends all tails, those that come later too.
    pub(crate) fn stop(&self) {
        let mut seats = self.lock();
        seats.is_stopped = true;
        seats.end_all();
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Seats> {
        // Every change is a single push or retain.
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use cordwood_engine::Clock;
    use cordwood_event::Timestamp;

    use super::*;

    #[test]
    fn a_question_has_its_share_of_the_time() {
        let query = cordwood_query::parse("a").expect("a query").query;
        let clock = Clock::new(Instant::now);
        let live = LiveQuery::new(&query, clock, Timestamp::MIN).expect("rows one by one");
        let (ms, start) = (Duration::from_millis, Instant::now());
        let mut asking = Asking::new(live, start);
        assert_eq!(
            asking.until(start, 1),
            start + ms(1000),
            "alone, half of two seconds"
        );
        assert_eq!(
            asking.until(start, 100),
            start + ms(250),
            "of many, an eighth"
        );
        asking.spend(ms(250));
        assert_eq!(asking.until(start, 100), start, "nothing is left");
        let later = start + ms(80);
        assert_eq!(
            asking.until(later, 100),
            later + ms(10),
            "an eighth of what went by"
        );
        assert_eq!(
            asking.until(later + ms(10), 4),
            later + ms(10) + ms(12) + Duration::from_micros(500)
        );
    }
}
