//! Chooses the manifest to go on from.

use crate::log::{self, LogHeader};
use crate::manifest::{self, Manifest};
use crate::segment::list_segments;
use crate::{Disk, Error};

/// The newest manifest; an earlier one if that is damaged and the log still has what it covered. What was found wrong
/// is added to `damage`. Refuses to go on where events would be lost by it.
pub(crate) fn choose_manifest(
    disk: &dyn Disk,
    damage: &mut Vec<String>,
) -> Result<Manifest, Error> {
    let numbers = manifest::list_manifests(disk)?;
    let newest = numbers.last().copied().unwrap_or(0);
    for number in numbers.iter().rev() {
        let found = manifest::read_manifest(disk, *number);
        if let Some(format) = found.newer_format {
            return Err(Error::NewerFormat {
                directory: disk.describe(),
                found: format,
                supported: crate::layout::FORMAT,
            });
        }
        match found.content {
            Ok(manifest) => return go_on_from(disk, manifest, newest),
            Err(reason) => damage.push(format!("{}: {reason}", manifest::path_of(*number))),
        }
    }
    let has_segments = !list_segments(disk)?.is_empty();
    let empty = Manifest::empty();
    if numbers.is_empty() && !has_segments || log_reaches_back(disk, &empty)? {
        return Ok(Manifest {
            number: newest,
            ..empty
        });
    }
    Err(refusal(manifest::path_of(newest.max(1))))
}

fn go_on_from(disk: &dyn Disk, manifest: Manifest, newest: u64) -> Result<Manifest, Error> {
    if manifest.number != newest && !log_reaches_back(disk, &manifest)? {
        return Err(refusal(manifest::path_of(newest)));
    }
    // A damaged one keeps its number.
    Ok(Manifest {
        number: newest,
        ..manifest
    })
}

fn refusal(file: String) -> Error {
    Error::Damaged {
        file,
        reason: "it cannot be read, and the log it made superfluous has been removed; restore it from a backup".into(),
    }
}

/// Whether the log still begins where the manifest ends.
pub(crate) fn log_reaches_back(disk: &dyn Disk, manifest: &Manifest) -> Result<bool, Error> {
    let Some(first) = super::list_log(disk, manifest)?.first().copied() else {
        return Ok(false);
    };
    let path = log::file_name(first);
    let bytes = disk.open(&path).and_then(|file| {
        let length = file.length()?.min(log::HEADER_BYTES as u64);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        file.read_at(0, &mut bytes)?;
        Ok(bytes)
    });
    let bytes = bytes.map_err(Error::io("read", path))?;
    let header = LogHeader::parse(&bytes);
    Ok(header.is_some_and(|header| header.first_sequence == manifest.next_sequence))
}
