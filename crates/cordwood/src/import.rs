//! `cordwood import`: sends files of events to a source, and goes on where it was stopped.
//!
//! A file is cut at line ends into batches, each with a key of its own. The [`journal`] of a file
//! notes a batch before it is sent and again when it is on the server's disk; a batch of which only
//! the first is known is sent again, the same bytes under the same key, and the server stores it once.

mod input;
mod journal;
mod progress;
mod sender;
mod split;
mod tally;

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use serde_json::Value;

use crate::args::ImportArguments;
use crate::config::Settings;
use crate::failure::{Failure, cannot};
use crate::import::input::{Format, Input};
use crate::import::journal::Journal;
use crate::import::progress::Progress;
use crate::import::sender::Sender;
use crate::import::split::{Piece, Splitter};
use crate::import::tally::Tally;
use crate::remote::{Remote, path_segment};

/// Batches on their way at once where each event has a time of its own. Two keep the server busy
/// while an answer travels. Lines of text go one batch at a time: those without a time are ordered
/// by their arrival.
const JSON_SENDERS: usize = 2;

/// Imports all files, one after the other.
pub(crate) fn run(settings: &Settings, arguments: &ImportArguments) -> Result<(), Failure> {
    let remote = Remote::new(settings)?;
    let source = find_source(&remote, &arguments.source)?;
    let mut inputs = Vec::new();
    for path in &arguments.files {
        inputs.push(Input::open(path, arguments.text)?);
    }
    let progress = Progress::new(inputs.iter().filter_map(Input::bytes).sum(), settings.json);
    let mut total = Tally::default();
    for input in inputs {
        let journal = Journal::open(settings, &source, arguments, &input)?;
        let sender = Sender::new(remote.clone(), &source, arguments, input.format());
        let tally = import_file(input, journal, &sender, &progress)?;
        total.add(&tally);
    }
    progress.finish();
    total.report(settings.json, progress.elapsed())
}

fn find_source(remote: &Remote, name: &str) -> Result<Value, Failure> {
    let answer = remote.get(&format!("/api/v1/sources/{}", path_segment(name)));
    let mut answer = answer.map_err(|failure| match failure.code() {
        Some("source_not_found") => {
            let create = format!("`cordwood source create {name}` makes it.");
            let hint = failure.hint_text().map(|hint| format!("{hint} "));
            failure.hint(format!("{}{create}", hint.unwrap_or_default()))
        }
        _ => failure,
    })?;
    Ok(answer["data"].take())
}

/// Sends one file: this thread cuts it, the senders wait for the server.
fn import_file(
    input: Input,
    journal: Journal,
    sender: &Sender,
    progress: &Progress,
) -> Result<Tally, Failure> {
    let name = input.name();
    progress.begin(&name, journal.is_resumed());
    let sender_count = match input.format() {
        Format::Json => JSON_SENDERS,
        Format::Text => 1,
    };
    let plan = journal.plan();
    let state = Mutex::new((journal, Tally::of_file()));
    let (pieces, waiting) = sync_channel::<Piece>(1);
    let waiting = Mutex::new(waiting);
    let sent = thread::scope(|scope| {
        let senders: Vec<_> = (0..sender_count)
            .map(|_| scope.spawn(|| send_all(&waiting, sender, &state, progress)))
            .collect();
        let mut splitter = Splitter::new(input.reader(progress), plan);
        let cut = loop {
            let piece = match splitter.next_piece() {
                Ok(Some(piece)) => piece,
                Ok(None) => break Ok(()),
                Err(error) => break Err(cannot(format!("read {name}"), &error)),
            };
            let mut state = state.lock().unwrap_or_else(|poison| poison.into_inner());
            if let Err(failure) = state.0.note_planned(piece.range()) {
                break Err(failure);
            }
            drop(state);
            // The senders are gone after a failure, which is then found in their results.
            if pieces.send(piece).is_err() {
                break Ok(());
            }
        };
        drop(pieces);
        senders
            .into_iter()
            .map(|sender| {
                sender
                    .join()
                    .unwrap_or_else(|_| Err(Failure::new("A sender failed")))
            })
            .fold(cut, Result::and)
    });
    let (mut journal, tally) = state
        .into_inner()
        .unwrap_or_else(|poison| poison.into_inner());
    sent.map_err(|failure| journal.explain_stop(failure))?;
    journal.finish()?;
    Ok(tally)
}

/// Sends pieces until there are none, or one fails.
fn send_all(
    waiting: &Mutex<Receiver<Piece>>,
    sender: &Sender,
    state: &Mutex<(Journal, Tally)>,
    progress: &Progress,
) -> Result<(), Failure> {
    loop {
        let piece = {
            let waiting = waiting.lock().unwrap_or_else(|poison| poison.into_inner());
            waiting.recv()
        };
        let Ok(piece) = piece else {
            return Ok(());
        };
        let run = {
            let state = state.lock().unwrap_or_else(|poison| poison.into_inner());
            state.0.run().to_owned()
        };
        let range = piece.range();
        let lines = piece.lines();
        let sent = sender.send(&run, piece, progress)?;
        let mut state = state.lock().unwrap_or_else(|poison| poison.into_inner());
        let (journal, tally) = &mut *state;
        tally.add_batch(range, lines, &sent);
        journal.note_settled(range)?;
    }
}
