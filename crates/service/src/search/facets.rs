//! The fields of what a query finds, for somebody who does not know them yet.

use cordwood_engine::{self as engine, Cancel, Facets, Incomplete};
use cordwood_query::{Filter, Query, Stage};

use super::{Account, SearchRequest, account_of};
use crate::ingest::RETRY_AFTER_BUSY;
use crate::sources::within;
use crate::{Access, Caller, Error, QueryProblem, Service};

/// Values of each field unless asked otherwise.
pub const FACET_VALUES_DEFAULT: usize = 10;
/// Values of each field at most: a list to choose from, no export.
pub const FACET_VALUES_MAX: usize = 100;
/// Fields that may be named: each is a question of its own over all that match.
pub const FACET_FIELDS_MAX: usize = 20;

/// A question for facets.
#[derive(Clone, Debug, Default)]
pub struct FacetsRequest {
    /// The query, its sources, range and deadline; the rest does not count. Of stages it may have `where`.
    pub search: SearchRequest,
    /// The fields asked for, at most [`FACET_FIELDS_MAX`]; none for the commonest.
    pub fields: Vec<String>,
    /// How many values of each, [`FACET_VALUES_DEFAULT`] when `None`, up to [`FACET_VALUES_MAX`].
    pub values: Option<usize>,
}

/// The facets, and all fields.
#[derive(Debug)]
pub struct FacetsAnswer {
    /// What was found.
    pub found: Facets,
    /// What was read to answer.
    pub account: Account,
    /// Remarks on the query text.
    pub hints: Vec<QueryProblem>,
}

impl Service {
    /// Finds the fields of the events of a query, and the commonest values of some.
    pub fn facets(
        &self,
        caller: &Caller,
        request: &FacetsRequest,
        cancel: &Cancel,
    ) -> Result<FacetsAnswer, Error> {
        caller.require(Access::Read)?;
        let (default, max) = (FACET_VALUES_DEFAULT, FACET_VALUES_MAX);
        let values_max = within("values", request.values, default, max)?;
        check_fields(&request.fields)?;
        let search = SearchRequest {
            cursor: None,
            batch_size: None,
            total: false,
            ..request.search.clone()
        };
        let mut question = self.understand(caller, &search)?;
        question.query = Query {
            filter: filter_of(&question.query)?,
            stages: Vec::new(),
        };
        let snapshot = self.store.snapshot();
        let asked = engine::FacetsRequest {
            search: self.engine_request(&question, &search, cancel),
            fields: request.fields.clone(),
            values_max,
        };
        let found = self.engine.facets(&snapshot, &asked);
        let found = found.map_err(|error| Error::internal("counting values", error))?;
        let incomplete = &found.account.incomplete;
        if incomplete.contains(&Incomplete::Cancelled) {
            return Err(Error::Cancelled);
        }
        if found.facets.is_empty() && incomplete.contains(&Incomplete::Memory) {
            return Err(Error::Busy {
                retry_after: RETRY_AFTER_BUSY,
            });
        }
        self.counters.count_search(&found.account);
        Ok(FacetsAnswer {
            account: account_of(&question, &found.account, &snapshot),
            found,
            hints: question.hints,
        })
    }
}

fn check_fields(fields: &[String]) -> Result<(), Error> {
    let wrong = |message: String| Error::InvalidParameter {
        parameter: "field",
        message,
        hint: None,
    };
    if fields.len() > FACET_FIELDS_MAX {
        return Err(wrong(format!(
            "there are {} fields, and at most {FACET_FIELDS_MAX} can be asked for at once",
            fields.len()
        )));
    }
    match fields
        .iter()
        .find(|field| matches!(field.as_str(), "" | "*" | "dt" | "_id"))
    {
        None => Ok(()),
        Some(field) => Err(wrong(format!(
            "`{field}` is not a field whose values can be listed"
        ))),
    }
}

/// The filter that a query is, with `where` as a part of it. What other stages make of events cannot be listed from what is stored.
fn filter_of(query: &Query) -> Result<Filter, Error> {
    let mut terms = vec![query.filter.clone()];
    for stage in &query.stages {
        match stage {
            Stage::Where(filter) => terms.push(filter.clone()),
            _ => {
                return Err(Error::InvalidParameter {
                    parameter: "query",
                    message: "the fields of a query are those of its events, before any stage but `where`"
                        .to_owned(),
                    hint: Some(format!("leave out `| {stage}` and what follows")),
                });
            }
        }
    }
    Ok(Filter::and(terms))
}
