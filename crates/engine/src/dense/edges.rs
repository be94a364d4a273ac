//! The first and the last row of each group: rows of a block lie in order of time, so of times and ids these say who is least and
//! who is greatest.

use cordwood_query::Target;

use super::group_of::GroupOf;
use crate::block::OpenBlock;
use crate::datum::Datum;
use crate::evaluate::Failure;
use crate::groups::GroupColumn;
use crate::part::id_at;

/// Adds the time or the id, whichever the target is, of the first and the last row of each group.
pub(super) fn add(
    column: &mut GroupColumn,
    (block, target): (&OpenBlock, &Target),
    group_of: &GroupOf<'_>,
) -> Result<(), Failure> {
    let (times, sequences) = (block.timestamps()?, block.sequences()?);
    let mut add = |(group, row): (usize, usize)| {
        let Some(id) = id_at(times, sequences, row) else {
            return;
        };
        match target {
            Target::Id => column.add_id(group, id),
            _ => column.add(group, id, &mut |visit| visit(Datum::Time(id.timestamp))),
        }
    };
    for (group, (first, last)) in first_and_last(group_of).into_iter().enumerate() {
        if first <= last {
            add((group, first));
            add((group, last));
        }
    }
    Ok(())
}

/// By group, its first and last row; the other way round if it has none.
fn first_and_last(group_of: &GroupOf<'_>) -> Vec<(usize, usize)> {
    const NO_ROW: (usize, usize) = (usize::MAX, 0);
    let mut edges: Vec<(usize, usize)> = Vec::new();
    for (row, group) in group_of.iter() {
        if group >= edges.len() {
            edges.resize(group + 1, NO_ROW);
        }
        let (first, last) = &mut edges[group];
        *first = (*first).min(row);
        *last = row;
    }
    edges
}
