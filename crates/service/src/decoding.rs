//! Decoding within the memory there is, and decoding again when the store replays its log.

use cordwood_event::{Batch, Timestamp};
use cordwood_ingest::{self as wire, Decoded, Format, Limits, RejectionReason, decode};
use cordwood_store::{Decode, LoggedBody, MemoryBudget, Reservation};

use crate::Refusal;
use crate::ingest::{RETRY_AFTER_BUSY, of_wire};

/// How many times its own size a compressed body is first taken to hold. Logs compress five- to
/// fifteenfold; what holds more is tried again with more memory.
const RATIOS_TRIED: [u64; 2] = [8, 32];

/// How many times the size of its text a batch may need while it grows. Measured on the corpus it
/// needs 1.5; vectors that double ask for the rest.
const BATCH_BYTES_PER_BYTE: u64 = 3;

/// What even an empty body needs.
const BASE_BYTES: u64 = 64 << 10;

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
    let body_bytes = body.len() as u64;
    for limits in limits_to_try(format, body_bytes) {
        let needed =
            body_bytes + limits.decompressed_bytes_max as u64 + limits.batch_bytes_max as u64;
        hold(held, budget, needed)?;
        let decoded = decode(format, body, received_at, &limits);
        if is_contract(&limits) || !is_cut_off(&decoded) {
            return decoded.map_err(of_wire);
        }
    }
    decode(format, body, received_at, &Limits::CONTRACT).map_err(of_wire)
}

/// Rising limits, the contract's last.
fn limits_to_try(format: &Format, body_bytes: u64) -> Vec<Limits> {
    let contract = Limits::CONTRACT;
    let ratios: &[u64] = match format.encoding.is_compressed() {
        true => &RATIOS_TRIED,
        false => &[1],
    };
    let narrower = ratios.iter().filter_map(|ratio| {
        let text_bytes = body_bytes.saturating_mul(*ratio).saturating_add(BASE_BYTES);
        let batch_bytes = text_bytes.saturating_mul(BATCH_BYTES_PER_BYTE);
        let decompressed_bytes_max = usize::try_from(text_bytes).ok()?;
        let batch_bytes_max = usize::try_from(batch_bytes).ok()?;
        let is_narrower = decompressed_bytes_max <= contract.decompressed_bytes_max
            && batch_bytes_max <= contract.batch_bytes_max;
        is_narrower.then_some(Limits {
            decompressed_bytes_max,
            batch_bytes_max,
            ..contract
        })
    });
    narrower.chain([contract]).collect()
}

/// Grows the reservation to `needed`. What can never be had is too large rather than too much now.
fn hold(held: &mut Reservation, budget: &MemoryBudget, needed: u64) -> Result<(), Refusal> {
    if needed > budget.ceiling_bytes() {
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

fn is_contract(limits: &Limits) -> bool {
    limits.decompressed_bytes_max == Limits::CONTRACT.decompressed_bytes_max
        && limits.batch_bytes_max == Limits::CONTRACT.batch_bytes_max
}

/// Whether wider limits might give another result.
fn is_cut_off(decoded: &Result<Decoded, wire::Refusal>) -> bool {
    match decoded {
        Ok(decoded) => {
            let is_full = |reason| matches!(reason, RejectionReason::BatchFull { .. });
            decoded.rejected_count > decoded.rejected.len()
                || decoded
                    .rejected
                    .iter()
                    .any(|rejection| is_full(rejection.reason))
        }
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
