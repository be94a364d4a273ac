//! Writes all events of a store as lines of JSON, in order, and prints how many that were each second.
//!
//! `cargo run --release -p cordwood-engine --example lines -- DIRECTORY FILE [QUERY]`
//!
//! `DIRECTORY` holds a store with the events of the corpus `app`, as the example `questions` makes it.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use cordwood_engine::{
    Clock, Engine, Extent, Gather, Options, Order, ScanRequest, ScannedRows, SearchRequest,
    SearchedSource, Unread, WindowLimit,
};
use cordwood_event::{Batch, EventId, SourceId, Timestamp};
use cordwood_store::disk::FileSystem;
use cordwood_store::{Decode, LoggedBody, MemoryBudget, Store};

/// About as much as an export holds at once.
const WINDOW_BYTES: u64 = 32 << 20;

/// Lines, and where each ends.
struct Lines {
    ends: Vec<(EventId, usize)>,
    text: String,
}

struct AsLines;

impl Gather for AsLines {
    type Gathered = Lines;

    fn gather(&self, rows: &ScannedRows<'_>) -> Result<Lines, Unread> {
        let mut lines = Lines {
            ends: Vec::with_capacity(rows.len()),
            text: String::new(),
        };
        let mut text = String::new();
        rows.write_each(&mut text, &mut |id, text| {
            text.push('\n');
            lines.ends.push((id, text.len()));
        })?;
        lines.text = text;
        Ok(lines)
    }
}

struct NoReplay;

impl Decode for NoReplay {
    fn decode(&self, _logged: &LoggedBody<'_>) -> Result<Batch, String> {
        Err("nothing is left in the log".to_owned())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, file, rest @ ..] = arguments.as_slice() else {
        return Err("usage: lines DIRECTORY FILE [QUERY]".into());
    };
    let disk = Arc::new(FileSystem::new(Path::new(directory)));
    let (store, _) = Store::open(cordwood_store::Options::default(), disk, Arc::new(NoReplay))?;
    let engine = Engine::new(Options {
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        memory: MemoryBudget::default(),
        clock: Clock::new(Instant::now),
    })?;
    let query = rest.first().map_or("*", String::as_str);
    let parsed = cordwood_query::parse(query).map_err(|diagnostics| format!("{diagnostics:?}"))?;
    let source = SearchedSource {
        id: SourceId(1),
        name: "app".to_owned(),
        kept_from: None,
    };
    let newest = SearchRequest::newest(vec![source], parsed.query.filter, 0, Timestamp::MAX);
    let request = ScanRequest {
        search: SearchRequest {
            order: Order::OldestFirst,
            ..newest
        },
        extent: Extent::All,
        fields: Vec::new(),
    };
    let limit = WindowLimit {
        bytes_max: WINDOW_BYTES,
        bytes_of: |lines: &Lines| lines.text.len() as u64,
    };
    let began = Instant::now();
    let mut out = BufWriter::new(File::create(file)?);
    let (mut events, mut windows, mut failed) = (0, 0, None);
    let account = engine.scan_in_order(
        &store.snapshot(),
        &request,
        &Arc::new(AsLines),
        limit,
        &mut |window| {
            windows += 1;
            for lines in &window.gathered {
                events += lines.ends.len();
                if let Err(error) = out.write_all(lines.text.as_bytes()) {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        },
    )?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    out.flush()?;
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{events} events in {windows} windows, {seconds:.2} s: {:.0} a second; {account:?}",
        events as f64 / seconds
    );
    Ok(())
}
