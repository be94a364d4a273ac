//! The one-event matcher: the meaning of a filter.

use std::collections::HashMap;

use cordwood_event::{Batch, EventId, EventRef, Level, Scalar, SourceId, Timestamp};

use crate::{
    Clause, CompiledClause, FieldName, Filter, IdPredicate, Interrupt, Reach, Row, SourcePredicate,
    TimePredicate,
};

/// Where an event came from and which number it was given; what the event itself does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The source.
    pub source: SourceId,
    /// The source's name.
    pub source_name: &'a str,
    /// The event's sequence number.
    pub sequence: u64,
}

/// A filter compiled to test single events.
#[derive(Clone, Debug)]
pub struct Matcher {
    root: Node,
}

#[derive(Clone, Debug)]
enum Node {
    All,
    And(Box<[Node]>),
    Or(Box<[Node]>),
    Not(Box<Node>),
    Clause(Box<CompiledClause>),
}

impl Matcher {
    /// Compiles a filter, with relative times counted from `now`.
    pub fn new(filter: &Filter, now: Timestamp) -> Matcher {
        Matcher {
            root: Node::new(filter, now),
        }
    }

    /// Compiles a single clause.
    pub fn of_clause(clause: &Clause, now: Timestamp) -> Matcher {
        Matcher {
            root: Node::Clause(Box::new(CompiledClause::new(clause, now))),
        }
    }

    /// The same filter, whose tests of text give up when interrupted.
    #[must_use]
    pub fn interrupted_by(self, interrupt: &Interrupt) -> Matcher {
        Matcher {
            root: self.root.interrupted_by(interrupt),
        }
    }

    /// Whether the filter holds for one event. For many events of one batch, see [`Self::in_batch`].
    pub fn matches(&self, event: EventRef<'_>, origin: &Origin<'_>) -> bool {
        self.root.matches(&Subject {
            event,
            origin,
            columns: None,
        })
    }

    /// Whether the filter holds for a row: what stages have made of events.
    pub fn matches_row(&self, row: &impl Row) -> bool {
        self.root.matches(row)
    }

    /// Prepares to test events of one batch: which of its fields each clause reaches is found out once.
    pub fn in_batch<'m>(&'m self, batch: &'m Batch) -> BatchMatcher<'m> {
        let mut columns = Columns::new();
        self.root.collect_columns(batch, &mut columns);
        BatchMatcher {
            matcher: self,
            columns,
        }
    }
}

/// A [`Matcher`] prepared for the events of one batch.
#[derive(Debug)]
pub struct BatchMatcher<'m> {
    matcher: &'m Matcher,
    columns: Columns<'m>,
}

impl BatchMatcher<'_> {
    /// Whether the filter holds for an event of the batch it was prepared for.
    pub fn matches(&self, event: EventRef<'_>, origin: &Origin<'_>) -> bool {
        self.matcher.root.matches(&Subject {
            event,
            origin,
            columns: Some(&self.columns),
        })
    }
}

/// For each field name: how it reaches each field of the batch, by [`FieldId`](cordwood_event::FieldId).
type Columns<'m> = HashMap<&'m str, Vec<Option<Reach<'m>>>>;

/// One event under test.
struct Subject<'a> {
    event: EventRef<'a>,
    origin: &'a Origin<'a>,
    columns: Option<&'a Columns<'a>>,
}

impl Node {
    fn new(filter: &Filter, now: Timestamp) -> Node {
        let nodes = |members: &[Filter]| {
            members
                .iter()
                .map(|member| Node::new(member, now))
                .collect()
        };
        match filter {
            Filter::All => Node::All,
            Filter::And(members) => Node::And(nodes(members)),
            Filter::Or(members) => Node::Or(nodes(members)),
            Filter::Not(member) => Node::Not(Box::new(Node::new(member, now))),
            Filter::Clause(clause) => Node::Clause(Box::new(CompiledClause::new(clause, now))),
        }
    }

    fn interrupted_by(self, interrupt: &Interrupt) -> Node {
        let each = |members: Box<[Node]>| {
            let members = members.into_iter();
            members
                .map(|member| member.interrupted_by(interrupt))
                .collect()
        };
        match self {
            Node::All => Node::All,
            Node::And(members) => Node::And(each(members)),
            Node::Or(members) => Node::Or(each(members)),
            Node::Not(member) => Node::Not(Box::new(member.interrupted_by(interrupt))),
            Node::Clause(clause) => Node::Clause(Box::new(clause.interrupted_by(interrupt))),
        }
    }

    fn matches(&self, row: &impl Row) -> bool {
        match self {
            Node::All => true,
            Node::And(members) => members.iter().all(|member| member.matches(row)),
            Node::Or(members) => members.iter().any(|member| member.matches(row)),
            Node::Not(member) => !member.matches(row),
            Node::Clause(clause) => clause.holds_for(row),
        }
    }

    fn collect_columns<'m>(&'m self, batch: &Batch, columns: &mut Columns<'m>) {
        match self {
            Node::All => {}
            Node::And(members) | Node::Or(members) => {
                for member in members {
                    member.collect_columns(batch, columns);
                }
            }
            Node::Not(member) => member.collect_columns(batch, columns),
            Node::Clause(clause) => {
                if let CompiledClause::Field(field, _) = &**clause {
                    columns.entry(field.as_str()).or_insert_with(|| {
                        batch.paths().iter().map(|path| field.reach(path)).collect()
                    });
                }
            }
        }
    }
}

impl Row for Subject<'_> {
    fn level(&self) -> Option<Level> {
        self.event.level()
    }

    fn any_raw_level(&self, holds: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
        self.event.get("level").is_some_and(holds)
    }

    fn any_field(&self, holds: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
        self.event.fields().any(|(_, value)| holds(value))
    }

    fn any_value(
        &self,
        field: &FieldName,
        holds: &mut dyn FnMut(Reach<'_>, Scalar<'_>) -> bool,
    ) -> bool {
        match self.columns.and_then(|columns| columns.get(field.as_str())) {
            Some(reaches) => {
                self.any_reached(holds, |index, _| reaches.get(index).copied().flatten())
            }
            None => self.any_reached(holds, |_, path| field.reach(path)),
        }
    }

    fn meets_time(&self, predicate: &TimePredicate) -> bool {
        predicate.matches(self.event.timestamp())
    }

    fn meets_source(&self, predicate: &SourcePredicate) -> bool {
        predicate.matches(self.origin.source, self.origin.source_name)
    }

    fn meets_id(&self, predicate: &IdPredicate) -> bool {
        predicate.matches(EventId {
            timestamp: self.event.timestamp(),
            sequence: self.origin.sequence,
        })
    }
}

impl Subject<'_> {
    fn any_reached<'f>(
        &self,
        holds: &mut dyn FnMut(Reach<'_>, Scalar<'_>) -> bool,
        reach: impl Fn(usize, &str) -> Option<Reach<'f>>,
    ) -> bool {
        let paths = self.event.batch().paths();
        self.event.fields().any(|(field, value): (_, Scalar<'_>)| {
            let index = field.index();
            reach(index, &paths[index]).is_some_and(|reach| holds(reach, value))
        })
    }
}
