//! What people read of many patterns at once, from the text of the last event of each: every block that has some of them is opened
//! once, and nothing of it is read but times, sequence numbers and the one column.

use cordwood_event::{EventId, Scalar, Value, path};
use cordwood_query::FieldName;
use cordwood_store::{BlockHandle, OpenRows, Part, Snapshot};

use super::pattern_counts::{Pattern, PatternsRequest};
use crate::block::OpenBlock;
use crate::evaluate::Failure;
use crate::pattern::typed;
use crate::run::working_bytes;
use crate::{Engine, Error};

impl Engine {
    /// Says of which kinds the places of patterns are that were found for a request. One whose last event cannot be read keeps the text
    /// it has, and so do those that are left when there is no memory for a block or the caller gives up.
    pub fn type_patterns(
        &self,
        snapshot: &Snapshot,
        request: &PatternsRequest,
        patterns: &mut [&mut Pattern],
    ) -> Result<(), Error> {
        let means = self.means(&request.search);
        patterns.sort_unstable_by_key(|pattern| pattern.last.sequence);
        let sources = request.search.sources.iter();
        for part in sources.flat_map(|source| snapshot.parts(source.id)) {
            let wanted = within(patterns, sequences_of(&part));
            if wanted.is_empty() {
                continue;
            }
            match &part {
                Part::Open(open) => type_open(open, &request.field, wanted),
                Part::Block(block) => {
                    let bytes = working_bytes(block);
                    let Some(_working) = means.answers.work(bytes, &means.budget) else {
                        return Ok(());
                    };
                    // What cannot be read is noted by whoever counts its events.
                    let _unread = type_block(block, &request.field, wanted);
                }
            }
        }
        Ok(())
    }
}

/// The first and the last sequence number of a part, which may have others' between them.
fn sequences_of(part: &Part) -> (u64, u64) {
    match part {
        Part::Block(block) => block.directory().sequences,
        Part::Open(open) => {
            let last = open.batch().len().saturating_sub(1);
            (open.sequence(0), open.sequence(last))
        }
    }
}

/// Those whose last event may be in a part.
fn within<'a, 'p>(
    patterns: &'a mut [&'p mut Pattern],
    (first, last): (u64, u64),
) -> &'a mut [&'p mut Pattern] {
    let start = patterns.partition_point(|pattern| pattern.last.sequence < first);
    let end = patterns.partition_point(|pattern| pattern.last.sequence <= last);
    patterns.get_mut(start..end).unwrap_or_default()
}

fn type_open(open: &OpenRows, field: &FieldName, wanted: &mut [&mut Pattern]) {
    let (batch, mut row) = (open.batch(), 0);
    for pattern in wanted {
        while row < batch.len() && open.sequence(row) < pattern.last.sequence {
            row += 1;
        }
        if row == batch.len() || open.sequence(row) != pattern.last.sequence {
            continue;
        }
        let paths = batch.paths();
        let mut fields = batch.event(row).fields();
        let value = fields.find(|(id, _)| path::name(&paths[id.index()]) == field.as_str());
        if let Some((_, Scalar::Str(text))) = value {
            pattern.text = typed(&pattern.form, text);
        }
    }
}

fn type_block(
    handle: &BlockHandle,
    field: &FieldName,
    wanted: &mut [&mut Pattern],
) -> Result<(), Failure> {
    let times = handle.directory().timestamps;
    let is_within = |id: EventId| (times.0..=times.1).contains(&id.timestamp);
    if !wanted.iter().any(|pattern| is_within(pattern.last)) {
        return Ok(());
    }
    let block = OpenBlock::new(handle);
    let mut rows = Vec::new();
    for (index, pattern) in wanted.iter().enumerate() {
        rows.extend(row_of(&block, pattern.last)?.map(|row| (row, index)));
    }
    rows.sort_unstable();
    let places: Vec<usize> = rows.iter().map(|(row, _)| *row).collect();
    let texts = texts_of(&block, field, &places)?;
    for ((_, index), text) in rows.iter().zip(texts) {
        if let (Some(pattern), Some(Value::Str(text))) = (wanted.get_mut(*index), text) {
            pattern.text = typed(&pattern.form, &text);
        }
    }
    Ok(())
}

/// The row of an event, if it is in the block. Rows are in the order of times, those of one time in that of sequence numbers.
fn row_of(block: &OpenBlock, id: EventId) -> Result<Option<usize>, Failure> {
    let (times, sequences) = (block.timestamps()?, block.sequences()?);
    let time = id.timestamp.as_nanos();
    let start = times.partition_point(|other| *other < time);
    let end = times.partition_point(|other| *other <= time);
    let of_time = sequences.get(start..end).unwrap_or_default();
    let place = of_time.binary_search(&id.sequence).ok();
    Ok(place.map(|place| start + place))
}

/// The values of a field in some rows, which rise.
fn texts_of(
    block: &OpenBlock,
    field: &FieldName,
    rows: &[usize],
) -> Result<Vec<Option<Value>>, Failure> {
    let columns = &block.directory().columns;
    let column = columns
        .iter()
        .position(|entry| path::name(&entry.path) == field.as_str());
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(index) = column {
        return Ok(block.column(index)?.values_of(rows)?);
    }
    let Some(rest) = block.rest()? else {
        return Ok(vec![None; rows.len()]);
    };
    let mut paths = rest.paths();
    match paths.position(|path| path::name(path) == field.as_str()) {
        Some(index) => Ok(rest.column(index)?.values_of(rows)?),
        None => Ok(vec![None; rows.len()]),
    }
}
