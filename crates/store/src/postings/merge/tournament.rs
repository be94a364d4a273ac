//! Which of many sorted sources has the least word next: a tournament in which no byte that two words share is looked at twice.
//!
//! A tree of losers (Knuth, "The Art of Computer Programming", 5.4.1) that knows of each how many bytes its word shares with the word it
//! lost to (Ng and Kakehi, "Merging String Sequences by Longest Common Prefixes", 2008): most meetings compare two numbers.

use std::cmp::Ordering;

/// The words that meet.
pub(super) trait Words {
    /// The word that a source has next.
    fn word(&self, source: usize) -> &[u8];
}

/// A source, and how many bytes its word shares with the word it lost to; of the winner, with the word that won before. `None` if it
/// has no more words.
#[derive(Clone, Copy, Debug)]
struct Player {
    source: usize,
    shared: Option<usize>,
}

/// The tree. The players are its leaves, from one more than its last node on; a node keeps who lost there.
#[derive(Debug)]
pub(super) struct Tournament {
    losers: Vec<Player>,
    winner: Player,
}

impl Tournament {
    /// Between the first words of so many sources, at least one. All have a word.
    pub(super) fn new(sources: usize, words: &(impl Words + ?Sized)) -> Tournament {
        let player = |source| Player {
            source,
            shared: Some(0),
        };
        let mut tournament = Tournament {
            losers: vec![player(0); sources],
            winner: player(0),
        };
        tournament.winner = tournament.first_winner(1, words);
        tournament
    }

    /// Who wins the part of the tree at a node.
    fn first_winner(&mut self, node: usize, words: &(impl Words + ?Sized)) -> Player {
        if let Some(source) = node.checked_sub(self.losers.len()) {
            return Player {
                source,
                shared: Some(0),
            };
        }
        let mut winner = self.first_winner(2 * node, words);
        let mut loser = self.first_winner(2 * node + 1, words);
        meet(&mut winner, &mut loser, words);
        if let Some(place) = self.losers.get_mut(node) {
            *place = loser;
        }
        winner
    }

    /// The source that has the least word, of several that have it the first. `None` when all are at their ends.
    pub(super) fn winner(&self) -> Option<usize> {
        self.winner.shared.map(|_| self.winner.source)
    }

    /// The winner has moved on to a word that shares so many bytes with the one that won; to none at its end.
    pub(super) fn advance(&mut self, shared: Option<usize>, words: &(impl Words + ?Sized)) {
        self.winner.shared = shared;
        let mut node = (self.winner.source + self.losers.len()) / 2;
        while node > 0 {
            if let Some(loser) = self.losers.get_mut(node) {
                meet(&mut self.winner, loser, words);
            }
            node /= 2;
        }
    }
}

/// Two players meet whose words are compared to the same word, which comes before both.
fn meet(winner: &mut Player, loser: &mut Player, words: &(impl Words + ?Sized)) {
    let is_upset = match winner.shared.cmp(&loser.shared) {
        // Who shares more with a word before both comes sooner.
        Ordering::Greater => false,
        Ordering::Less => true,
        Ordering::Equal => {
            let Some(shared) = winner.shared else {
                return;
            };
            let (word, other) = (words.word(winner.source), words.word(loser.source));
            let shared = shared_bytes(word, other, shared);
            let is_upset = (other.get(shared), loser.source) < (word.get(shared), winner.source);
            let beaten = if is_upset { &mut *winner } else { &mut *loser };
            beaten.shared = Some(shared);
            is_upset
        }
    };
    if is_upset {
        std::mem::swap(winner, loser);
    }
}

/// How many bytes two words share at their beginnings, of which so many are known to be the same.
pub(super) fn shared_bytes(word: &[u8], other: &[u8], known: usize) -> usize {
    let rest = word.get(known..).unwrap_or_default();
    let other_rest = other.get(known..).unwrap_or_default();
    let (eights, _) = rest.as_chunks::<8>();
    let (other_eights, _) = other_rest.as_chunks::<8>();
    let mut shared = 0;
    for (eight, other) in eights.iter().zip(other_eights) {
        let differing = u64::from_le_bytes(*eight) ^ u64::from_le_bytes(*other);
        if differing != 0 {
            return known + shared + differing.trailing_zeros() as usize / 8;
        }
        shared += 8;
    }
    let tail = rest.get(shared..).unwrap_or_default();
    let other_tail = other_rest.get(shared..).unwrap_or_default();
    let pairs = tail.iter().zip(other_tail);
    known + shared + pairs.take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl Words for Vec<&[Vec<u8>]> {
        fn word(&self, source: usize) -> &[u8] {
            self[source].first().map_or(&[], Vec::as_slice)
        }
    }

    /// Words that share beginnings, and some that many sources have.
    fn words() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let byte = prop::sample::select(vec![b'a', b'b', 0xff]);
        let end = prop::collection::vec(byte, 0..6);
        let word = (0usize..12, end).prop_map(|(long, end)| [vec![b'a'; long], end].concat());
        let words = prop::collection::btree_set(word, 1..20);
        words.prop_map(|words| words.into_iter().collect())
    }

    proptest! {
        #[test]
        fn what_words_share_is_counted_byte_by_byte(
            beginning in prop::collection::vec(any::<u8>(), 0..20),
            ends in [prop::collection::vec(0u8..2, 0..20), prop::collection::vec(0u8..2, 0..20)],
            known in any::<prop::sample::Index>(),
        ) {
            let [word, other] = ends.map(|end| [beginning.clone(), end].concat());
            let pairs = word.iter().zip(&other);
            let expected = pairs.take_while(|(a, b)| a == b).count();
            let known = known.index(beginning.len() + 1);
            prop_assert_eq!(shared_bytes(&word, &other, known), expected);
        }

        #[test]
        fn words_come_sorted_and_those_of_the_first_source_first(
            sources in prop::collection::vec(words(), 1..12),
        ) {
            let mut rests: Vec<&[Vec<u8>]> = sources.iter().map(Vec::as_slice).collect();
            let mut tournament = Tournament::new(rests.len(), &rests);
            let mut merged = Vec::new();
            while let Some(winner) = tournament.winner() {
                let (word, rest) = rests[winner].split_first().unwrap();
                merged.push((word.clone(), winner));
                rests[winner] = rest;
                let shared = rest.first().map(|next| shared_bytes(word, next, 0));
                tournament.advance(shared, &rests);
            }
            let numbered = sources.iter().zip(0..);
            let mut expected: Vec<(Vec<u8>, usize)> = numbered
                .flat_map(|(words, source)| words.iter().map(move |word| (word.clone(), source)))
                .collect();
            expected.sort();
            prop_assert_eq!(merged, expected);
        }
    }
}
