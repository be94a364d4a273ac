//! The filter tree.

use cordwood_event::SourceId;

use crate::{Clause, SourcePredicate, Target};

/// Which events a query is about. Displays as canonical text, which parses to an equal filter.
///
/// [`Filter::and`], [`Filter::or`] and [`Filter::negated`] make trees in the parser's own form: no `And`
/// directly inside an `And`, none with fewer than two members, and the same for `Or`.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Every event.
    All,
    /// All members hold.
    And(Vec<Filter>),
    /// At least one member holds.
    Or(Vec<Filter>),
    /// The member does not hold.
    Not(Box<Filter>),
    /// One condition.
    Clause(Clause),
}

impl Filter {
    /// All of `members`. [`Filter::All`] among them says nothing and is left out.
    pub fn and(members: Vec<Filter>) -> Filter {
        let mut flat = Vec::with_capacity(members.len());
        for member in members {
            match member {
                Filter::All => {}
                Filter::And(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Filter::All,
            1 => flat.remove(0),
            _ => Filter::And(flat),
        }
    }

    /// Any of `members`; of none, every event.
    pub fn or(members: Vec<Filter>) -> Filter {
        let mut flat = Vec::with_capacity(members.len());
        for member in members {
            match member {
                Filter::Or(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Filter::All,
            1 => flat.remove(0),
            _ => Filter::Or(flat),
        }
    }

    /// The events this filter does not hold for.
    pub fn negated(self) -> Filter {
        Filter::Not(Box::new(self))
    }

    /// All clauses, in the order of the text, those below a negation too.
    pub fn clauses(&self) -> Vec<&Clause> {
        let mut clauses = Vec::new();
        self.collect_clauses(&mut clauses);
        clauses
    }

    fn collect_clauses<'a>(&'a self, clauses: &mut Vec<&'a Clause>) {
        match self {
            Filter::All => {}
            Filter::And(members) | Filter::Or(members) => {
                for member in members {
                    member.collect_clauses(clauses);
                }
            }
            Filter::Not(member) => member.collect_clauses(clauses),
            Filter::Clause(clause) => clauses.push(clause),
        }
    }

    /// Whether an event of this source can match, as far as the `_source` clauses tell. Never false
    /// for a source that holds a match.
    pub fn admits_source(&self, source: SourceId, source_name: &str) -> bool {
        self.source_verdict(source, source_name) != Some(false)
    }

    /// The truth of the filter where the source alone decides it.
    fn source_verdict(&self, source: SourceId, source_name: &str) -> Option<bool> {
        match self {
            Filter::All => Some(true),
            Filter::Not(member) => member.source_verdict(source, source_name).map(|held| !held),
            Filter::And(members) => Self::decide(members, source, source_name, false),
            Filter::Or(members) => Self::decide(members, source, source_name, true),
            Filter::Clause(clause) => match clause.target {
                Target::Source => {
                    Some(SourcePredicate::new(&clause.test).matches(source, source_name))
                }
                _ => None,
            },
        }
    }

    /// `decisive` is the verdict of one member that settles the whole.
    fn decide(
        members: &[Filter],
        source: SourceId,
        source_name: &str,
        decisive: bool,
    ) -> Option<bool> {
        let mut is_certain = true;
        for member in members {
            match member.source_verdict(source, source_name) {
                Some(verdict) if verdict == decisive => return Some(decisive),
                Some(_) => {}
                None => is_certain = false,
            }
        }
        is_certain.then_some(!decisive)
    }
}

impl From<Clause> for Filter {
    fn from(clause: Clause) -> Filter {
        Filter::Clause(clause)
    }
}
