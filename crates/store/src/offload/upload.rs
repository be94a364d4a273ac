//! Copies one segment to the bucket and reads it back: whatever is between here and there, the bytes are the same.

use std::io;

use super::{Offloaded, SegmentFile};
use crate::Error;
use crate::bucket::{Content, Objects, PIECE_BYTES};
use crate::segment::{Object, Segment};
use crate::work_signal::WorkSignal;

/// The bucket keeps something else than it was given.
pub(super) const NOT_THE_SAME: &str = "the checksum of its object does not match";

/// A segment's file on its way, as long as the store is open.
struct Outgoing<'u> {
    file: &'u SegmentFile,
    length: u64,
    signal: &'u WorkSignal<Offloaded>,
}

impl Content for Outgoing<'_> {
    fn length(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        check_open(self.signal)?;
        self.file.read_at(offset, buffer)
    }
}

/// Stores a segment in the bucket; returns what the manifest is to say of it.
pub(super) fn upload(
    segment: &Segment,
    objects: &Objects,
    signal: &WorkSignal<Offloaded>,
) -> Result<Object, Error> {
    let path = segment.path();
    let file = segment.file().map_err(Error::io("open", path))?;
    let outgoing = Outgoing {
        file: &file,
        length: segment.file_bytes(),
        signal,
    };
    let crc = checksum(&outgoing).map_err(Error::io("read", path));
    let crc = crc.map_err(|error| or_closed(signal, error))?;
    let put = objects.put(segment.id(), &outgoing);
    put.map_err(|error| or_closed(signal, Error::bucket("upload", path)(error)))?;
    let stored = objects.read_all(segment.id(), outgoing.length, |_| check_open(signal));
    let stored =
        stored.map_err(|error| or_closed(signal, Error::bucket("read back", path)(error)))?;
    if stored != crc {
        let source = io::Error::other(NOT_THE_SAME);
        return Err(Error::bucket("read back", path)(source));
    }
    Ok(Object { crc })
}

fn checksum(outgoing: &Outgoing<'_>) -> io::Result<u32> {
    let mut crc = 0;
    let mut offset = 0;
    while offset < outgoing.length {
        let piece = PIECE_BYTES.min(outgoing.length - offset);
        let mut bytes = vec![0; usize::try_from(piece).unwrap_or(0)];
        outgoing.read_at(offset, &mut bytes)?;
        crc = crc32c::crc32c_append(crc, &bytes);
        offset += piece;
    }
    Ok(crc)
}

fn check_open(signal: &WorkSignal<Offloaded>) -> io::Result<()> {
    match signal.is_closed() {
        true => Err(io::Error::other("the store is closing")),
        false => Ok(()),
    }
}

/// A closing store is no failure of the bucket.
fn or_closed(signal: &WorkSignal<Offloaded>, error: Error) -> Error {
    match signal.is_closed() {
        true => Error::Closed,
        false => error,
    }
}
