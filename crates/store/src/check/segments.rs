//! Verifies a segment: header, footer, directory, every chunk and every column, and that the manifest says the same.

use std::sync::Arc;

use super::CheckReport;
use crate::column::Values;
use crate::encoding::Corrupt;
use crate::manifest::SegmentEntry;
use crate::segment::{HEADER_BYTES, OpenFiles, Segment, SegmentBlock, header};
use crate::{BlockHandle, ReadError};

pub(super) fn check(entry: &SegmentEntry, files: &Arc<OpenFiles>, report: &mut CheckReport) {
    let path = entry.id.path();
    report.segments += 1;
    let segment = match Segment::open(entry.id, Arc::clone(files)) {
        Ok(segment) => Arc::new(segment),
        Err(error) => return report.damage(path, error.to_string()),
    };
    if segment.is_local() {
        report.bytes += segment.file_bytes();
    }
    let head = segment.read(0, HEADER_BYTES);
    if !head.is_ok_and(|head| *head == *header(segment.format_version())) {
        report.damage(&*path, "its header is damaged; nothing else of it is");
    }
    let found = SegmentEntry {
        object: entry.object,
        ..SegmentEntry::of(&segment)
    };
    if found != *entry {
        report.damage(&*path, "it does not hold what the manifest says");
    }
    if segment.read_errors() > 0 {
        report.damage(
            &*path,
            "its token map or its posting lists are damaged; nothing else of it is",
        );
    }
    if let Err(error) = segment.check_tokens() {
        report.damage(&*path, format!("its token map cannot be read: {error}"));
    }
    if let Err(error) = segment.check_postings() {
        report.damage(&*path, format!("its posting lists cannot be read: {error}"));
    }
    if !segment.is_local() {
        // Its blocks are in the bucket, where their object is verified as a whole.
        return;
    }
    for (index, block) in segment.blocks.iter().enumerate() {
        check_block(&segment, block, index, report);
    }
}

fn check_block(
    segment: &Arc<Segment>,
    block: &SegmentBlock,
    index: usize,
    report: &mut CheckReport,
) {
    report.blocks += 1;
    report.segment_events += u64::from(block.directory.rows);
    let handle = BlockHandle::in_segment(segment, block, index);
    let (times, levels) = (handle.timestamps(), handle.levels());
    if let (Ok(times), Ok(levels)) = (&times, &levels)
        && !block.directory.counts_rows(times, levels)
    {
        let what = "its directory does not count the events of the block at";
        report.damage(segment.path(), format!("{what} {}", block.offset));
    }
    let heads = [
        times.map(drop),
        handle.sequences().map(drop),
        levels.map(drop),
        handle.rest().map(drop),
    ];
    let columns = (0..block.directory.columns.len()).map(|index| {
        report.columns += 1;
        if !check_column(&handle, index)? {
            let what = "its directory does not count the values of the block at";
            report.damage(segment.path(), format!("{what} {}", block.offset));
        }
        Ok(())
    });
    let failures: Vec<String> = heads
        .into_iter()
        .chain(columns)
        .filter_map(Result::err)
        .map(|error| format!("{} cannot be read: {}", error.what, error.source))
        .collect();
    for failure in failures {
        report.damage(segment.path(), failure);
    }
}

/// Decodes a column, its texts included, which a search decodes when it needs them; says whether the directory counts its
/// values rightly.
fn check_column(handle: &BlockHandle, index: usize) -> Result<bool, ReadError> {
    let column = handle.stored_column(index)?;
    let is_lazy = matches!(
        column.values,
        Values::Str(_) | Values::Packed(_) | Values::Text(_) | Values::Mixed(_)
    );
    if is_lazy {
        for row in 0..column.rows() {
            let value = column.scalar(row);
            value.map_err(|corrupt| handle.error_in_column(index, corrupt))?;
        }
    }
    let in_column = |corrupt| handle.error_in_column(index, corrupt);
    if let Values::Dict { codes, .. } = &column.values
        && codes.count().map_err(in_column)?.contains(&0)
    {
        return Err(in_column(Corrupt("a value that no row has")));
    }
    if let Values::Text(texts) = &column.values
        && !texts.codes().are_as_counted().map_err(in_column)?
    {
        return Ok(false);
    }
    let entry = handle.directory().columns.get(index);
    let counts = entry.and_then(|entry| entry.values.as_ref());
    counts.map_or(Ok(true), |counts| {
        counts.counts_column(&column).map_err(in_column)
    })
}
