//! `GET /api/v2/query/live-tail`: the query of Better Stack, for clients written for it. In spite of its name it finds events
//! of the past, page by page; what follows them as they arrive is `/api/v1/tail`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use cordwood_service::{Cancel, SearchRequest};
use utoipa::IntoParams;

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::links::Links;
use crate::parameters::Parameters;
use crate::rest::flat_events::{FlatAnswer, flat_answer};
use crate::rest::query::CancelOnDrop;
use crate::rest::query_request::{order, sources};

/// Better Stack's range unless another is asked for.
const FROM_DEFAULT: &str = "now-30m";

/// Better Stack's bounds of a page, to which other sizes are brought: a client that asks for fewer must not fail.
const BATCH_MIN: usize = 50;
const BATCH_MAX: usize = 1000;
const BATCH_DEFAULT: usize = 100;

/// A query, as Better Stack takes it.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "`search_request` reads the parameters by their names"
)]
pub(crate) struct LiveTailParameters {
    /// Ids, `src-` ids or names, with commas between.
    source_ids: String,
    /// In the query language; empty for every event.
    query: Option<String>,
    /// Events wanted: 100 unless given, 50 to 1000.
    batch: Option<usize>,
    /// From when, inclusive; half an hour ago unless given.
    from: Option<String>,
    /// Until when, inclusive.
    to: Option<String>,
    /// `newest_first` unless given, or `oldest_first`.
    order: Option<String>,
    /// Of `pagination.next`.
    cursor: Option<String>,
}

/// Find events, as Better Stack's live tail does
///
/// Events are flat objects: names with dots, null for fields that others of the page have. `dt`, `app`, the name of the source,
/// and `source_id` are in all of them.
#[utoipa::path(
    get, path = "/query/live-tail", tag = "query",
    params(LiveTailParameters),
    responses((status = 200, body = FlatAnswer)),
)]
pub(crate) async fn get(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    links: Links,
    uri: Uri,
) -> Result<Response, Failure> {
    let request = search_request(&Parameters::of(&uri))?;
    let service = edge.ready()?;
    let cancel = Cancel::default();
    let _gone = CancelOnDrop(cancel.clone());
    let answer = edge
        .query
        .run(move || service.search(&caller, &request, &cancel));
    let answer = answer.await??;
    let next = answer.next.as_ref();
    let next = next.map(|cursor| links.with("cursor", cursor));
    Ok(flat_answer(answer, next))
}

fn search_request(parameters: &Parameters) -> Result<SearchRequest, Failure> {
    parameters.only::<LiveTailParameters>()?;
    let sources = sources(parameters)?;
    if sources.is_empty() {
        let sentence = "`source_ids` is missing: it names the sources to search";
        return Err(Failure::parameter("source_ids", sentence));
    }
    let text = |name: &str| {
        let value = parameters.first(name)?;
        (!value.trim().is_empty()).then(|| value.to_owned())
    };
    let batch = parameters.parsed("batch", "a whole number of events")?;
    let batch: usize = batch.unwrap_or(BATCH_DEFAULT);
    Ok(SearchRequest {
        query: parameters.first("query").unwrap_or_default().to_owned(),
        sources,
        from: text("from").or_else(|| default_from(text("to"))),
        to: text("to"),
        order: order(parameters)?,
        batch_size: Some(batch.clamp(BATCH_MIN, BATCH_MAX)),
        cursor: text("cursor"),
        ..SearchRequest::default()
    })
}

/// With an end alone, everything up to there is meant: half an hour ago may be after it.
fn default_from(to: Option<String>) -> Option<String> {
    to.is_none().then(|| FROM_DEFAULT.to_owned())
}

#[cfg(test)]
mod tests {
    use cordwood_service::Order;

    use super::*;

    fn check(query_string: &str, expected: Result<SearchRequest, &str>) {
        let found = search_request(&Parameters::of_form(query_string.as_bytes()));
        match (found, expected) {
            (Ok(found), Ok(expected)) => {
                assert_eq!(
                    format!("{found:?}"),
                    format!("{expected:?}"),
                    "{query_string}"
                );
            }
            (Err(failure), Err(parameter)) => {
                let text = format!("{failure:?}");
                assert!(text.contains(parameter), "{query_string}: {text}");
            }
            (found, expected) => panic!("{query_string}: {found:?}, not {expected:?}"),
        }
    }

    #[test]
    fn parameters_are_read_as_better_stack_means_them() {
        let default = SearchRequest {
            sources: vec!["1".into(), "2".into()],
            from: Some("now-30m".into()),
            batch_size: Some(100),
            ..SearchRequest::default()
        };
        check("source_ids=1,2", Ok(default.clone()));
        check(
            "source_ids=1,2&query=level%3Derror&batch=10&order=oldest_first&from=2026-03-27&to=2026-03-28",
            Ok(SearchRequest {
                query: "level=error".into(),
                batch_size: Some(50),
                order: Order::OldestFirst,
                from: Some("2026-03-27".into()),
                to: Some("2026-03-28".into()),
                ..default.clone()
            }),
        );
        check(
            "source_ids=1,2&batch=5000&to=2026-03-28",
            Ok(SearchRequest {
                batch_size: Some(1000),
                from: None,
                to: Some("2026-03-28".into()),
                ..default
            }),
        );
        check("query=a", Err("source_ids"));
        check("source_ids=1&batch=many", Err("batch"));
        check("source_ids=1&limit=5", Err("limit"));
    }
}
