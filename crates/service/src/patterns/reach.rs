//! How far the next round of learning looks in each source, so that it costs little beside ingest at full speed.
//!
//! Rows in blocks take a fifth of the time that open rows take, and where many come they are sealed at once. So open rows are left for the
//! next round, which finds them in a block, or still open if few come: then there are few, and they are looked at.

use std::collections::BTreeMap;

use cordwood_event::SourceId;
use cordwood_store::{Part, Snapshot};

/// Rows of a source that one round looks at, give or take a block: about two seconds of a processor for those whose patterns are known.
pub(super) const ROWS_PER_ROUND: u64 = 4 << 20;

/// Rows that lie together.
#[derive(Clone, Copy, Debug)]
struct Extent {
    rows: u64,
    /// The first and the last sequence number.
    sequences: (u64, u64),
    is_open: bool,
}

/// What the last round has left because it was open.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// By source, the first sequence number of its open rows.
    open_from: BTreeMap<SourceId, u64>,
}

impl Waiting {
    /// The sequence number up to which a source is looked at that was looked at up to another one.
    pub(super) fn reach(&mut self, source: SourceId, snapshot: &Snapshot, after: u64) -> u64 {
        let extents = snapshot.parts(source).map(|part| extent_of(&part));
        let extents = extents.filter(|extent| extent.sequences.1 > after);
        self.reach_of(source, extents.collect(), snapshot.last_sequence())
    }

    fn reach_of(&mut self, source: SourceId, mut extents: Vec<Extent>, last: u64) -> u64 {
        let open = extents.iter().filter(|extent| extent.is_open);
        let open_from = open.map(|extent| extent.sequences.0).min();
        let before = match open_from {
            Some(first) => self.open_from.insert(source, first),
            None => self.open_from.remove(&source),
        };
        let reach = match open_from {
            Some(first) if before != open_from => first - 1,
            _ => last,
        };
        extents.sort_unstable_by_key(|extent| extent.sequences.1);
        let mut rows = 0;
        let full = extents.iter().find(|extent| {
            rows += extent.rows;
            rows >= ROWS_PER_ROUND
        });
        full.map_or(reach, |extent| extent.sequences.1.min(reach))
    }
}

fn extent_of(part: &Part) -> Extent {
    match part {
        Part::Open(open) => {
            let rows = open.batch().len();
            Extent {
                rows: rows as u64,
                sequences: (open.sequence(0), open.sequence(rows.saturating_sub(1))),
                is_open: true,
            }
        }
        Part::Block(block) => {
            let directory = block.directory();
            Extent {
                rows: directory.rows.into(),
                sequences: directory.sequences,
                is_open: false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks and open rows by their first and last sequence numbers, each with so many rows.
    #[track_caller]
    fn check(
        waiting: &mut Waiting,
        blocks: &[(u64, u64, u64)],
        open: &[(u64, u64)],
        expected: u64,
    ) {
        let sealed = blocks.iter().map(|(first, last, rows)| Extent {
            rows: *rows,
            sequences: (*first, *last),
            is_open: false,
        });
        let open = open.iter().map(|(first, last)| Extent {
            rows: last - first + 1,
            sequences: (*first, *last),
            is_open: true,
        });
        let extents = sealed.chain(open).collect();
        assert_eq!(waiting.reach_of(SourceId(1), extents, 100), expected);
    }

    #[test]
    fn open_rows_are_looked_at_when_they_stay_open() {
        let mut waiting = Waiting::default();
        check(&mut waiting, &[], &[], 100);
        check(&mut waiting, &[(1, 20, 20)], &[(30, 39), (25, 29)], 24);
        check(&mut waiting, &[(1, 20, 20)], &[(25, 39), (40, 50)], 100);
        check(&mut waiting, &[(1, 50, 45)], &[(60, 70)], 59);
        check(&mut waiting, &[(1, 70, 55)], &[], 100);
        check(&mut waiting, &[], &[(60, 70)], 59);
    }

    #[test]
    fn a_round_looks_at_so_many_rows() {
        let most = ROWS_PER_ROUND - 1;
        let blocks = [(20, 40, 1), (1, 30, most), (41, 60, most)];
        check(&mut Waiting::default(), &blocks, &[], 40);
        check(&mut Waiting::default(), &blocks, &[(35, 99)], 34);
        check(&mut Waiting::default(), &blocks[1..2], &[], 100);
    }
}
