//! The bitmap against a set of rows.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::Selection;

fn of(rows: usize, members: &BTreeSet<usize>) -> Selection {
    let mut selection = Selection::none(rows);
    for row in members {
        selection.insert(*row);
    }
    selection
}

fn members(rows: usize) -> impl Strategy<Value = BTreeSet<usize>> {
    proptest::collection::btree_set(0..rows, 0..rows)
}

fn two_sets() -> impl Strategy<Value = (usize, BTreeSet<usize>, BTreeSet<usize>)> {
    (1usize..200).prop_flat_map(|rows| (Just(rows), members(rows), members(rows)))
}

proptest! {
    #[test]
    fn behaves_as_a_set((rows, a, b) in two_sets(), start in 0usize..220, length in 0usize..220) {
        let (left, right) = (of(rows, &a), of(rows, &b));
        prop_assert_eq!(left.iter().collect::<Vec<_>>(), a.iter().copied().collect::<Vec<_>>());
        prop_assert_eq!(
            left.iter_backwards().collect::<Vec<_>>(),
            a.iter().rev().copied().collect::<Vec<_>>()
        );
        prop_assert_eq!(left.count(), a.len());
        prop_assert_eq!(left.is_empty(), a.is_empty());

        let combined = |with: fn(&mut Selection, &Selection)| {
            let mut result = left.clone();
            with(&mut result, &right);
            result
        };
        prop_assert_eq!(combined(Selection::intersect), of(rows, &(&a & &b)));
        prop_assert_eq!(combined(Selection::union), of(rows, &(&a | &b)));
        prop_assert_eq!(combined(Selection::subtract), of(rows, &(&a - &b)));

        let range = start..start + length;
        let inside: BTreeSet<usize> = a.iter().copied().filter(|row| range.contains(row)).collect();
        prop_assert_eq!(left.count_in(range.clone()), inside.len());
        prop_assert_eq!(left.iter_in(range.clone()).collect::<BTreeSet<_>>(), inside.clone());
        let mut kept = left.clone();
        kept.keep_range(range.clone());
        prop_assert_eq!(kept, of(rows, &inside));
        let odd: BTreeSet<usize> = a.iter().copied().filter(|row| row % 3 == 1).collect();
        prop_assert_eq!(left.filter(|row| row % 3 == 1), of(rows, &odd));
        prop_assert_eq!(Selection::all(rows).filter(|row| a.contains(&row)), of(rows, &a));
        prop_assert_eq!(Selection::of_words(rows, left.words().to_vec()), left.clone());
        let values: Vec<usize> = (0..rows).collect();
        prop_assert_eq!(left.filter_values(&values, |row| row % 3 == 1), of(rows, &odd));
        prop_assert_eq!(
            Selection::all(rows).filter_values(&values, |row| a.contains(&row)),
            of(rows, &a)
        );
        let codes: Vec<u8> = (0..rows).map(|row| (row % 5).to_le_bytes()[0]).collect();
        for holds in [[false; 5], [true; 5], [false, true, true, false, false], [true, false, true, false, true]] {
            let held: BTreeSet<usize> = a.iter().copied().filter(|row| holds[row % 5]).collect();
            prop_assert_eq!(left.filter_codes(&codes, &holds), of(rows, &held));
        }
        prop_assert_eq!(left.is_all(), a.len() == rows);
        let whole: BTreeSet<usize> = range.clone().filter(|row| *row < rows).collect();
        prop_assert_eq!(Selection::range(rows, range), of(rows, &whole));
    }
}

#[test]
fn all_ends_at_the_last_row() {
    for rows in [0, 1, 63, 64, 65, 128] {
        assert_eq!(Selection::all(rows).count(), rows);
    }
}
