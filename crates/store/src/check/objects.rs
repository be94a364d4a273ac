//! Verifies what the manifest says of the bucket: each object is there, and if asked for, each byte of it.

use std::collections::BTreeMap;
use std::io;

use super::{CheckReport, Depth};
use crate::Disk;
use crate::bucket::Objects;
use crate::manifest::{Manifest, SegmentEntry};
use crate::segment::SegmentId;

pub(super) fn check(
    manifest: &Manifest,
    objects: &Objects,
    depth: Depth,
    report: &mut CheckReport,
) {
    let named = manifest.segments.iter();
    let mut named = named.filter(|entry| entry.object.is_some()).peekable();
    if named.peek().is_none() {
        return;
    }
    let listed: BTreeMap<SegmentId, u64> = match objects.list() {
        Ok(listed) => listed.into_iter().collect(),
        Err(error) => {
            let bucket = objects.remote.bucket.describe();
            let sentence = format!("what should be in it could not be verified: {error}");
            return report.damage(bucket, sentence);
        }
    };
    for entry in named {
        report.objects += 1;
        match listed.get(&entry.id) {
            None => report.damage(entry.id.path(), "its object is not in the bucket"),
            Some(bytes) if *bytes != entry.file_bytes => {
                let expected = entry.file_bytes;
                let sentence = format!("its object has {bytes} bytes, not {expected}");
                report.damage(entry.id.path(), sentence);
            }
            Some(_) if depth == Depth::Read => read(entry, objects, report),
            Some(_) => {}
        }
    }
}

/// An object of the right checksum holds the bytes that were written: what is in them was verified with the file.
fn read(entry: &SegmentEntry, objects: &Objects, report: &mut CheckReport) {
    let read = objects.read_all(entry.id, entry.file_bytes, |piece| {
        report.bytes += piece.len() as u64;
        Ok(())
    });
    match read {
        Ok(crc) if entry.object.is_some_and(|object| object.crc == crc) => {}
        Ok(_) => report.damage(entry.id.path(), "the checksum of its object does not match"),
        Err(error) => report.damage(
            entry.id.path(),
            format!("its object cannot be read: {error}"),
        ),
    }
}

/// Without a bucket: which segments nothing could be said of.
pub(super) fn note_unverified(disk: &dyn Disk, manifest: &Manifest, report: &mut CheckReport) {
    let named = manifest.segments.iter();
    for entry in named.filter(|entry| entry.object.is_some()) {
        let file = disk.open(&entry.id.path());
        if file.is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            let sentence = "it lies in a bucket and the configuration names none: its blocks were not verified";
            report.notice(entry.id.path(), sentence);
        }
    }
}
