//! `GET` and `POST /api/v1/what-changed`: a window of time against a baseline.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::Uri;
use cordwood_service::Cancel;

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::parameters::Parameters;
use crate::rest::query::{CancelOnDrop, posted};
use crate::rest::what_changed_answer::WhatChangedAnswer;
use crate::rest::what_changed_request::{WhatChangedParameters, what_changed_request};

/// Say what changed between two windows of time, and what explains it
#[utoipa::path(
    get, path = "/what-changed", tag = "what-changed",
    params(WhatChangedParameters),
    responses((status = 200, body = WhatChangedAnswer)),
)]
pub(crate) async fn get(
    State(edge): State<Arc<Edge>>,
    caller: Authenticated,
    uri: Uri,
) -> Result<Json<WhatChangedAnswer>, Failure> {
    let parameters = Parameters::of(&uri);
    compare(&edge, caller, &parameters, Cancel::default()).await
}

/// Say what changed between two windows of time, and what explains it
///
/// With the parameters as a JSON object or a form.
#[utoipa::path(
    post, path = "/what-changed", tag = "what-changed",
    request_body = WhatChangedParameters,
    responses((status = 200, body = WhatChangedAnswer)),
)]
pub(crate) async fn post(
    State(edge): State<Arc<Edge>>,
    caller: Authenticated,
    request: Request,
) -> Result<Json<WhatChangedAnswer>, Failure> {
    let parameters = posted(request).await?;
    compare(&edge, caller, &parameters, Cancel::default()).await
}

pub(crate) async fn compare(
    edge: &Edge,
    Authenticated(caller): Authenticated,
    parameters: &Parameters,
    cancel: Cancel,
) -> Result<Json<WhatChangedAnswer>, Failure> {
    let request = what_changed_request(parameters)?;
    let service = edge.ready()?;
    let _gone = CancelOnDrop(cancel.clone());
    let answer = edge
        .query
        .run(move || service.what_changed(&caller, &request, &cancel));
    Ok(Json(WhatChangedAnswer::of(&answer.await??)))
}
