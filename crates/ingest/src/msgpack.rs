//! MessagePack bodies: a map, an array of maps, or maps one after another.
//!
//! What JSON has no word for becomes text: bytes are read as UTF-8, a timestamp is written as ISO 8601, NaN and the
//! infinities are named, other extensions are `ext(<type>):<hex>`. Keys that are not text are written as
//! JSON. Bytes have no lines to start over from, so a damaged body is refused whole.

mod extension;
mod scanner;
mod value;

use scanner::{Damage, Scanner, Token};
use value::{Reader, Stop};

use crate::events::Events;
use crate::sink::Tree;
use crate::{Refusal, RejectionReason};

/// Puts the events of `body` into `events`.
pub(crate) fn decode(body: &[u8], events: &mut Events) -> Result<(), Refusal> {
    let mut reader = Reader::new(body, events.limits);
    while !reader.scanner.is_at_end() {
        read_top_level(&mut reader, events)
            .map_err(|damage| Refusal::undecodable(damage.to_string()))?;
    }
    Ok(())
}

fn read_top_level(reader: &mut Reader<'_>, events: &mut Events) -> Result<(), Damage> {
    let start = reader.scanner.clone();
    match reader.scanner.token()? {
        Token::Map(_) => read_event(reader, start, events),
        Token::Array(count) => {
            for _ in 0..count {
                read_element(reader, events)?;
            }
            Ok(())
        }
        _ => Err(start.damage("expected a map or an array of maps")),
    }
}

fn read_element(reader: &mut Reader<'_>, events: &mut Events) -> Result<(), Damage> {
    let start = reader.scanner.clone();
    match reader.scanner.token()? {
        Token::Map(_) => return read_event(reader, start, events),
        Token::Str(text) => {
            let source_bytes = reader.scanner.at() - start.at();
            events.add_message(&String::from_utf8_lossy(text), source_bytes);
        }
        _ => {
            reader.scanner = start;
            reader.scanner.skip_value()?;
            events.reject(RejectionReason::NotAnObject);
        }
    }
    Ok(())
}

/// Reads the map that begins at `start`.
fn read_event(
    reader: &mut Reader<'_>,
    start: Scanner<'_>,
    events: &mut Events,
) -> Result<(), Damage> {
    let first_byte = start.at();
    reader.scanner.return_to(first_byte);
    if let Some(reason) = events.full() {
        reader.scanner.skip_value()?;
        events.reject(reason);
        return Ok(());
    }
    events.builder.begin_event();
    let mut outcome = reader.event(&mut events.builder);
    if outcome == Err(Stop::DuplicateKey) {
        reader.scanner.return_to(first_byte);
        outcome = read_duplicates(reader, events);
    }
    match outcome {
        Ok(()) => events.finish_event(reader.scanner.at() - first_byte),
        Err(Stop::Damage(damage)) => return Err(damage),
        Err(Stop::TooDeep) => {
            let limit = events.limits.depth_max;
            reject_from(
                first_byte,
                reader,
                events,
                RejectionReason::TooDeep { limit },
            )?;
        }
        Err(Stop::TooLarge) => {
            let limit_bytes = events.limits.event_bytes_max;
            reject_from(
                first_byte,
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
) -> Result<(), Damage> {
    reader.scanner.return_to(start);
    reader.scanner.skip_value()?;
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
