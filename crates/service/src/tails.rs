//! Live tail: events that match a query, as they arrive.
//!
//! The store hands over what it has published; one thread looks at it once for each question and offers what matches to all
//! readers of that question. A reader takes what waits for it when it can; what it is too slow for is let go and counted.
//! What came before, it is told by a search of a snapshot taken after it was seated, so that nothing is missed and nothing
//! comes twice. Why it is done this way is said in decision 0033.

mod batch;
mod counters;
mod hub;
mod past;
mod reader;
mod round;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cordwood_catalog::{self as catalog, ApiTokenId, Catalog};
use cordwood_engine::{self as engine, LiveQuery, SearchedSource, TogetherStage};
use cordwood_event::SourceId;
use cordwood_query::{Query, parse};
use cordwood_store::MemoryBudget;

use crate::retention::kept_from;
use crate::search::{chosen_sources, problems_of};
use crate::{Access, Caller, Cancel, Clock, Error, QueryProblem, Service};
use batch::{TailNames, pieces};
use hub::{Hub, Question};
use past::{Past, PastRequest};
use reader::Reader;

pub use batch::TailBatch;
pub use cordwood_engine::LiveRow;
pub use hub::{TAILS_MAX, TAILS_PER_TOKEN_MAX};
pub use reader::{DropReason, Dropped, TailEnd, TailItem, Wake};

/// Events before the tail that may be asked for; more is what a search is for.
pub const TAIL_LAST_MAX: usize = 1000;

/// How long the search for what came before may take.
pub(crate) const TAIL_TIME_MAX: Duration = Duration::from_secs(10);

/// What of the batches may wait for the thread that serves tails: a second or two of all that two cores take in.
const FEED_BYTES_MAX: u64 = 32 << 20;

/// The part of the memory that rows on their way to readers may take: a sixteenth, 64 MiB of 1 GiB.
const MEMORY_SHARE: u64 = 16;

/// Where a tail begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Since {
    /// With what arrives from now on.
    #[default]
    Now,
    /// With so many of the newest events, at most [`TAIL_LAST_MAX`].
    Last(usize),
    /// After an event that was told by an earlier tail: its sequence number.
    After(u64),
}

/// A tail to be opened.
#[derive(Clone, Debug, Default)]
pub struct TailRequest {
    /// The query: a filter, and stages that look at one event alone. Empty for every event.
    pub query: String,
    /// Ids, `src-` ids or names; empty for every source the caller sees, those made later too.
    pub sources: Vec<String>,
    /// Where to begin.
    pub since: Since,
}

/// What a tail says of itself before its first event.
#[derive(Clone, Debug)]
pub struct TailHello {
    /// The query as understood.
    pub query: String,
    /// The sources there are now.
    pub sources: Vec<TailedSource>,
    /// The columns, if the stages keep only some fields.
    pub columns: Option<Vec<String>>,
    /// Up to which sequence number events are the past.
    pub position: u64,
    /// Why what came before may lack events, if it may.
    pub incomplete_reason: Option<String>,
    /// Events looked at for what came before.
    pub rows_scanned: u64,
    /// Bytes read and decoded for it.
    pub bytes_scanned: u64,
    /// How long it took to open.
    pub elapsed: Duration,
    /// Remarks on the query text.
    pub hints: Vec<QueryProblem>,
}

/// A source that a tail is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TailedSource {
    /// Its id.
    pub id: SourceId,
    /// Its name.
    pub name: String,
    /// It takes no events at present.
    pub is_paused: bool,
}

/// An open tail; ends when it is dropped.
#[derive(Debug)]
pub struct Tail {
    hub: Arc<Hub>,
    reader: Arc<Reader>,
    hello: TailHello,
}

impl Tail {
    /// What it is.
    pub fn hello(&self) -> &TailHello {
        &self.hello
    }

    /// What comes next, if anything waits; never blocks. Behind [`TailItem::Ended`] comes nothing.
    pub fn take(&self) -> Option<TailItem> {
        self.reader.take(&self.hub.memory)
    }

    /// The sequence number up to which everything has been taken, if nothing waits: where another tail may go on.
    pub fn position(&self) -> Option<u64> {
        self.reader.position()
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.hub.leave(&self.reader);
    }
}

/// A request understood.
struct Understood {
    query: Query,
    hints: Vec<QueryProblem>,
    sources: Vec<Arc<catalog::Source>>,
    question: Question,
}

impl Service {
    /// Opens a tail. `wake` is called whenever there is something to take, and may be before this returns.
    pub fn tail(
        &self,
        caller: &Caller,
        request: &TailRequest,
        wake: Wake,
        cancel: &Cancel,
    ) -> Result<Tail, Error> {
        caller.require(Access::Read)?;
        let began = self.options.clock.instant();
        check_since(request.since)?;
        let understood = self.understand_tail(caller, request)?;
        let compiled = || self.compile_live(&understood.query, &request.query);
        let mut live = compiled()?;
        let columns = live.columns().map(<[String]>::to_vec);
        let reader = Arc::new(Reader::new(ApiTokenId(caller.token_id()), wake));
        let hub = Arc::clone(&self.tails.hub);
        let follow = || self.store.follow(FEED_BYTES_MAX);
        hub.join(understood.question.clone(), compiled()?, &reader, follow)?;
        // From here on, whatever fails gives up the seat.
        let mut tail = Tail {
            hello: TailHello {
                query: understood.question.query.clone(),
                sources: understood
                    .sources
                    .iter()
                    .map(|source| described(source))
                    .collect(),
                columns,
                position: 0,
                incomplete_reason: None,
                rows_scanned: 0,
                bytes_scanned: 0,
                elapsed: Duration::ZERO,
                hints: understood.hints.clone(),
            },
            hub,
            reader,
        };
        self.begin(&mut tail, &mut live, (&understood, request.since), cancel)?;
        let took = self
            .options
            .clock
            .instant()
            .saturating_duration_since(began);
        tail.hello.elapsed = took;
        Ok(tail)
    }

    /// Ends all tails, those that come later too: the server is about to stop.
    pub fn end_tails(&self) {
        self.tails.hub.stop();
    }

    fn understand_tail(&self, caller: &Caller, request: &TailRequest) -> Result<Understood, Error> {
        let parsed = parse(&request.query)
            .map_err(|diagnostics| Error::Query(problems_of(diagnostics.0)))?;
        let sources = chosen_sources(&self.visible_sources(caller), &request.sources)?;
        let ids = sources.iter().map(|source| source.id);
        let named = (!request.sources.is_empty()).then(|| ids.collect());
        Ok(Understood {
            question: Question {
                query: parsed.query.to_string(),
                named,
                scope: caller.scope().clone(),
            },
            query: parsed.query,
            hints: problems_of(parsed.hints),
            sources,
        })
    }

    fn compile_live(&self, query: &Query, text: &str) -> Result<LiveQuery, Error> {
        let clock = Arc::clone(&self.options.clock);
        let clock = engine::Clock::new(move || clock.instant());
        LiveQuery::new(query, clock, self.now()).map_err(|stage| together_refused(text, &stage))
    }

    /// Tells the past and begins.
    fn begin(
        &self,
        tail: &mut Tail,
        live: &mut LiveQuery,
        (understood, since): (&Understood, Since),
        cancel: &Cancel,
    ) -> Result<(), Error> {
        let (snapshot, now) = (self.store.snapshot(), self.now());
        let sources = understood.sources.iter().map(|source| SearchedSource {
            id: source.id,
            name: source.name.clone(),
            kept_from: kept_from(source, now),
        });
        let request = PastRequest {
            since,
            sources: sources.collect(),
            snapshot: &snapshot,
            now,
            cancel,
        };
        let past = self.past(live, &request)?;
        tail.hello.position = snapshot.last_sequence();
        tail.hello.incomplete_reason = past.incomplete_reason.clone();
        tail.hello.rows_scanned = past.rows_scanned;
        tail.hello.bytes_scanned = past.bytes_scanned;
        let names = TailNames {
            sources: request
                .sources
                .into_iter()
                .map(|source| (source.id, source.name))
                .collect(),
            columns: tail.hello.columns.clone(),
        };
        tail.tell(past, names, snapshot.last_sequence())
    }
}

impl Tail {
    fn tell(&self, past: Past, names: TailNames, up_to: u64) -> Result<(), Error> {
        let names = Arc::new(names);
        let memory = &self.hub.memory;
        let batches = pieces(past.rows).into_iter().map(|(rows, bytes)| {
            let held = memory.try_reserve(bytes)?;
            Some(Arc::new(TailBatch::new(rows, Arc::clone(&names), held)))
        });
        let batches = batches.collect::<Option<Vec<_>>>();
        let batches = batches.ok_or(Error::Busy {
            retry_after: crate::ingest::RETRY_AFTER_BUSY,
        })?;
        self.reader.begin(batches, past.dropped, up_to, memory);
        Ok(())
    }
}

fn check_since(since: Since) -> Result<(), Error> {
    match since {
        Since::Last(rows) if rows > TAIL_LAST_MAX => Err(Error::InvalidParameter {
            parameter: "last",
            message: format!("`last` is {rows} and can be {TAIL_LAST_MAX} at most"),
            hint: Some("a query finds more events of the past".to_owned()),
        }),
        _ => Ok(()),
    }
}

fn described(source: &catalog::Source) -> TailedSource {
    TailedSource {
        id: source.id,
        name: source.name.clone(),
        is_paused: source.ingesting_paused,
    }
}

/// The refusal of a stage that needs events together, with its place in the text.
fn together_refused(text: &str, stage: &TogetherStage) -> Error {
    let stages_before = |bar: usize| {
        let before = text.get(..bar).map(parse);
        before
            .and_then(Result::ok)
            .map(|parsed| parsed.query.stages.len())
    };
    let mut bars = text.match_indices('|').map(|(bar, _)| bar);
    let start = bars
        .find(|bar| stages_before(*bar) == Some(stage.index))
        .unwrap_or(0);
    let name = stage.name;
    Error::Query(vec![QueryProblem {
        message: format!("a live tail has no `{name}`: {stage}"),
        position: start..text.len(),
        hint: Some(format!(
            "ask it as a query, or leave out everything from `| {name}` on; `where`, `parse` and `fields` can be tailed"
        )),
    }])
}

/// The tails of a service and the thread that serves them, stopped and joined when this is dropped.
#[derive(Debug)]
pub(crate) struct Tails {
    pub(crate) hub: Arc<Hub>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Tails {
    pub(crate) fn start(
        memory: &MemoryBudget,
        catalog: Arc<Catalog>,
        clock: Arc<dyn Clock>,
    ) -> Result<Tails, Error> {
        let share = memory.ceiling_bytes() / MEMORY_SHARE;
        let hub = Arc::new(Hub::new(memory.part(share)));
        let served = Arc::clone(&hub);
        let thread = thread::Builder::new()
            .name("tails".to_owned())
            .spawn(move || round::run(&served, &catalog, &*clock))
            .map_err(|error| Error::internal("starting a thread", error))?;
        Ok(Tails {
            hub,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Ends all tails and waits for the thread.
    pub(crate) fn stop(&self) {
        self.hub.stop();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the thread that serves tails panicked");
        }
    }
}

impl Drop for Tails {
    fn drop(&mut self) {
        self.stop();
    }
}
