//! `/api/v1/query/complete`: what may stand at a place in a query that is being typed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use cordwood_service::{Cancel, CompleteRequest, Completed, Suggestion, SuggestionKind};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::{Failure, Position};
use crate::parameters::Parameters;
use crate::rest::query::CancelOnDrop;
use crate::rest::query_meta::QueryMeta;
use crate::rest::query_request::read_search;

/// A text, and a place in it.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "`complete_request` reads the parameters by their names"
)]
pub(crate) struct CompleteParameters {
    /// The text so far; it need not be a query yet.
    query: Option<String>,
    /// The place, in bytes of the text; its end unless given.
    position: Option<usize>,
    /// Ids, `src-` ids or names, repeated or with commas between; every source the token may see unless given.
    source_id: Option<Vec<String>>,
    source_ids: Option<Vec<String>>,
    /// From when fields and values are, inclusive.
    from: Option<String>,
    /// Until when, inclusive.
    to: Option<String>,
    /// Suggestions at most, 20 unless given, up to 100.
    limit: Option<usize>,
}

/// What may stand at a place.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CompleteAnswer {
    /// The best first.
    data: Vec<SuggestionRecord>,
    /// The bytes of the text that a suggestion takes the place of.
    replaced: Position,
    meta: QueryMeta,
}

/// One thing that may stand there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SuggestionRecord {
    /// What takes the place, in quotes where it needs them.
    text: String,
    /// What is shown.
    label: String,
    /// `field`, `column`, `value`, `keyword`, `operator`, `stage` or `function`.
    kind: &'static str,
    /// In how many events it is, if that is known.
    events: Option<u64>,
}

/// Suggest what may stand at a place in a query
#[utoipa::path(
    get, path = "/query/complete", tag = "query",
    params(CompleteParameters),
    responses((status = 200, body = CompleteAnswer)),
)]
pub(crate) async fn complete(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    uri: Uri,
) -> Result<Json<CompleteAnswer>, Failure> {
    let request = complete_request(&Parameters::of(&uri))?;
    let service = edge.ready()?;
    let cancel = Cancel::default();
    let _gone = CancelOnDrop(cancel.clone());
    let completed = edge
        .query
        .run(move || service.complete(&caller, &request, &cancel));
    Ok(Json(complete_answer(completed.await??)))
}

fn complete_request(parameters: &Parameters) -> Result<CompleteRequest, Failure> {
    parameters.only::<CompleteParameters>()?;
    Ok(CompleteRequest {
        search: read_search(parameters)?,
        position: parameters.parsed("position", "a number of bytes")?,
        limit: parameters.parsed("limit", "a whole number of suggestions")?,
    })
}

fn complete_answer(completed: Completed) -> CompleteAnswer {
    let suggestions = completed.suggestions.into_iter();
    CompleteAnswer {
        data: suggestions.map(suggestion_record).collect(),
        replaced: Position::of(&completed.replaced),
        meta: QueryMeta::of_account(&completed.account),
    }
}

fn suggestion_record(suggestion: Suggestion) -> SuggestionRecord {
    SuggestionRecord {
        text: suggestion.text,
        label: suggestion.label,
        kind: match suggestion.kind {
            SuggestionKind::Field => "field",
            SuggestionKind::Column => "column",
            SuggestionKind::Value => "value",
            SuggestionKind::Keyword => "keyword",
            SuggestionKind::Operator => "operator",
            SuggestionKind::Stage => "stage",
            SuggestionKind::Function => "function",
        },
        events: suggestion.events,
    }
}
