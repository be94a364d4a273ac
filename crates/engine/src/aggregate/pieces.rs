//! Numbers in pieces: adding more moves none of those that are there, however many these are.

/// Numbers in the order in which they came.
#[derive(Clone, Debug)]
pub(super) struct Pieces<T> {
    /// The first ones, all of them if they are few.
    head: Vec<T>,
    /// Apart, because most groups have few.
    tail: Option<Box<Tail<T>>>,
}

#[derive(Clone, Debug)]
struct Tail<T> {
    pieces: Vec<Vec<T>>,
}

/// How many numbers the head holds, and a piece has room for at least: moving fewer costs little.
const PIECE_LEN: usize = 4096;

impl<T> Default for Pieces<T> {
    fn default() -> Pieces<T> {
        Pieces {
            head: Vec::new(),
            tail: None,
        }
    }
}

impl<T: Copy> From<Vec<T>> for Pieces<T> {
    fn from(head: Vec<T>) -> Pieces<T> {
        Pieces { head, tail: None }
    }
}

impl<T: Copy> Pieces<T> {
    fn tail(&self) -> &[Vec<T>] {
        let tail = self.tail.as_deref();
        tail.map_or(&[], |tail| &tail.pieces)
    }

    pub(super) fn len(&self) -> usize {
        self.head.len() + self.tail().iter().map(Vec::len).sum::<usize>()
    }

    pub(super) fn extend_from_slice(&mut self, more: &[T]) {
        let last = self.tail.as_mut().and_then(|tail| tail.pieces.last_mut());
        let (last, room) = match last {
            Some(last) => {
                let room = last.capacity() - last.len();
                (last, room)
            }
            None => {
                let room = PIECE_LEN.saturating_sub(self.head.len());
                (&mut self.head, room)
            }
        };
        let (fitting, rest) = more.split_at(room.min(more.len()));
        last.extend_from_slice(fitting);
        if !rest.is_empty() {
            let mut piece = Vec::with_capacity(rest.len().max(PIECE_LEN));
            piece.extend_from_slice(rest);
            let none = || Box::new(Tail { pieces: Vec::new() });
            self.tail.get_or_insert_with(none).pieces.push(piece);
        }
    }

    /// One piece after the other.
    pub(super) fn each(&self) -> impl Iterator<Item = &[T]> {
        let tail = self.tail().iter().map(Vec::as_slice);
        std::iter::once(self.head.as_slice()).chain(tail)
    }

    /// All in one piece.
    pub(super) fn into_vec(self) -> Vec<T> {
        let missing = self.len() - self.head.len();
        let mut all = self.head;
        all.reserve_exact(missing);
        let tail = self.tail.into_iter().flat_map(|tail| tail.pieces);
        tail.for_each(|piece| all.extend_from_slice(&piece));
        all
    }

    /// The memory they take.
    pub(super) fn bytes(&self) -> u64 {
        let tail = self.tail.as_deref();
        let of_tail = tail.map_or(0, |tail| {
            let numbers: usize = tail.pieces.iter().map(Vec::capacity).sum();
            numbers * size_of::<T>() + tail.pieces.capacity() * size_of::<Vec<T>>()
        });
        (self.head.capacity() * size_of::<T>() + of_tail) as u64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Pieces;

    proptest! {
        #[test]
        fn pieces_are_what_was_added(
            first in 0usize..9_000,
            lengths in proptest::collection::vec(0usize..6_000, 0..9),
        ) {
            let mut all: Vec<usize> = (0..first).collect();
            let mut pieces = Pieces::from(all.clone());
            for length in lengths {
                let more: Vec<usize> = (all.len()..all.len() + length).collect();
                pieces.extend_from_slice(&more);
                all.extend(more);
            }
            prop_assert_eq!(pieces.len(), all.len());
            prop_assert!(pieces.bytes() >= (all.len() * size_of::<usize>()) as u64);
            prop_assert_eq!(pieces.each().collect::<Vec<_>>().concat(), all.clone());
            prop_assert_eq!(pieces.into_vec(), all);
        }
    }
}
