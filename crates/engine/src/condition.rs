//! A filter as the engine evaluates it: a tree over numbered clauses, in which what is already known has been
//! folded away.

use cordwood_query::{Clause, Filter};

use crate::selection::Selection;

/// A clause, by its place in [`Filter::clauses`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ClauseId(pub(crate) usize);

/// The tree. Made by the functions below only, so a constant stands alone or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Constant(bool),
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Clause(ClauseId),
}

impl Condition {
    /// The tree of a filter, and its clauses by [`ClauseId`].
    pub(crate) fn of(filter: &Filter) -> (Condition, Vec<&Clause>) {
        let mut clauses = Vec::new();
        let condition = Condition::collect(filter, &mut clauses);
        (condition, clauses)
    }

    /// The same of a filter and of several more, whose clauses are numbered on.
    pub(crate) fn of_several<'a>(
        first: &'a Filter,
        others: &'a [Filter],
    ) -> (Condition, Vec<Condition>, Vec<&'a Clause>) {
        let (condition, mut clauses) = Condition::of(first);
        let others = others
            .iter()
            .map(|filter| Condition::collect(filter, &mut clauses));
        let others = others.collect();
        (condition, others, clauses)
    }

    fn collect<'a>(filter: &'a Filter, clauses: &mut Vec<&'a Clause>) -> Condition {
        match filter {
            Filter::All => Condition::Constant(true),
            Filter::And(terms) => {
                Condition::and(terms.iter().map(|term| Condition::collect(term, clauses)))
            }
            Filter::Or(terms) => {
                Condition::or(terms.iter().map(|term| Condition::collect(term, clauses)))
            }
            Filter::Not(term) => Condition::collect(term, clauses).negated(),
            Filter::Clause(clause) => {
                clauses.push(clause);
                Condition::Clause(ClauseId(clauses.len() - 1))
            }
        }
    }

    fn and(terms: impl Iterator<Item = Condition>) -> Condition {
        match undecided(terms, false) {
            None => Condition::Constant(false),
            Some(mut terms) => match terms.len() {
                0 => Condition::Constant(true),
                1 => terms.remove(0),
                _ => Condition::And(terms),
            },
        }
    }

    pub(crate) fn or(terms: impl Iterator<Item = Condition>) -> Condition {
        match undecided(terms, true) {
            None => Condition::Constant(true),
            Some(mut terms) => match terms.len() {
                0 => Condition::Constant(false),
                1 => terms.remove(0),
                _ => Condition::Or(terms),
            },
        }
    }

    fn negated(self) -> Condition {
        match self {
            Condition::Constant(held) => Condition::Constant(!held),
            Condition::Not(term) => *term,
            term => Condition::Not(Box::new(term)),
        }
    }

    /// The clauses of the tree, each once.
    pub(crate) fn clauses(&self) -> Vec<ClauseId> {
        let mut clauses = match self {
            Condition::Constant(_) => Vec::new(),
            Condition::Clause(clause) => vec![*clause],
            Condition::Not(term) => term.clauses(),
            Condition::And(terms) | Condition::Or(terms) => {
                terms.iter().flat_map(Condition::clauses).collect()
            }
        };
        clauses.sort_unstable();
        clauses.dedup();
        clauses
    }

    /// Whether the condition holds when some clauses are known to hold or not; `None` when it depends on the others.
    pub(crate) fn known(
        &self,
        of_clause: &mut impl FnMut(ClauseId) -> Option<bool>,
    ) -> Option<bool> {
        let (terms, decisive) = match self {
            Condition::Constant(held) => return Some(*held),
            Condition::Clause(clause) => return of_clause(*clause),
            Condition::Not(term) => return term.known(of_clause).map(|held| !held),
            Condition::And(terms) => (terms, false),
            Condition::Or(terms) => (terms, true),
        };
        let mut is_open = false;
        for term in terms {
            match term.known(of_clause) {
                Some(held) if held == decisive => return Some(decisive),
                Some(_) => {}
                None => is_open = true,
            }
        }
        (!is_open).then_some(!decisive)
    }

    /// The tree that is left when `decide` says of some clauses that they hold for all events concerned, or none.
    pub(crate) fn decide(&self, decide: &mut impl FnMut(ClauseId) -> Option<bool>) -> Condition {
        match self {
            Condition::Constant(held) => Condition::Constant(*held),
            Condition::And(terms) => Condition::and(terms.iter().map(|term| term.decide(decide))),
            Condition::Or(terms) => Condition::or(terms.iter().map(|term| term.decide(decide))),
            Condition::Not(term) => term.decide(decide).negated(),
            Condition::Clause(clause) => {
                decide(*clause).map_or(Condition::Clause(*clause), Condition::Constant)
            }
        }
    }
}

/// The terms that are no constants; `None` when one of them is `decisive` for the whole. Stops there, so that what
/// comes after it is not even looked at.
fn undecided(terms: impl Iterator<Item = Condition>, decisive: bool) -> Option<Vec<Condition>> {
    let mut left = Vec::new();
    for term in terms {
        match term {
            Condition::Constant(held) if held == decisive => return None,
            Condition::Constant(_) => {}
            term => left.push(term),
        }
    }
    Some(left)
}

/// Evaluates single clauses on the rows of one block.
pub(crate) trait EvaluateClause {
    type Error;

    /// What it costs to evaluate the clause on about `rows` rows, in no particular unit.
    fn cost(&self, clause: ClauseId, rows: usize) -> u64;

    /// Those rows of `among` for which the clause holds.
    fn evaluate(&self, clause: ClauseId, among: &Selection) -> Result<Selection, Self::Error>;
}

impl Condition {
    /// Those rows of `among` for which the condition holds. Of terms side by side the cheapest goes first, and
    /// each sees only the rows the ones before it left open.
    pub(crate) fn evaluate<E: EvaluateClause>(
        &self,
        clauses: &E,
        among: Selection,
    ) -> Result<Selection, E::Error> {
        if among.is_empty() {
            return Ok(among);
        }
        match self {
            Condition::Constant(true) => Ok(among),
            Condition::Constant(false) => Ok(Selection::none(among.rows())),
            Condition::Clause(clause) => clauses.evaluate(*clause, &among),
            Condition::Not(term) => {
                let held = term.evaluate(clauses, among.clone())?;
                let mut left = among;
                left.subtract(&held);
                Ok(left)
            }
            Condition::And(terms) => {
                let mut left = among;
                for term in by_cost(terms, clauses, left.count()) {
                    left = term.evaluate(clauses, left)?;
                    if left.is_empty() {
                        break;
                    }
                }
                Ok(left)
            }
            Condition::Or(terms) => {
                let mut held = Selection::none(among.rows());
                let mut open = among;
                for term in by_cost(terms, clauses, open.count()) {
                    let more = term.evaluate(clauses, open.clone())?;
                    open.subtract(&more);
                    held.union(&more);
                    if open.is_empty() {
                        break;
                    }
                }
                Ok(held)
            }
        }
    }

    /// About what evaluating the condition takes, in the units of its clauses.
    pub(crate) fn cost(&self, clauses: &impl EvaluateClause, rows: usize) -> u64 {
        match self {
            Condition::Constant(_) => 0,
            Condition::Clause(clause) => clauses.cost(*clause, rows),
            Condition::Not(term) => term.cost(clauses, rows),
            Condition::And(terms) | Condition::Or(terms) => {
                terms.iter().map(|term| term.cost(clauses, rows)).sum()
            }
        }
    }
}

fn by_cost<'a>(
    terms: &'a [Condition],
    clauses: &impl EvaluateClause,
    rows: usize,
) -> Vec<&'a Condition> {
    let mut sorted: Vec<&Condition> = terms.iter().collect();
    sorted.sort_by_cached_key(|term| term.cost(clauses, rows));
    sorted
}

#[cfg(test)]
mod tests;
