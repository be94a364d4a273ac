//! Sorting that can be stopped: a million rows take a second, in which nobody would notice that they are not wanted any more.

use std::cmp::Ordering;

use crate::budget::{Budget, Cut};

/// So many rows are sorted, or merged, between two looks at the budget: a few milliseconds' worth.
const ROWS_PER_CHECK: usize = 4096;

/// Sorts; equals stay in their order. Rows that are cut are lost.
pub(crate) fn sort_by<T>(
    rows: &mut Vec<T>,
    budget: &Budget,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Result<(), Cut> {
    let mut runs: Vec<Vec<T>> = Vec::with_capacity(rows.len().div_ceil(ROWS_PER_CHECK));
    let mut left = std::mem::take(rows).into_iter();
    loop {
        budget.check()?;
        let mut run: Vec<T> = left.by_ref().take(ROWS_PER_CHECK).collect();
        if run.is_empty() {
            break;
        }
        run.sort_by(&compare);
        runs.push(run);
    }
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        let mut pairs = runs.into_iter();
        while let Some(first) = pairs.next() {
            merged.push(match pairs.next() {
                Some(second) => merge(first, second, budget, &compare)?,
                None => first,
            });
        }
        runs = merged;
    }
    *rows = runs.pop().unwrap_or_default();
    Ok(())
}

/// Two sorted runs as one. Of equals those of the first come first.
fn merge<T>(
    first: Vec<T>,
    second: Vec<T>,
    budget: &Budget,
    compare: &impl Fn(&T, &T) -> Ordering,
) -> Result<Vec<T>, Cut> {
    let mut merged = Vec::with_capacity(first.len() + second.len());
    let mut first = first.into_iter().peekable();
    let mut second = second.into_iter().peekable();
    while let (Some(a), Some(b)) = (first.peek(), second.peek()) {
        if merged.len().is_multiple_of(ROWS_PER_CHECK) {
            budget.check()?;
        }
        let next = match compare(a, b) {
            Ordering::Greater => second.next(),
            _ => first.next(),
        };
        merged.extend(next);
    }
    merged.extend(first);
    merged.extend(second);
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering as Atomic};
    use std::time::Instant;

    use proptest::prelude::*;

    use super::*;
    use crate::{Cancel, Clock};

    fn patient() -> Budget {
        Budget::new(Clock::new(Instant::now), None, Cancel::default())
    }

    proptest! {
        #[test]
        fn sorts_as_the_standard_library_does(
            mut rows in proptest::collection::vec((0u8..9, any::<u16>()), 0..300),
            copies in 1usize..60,
        ) {
            rows = rows.repeat(copies);
            let mut expected = rows.clone();
            expected.sort_by_key(|(key, _)| *key);
            sort_by(&mut rows, &patient(), |a, b| a.0.cmp(&b.0)).expect("nobody stops it");
            prop_assert_eq!(rows, expected);
        }
    }

    /// Counts comparisons after the switch was turned.
    #[test]
    fn stops_within_one_stretch() {
        for comparisons_before in [0, 100_000, 500_000, 900_000] {
            let cancel = Cancel::default();
            let budget = Budget::new(Clock::new(Instant::now), None, cancel.clone());
            let compared = Arc::new(AtomicUsize::new(0));
            let mut rows: Vec<u32> = (0..100_000u32)
                .map(|row| row.wrapping_mul(0x9e37_79b9))
                .collect();
            let sorted = sort_by(&mut rows, &budget, |a, b| {
                if compared.fetch_add(1, Atomic::Relaxed) == comparisons_before {
                    cancel.cancel();
                }
                a.cmp(b)
            });
            assert_eq!(sorted, Err(Cut::Cancelled));
            let after = compared.load(Atomic::Relaxed) - comparisons_before;
            // A run of 4096 takes about 12 comparisons for each of its rows.
            assert!(after <= ROWS_PER_CHECK * 14, "{after} comparisons");
        }
    }
}
