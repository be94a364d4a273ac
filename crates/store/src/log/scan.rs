//! Reads a log file: every record that is whole, and where damage lies between them.

use super::file::{HEADER_BYTES, LogHeader, Marker};
use super::record::{LoggedRecord, RECORD_HEAD_BYTES, parse_record};

/// What a log file holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scan<'a> {
    /// `None` if it is damaged.
    pub(crate) header: Option<LogHeader>,
    /// Where each record begins, and the record.
    pub(crate) records: Vec<(u64, LoggedRecord<'a>)>,
    /// Damage that acknowledged records may have been in.
    pub(crate) gaps: Vec<Gap>,
    /// Where a write begins, at the end of the file, that was never finished: nothing from there on was acknowledged.
    /// The end of the file if there is none such.
    pub(crate) sound_end: u64,
}

/// Bytes that are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// It lies in the last write, which may never have been acknowledged.
    pub(crate) is_in_last_write: bool,
}

/// Reads the content of a log file. Only the last file may have a write at its end that was never finished; in
/// another that is damage.
pub(crate) fn scan(bytes: &[u8], is_last: bool) -> Scan<'_> {
    let header = LogHeader::parse(bytes);
    let marker = match header {
        Some(header) => Some(header.marker),
        None => marker_of_first_record(bytes),
    };
    let Some(marker) = marker else {
        return scan_of_nothing(bytes, is_last);
    };
    let mut records = Vec::new();
    let mut gaps = Vec::new();
    if header.is_none() {
        gaps.push(gap(0, HEADER_BYTES));
    }
    let mut offset = HEADER_BYTES;
    while let Some(rest) = bytes.get(offset..).filter(|rest| !rest.is_empty()) {
        if let Some((record, length)) = parse_record(marker, rest) {
            records.push((offset as u64, record));
            offset += length;
            continue;
        }
        let next = next_record(marker, bytes, offset + 1).unwrap_or(bytes.len());
        gaps.push(gap(offset, next));
        offset = next;
    }
    let mut scan = Scan {
        header,
        records,
        gaps,
        sound_end: bytes.len() as u64,
    };
    if is_last {
        scan.find_unfinished();
    }
    scan
}

impl Scan<'_> {
    /// Tells damage from a last write that power loss cut short. Records say where their group begins, and all before it was
    /// durable by then: only a gap after that can be unfinished. One that whole records follow is kept apart, because
    /// file systems write in order, mostly, and it may be damage after all.
    fn find_unfinished(&mut self) {
        let groups = self.records.iter().map(|(_, record)| record.group_offset);
        let durable_end = groups.max().unwrap_or(HEADER_BYTES as u64);
        for gap in &mut self.gaps {
            gap.is_in_last_write = gap.start >= durable_end;
        }
        let reaches_end = |gap: &mut Gap| gap.is_in_last_write && gap.end == self.sound_end;
        if let Some(gap) = self.gaps.pop_if(reaches_end) {
            self.sound_end = gap.start;
        }
    }
}

/// A file without a header or a record: if it is the last, it was being created.
fn scan_of_nothing(bytes: &[u8], is_last: bool) -> Scan<'_> {
    let is_new = is_last && bytes.len() <= HEADER_BYTES;
    Scan {
        header: None,
        records: Vec::new(),
        gaps: if is_new {
            Vec::new()
        } else {
            vec![gap(0, bytes.len())]
        },
        sound_end: if is_new { 0 } else { bytes.len() as u64 },
    }
}

fn gap(start: usize, end: usize) -> Gap {
    Gap {
        start: start as u64,
        end: end as u64,
        is_in_last_write: false,
    }
}

/// The marker can be read off the first record when the header is damaged.
fn marker_of_first_record(bytes: &[u8]) -> Option<Marker> {
    let first = bytes.get(HEADER_BYTES..)?;
    let marker = *first.first_chunk()?;
    parse_record(marker, first).map(|_| marker)
}

fn next_record(marker: Marker, bytes: &[u8], from: usize) -> Option<usize> {
    let mut from = from;
    loop {
        let rest = bytes
            .get(from..)
            .filter(|rest| rest.len() > RECORD_HEAD_BYTES)?;
        let found = from + memchr::memmem::find(rest, &marker)?;
        if parse_record(marker, bytes.get(found..)?).is_some() {
            return Some(found);
        }
        from = found + 1;
    }
}
