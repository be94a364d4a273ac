//! A real store with a few small blocks, and beside it the same events as plain rows, to be matched one by one.

use std::sync::Arc;
use std::time::Instant;

use cordwood_engine::{Clock, Engine, Options, Order, SearchRequest, SearchedSource};
use cordwood_event::{Batch, Event, EventId, SourceId, Timestamp};
use cordwood_query::{Filter, Matcher, Origin, TimeBounds, parse};
use cordwood_store::disk::FileSystem;
use cordwood_store::{
    Append, Decode, DeletedSource, DeletionRequest, LoggedBody, MemoryBudget, Store,
};
use tempfile::TempDir;

use super::document::{Document, batch_of};

/// The two sources of every test.
pub(crate) fn sources() -> Vec<SearchedSource> {
    let source = |id, name: &str| SearchedSource {
        id: SourceId(id),
        name: name.to_owned(),
        kept_from: None,
    };
    vec![source(1, "first"), source(2, "second")]
}

/// An event as it went in.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    batch: Arc<Batch>,
    index: usize,
    /// The source it went to.
    pub(crate) source: SearchedSource,
    /// The id it must have.
    pub(crate) id: EventId,
}

impl Row {
    fn matches(&self, matcher: &Matcher) -> bool {
        let origin = Origin {
            source: self.source.id,
            source_name: &self.source.name,
            sequence: self.id.sequence,
        };
        matcher.matches(self.batch.event(self.index), &origin)
    }

    fn event(&self) -> Event {
        let event = self.batch.event(self.index);
        sorted(Event::copy_of(event, self.source.id, self.id.sequence))
    }
}

/// The fields of an event have no order to rely on.
pub(crate) fn sorted(mut event: Event) -> Event {
    event.fields.sort_by(|(a, _), (b, _)| a.cmp(b));
    event
}

/// The logged bodies of these tests are never read again.
#[derive(Debug)]
struct NoReplay;

impl Decode for NoReplay {
    fn decode(&self, _logged: &LoggedBody<'_>) -> Result<Batch, String> {
        Err("the store is opened once".to_owned())
    }
}

/// A store and what must be in it.
pub(crate) struct Fixture {
    /// The store.
    pub(crate) store: Store,
    /// The engine under test.
    pub(crate) engine: Engine,
    /// All events, in order of arrival.
    pub(crate) rows: Vec<Row>,
    /// Where its files are.
    pub(crate) directory: TempDir,
}

impl Fixture {
    /// An empty store that seals a block every `block_rows` rows.
    pub(crate) fn new(block_rows: usize) -> Fixture {
        let directory = tempfile::tempdir().expect("a temporary directory");
        Fixture {
            store: open(&directory, block_rows),
            engine: engine(MemoryBudget::default(), Clock::new(Instant::now)),
            rows: Vec::new(),
            directory,
        }
    }

    /// The same, closed and opened again.
    pub(crate) fn reopened(self) -> Fixture {
        self.store.close().expect("the store closes");
        drop(self.store);
        Fixture {
            store: open(&self.directory, 4),
            ..self
        }
    }

    /// Stores a batch of events.
    pub(crate) fn append(&mut self, source: &SearchedSource, documents: &[Document]) {
        if documents.is_empty() {
            return;
        }
        let batch = batch_of(documents);
        let appended = self
            .store
            .append(Append {
                source: source.id,
                received_at: Timestamp::from_nanos(0),
                format: String::new(),
                batch_key: None,
                body: Vec::new(),
                compressed: false,
                batch: batch.clone(),
            })
            .expect("the store accepts events");
        let batch = Arc::new(batch);
        self.rows
            .extend(documents.iter().enumerate().map(|(index, document)| Row {
                batch: Arc::clone(&batch),
                index,
                source: source.clone(),
                id: EventId {
                    timestamp: Timestamp::from_nanos(document.time),
                    sequence: appended.first_sequence + index as u64,
                },
            }));
    }

    /// Deletes what a text means in some sources and a range.
    pub(crate) fn delete(&mut self, text: &str, deleted: &[SearchedSource], range: TimeBounds) {
        let requested_at = Timestamp::from_nanos(40);
        let sources = deleted.iter().map(|source| DeletedSource {
            id: source.id,
            name: source.name.clone(),
        });
        let request = DeletionRequest {
            sources: sources.collect(),
            first: range.first,
            last: range.last,
            query: filter(text).to_string(),
            requested_at,
            up_to_sequence: self.store.snapshot().last_sequence(),
        };
        self.store.delete(request, None).expect("a deletion");
        let matcher = Matcher::new(&filter(text), requested_at);
        self.rows.retain(|row| {
            let is_asked = deleted.contains(&row.source) && range.contains(row.id.timestamp);
            !is_asked || !row.matches(&matcher)
        });
    }

    /// Has the store purge what is deleted, and waits for it.
    pub(crate) fn purge(&self) {
        self.store.purge_with(Arc::new(self.engine.deleted_rows()));
        self.store.compact().expect("a compaction");
        assert!(self.store.snapshot().deletions().is_empty());
    }

    /// What a search must find, in order.
    pub(crate) fn expected(&self, request: &SearchRequest) -> Vec<Event> {
        let matcher = Matcher::new(&request.filter, request.now);
        let searched = |row: &&Row| request.sources.contains(&row.source);
        let mut rows: Vec<&Row> = self
            .rows
            .iter()
            .filter(searched)
            .filter(|row| request.range.contains(row.id.timestamp))
            .filter(|row| {
                request
                    .up_to_sequence
                    .is_none_or(|last| row.id.sequence <= last)
            })
            .filter(|row| Some(row.id.sequence) > request.after_sequence)
            .filter(|row| row.matches(&matcher))
            .collect();
        rows.sort_by_key(|row| row.id);
        if request.order == Order::NewestFirst {
            rows.reverse();
        }
        rows.into_iter().map(Row::event).collect()
    }
}

fn open(directory: &TempDir, block_rows: usize) -> Store {
    let options = cordwood_store::Options {
        block_rows,
        free_space_reserve_bytes: 0,
        sealing_threads: 1,
        ..cordwood_store::Options::default()
    };
    let disk = Arc::new(FileSystem::new(directory.path()));
    let (store, _) = Store::open(options, disk, Arc::new(NoReplay)).expect("the store opens");
    store
}

/// An engine of two threads.
pub(crate) fn engine(memory: MemoryBudget, clock: Clock) -> Engine {
    Engine::new(Options {
        threads: 2,
        memory,
        clock,
    })
    .expect("threads can be started")
}

/// The filter of a query text.
pub(crate) fn filter(text: &str) -> Filter {
    match parse(text) {
        Ok(parsed) => parsed.query.filter,
        Err(diagnostics) => panic!("{text}: {diagnostics:?}"),
    }
}

/// A search for the newest events that match a query text, in both sources.
pub(crate) fn newest(text: &str, limit: usize) -> SearchRequest {
    SearchRequest::newest(sources(), filter(text), limit, Timestamp::from_nanos(40))
}
