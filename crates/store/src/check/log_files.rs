//! Verifies the log: that its records are whole, follow one another, and decode.

use super::CheckReport;
use crate::disk::read_all;
use crate::log::{self, LoggedRecord, Scan};
use crate::manifest::Manifest;
use crate::{Decode, Disk, Error, LoggedBody, recovery};

pub(super) fn check(
    disk: &dyn Disk,
    decode: &dyn Decode,
    manifest: &Manifest,
    report: &mut CheckReport,
) -> Result<(), Error> {
    let numbers = recovery::list_log(disk, manifest)?;
    let mut next_sequence = manifest.next_sequence;
    let mut contents = Vec::new();
    for number in &numbers {
        let path = log::file_name(*number);
        match disk.open(&path).and_then(|file| file.length()) {
            Ok(length) => contents.push((path, length > log::HEADER_BYTES as u64)),
            Err(error) => report.damage(path, format!("it cannot be read: {error}")),
        }
    }
    let last_used = contents.iter().rposition(|(_, has_records)| *has_records);
    for (index, (path, has_records)) in contents.iter().enumerate() {
        report.log_files += 1;
        let read = disk.open(path).and_then(|file| read_all(file.as_ref()));
        match read {
            Ok(bytes) if *has_records => {
                report.bytes += bytes.len() as u64;
                let scan = log::scan(&bytes, Some(index) == last_used);
                check_file(path, &scan, bytes.len(), report);
                for (offset, record) in &scan.records {
                    check_record(path, *offset, record, &mut next_sequence, decode, report);
                }
            }
            Ok(_) => {}
            Err(error) => report.damage(path, format!("it cannot be read: {error}")),
        }
    }
    Ok(())
}

fn check_file(path: &str, scan: &Scan<'_>, length: usize, report: &mut CheckReport) {
    for gap in &scan.gaps {
        let (start, end) = (gap.start, gap.end);
        report.damage(path, format!("the bytes {start} to {end} are damaged"));
    }
    let torn = length as u64 - scan.sound_end;
    if torn > 0 {
        let sentence = format!(
            "{torn} bytes at its end are of a write that never finished and was never acknowledged"
        );
        report.notice(path, sentence);
    }
}

fn check_record(
    path: &str,
    offset: u64,
    record: &LoggedRecord<'_>,
    next_sequence: &mut u64,
    decode: &dyn Decode,
    report: &mut CheckReport,
) {
    report.log_records += 1;
    report.log_events += u64::from(record.event_count);
    let first = record.first_sequence;
    if first != *next_sequence {
        report.damage(
            path,
            format!("the record at {offset} begins with event {first}, not {next_sequence}"),
        );
    }
    *next_sequence = first + u64::from(record.event_count);
    let decoded = record.body.unpack().and_then(|body| {
        decode.decode(&LoggedBody {
            source: record.source,
            received_at: record.received_at,
            format: &record.format,
            body: &body,
        })
    });
    match decoded {
        Ok(batch) if batch.len() as u64 == u64::from(record.event_count) => {}
        Ok(batch) => report.damage(
            path,
            format!(
                "the record at {offset} gave {} events, not {}",
                batch.len(),
                record.event_count
            ),
        ),
        Err(reason) => report.damage(
            path,
            format!("the record at {offset} cannot be decoded: {reason}"),
        ),
    }
}
