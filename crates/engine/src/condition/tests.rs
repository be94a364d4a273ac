//! Trees over random clauses, against plain logic row by row.

use std::cell::RefCell;
use std::convert::Infallible;

use proptest::prelude::*;

use super::{ClauseId, Condition, EvaluateClause};
use crate::selection::Selection;

const ROWS: usize = 70;

/// Clauses that hold for fixed sets of rows and cost what they are told to; remembers what it was asked.
#[derive(Debug)]
struct Fixed {
    held: Vec<Selection>,
    costs: Vec<u64>,
    asked: RefCell<Vec<(usize, usize)>>,
}

impl Fixed {
    fn new(held: &[Vec<usize>], costs: &[u64]) -> Fixed {
        let selection = |rows: &Vec<usize>| {
            let mut selection = Selection::none(ROWS);
            rows.iter().for_each(|row| selection.insert(*row));
            selection
        };
        Fixed {
            held: held.iter().map(selection).collect(),
            costs: costs.to_vec(),
            asked: RefCell::new(Vec::new()),
        }
    }
}

impl EvaluateClause for Fixed {
    type Error = Infallible;

    fn cost(&self, clause: ClauseId, _rows: usize) -> u64 {
        self.costs[clause.0]
    }

    fn evaluate(&self, clause: ClauseId, among: &Selection) -> Result<Selection, Infallible> {
        self.asked.borrow_mut().push((clause.0, among.count()));
        let mut held = self.held[clause.0].clone();
        held.intersect(among);
        Ok(held)
    }
}

fn tree() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![
        6 => (0usize..4).prop_map(|clause| Condition::Clause(ClauseId(clause))),
        1 => any::<bool>().prop_map(Condition::Constant),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        let terms = || proptest::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            terms().prop_map(|terms| Condition::and(terms.into_iter())),
            terms().prop_map(|terms| Condition::or(terms.into_iter())),
            inner.clone().prop_map(Condition::negated),
        ]
    })
}

fn holds(tree: &Condition, clause_holds: &impl Fn(usize) -> bool) -> bool {
    match tree {
        Condition::Constant(held) => *held,
        Condition::And(terms) => terms.iter().all(|term| holds(term, clause_holds)),
        Condition::Or(terms) => terms.iter().any(|term| holds(term, clause_holds)),
        Condition::Not(term) => !holds(term, clause_holds),
        Condition::Clause(clause) => clause_holds(clause.0),
    }
}

fn has_inner_constant(tree: &Condition) -> bool {
    let is_constant = |term: &Condition| matches!(term, Condition::Constant(_));
    match tree {
        Condition::Constant(_) | Condition::Clause(_) => false,
        Condition::And(terms) | Condition::Or(terms) => {
            terms.len() < 2
                || terms
                    .iter()
                    .any(|term| is_constant(term) || has_inner_constant(term))
        }
        Condition::Not(term) => is_constant(term) || has_inner_constant(term),
    }
}

fn four_sets() -> impl Strategy<Value = Vec<Vec<usize>>> {
    proptest::collection::vec(proptest::collection::vec(0..ROWS, 0..ROWS), 4)
}

proptest! {
    #[test]
    fn agrees_with_plain_logic(
        tree in tree(),
        held in four_sets(),
        costs in proptest::collection::vec(0u64..3, 4),
        among in proptest::collection::vec(0..ROWS, 0..ROWS),
        decided in proptest::collection::vec(any::<bool>(), 4),
    ) {
        prop_assert!(!has_inner_constant(&tree));
        let mut start = Selection::none(ROWS);
        among.iter().for_each(|row| start.insert(*row));
        let clauses = Fixed::new(&held, &costs);
        let Ok(found) = tree.evaluate(&clauses, start);
        let found: Vec<usize> = found.iter().collect();
        for row in 0..ROWS {
            let expected = among.contains(&row) && holds(&tree, &|clause| held[clause].contains(&row));
            prop_assert_eq!(found.contains(&row), expected, "row {}", row);
        }

        // Clauses 0 and 1 are decided; the rest of the tree must still mean the same.
        let narrowed = tree.decide(&mut |clause| (clause.0 < 2).then(|| decided[clause.0]));
        prop_assert!(!has_inner_constant(&narrowed));
        for row in 0..ROWS {
            let clause_holds = |clause: usize| if clause < 2 { decided[clause] } else { held[clause].contains(&row) };
            prop_assert_eq!(holds(&narrowed, &clause_holds), holds(&tree, &clause_holds));
        }
    }
}

#[test]
fn the_cheapest_goes_first_and_the_others_see_what_it_left() {
    let clauses = Fixed::new(&[(0..ROWS).collect(), vec![1, 2, 3], vec![2]], &[9, 1, 5]);
    let clause = |index| Condition::Clause(ClauseId(index));
    let all_three = Condition::and([clause(0), clause(1), clause(2)].into_iter());
    let Ok(found) = all_three.evaluate(&clauses, Selection::all(ROWS));
    assert_eq!(found.iter().collect::<Vec<_>>(), [2]);
    assert_eq!(*clauses.asked.borrow(), [(1, ROWS), (2, 3), (0, 1)]);
}

#[test]
fn nothing_is_asked_once_all_rows_are_settled() {
    let clauses = Fixed::new(&[vec![], (0..ROWS).collect()], &[0, 1]);
    let clause = |index| Condition::Clause(ClauseId(index));
    let none = Condition::and([clause(1), clause(0)].into_iter());
    let Ok(found) = none.evaluate(&clauses, Selection::all(ROWS));
    assert!(found.is_empty());
    assert_eq!(*clauses.asked.borrow(), [(0, ROWS)]);

    clauses.asked.borrow_mut().clear();
    let inverted = Fixed::new(&[vec![], (0..ROWS).collect()], &[1, 0]);
    let all = Condition::or([clause(0), clause(1)].into_iter());
    let Ok(found) = all.evaluate(&inverted, Selection::all(ROWS));
    assert_eq!(found.count(), ROWS);
    assert_eq!(*inverted.asked.borrow(), [(1, ROWS)]);
}
