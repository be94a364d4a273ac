//! The thread that serves all tails, round after round: what has arrived is looked at once for each question, and what
//! matches is offered to its readers.
//!
//! A round begins as soon as something arrives, unless the one before began a moment ago: a single event is seen at once, and
//! of many, readers are woken a few times a second. Each round also looks whether readers may still read.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use cordwood_catalog::{ApiTokenId, Catalog, Source};
use cordwood_engine::{LiveRow, SearchedSource};
use cordwood_event::{SourceId, Timestamp};
use cordwood_store::{Arrivals, Feed};

use super::batch::{TailBatch, TailNames, pieces};
use super::hub::{Asking, Hub, Question, Seated};
use super::reader::{Offer, Reader, TailEnd};
use crate::retention::kept_from;
use crate::{Clock, Scope};

/// The time between the beginnings of two rounds: what an event may wait beside what the round takes; together they stay well
/// below the 200 ms after which a reader notices.
const ROUND_INTERVAL: Duration = Duration::from_millis(40);

/// How long a round may take: what comes meanwhile waits. When there is more to do, it is told what was not looked at, and
/// readers stay close to what happens now.
const ROUND_TIME_MAX: Duration = Duration::from_millis(500);

/// How long to wait for something to arrive before looking whether readers may still read.
const QUIET_INTERVAL: Duration = Duration::from_millis(500);

/// Serves tails until the hub is stopped.
pub(crate) fn run(hub: &Hub, catalog: &Catalog, clock: &dyn Clock) {
    let served = catch_unwind(AssertUnwindSafe(|| {
        while let Some(feed) = hub.next_feed() {
            serve(hub, &feed, catalog, clock);
        }
    }));
    if served.is_err() {
        tracing::error!("the thread that serves tails failed; there are none until the next start");
        hub.stop();
    }
}

fn serve(hub: &Hub, feed: &Arc<Feed>, catalog: &Catalog, clock: &dyn Clock) {
    for first in 0.. {
        let arrivals = feed.take(QUIET_INTERVAL);
        if arrivals.is_closed {
            hub.feed_ended(feed);
            return;
        }
        let began = clock.instant();
        let round = Round {
            hub,
            catalog,
            now: clock.now(),
            clock,
            sources: catalog.sources(),
            tokens: HashMap::new(),
            questions: 0,
            began,
            latest: began,
        };
        round.serve(&arrivals, first);
        if !arrivals.batches.is_empty() {
            let took = clock.instant().saturating_duration_since(began);
            thread::sleep(ROUND_INTERVAL.saturating_sub(took));
        }
    }
}

/// What is the same for all readers of one round.
struct Round<'a> {
    hub: &'a Hub,
    catalog: &'a Catalog,
    clock: &'a dyn Clock,
    now: Timestamp,
    sources: Vec<Arc<Source>>,
    /// Which API tokens are good.
    tokens: HashMap<ApiTokenId, bool>,
    questions: usize,
    began: Instant,
    /// Until when the question may be asked whose turn it is: what earlier ones have left of their time is there for later ones.
    latest: Instant,
}

impl Round<'_> {
    /// Every question once, beginning with another one each time: should time run out, it does so for all alike.
    fn serve(mut self, arrivals: &Arrivals, first: usize) {
        let mut seated = self.hub.seated();
        let questions = seated.len();
        self.questions = questions;
        seated.rotate_left(first % questions.max(1));
        let up_to = arrivals.batches.last().map_or(0, |arrival| {
            let rows = arrival.rows.batch().len();
            arrival.rows.sequence(rows.saturating_sub(1))
        });
        for (index, mut seated) in seated.into_iter().enumerate() {
            self.latest =
                self.began + ROUND_TIME_MAX.mul_f64((index + 1) as f64 / questions as f64);
            self.part_with_those_who_may_not_stay(&mut seated);
            if seated.readers.is_empty() {
                continue;
            }
            let offer = self.offer_to(&seated, arrivals, up_to);
            let rows: usize = offer.batches.iter().map(|batch| batch.rows().len()).sum();
            let instant = self.clock.instant();
            for reader in &seated.readers {
                let dropped = reader.offer(&offer, instant);
                self.hub
                    .counters
                    .offer(rows as u64, dropped, offer.unexamined);
            }
        }
    }

    fn part_with_those_who_may_not_stay(&mut self, seated: &mut Seated) {
        let gone = gone_source(&seated.group.question, &self.sources);
        let instant = self.clock.instant();
        seated.readers.retain(|reader| {
            let end = match &gone {
                _ if !self.is_good(reader.token) => TailEnd::Unauthenticated,
                Some(source) => TailEnd::SourceGone(source.to_string()),
                None if reader.is_stalled(instant) => TailEnd::Stalled,
                None => return true,
            };
            reader.end(end);
            self.hub.leave(reader);
            false
        });
    }

    fn is_good(&mut self, token: ApiTokenId) -> bool {
        let is_live = || self.catalog.is_live_api_token(token, self.now);
        *self.tokens.entry(token).or_insert_with(is_live)
    }

    /// What has arrived for one question.
    fn offer_to(&self, seated: &Seated, arrivals: &Arrivals, up_to: u64) -> Offer {
        let question = &seated.group.question;
        let mut offer = Offer {
            up_to,
            ..Offer::default()
        };
        for (source, missed) in &arrivals.missed {
            if self.asked_for(question, *source).is_some() {
                offer.unexamined += missed;
            }
        }
        if arrivals.batches.is_empty() {
            return offer;
        }
        let asking = seated.group.asking.lock();
        let mut asking = asking.unwrap_or_else(PoisonError::into_inner);
        let mut names = TailNames {
            columns: asking.live.columns().map(<[String]>::to_vec),
            ..TailNames::default()
        };
        let rows = self.examine(question, &mut asking, arrivals, (&mut names, &mut offer));
        self.pack(rows, names, &mut offer);
        offer
    }

    fn examine(
        &self,
        question: &Question,
        asking: &mut Asking,
        arrivals: &Arrivals,
        (names, offer): (&mut TailNames, &mut Offer),
    ) -> Vec<LiveRow> {
        let began = self.clock.instant();
        let until = asking.until(began, self.questions).min(self.latest);
        asking.live.set_now(self.now);
        let mut rows = Vec::new();
        let mut searched: BTreeMap<SourceId, Option<SearchedSource>> = BTreeMap::new();
        for arrival in &arrivals.batches {
            let source = searched.entry(arrival.source);
            let source = source.or_insert_with(|| self.searched(question, arrival.source));
            let Some(source) = source else {
                continue;
            };
            let examined = asking.live.examine(&arrival.rows, source, until);
            offer.unexamined += examined.unexamined;
            if !examined.rows.is_empty() {
                names
                    .sources
                    .entry(source.id)
                    .or_insert_with(|| source.name.clone());
            }
            rows.extend(examined.rows);
        }
        asking.spend(self.clock.instant().saturating_duration_since(began));
        rows
    }

    fn searched(&self, question: &Question, id: SourceId) -> Option<SearchedSource> {
        let source = self.asked_for(question, id)?;
        Some(SearchedSource {
            id,
            name: source.name.clone(),
            kept_from: kept_from(source, self.now),
        })
    }

    /// The source, if the question is about it and its readers may see it.
    fn asked_for(&self, question: &Question, id: SourceId) -> Option<&Source> {
        let index = self.sources.binary_search_by_key(&id, |source| source.id);
        let source = self.sources.get(index.ok()?)?;
        let named = question.named.as_ref();
        let is_asked_for = named.is_none_or(|named| named.contains(&id));
        (is_asked_for && is_seen(&question.scope, source)).then_some(source)
    }

    /// Makes batches of rows, as far as there is memory: if need be, the reader with most waiting loses it.
    fn pack(&self, rows: Vec<LiveRow>, names: TailNames, offer: &mut Offer) {
        let names = Arc::new(names);
        for (rows, bytes) in pieces(rows) {
            let mut held = self.hub.memory.try_reserve(bytes);
            while held.is_none() && self.shed() {
                held = self.hub.memory.try_reserve(bytes);
            }
            match held {
                Some(held) => {
                    let batch = TailBatch::new(rows, Arc::clone(&names), held);
                    offer.batches.push(Arc::new(batch));
                }
                None => offer.too_many += rows.len() as u64,
            }
        }
    }

    /// Whether a reader had anything to lose.
    fn shed(&self) -> bool {
        let seated = self.hub.seated();
        let readers = seated.iter().flat_map(|seated| &seated.readers);
        let most = readers.max_by_key(|reader| reader.waiting_bytes());
        let (bytes, rows) = most.map_or((0, 0), |reader: &Arc<Reader>| reader.shed());
        self.hub.counters.offer(0, rows, 0);
        bytes > 0
    }
}

/// A source that was asked for and is there no more, or no more for these readers.
fn gone_source(question: &Question, sources: &[Arc<Source>]) -> Option<SourceId> {
    let named = question.named.as_ref()?;
    let is_there = |id: &SourceId| {
        let index = sources.binary_search_by_key(id, |source| source.id);
        let source = index.ok().and_then(|index| sources.get(index));
        source.is_some_and(|source| is_seen(&question.scope, source))
    };
    named.iter().find(|id| !is_there(id)).copied()
}

fn is_seen(scope: &Scope, source: &Source) -> bool {
    match scope {
        Scope::AllClients => true,
        Scope::Clients(clients) => clients.contains(&source.client),
    }
}
