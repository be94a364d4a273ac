//! The distinct values of a column and how often each occurs, given up once there are too many.

use std::cmp::Ordering;
use std::hash::BuildHasher;

use cordwood_event::Scalar;
use hashbrown::HashTable;

use super::bitpack::{bit_width, packed_len};
use crate::column::ScalarKind;

/// The distinct values, sorted, and the code of every value.
#[derive(Debug)]
pub(crate) struct Distinct<'a> {
    pub(crate) values: Vec<Scalar<'a>>,
    pub(crate) codes: Vec<u16>,
}

impl<'a> Distinct<'a> {
    /// `None` if there are more than `distinct_max`.
    pub(crate) fn of(values: &[Scalar<'a>], distinct_max: usize) -> Option<Distinct<'a>> {
        let hasher = rapidhash::fast::RandomState::new();
        let mut table: HashTable<(u64, u16)> = HashTable::new();
        let mut distinct: Vec<Scalar<'a>> = Vec::new();
        let mut codes: Vec<u16> = Vec::with_capacity(values.len());
        let mut previous: Option<(Scalar<'a>, u16)> = None;
        for value in values {
            if let Some((same, code)) = previous
                && is_same(same, *value)
            {
                codes.push(code);
                continue;
            }
            let hash = hash_of(*value, &hasher);
            let is_known = |(other_hash, code): &(u64, u16)| {
                let known = distinct.get(usize::from(*code));
                *other_hash == hash && known.is_some_and(|known| is_same(*known, *value))
            };
            let code = match table.find(hash, is_known) {
                Some((_, code)) => *code,
                None if distinct.len() == distinct_max => return None,
                None => {
                    let code = u16::try_from(distinct.len()).ok()?;
                    distinct.push(*value);
                    table.insert_unique(hash, (hash, code), |(hash, _)| *hash);
                    code
                }
            };
            previous = Some((*value, code));
            codes.push(code);
        }
        Some(sorted(&distinct, codes))
    }

    /// How many rows have each code.
    pub(crate) fn rows_by_code(&self) -> Vec<u32> {
        let mut rows = vec![0; self.values.len()];
        for code in &self.codes {
            if let Some(rows) = rows.get_mut(usize::from(*code)) {
                *rows += 1;
            }
        }
        rows
    }

    /// About how many bytes the codes take in the best of their modes.
    pub(crate) fn code_bytes(&self) -> usize {
        let width = bit_width(self.values.len().saturating_sub(1) as u64);
        let runs = self.codes.chunk_by(|a, b| a == b).count();
        let run_bytes = packed_len(runs, width + 8);
        packed_len(self.codes.len(), width)
            .min(run_bytes)
            .min(self.entropy_bytes())
    }

    fn entropy_bytes(&self) -> usize {
        /// Entropy coding works on bytes.
        const CODES_MAX: usize = 256;
        if self.values.len() > CODES_MAX {
            return usize::MAX;
        }
        let mut counts = [0u32; CODES_MAX];
        for code in &self.codes {
            if let Some(count) = counts.get_mut(usize::from(*code)) {
                *count += 1;
            }
        }
        let total = f64::from(u32::try_from(self.codes.len()).unwrap_or(u32::MAX));
        let bits: f64 = counts
            .into_iter()
            .filter(|count| *count > 0)
            .map(|count| f64::from(count) * (total / f64::from(count)).log2().max(0.125))
            .sum();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an estimate, positive and below eight times the count"
        )]
        let bytes = (bits / 8.0) as usize;
        bytes
    }
}

/// Sorts the values and translates the codes.
fn sorted<'a>(distinct: &[Scalar<'a>], mut codes: Vec<u16>) -> Distinct<'a> {
    let mut by_value: Vec<(u16, Scalar<'a>)> = (0..).zip(distinct.iter().copied()).collect();
    by_value.sort_unstable_by(|(_, a), (_, b)| compare(*a, *b));
    let mut translated = vec![0u16; distinct.len()];
    for (new, (old, _)) in (0..).zip(&by_value) {
        if let Some(code) = translated.get_mut(usize::from(*old)) {
            *code = new;
        }
    }
    for code in &mut codes {
        *code = translated.get(usize::from(*code)).copied().unwrap_or(0);
    }
    Distinct {
        values: by_value.into_iter().map(|(_, value)| value).collect(),
        codes,
    }
}

/// The same kind and the same bits: `0.0` and `-0.0` differ.
fn is_same(a: Scalar<'_>, b: Scalar<'_>) -> bool {
    match (a, b) {
        (Scalar::Float(a), Scalar::Float(b)) => a.to_bits() == b.to_bits(),
        (a, b) => a == b,
    }
}

/// By kind, then by value; text by bytes.
pub(crate) fn compare(a: Scalar<'_>, b: Scalar<'_>) -> Ordering {
    match (a, b) {
        (Scalar::Bool(a), Scalar::Bool(b)) => a.cmp(&b),
        (Scalar::Int(a), Scalar::Int(b)) => a.cmp(&b),
        (Scalar::Float(a), Scalar::Float(b)) => a.total_cmp(&b),
        (Scalar::Str(a), Scalar::Str(b)) | (Scalar::Json(a), Scalar::Json(b)) => a.cmp(b),
        (a, b) => ScalarKind::of(a).cmp(&ScalarKind::of(b)),
    }
}

fn hash_of(value: Scalar<'_>, hasher: &impl BuildHasher) -> u64 {
    match value {
        Scalar::Null => 0,
        Scalar::Bool(boolean) => hasher.hash_one(boolean),
        Scalar::Int(integer) => hasher.hash_one(integer),
        Scalar::Float(float) => hasher.hash_one(float.to_bits()),
        Scalar::Str(text) | Scalar::Json(text) => hasher.hash_one(text.as_bytes()),
    }
}
