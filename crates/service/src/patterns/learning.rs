//! The thread that looks at the messages that have come, and keeps what patterns they have.
//!
//! Events are counted by their sequence numbers: what is kept says up to which one, and both are written in one transaction, so that a crash
//! between two rounds loses nothing and counts nothing twice, wherever the events lie by then.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use cordwood_catalog::{Catalog, LearntPattern, LearntPatterns, Source};
use cordwood_engine::pattern::{PatternForms, settle};
use cordwood_engine::{
    Engine, Incomplete, Pattern, PatternsRequest, SearchRequest, SearchedSource,
};
use cordwood_event::Timestamp;
use cordwood_query::{FieldName, Filter};
use cordwood_store::{Snapshot, Store};

use super::registry::MESSAGE;
use super::{Registry, Waiting};
use crate::{Cancel, Error};

/// How long the thread rests between two rounds at least. A round without new events takes microseconds.
const INTERVAL: Duration = Duration::from_secs(10);

/// How many times as long as a round took the thread rests: with two threads of the engine at work in a round, that is three hundredths of
/// one processor at most. It falls behind where that is not enough, and catches up when less comes.
const REST_FACTOR: u32 = 64;

/// More patterns of one source are not kept: the rarest are forgotten. A source that has so many says something else in each
/// message; they take about a megabyte.
const PATTERNS_PER_SOURCE_MAX: usize = 2000;

/// What is needed to learn, and what has been.
#[derive(Clone, Debug)]
pub(super) struct Learner {
    catalog: Arc<Catalog>,
    store: Arc<Store>,
    engine: Arc<Engine>,
    pub(super) registry: Arc<Registry>,
    waiting: Arc<Mutex<Waiting>>,
}

/// The thread, stopped and joined when this is dropped.
#[derive(Debug)]
pub(crate) struct Learning {
    pub(super) learner: Learner,
    cancel: Cancel,
    running: Mutex<Option<(Sender<()>, JoinHandle<()>)>>,
}

impl Learning {
    /// Recalls what was learnt before, and goes on from there.
    pub(crate) fn start(
        catalog: &Arc<Catalog>,
        store: &Arc<Store>,
        engine: &Arc<Engine>,
    ) -> Result<Learning, Error> {
        let learner = Learner::recalling(catalog, store, engine)?;
        let of_thread = learner.clone();
        let cancel = Cancel::default();
        let cancelled = cancel.clone();
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("patterns".to_owned())
            .spawn(move || {
                let mut is_failing = false;
                let mut up_to = 0;
                let mut rest = INTERVAL;
                while stopped.recv_timeout(rest) == Err(RecvTimeoutError::Timeout) {
                    rest = INTERVAL;
                    if of_thread.store.snapshot().last_sequence() == up_to {
                        continue;
                    }
                    let started = Instant::now();
                    let learnt = of_thread.learn_sealed(&cancelled);
                    rest = rest.max(started.elapsed().saturating_mul(REST_FACTOR));
                    match &learnt {
                        Ok(reached) => up_to = *reached,
                        Err(error) if !is_failing => {
                            let error: &dyn std::error::Error = error;
                            tracing::warn!(error, "patterns could not be learnt, will try again");
                        }
                        Err(_) => {}
                    }
                    is_failing = learnt.is_err();
                }
            })
            .map_err(|error| Error::internal("starting a thread", error))?;
        Ok(Learning {
            learner,
            cancel,
            running: Mutex::new(Some((stop, thread))),
        })
    }

    /// What is known by now.
    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.learner.registry
    }

    /// Stops the thread and waits for it.
    pub(crate) fn stop(&self) {
        self.cancel.cancel();
        let running = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some((stop, thread)) = running {
            drop(stop);
            if thread.join().is_err() {
                tracing::error!("the thread that learns patterns panicked");
            }
        }
    }
}

impl Drop for Learning {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Learner {
    /// One that knows what the catalog has kept, and has told the engine.
    fn recalling(
        catalog: &Arc<Catalog>,
        store: &Arc<Store>,
        engine: &Arc<Engine>,
    ) -> Result<Learner, Error> {
        let known = catalog.patterns();
        let known = known.map_err(|error| Error::internal("reading patterns", error))?;
        let learner = Learner {
            catalog: Arc::clone(catalog),
            store: Arc::clone(store),
            engine: Arc::clone(engine),
            registry: Arc::new(Registry::new(known)),
            waiting: Arc::default(),
        };
        learner.recall();
        Ok(learner)
    }

    fn recall(&self) {
        let last_sequence = self.store.snapshot().last_sequence();
        for source in self.catalog.sources() {
            let mut known = self.registry.of(source.id);
            if known.up_to_sequence > last_sequence {
                // The store was put back from a backup that is older than the catalog.
                Arc::make_mut(&mut known).up_to_sequence = last_sequence;
                self.registry.put(source.id, Arc::clone(&known));
            }
            self.engine.know_patterns(source.id, forms_of(&known));
        }
    }

    /// Learns all that has come since the last time, source by source.
    pub(super) fn learn(&self, cancel: &Cancel) -> Result<(), Error> {
        let sources = self.catalog.sources();
        self.registry.keep(&sources);
        let snapshot = self.store.snapshot();
        let up_to = snapshot.last_sequence();
        sources
            .iter()
            .try_for_each(|source| self.learn_source(source, (&snapshot, up_to), cancel))
    }

    /// Learns of what has come a bounded part that is cheap to look at: see [`Waiting`]. Returns up to which sequence number all sources
    /// have been looked at.
    pub(super) fn learn_sealed(&self, cancel: &Cancel) -> Result<u64, Error> {
        let sources = self.catalog.sources();
        self.registry.keep(&sources);
        let snapshot = self.store.snapshot();
        let waiting = self.waiting.lock();
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        let mut reached = snapshot.last_sequence();
        for source in &sources {
            let after = self.registry.of(source.id).up_to_sequence;
            let up_to = waiting.reach(source.id, &snapshot, after);
            self.learn_source(source, (&snapshot, up_to), cancel)?;
            reached = reached.min(up_to);
        }
        Ok(reached)
    }

    fn learn_source(
        &self,
        source: &Source,
        (snapshot, up_to): (&Snapshot, u64),
        cancel: &Cancel,
    ) -> Result<(), Error> {
        let before = self.registry.of(source.id);
        if up_to <= before.up_to_sequence {
            return Ok(());
        }
        let mut request = request(source, before.up_to_sequence, cancel);
        request.search.up_to_sequence = Some(up_to);
        let internal = |error| Error::internal("counting patterns", error);
        let mut found = self.engine.patterns(snapshot, &request).map_err(internal)?;
        // What is missing or damaged will not come back; what was cut short is there the next time.
        let is_lost = |incomplete: &Incomplete| {
            matches!(
                incomplete,
                Incomplete::Unreadable { .. } | Incomplete::Missing { .. }
            )
        };
        if !found.account.incomplete.iter().all(is_lost) {
            return Ok(());
        }
        let patterns = found.patterns.iter_mut();
        let mut new: Vec<&mut Pattern> = patterns
            .filter(|pattern| !before.by_form.contains_key(&pattern.form))
            .collect();
        let typed = self.engine.type_patterns(snapshot, &request, &mut new);
        typed.map_err(internal)?;
        if found.events == 0 {
            self.pass_over(source, before, (snapshot, up_to));
            return Ok(());
        }
        let now = Arc::new(after(&before, &found.patterns, found.up_to_sequence));
        self.catalog
            .write_patterns(source.id, &before, &now)
            .map_err(|error| Error::internal("writing patterns", error))?;
        self.engine.know_patterns(source.id, forms_of(&now));
        self.registry.put(source.id, now);
        Ok(())
    }

    /// Goes on behind rows of which none is to be seen any more, if others follow. Nothing is kept of that: after a start they are passed
    /// over again.
    fn pass_over(
        &self,
        source: &Source,
        mut known: Arc<LearntPatterns>,
        (snapshot, up_to): (&Snapshot, u64),
    ) {
        if up_to < snapshot.last_sequence() {
            Arc::make_mut(&mut known).up_to_sequence = up_to;
            self.registry.put(source.id, known);
        }
    }
}

fn request(source: &Source, after_sequence: u64, cancel: &Cancel) -> PatternsRequest {
    let searched = SearchedSource {
        id: source.id,
        name: source.name.clone(),
        kept_from: None,
    };
    PatternsRequest {
        search: SearchRequest {
            after_sequence: Some(after_sequence),
            cancel: cancel.clone(),
            ..SearchRequest::newest(vec![searched], Filter::All, 0, Timestamp::MAX)
        },
        field: FieldName::new(MESSAGE),
        buckets_max: 0,
        examples_max: 0,
    }
}

fn forms_of(learnt: &LearntPatterns) -> Arc<PatternForms> {
    Arc::new(learnt.by_form.keys().map(String::as_str).collect())
}

/// What is known after some events.
fn after(before: &LearntPatterns, found: &[Pattern], up_to_sequence: u64) -> LearntPatterns {
    let known: PatternForms = before.by_form.keys().map(String::as_str).collect();
    let settled = settle(&known, found.iter().map(|pattern| &*pattern.form));
    let mut by_form: BTreeMap<String, LearntPattern> = BTreeMap::new();
    for (form, pattern) in &before.by_form {
        add(&mut by_form, settled.of(form), pattern.clone());
    }
    for pattern in found {
        let learnt = LearntPattern {
            text: pattern.text.clone(),
            count: pattern.count,
            first_seen: pattern.first.timestamp,
            last_seen: pattern.last.timestamp,
        };
        add(&mut by_form, settled.of(&pattern.form), learnt);
    }
    let mut now = LearntPatterns {
        up_to_sequence,
        forgotten: before.forgotten,
        by_form,
    };
    forget_rarest(&mut now);
    now
}

/// Adds what is known of a form to what else is known of it. What people read is what was there first.
fn add(by_form: &mut BTreeMap<String, LearntPattern>, form: &str, pattern: LearntPattern) {
    match by_form.get_mut(form) {
        Some(known) => {
            known.count += pattern.count;
            known.first_seen = known.first_seen.min(pattern.first_seen);
            known.last_seen = known.last_seen.max(pattern.last_seen);
        }
        None => drop(by_form.insert(form.to_owned(), pattern)),
    }
}

fn forget_rarest(learnt: &mut LearntPatterns) {
    let surplus = learnt.by_form.len().saturating_sub(PATTERNS_PER_SOURCE_MAX);
    if surplus == 0 {
        return;
    }
    let rank = |(form, pattern): (&String, &LearntPattern)| {
        (pattern.count, pattern.last_seen, form.clone())
    };
    let mut ranks: Vec<_> = learnt.by_form.iter().map(rank).collect();
    ranks.sort_unstable();
    for (_, _, form) in ranks.into_iter().take(surplus) {
        learnt.by_form.remove(&form);
        learnt.forgotten += 1;
    }
}
