//! Which pieces are there, how large they are, and which were used last. Pure.

use std::collections::BTreeMap;

use super::DIRECTORY;
use crate::segment::SegmentId;

/// A piece of the object of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PieceId {
    pub(crate) segment: SegmentId,
    /// Its place among the pieces of the object.
    pub(crate) index: u64,
}

impl PieceId {
    /// The path of its file.
    pub(super) fn path(self) -> String {
        format!("{DIRECTORY}/{:020}-{:08}", self.segment.0, self.index)
    }

    /// The piece in a file of this name.
    pub(super) fn of_file(name: &str) -> Option<PieceId> {
        let (segment, index) = name.split_once('-')?;
        let piece = PieceId {
            segment: SegmentId(segment.parse().ok()?),
            index: index.parse().ok()?,
        };
        piece.path().ends_with(name).then_some(piece)
    }
}

/// The pieces that are on disk.
#[derive(Debug, Default)]
pub(super) struct PieceIndex {
    pieces: BTreeMap<PieceId, Piece>,
    /// By the number of their last use.
    by_use: BTreeMap<u64, PieceId>,
    uses: u64,
    bytes: u64,
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    bytes: u64,
    last_use: u64,
    is_verified: bool,
}

impl PieceIndex {
    /// Bytes of all pieces.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn contains(&self, id: PieceId) -> bool {
        self.pieces.contains_key(&id)
    }

    /// Adds a piece that was written just now.
    pub(super) fn insert(&mut self, id: PieceId, bytes: u64) {
        self.add(id, bytes);
        self.verified(id);
    }

    /// Adds a piece that an earlier process wrote.
    pub(super) fn insert_found(&mut self, id: PieceId, bytes: u64) {
        self.add(id, bytes);
    }

    fn add(&mut self, id: PieceId, bytes: u64) {
        self.remove(id);
        let last_use = self.next_use();
        let piece = Piece {
            bytes,
            last_use,
            is_verified: false,
        };
        self.pieces.insert(id, piece);
        self.by_use.insert(last_use, id);
        self.bytes += bytes;
    }

    pub(super) fn verified(&mut self, id: PieceId) {
        if let Some(piece) = self.pieces.get_mut(&id) {
            piece.is_verified = true;
        }
    }

    /// Uses a piece: whether it is verified; `None` if it is not there.
    pub(super) fn touch(&mut self, id: PieceId) -> Option<bool> {
        let now = self.next_use();
        let piece = self.pieces.get_mut(&id)?;
        self.by_use.remove(&piece.last_use);
        piece.last_use = now;
        self.by_use.insert(now, id);
        Some(piece.is_verified)
    }

    pub(super) fn remove(&mut self, id: PieceId) {
        if let Some(piece) = self.pieces.remove(&id) {
            self.by_use.remove(&piece.last_use);
            self.bytes -= piece.bytes;
        }
    }

    /// Removes what was not used for longest until `bytes_max` are left; names what was.
    pub(super) fn shrink_to(&mut self, bytes_max: u64) -> Vec<PieceId> {
        let mut removed = Vec::new();
        while self.bytes > bytes_max
            && let Some((_, id)) = self.by_use.first_key_value()
        {
            let id = *id;
            self.remove(id);
            removed.push(id);
        }
        removed
    }

    /// Removes all pieces of a segment; names them.
    pub(super) fn remove_segment(&mut self, segment: SegmentId) -> Vec<PieceId> {
        let first = PieceId { segment, index: 0 };
        let last = PieceId {
            segment,
            index: u64::MAX,
        };
        let found = self.pieces.range(first..=last);
        let found: Vec<PieceId> = found.map(|(id, _)| *id).collect();
        for id in &found {
            self.remove(*id);
        }
        found
    }

    fn next_use(&mut self) -> u64 {
        self.uses += 1;
        self.uses
    }
}

#[cfg(test)]
mod tests {
    use super::{PieceId, PieceIndex};
    use crate::segment::SegmentId;

    fn piece(segment: u64, index: u64) -> PieceId {
        let segment = SegmentId(segment);
        PieceId { segment, index }
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let mut index = PieceIndex::default();
        for number in 0..4 {
            index.insert(piece(1, number), 10);
        }
        index.insert_found(piece(2, 0), 5);
        assert_eq!(index.touch(piece(1, 0)), Some(true));
        assert_eq!(index.touch(piece(2, 0)), Some(false));
        assert_eq!(index.touch(piece(3, 0)), None);
        assert_eq!(index.bytes(), 45);
        assert_eq!(index.shrink_to(25), [piece(1, 1), piece(1, 2)]);
        assert_eq!(index.bytes(), 25);
        assert_eq!(index.remove_segment(SegmentId(1)).len(), 2);
        assert_eq!(index.bytes(), 5);
        assert_eq!(index.shrink_to(0), [piece(2, 0)]);
    }

    #[test]
    fn names_of_files() {
        let id = piece(7, 12);
        assert_eq!(id.path(), "cache/00000000000000000007-00000012");
        let cases = [
            ("00000000000000000007-00000012", Some(id)),
            ("7-12", None),
            ("00000000000000000007-+0000012", None),
            ("00000000000000000007", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(PieceId::of_file(name), expected, "{name:?}");
        }
    }
}
