//! Clients side by side, each asking the same questions over and over from another one on, beside ingest if that is wanted.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cordwood_engine::{Engine, SearchRequest, StagedRequest};
use cordwood_event::Batch;
use cordwood_store::{Snapshot, Store};

use super::append;

/// A question, ready to be asked.
pub(crate) enum Asked {
    Search(SearchRequest),
    Staged(StagedRequest),
}

/// Who asks, and how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clients {
    pub(crate) count: usize,
    pub(crate) time: Duration,
}

/// What arrives meanwhile: batches, one every so often.
pub(crate) struct Arriving {
    pub(crate) batches: Vec<Batch>,
    pub(crate) every: Duration,
}

type Times = BTreeMap<&'static str, Vec<Duration>>;
type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Clients {
    /// Asks until the time is over and prints how long answers took.
    pub(crate) fn ask(
        self,
        engine: &Engine,
        store: &Store,
        questions: &[(&'static str, Asked)],
        arriving: Option<&Arriving>,
    ) -> Result<(), Failure> {
        let is_over = AtomicBool::new(false);
        let began = Instant::now();
        let (times, appends) = thread::scope(|scope| {
            let clients: Vec<_> = (0..self.count)
                .map(|client| {
                    scope.spawn(move || self.ask_as(client, engine, store, questions, began))
                })
                .collect();
            let is_over = &is_over;
            let sender =
                arriving.map(|arriving| scope.spawn(move || send(store, arriving, is_over)));
            let mut times = Times::new();
            for client in clients {
                let asked = client.join().map_err(|_| "a client panicked")??;
                for (name, took) in asked {
                    times.entry(name).or_default().extend(took);
                }
            }
            is_over.store(true, Ordering::Relaxed);
            let appends = sender.map(|sender| sender.join().map_err(|_| "the sender panicked"));
            Ok::<_, Failure>((times, appends.transpose()?.transpose()?))
        })?;
        let mut all = Vec::new();
        for (name, took) in times {
            all.extend(took.iter().copied());
            print(name, took);
        }
        println!(
            "{:.1} questions a second",
            all.len() as f64 / began.elapsed().as_secs_f64()
        );
        print("all", all);
        if let Some(appends) = appends {
            print("append", appends);
        }
        Ok(())
    }

    fn ask_as(
        self,
        client: usize,
        engine: &Engine,
        store: &Store,
        questions: &[(&'static str, Asked)],
        began: Instant,
    ) -> Result<Times, Failure> {
        let mut times = Times::new();
        for (name, asked) in questions.iter().cycle().skip(client) {
            if began.elapsed() >= self.time {
                break;
            }
            let asked_at = Instant::now();
            answer(engine, &store.snapshot(), asked)?;
            times.entry(name).or_default().push(asked_at.elapsed());
        }
        Ok(times)
    }
}

fn answer(engine: &Engine, snapshot: &Snapshot, asked: &Asked) -> Result<(), Failure> {
    let account = match asked {
        Asked::Search(request) => engine.search(snapshot, request)?.account,
        Asked::Staged(request) => engine.run_stages(snapshot, request)?.account,
    };
    match account.is_complete() {
        true => Ok(()),
        false => Err(format!("incomplete: {:?}", account.incomplete).into()),
    }
}

fn send(
    store: &Store,
    arriving: &Arriving,
    is_over: &AtomicBool,
) -> Result<Vec<Duration>, Failure> {
    let mut took = Vec::new();
    let began = Instant::now();
    for (index, batch) in arriving.batches.iter().cycle().enumerate() {
        let due = began + arriving.every * u32::try_from(index)?;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        append(store, batch.clone())?;
        // From when it was due: who waits for the batch before it waits as well.
        took.push(due.elapsed());
    }
    Ok(took)
}

fn print(name: &str, mut took: Vec<Duration>) {
    took.sort();
    let at = |percent: usize| {
        let index = (took.len() * percent / 100).min(took.len().saturating_sub(1));
        took.get(index).map_or(0.0, |took| took.as_secs_f64() * 1e3)
    };
    println!(
        "{name:18} {:7} times  p50 {:9.2} ms  p90 {:9.2} ms  p99 {:9.2} ms",
        took.len(),
        at(50),
        at(90),
        at(99)
    );
}
