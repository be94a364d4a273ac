//! The bytes of the deletions in a manifest.

use std::sync::Arc;

use cordwood_event::{SourceId, Timestamp};

use super::Manifest;
use crate::fixed::Fixed;
use crate::{DeletedSource, Deletion, DeletionId, DeletionRequest, DeletionState};

/// Stands for a number of events that nobody counted.
const UNCOUNTED: u64 = u64::MAX;

pub(super) fn write_deletions(manifest: &Manifest, bytes: &mut Vec<u8>) {
    bytes.extend(manifest.next_deletion.to_le_bytes());
    bytes.extend((manifest.deletions.len() as u64).to_le_bytes());
    for deletion in &manifest.deletions {
        write_deletion(deletion, bytes);
    }
}

fn write_deletion(deletion: &Deletion, bytes: &mut Vec<u8>) {
    let DeletionRequest {
        sources,
        first,
        last,
        query,
        requested_at,
        up_to_sequence,
    } = &*deletion.request;
    bytes.extend(deletion.id.0.to_le_bytes());
    for time in [requested_at, first, last] {
        bytes.extend(time.as_nanos().to_le_bytes());
    }
    for number in [
        *up_to_sequence,
        deletion.events_hidden.unwrap_or(UNCOUNTED),
        deletion.events_purged,
        deletion.bytes_purged,
    ] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.push(match deletion.state {
        DeletionState::Hidden => 0,
        DeletionState::Purged => 1,
    });
    write_text(query, bytes);
    bytes.extend((sources.len() as u64).to_le_bytes());
    for source in sources {
        bytes.extend(source.id.0.to_le_bytes());
        write_text(&source.name, bytes);
    }
}

fn write_text(text: &str, bytes: &mut Vec<u8>) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}

pub(super) fn parse_deletions(fields: &mut Fixed<'_>, manifest: &mut Manifest) -> Option<()> {
    manifest.next_deletion = fields.number()?;
    for _ in 0..fields.u64()? {
        manifest.deletions.push(parse_deletion(fields)?);
    }
    Some(())
}

fn parse_deletion(fields: &mut Fixed<'_>) -> Option<Deletion> {
    let id = DeletionId(fields.number()?);
    let mut time = || fields.i64().map(Timestamp::from_nanos);
    let (requested_at, first, last) = (time()?, time()?, time()?);
    let up_to_sequence = fields.u64()?;
    let events_hidden = Some(fields.u64()?).filter(|events| *events != UNCOUNTED);
    let (events_purged, bytes_purged) = (fields.u64()?, fields.u64()?);
    let state = match fields.u8()? {
        0 => DeletionState::Hidden,
        1 => DeletionState::Purged,
        _ => return None,
    };
    let query = parse_text(fields)?;
    let mut sources = Vec::new();
    for _ in 0..fields.u64()? {
        sources.push(DeletedSource {
            id: SourceId(fields.u64()?),
            name: parse_text(fields)?,
        });
    }
    Some(Deletion {
        id,
        request: Arc::new(DeletionRequest {
            sources,
            first,
            last,
            query,
            requested_at,
            up_to_sequence,
        }),
        state,
        events_hidden,
        events_purged,
        bytes_purged,
    })
}

fn parse_text(fields: &mut Fixed<'_>) -> Option<String> {
    let length = usize::try_from(fields.u64()?).ok()?;
    let bytes = fields.take(length)?.to_vec();
    String::from_utf8(bytes).ok()
}
