//! The distinct tokens of a slot, found without hashing: tokens are numbered.

use super::super::tokenized::TokenId;

/// Which tokens were met in the slot at hand; kept from slot to slot.
#[derive(Debug)]
pub(super) struct DistinctIds {
    /// By token, the round in which it was met last, and its code there.
    met: Vec<(u32, u16)>,
    round: u32,
}

impl DistinctIds {
    pub(super) fn new(tokens: usize) -> DistinctIds {
        DistinctIds {
            met: vec![(0, 0); tokens],
            round: 0,
        }
    }

    /// The distinct tokens in the order they are met, unless there are more than `distinct_max`.
    pub(super) fn of(&mut self, ids: &[TokenId], distinct_max: usize) -> Option<Vec<TokenId>> {
        self.round += 1;
        let mut distinct = Vec::new();
        for id in ids {
            let (round, _) = self.met.get_mut(*id as usize)?;
            if *round == self.round {
                continue;
            }
            *round = self.round;
            if distinct.len() == distinct_max {
                return None;
            }
            distinct.push(*id);
        }
        Some(distinct)
    }

    /// The index of every token in `values`, which holds them all.
    pub(super) fn codes(&mut self, ids: &[TokenId], values: &[TokenId]) -> Vec<u16> {
        for (code, id) in (0u16..).zip(values) {
            if let Some((_, known)) = self.met.get_mut(*id as usize) {
                *known = code;
            }
        }
        let code = |id: &TokenId| self.met.get(*id as usize).map_or(0, |(_, code)| *code);
        ids.iter().map(code).collect()
    }
}
