//! The envelopes of Better Stack's REST API, which are those of JSON:API without its links.

use serde::Serialize;
use utoipa::ToSchema;

use crate::links::Links;

/// What stands in the `attributes` of a record.
pub(crate) trait Attributes: Serialize {
    /// The `type` of the record.
    const TYPE: &'static str;
}

/// One thing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Data<T> {
    data: T,
}

/// `{"data": …}`.
pub(crate) fn data<T>(data: T) -> Data<T> {
    Data { data }
}

/// A record of the server.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Record<A> {
    /// Its id, as text.
    id: String,
    /// What it is a record of.
    #[serde(rename = "type")]
    kind: &'static str,
    pub(crate) attributes: A,
}

/// One record; ids are text.
pub(crate) fn record<A: Attributes>(id: impl ToString, attributes: A) -> Record<A> {
    Record {
        id: id.to_string(),
        kind: A::TYPE,
        attributes,
    }
}

/// What is told of something that has no id.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Anonymous<A> {
    /// What it is.
    #[serde(rename = "type")]
    kind: &'static str,
    attributes: A,
}

/// The record of something without an id.
pub(crate) fn anonymous<A: Attributes>(attributes: A) -> Anonymous<A> {
    Anonymous {
        kind: A::TYPE,
        attributes,
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    data: Vec<T>,
    pagination: Pagination,
}

/// Where the other pages of a list are: absolute URLs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Pagination {
    first: String,
    last: String,
    prev: Option<String>,
    next: Option<String>,
}

/// `{"data": […], "pagination": …}`: page `page` of `last_page`.
pub(crate) fn page<T>(
    records: impl Iterator<Item = T>,
    links: &Links,
    page: usize,
    last_page: usize,
) -> Page<T> {
    let to = |page: usize| links.with("page", &page.to_string());
    Page {
        data: records.collect(),
        pagination: Pagination {
            first: to(1),
            last: to(last_page),
            prev: (page > 1).then(|| to(page - 1)),
            next: (page < last_page).then(|| to(page + 1)),
        },
    }
}

/// A list that is never so long as to need pages.
pub(crate) fn list<T>(records: impl Iterator<Item = T>, links: &Links) -> Page<T> {
    page(records, links, 1, 1)
}

/// A page of a log, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogPage<T> {
    data: Vec<T>,
    pagination: NextPage,
}

/// Where a log goes on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NextPage {
    /// An absolute URL; null on the last page.
    next: Option<String>,
}

/// `{"data": […], "pagination": {"next": …}}`: what follows has numbers below `next`.
pub(crate) fn log_page<T>(
    records: impl Iterator<Item = T>,
    links: &Links,
    next: Option<u64>,
) -> LogPage<T> {
    let next = next.map(|next| links.with("before", &next.to_string()));
    LogPage {
        data: records.collect(),
        pagination: NextPage { next },
    }
}

/// A token that is not shown again: as many of its characters as are kept.
pub(crate) fn masked(ending: &str) -> String {
    format!("••••{ending}")
}
