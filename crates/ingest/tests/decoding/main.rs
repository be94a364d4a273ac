//! Bodies in, events out: one file per format, each a table of inputs and what they become.
#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop right there"
)]

mod compression;
mod format;
mod json;
mod json_oracle;
mod lines;
mod msgpack;
mod normalise;

use cordwood_event::{EventRef, Timestamp, json as event_json};
use cordwood_ingest::{Decoded, Format, Limits, Refusal};

/// When the bodies of these tests are received: 2026-06-10T12:00:00Z.
const RECEIVED_AT: Timestamp = Timestamp::from_nanos(1_781_092_800_000_000_000);

fn decode(format: &str, body: impl AsRef<[u8]>) -> Result<Decoded, Refusal> {
    let format: Format = format.parse().unwrap();
    cordwood_ingest::decode(&format, body.as_ref(), RECEIVED_AT, &Limits::default())
}

/// Events, rejections and refusals as text, a line each.
///
/// An event is its time (unless that is the reception), its level if known, and its fields:
/// `@2026-01-01T00:00:00.000Z warn message="x" a.b=1`.
fn outcome(result: &Result<Decoded, Refusal>) -> Vec<String> {
    match result {
        Ok(decoded) => {
            let events = decoded.batch.events().map(event_text);
            let rejected = decoded
                .rejected
                .iter()
                .map(|rejection| format!("rejected {}: {}", rejection.index, rejection.reason));
            events.chain(rejected).collect()
        }
        Err(refusal) => vec![format!("refused: {refusal}")],
    }
}

fn event_text(event: EventRef<'_>) -> String {
    let mut words = Vec::new();
    if event.timestamp() != RECEIVED_AT {
        words.push(format!("@{}", event.timestamp()));
    }
    words.extend(event.level().map(|level| level.to_string()));
    for (field, value) in event.fields() {
        let mut text = String::new();
        event_json::write_value(&mut text, value);
        words.push(format!("{}={text}", event.batch().paths()[field.index()]));
    }
    words.join(" ")
}

/// Decodes twice, since a log replayed must give the same events, and compares with `expected`.
fn check(format: &str, body: impl AsRef<[u8]>, expected: &[&str]) {
    let body = body.as_ref();
    let got = outcome(&decode(format, body));
    assert_eq!(got, expected, "{}", String::from_utf8_lossy(body));
    assert_eq!(got, outcome(&decode(format, body)), "decoded a second time");
}
