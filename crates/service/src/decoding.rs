//! Decoding within the memory there is, and decoding again when the store replays its log.

use cordwood_event::{Batch, Timestamp};
use cordwood_ingest::{self as wire, Decoded, Format, Limits, decode};
use cordwood_store::{Decode, LoggedBody, MemoryBudget, Reservation};

use crate::Refusal;
use crate::ingest::{RETRY_AFTER_BUSY, of_wire};

/// A guess at what a body holds, in multiples of its size.
struct Guess {
    /// Its text when decompressed, per byte of the body.
    text: u64,
    /// Its batch, in halves per byte of that text.
    batch_halves: u64,
}

/// For a body that is not compressed. A batch takes 1.1 times the text of the `app` corpus, 1.3 times that of
/// short log lines, 3.3 times that of events of five one-digit fields and 16 times that of empty objects.
const GUESSES_PLAIN: [Guess; 3] = [Guess::new(1, 3), Guess::new(1, 8), Guess::new(1, 48)];

/// For a compressed one. Logs compress five- to fifteenfold, a flood of one line to any degree; the last
/// guess is all the text the contract allows.
const GUESSES_COMPRESSED: [Guess; 3] =
    [Guess::new(8, 3), Guess::new(32, 3), Guess::new(u64::MAX, 3)];

impl Guess {
    const fn new(text: u64, batch_halves: u64) -> Guess {
        Guess { text, batch_halves }
    }
}

/// What even an empty body needs.
const BASE_BYTES: u64 = 64 << 10;

/// Growing vectors ask for up to twice what they hold, and the limit on a batch is on what it holds.
const ALLOCATED_PER_BATCH_BYTE: u64 = 2;

/// Decodes with as much memory as can be reserved for it, never more.
///
/// First with limits that fit a usual body; when those cut something off, again with wider ones, up to
/// the contract's. So what comes out is always what the contract's limits give, as replay
/// will see it.
pub(crate) fn decode_within(
    held: &mut Reservation,
    budget: &MemoryBudget,
    format: &Format,
    body: &[u8],
    received_at: Timestamp,
) -> Result<Decoded, Refusal> {
    let is_compressed = format.encoding.is_compressed();
    held.shrink_to(body.len() as u64);
    for limits in limits_to_try(is_compressed, body.len() as u64) {
        hold(held, budget, needed_bytes(is_compressed, body, &limits))?;
        let decoded = decode(format, body, received_at, &limits);
        if limits == Limits::CONTRACT || !is_cut_off(&decoded) {
            return decoded.map_err(of_wire);
        }
    }
    unreachable!("the contract's limits are tried last")
}

/// The body, its text unless that is the body itself, and its batch.
fn needed_bytes(is_compressed: bool, body: &[u8], limits: &Limits) -> u64 {
    let text = if is_compressed {
        limits.decompressed_bytes_max
    } else {
        0
    };
    let batch = limits.batch_bytes_max as u64 * ALLOCATED_PER_BATCH_BYTE;
    body.len() as u64 + text as u64 + batch
}

/// Rising limits, the contract's last.
fn limits_to_try(is_compressed: bool, body_bytes: u64) -> impl Iterator<Item = Limits> {
    let guesses = if is_compressed {
        GUESSES_COMPRESSED
    } else {
        GUESSES_PLAIN
    };
    let contract = Limits::CONTRACT;
    let narrowed = guesses.into_iter().filter_map(move |guess| {
        let text_bytes = body_bytes
            .saturating_mul(guess.text)
            .saturating_add(BASE_BYTES);
        let text_bytes = text_bytes.min(contract.decompressed_bytes_max as u64);
        let batch_bytes = text_bytes.saturating_mul(guess.batch_halves) / 2;
        let limits = Limits {
            decompressed_bytes_max: usize::try_from(text_bytes).ok()?,
            batch_bytes_max: usize::try_from(batch_bytes).ok()?,
            ..contract
        };
        (limits.batch_bytes_max < contract.batch_bytes_max).then_some(limits)
    });
    narrowed.chain([contract])
}

/// Grows the reservation to `needed`. What could only be had by a server that does nothing else is too large
/// rather than too much now: a sender that is told to try again would try for ever.
fn hold(held: &mut Reservation, budget: &MemoryBudget, needed: u64) -> Result<(), Refusal> {
    if needed > budget.ceiling_bytes() / 4 * 3 {
        return Err(Refusal::TooLarge {
            detail: format!(
                "decoding it may take {needed} bytes of memory, the server has {}; send it in parts",
                budget.ceiling_bytes()
            ),
        });
    }
    let missing = needed.saturating_sub(held.bytes());
    if held.try_grow(missing) {
        return Ok(());
    }
    Err(Refusal::Busy {
        retry_after: RETRY_AFTER_BUSY,
    })
}

/// Whether wider limits might give another result.
fn is_cut_off(decoded: &Result<Decoded, wire::Refusal>) -> bool {
    match decoded {
        Ok(decoded) => decoded.was_full,
        Err(refusal) => matches!(refusal, wire::Refusal::TooLarge { .. }),
    }
}

/// Decodes what the log kept, exactly as it was decoded when it came.
#[derive(Debug)]
pub(crate) struct Replay;

impl Decode for Replay {
    fn decode(&self, logged: &LoggedBody<'_>) -> Result<Batch, String> {
        let format: Format = logged.format.parse().map_err(to_text)?;
        let limits = &Limits::CONTRACT;
        let decoded = decode(&format, logged.body, logged.received_at, limits).map_err(to_text)?;
        Ok(decoded.batch)
    }
}

fn to_text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn format(is_compressed: bool) -> Format {
        let request = wire::Request {
            content_encoding: is_compressed.then_some("zstd"),
            ..wire::Request::default()
        };
        Format::from_request(&request).unwrap()
    }

    /// All there is to compare of a decoded body.
    fn picture(decoded: &Decoded) -> (Vec<String>, usize, usize) {
        let events = decoded.batch.events().map(|event| {
            let fields: Vec<_> = event.fields().collect();
            format!("{fields:?}")
        });
        (
            events.collect(),
            decoded.rejected_count,
            decoded.decompressed_bytes,
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever the body and however little memory: the contract's result, or none.
        #[test]
        fn a_guess_never_shows(
            unit in prop_oneof![
                Just("{}"), Just(r#"{"a":1}"#), Just("7 "), Just(r#"{"message":"0000000000"}"#)
            ],
            count in 0usize..40_000,
            is_compressed: bool,
            ceiling_bytes in 1u64..64 << 20,
        ) {
            let text = unit.repeat(count).into_bytes();
            let body = if is_compressed { zstd::encode_all(&*text, 1).unwrap() } else { text };
            let (format, received_at) = (format(is_compressed), Timestamp::default());
            let budget = MemoryBudget::new(ceiling_bytes);
            let Some(mut held) = budget.try_reserve(body.len() as u64) else {
                return Ok(());
            };
            let decoded = decode_within(&mut held, &budget, &format, &body, received_at);
            prop_assert!(budget.used_bytes() <= ceiling_bytes);
            let is_about_memory = |refusal: &Refusal| {
                matches!(refusal, Refusal::TooLarge { .. } | Refusal::Busy { .. })
            };
            if !decoded.as_ref().is_err_and(is_about_memory) {
                let expected = decode(&format, &body, received_at, &Limits::CONTRACT).map_err(of_wire);
                prop_assert_eq!(decoded.as_ref().map(picture), expected.as_ref().map(picture));
            }
            drop(held);
            prop_assert_eq!(budget.used_bytes(), 0);
        }

        /// What the log gives back is what was appended.
        #[test]
        fn replay_gives_the_same_batch(body in r#"(\{"[a-c]":[0-9]{1,3}\}|\{x|[0-9]|"t"|\n|,|\[|\]){0,40}"#) {
            let (format, received_at) = (format(false), Timestamp::from_nanos(7));
            let Ok(decoded) = decode(&format, body.as_bytes(), received_at, &Limits::CONTRACT) else {
                return Ok(());
            };
            let logged = LoggedBody {
                source: cordwood_event::SourceId(1),
                received_at,
                format: &format.to_string(),
                body: body.as_bytes(),
            };
            let replayed = Replay.decode(&logged).unwrap();
            let replayed = Decoded { batch: replayed, ..decoded.clone() };
            prop_assert_eq!(picture(&replayed), picture(&decoded));
        }
    }
}
