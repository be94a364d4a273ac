//! What a query would do and cost, asked without running it.

use std::collections::BTreeMap;

use cordwood_engine::{Cancel, Incomplete, QueryPlan};
use cordwood_event::{SourceId, Timestamp};

use super::{SearchRequest, staged};
use crate::retention::cut_by_retention;
use crate::{Access, Caller, Error, QueryProblem, Service};

/// A query explained.
#[derive(Clone, Debug)]
pub struct QueryExplained {
    /// The query as understood.
    pub query: String,
    /// The sources it would search.
    pub sources: Vec<SourceId>,
    /// The sources whose retention or size cuts off the start of the range: from when on their events are kept.
    pub kept_from: BTreeMap<SourceId, Timestamp>,
    /// What it would do.
    pub plan: QueryPlan,
    /// Remarks on the query text.
    pub hints: Vec<QueryProblem>,
}

impl Service {
    /// Says what [`search`](Service::search) would do with the same request: what pruning leaves of the caller's sources, and
    /// what reading the rest would take. Reads no event.
    pub fn explain_query(
        &self,
        caller: &Caller,
        request: &SearchRequest,
        cancel: &Cancel,
    ) -> Result<QueryExplained, Error> {
        caller.require(Access::Read)?;
        let request = &self.resolved(caller, request)?;
        let question = self.understand(caller, request)?;
        let snapshot = self.store.snapshot();
        let asked = self.engine_request(&question, request, cancel);
        let asked = staged::staged_request(&question, &asked);
        let plan = self.engine.explain(&snapshot, &asked);
        if plan.incomplete.contains(&Incomplete::Cancelled) {
            return Err(Error::Cancelled);
        }
        Ok(QueryExplained {
            query: question.query.to_string(),
            sources: question.sources.iter().map(|source| source.id).collect(),
            kept_from: cut_by_retention(&question.sources, plan.range, &snapshot, question.now),
            plan,
            hints: question.hints,
        })
    }
}
