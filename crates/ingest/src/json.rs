//! JSON bodies: one object, an array of objects, or objects one after another (NDJSON), told apart by looking.
//!
//! The body is read as a run of values: an object is an event, an array's elements are events, a string is an event's
//! message. Where that breaks, the rest is read line by line, and a line that cannot be read becomes an event with the
//! line in `message` and the reason in `_parse_error`. Both passes are linear, whatever the body.
//! Why the reading is our own: `docs/decisions/0004-own-json-pass.md`.

mod lanes;
mod number;
mod scanner;
mod skip;
mod string;
mod value;

use scanner::Syntax;
use value::{Reader, Stop};

use crate::events::Events;
use crate::sink::Tree;
use crate::{Refusal, RejectionReason, text};

/// Puts the events of `body` into `events`.
pub(crate) fn decode(body: &[u8], events: &mut Events) -> Result<(), Refusal> {
    let text = text::utf8(body, events.limits.decompressed_bytes_max)?;
    let text = text::without_byte_order_mark(&text);
    let Err(broken) = read_values(text, events) else {
        return Ok(());
    };
    let has_good = events.count() > 0;
    let rest = text.get(broken.line_start..).unwrap_or_default();
    if !read_lines(rest, events) && !has_good {
        return Err(Refusal::undecodable(broken.syntax.describe(text)));
    }
    Ok(())
}

/// Where the run of values ends in something else.
struct Broken {
    /// The start of the line, or rather of the first value on it. Events of that line were forgotten.
    line_start: usize,
    syntax: Syntax,
}

fn read_values(text: &str, events: &mut Events) -> Result<(), Broken> {
    let mut reader = Reader::new(text, events.limits);
    let mut line_start = 0;
    let mut line_mark = events.mark();
    loop {
        let before = reader.scanner.at();
        if reader.scanner.next_token().is_none() {
            return Ok(());
        }
        let at = reader.scanner.at();
        if reader.scanner.slice(before..at).contains('\n') {
            line_start = at;
            line_mark = events.mark();
        }
        if let Err(syntax) = read_top_level(&mut reader, events) {
            events.rewind(line_mark);
            return Err(Broken { line_start, syntax });
        }
    }
}

/// Reads the rest of the body line by line; says whether any line could be read.
fn read_lines(text: &str, events: &mut Events) -> bool {
    let mut has_good = false;
    for line in text.lines().filter(|line| !line.trim_ascii().is_empty()) {
        if let Some(reason) = events.full() {
            events.reject(reason);
            continue;
        }
        let mark = events.mark();
        match read_line(line, events) {
            Ok(()) => has_good |= events.count() > mark.count(),
            Err(syntax) => {
                events.rewind(mark);
                events.add_broken(line, &syntax.describe_in_line(line));
            }
        }
    }
    has_good
}

fn read_line(line: &str, events: &mut Events) -> Result<(), Syntax> {
    let mut reader = Reader::new(line, events.limits);
    while reader.scanner.next_token().is_some() {
        read_top_level(&mut reader, events)?;
    }
    Ok(())
}

/// Reads the value that begins here: an event, or the array of them.
fn read_top_level(reader: &mut Reader<'_>, events: &mut Events) -> Result<(), Syntax> {
    match reader.scanner.peek() {
        Some(b'{') => read_event(reader, events),
        Some(b'[') => read_array(reader, events),
        Some(b'"') => read_message(reader, events),
        _ => Err(reader.scanner.problem("expected an object")),
    }
}

fn read_array(reader: &mut Reader<'_>, events: &mut Events) -> Result<(), Syntax> {
    reader.scanner.advance();
    if reader.scanner.next_token() == Some(b']') {
        reader.scanner.advance();
        return Ok(());
    }
    loop {
        match reader.scanner.next_token() {
            Some(b'{') => read_event(reader, events)?,
            Some(b'"') => read_message(reader, events)?,
            _ => {
                reader.skip_value()?;
                events.reject(RejectionReason::NotAnObject);
            }
        }
        if reader.ends_with(b']')? {
            return Ok(());
        }
    }
}

fn read_message(reader: &mut Reader<'_>, events: &mut Events) -> Result<(), Syntax> {
    let start = reader.scanner.at();
    let (message, end) = reader.string()?;
    events.add_message(message, end - start);
    Ok(())
}

fn read_event(reader: &mut Reader<'_>, events: &mut Events) -> Result<(), Syntax> {
    let start = reader.scanner.at();
    if let Some(reason) = events.full() {
        reader.skip_value()?;
        events.reject(reason);
        return Ok(());
    }
    events.builder.begin_event();
    let mut outcome = reader.event(&mut events.builder);
    if outcome == Err(Stop::DuplicateKey) {
        reader.scanner.return_to(start);
        outcome = read_duplicates(reader, events);
    }
    match outcome {
        Ok(()) => events.finish_event(reader.scanner.at() - start),
        Err(Stop::Syntax(syntax)) => return Err(syntax),
        Err(Stop::TooDeep) => {
            let limit = events.limits.depth_max;
            reject_from(start, reader, events, RejectionReason::TooDeep { limit })?;
        }
        Err(Stop::TooLarge) => {
            let limit_bytes = events.limits.event_bytes_max;
            reject_from(
                start,
                reader,
                events,
                RejectionReason::TooLarge { limit_bytes },
            )?;
        }
        Err(Stop::DuplicateKey) => unreachable!("a tree takes every key"),
    }
    Ok(())
}

/// Steps over the event that begins at `start` and could only be read in part.
fn reject_from(
    start: usize,
    reader: &mut Reader<'_>,
    events: &mut Events,
    reason: RejectionReason,
) -> Result<(), Syntax> {
    reader.scanner.return_to(start);
    reader.skip_value()?;
    events.reject(reason);
    Ok(())
}

/// Reads an event again in which a key occurs twice.
fn read_duplicates(reader: &mut Reader<'_>, events: &mut Events) -> Result<(), Stop> {
    events.builder.abandon_event();
    let mut tree = Tree::new();
    reader.event(&mut tree)?;
    events.builder.begin_event();
    tree.put(&mut events.builder);
    Ok(())
}

impl Syntax {
    fn describe(self, text: &str) -> String {
        let before = text.get(..self.at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = column_after(before.rsplit('\n').next().unwrap_or(before));
        format!("{} at line {line}, column {column}", self.problem)
    }

    fn describe_in_line(self, line: &str) -> String {
        let column = column_after(line.get(..self.at).unwrap_or(line));
        format!("{} at column {column}", self.problem)
    }
}

fn column_after(before: &str) -> usize {
    before.chars().count() + 1
}
