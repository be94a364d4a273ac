//! `GET /api/openapi.json`: the REST API described for machines, generated from its handlers and records.

use axum::Extension;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder, SecurityRequirement};
use utoipa::{OpenApi, ToSchema};

use crate::failure::FailureBody;

/// The name of the one way to authenticate with the REST API.
const API_TOKEN: &str = "api_token";

/// What the document says beside the endpoints, which the router adds.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Cordwood",
        description = "Logs in, answers out. Every endpoint of `/api` but this document wants \
                       `Authorization: Bearer <API token>`; every answer carries `X-Request-Id`, and every \
                       failure a sentence, a stable code and the request's id.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(FailureBody))
)]
pub(crate) struct Description;

/// The document, as it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Document(Bytes);

impl Document {
    /// The document of the endpoints the router has gathered in `api`.
    pub(crate) fn of(mut api: utoipa::openapi::OpenApi) -> Document {
        for (path, item) in &mut api.paths.paths {
            for operation in operations(item) {
                complete(operation, path);
            }
        }
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
        let components = api.components.get_or_insert_default();
        components.add_security_scheme(API_TOKEN, SecurityScheme::Http(scheme.build()));
        let json = api.to_json().expect("a document of texts is JSON");
        Document(json.into())
    }
}

/// A response needs a description; of most, the meaning of the status says enough.
fn describe(status: &str, response: &mut RefOr<utoipa::openapi::Response>) {
    if let RefOr::T(response) = response
        && response.description.is_empty()
    {
        let status = StatusCode::from_bytes(status.as_bytes()).ok();
        let reason = status.and_then(|status| status.canonical_reason());
        response.description = reason.unwrap_or("The answer").to_owned();
    }
}

/// What all endpoints have in common: an id made of the resource and the function, the token, the shape of failures.
fn complete(operation: &mut Operation, path: &str) {
    let resource = operation.tags.iter().flatten().next().cloned();
    let function = operation.operation_id.take().unwrap_or_default();
    let version = match path {
        path if path.starts_with("/api/v2/") => "_v2",
        path if path.starts_with("/api/v3/") => "_v3",
        _ => "",
    };
    let id = format!("{}_{function}{version}", resource.unwrap_or_default());
    operation.operation_id = Some(id.replace('-', "_"));
    for (status, response) in &mut operation.responses.responses {
        describe(status, response);
    }
    if path.starts_with("/api/v") {
        let no_scopes: [&str; 0] = [];
        operation.security = Some(vec![SecurityRequirement::new(API_TOKEN, no_scopes)]);
        let body = Ref::from_schema_name(FailureBody::name());
        let failure = ResponseBuilder::new()
            .description("It failed, and says why.")
            .content(
                "application/json",
                ContentBuilder::new().schema(Some(body)).build(),
            );
        let responses = &mut operation.responses.responses;
        responses.insert("default".to_owned(), failure.build().into());
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem {
        get,
        post,
        put,
        patch,
        delete,
        ..
    } = item;
    [get, post, put, patch, delete].into_iter().flatten()
}

/// This document
#[utoipa::path(
    get, path = "/api/openapi.json", tag = "server",
    responses((status = 200, description = "An OpenAPI document", content_type = "application/json", body = Object)),
)]
pub(crate) async fn document(Extension(document): Extension<Document>) -> Response {
    let content_type = [(CONTENT_TYPE, "application/json")];
    (content_type, document.0).into_response()
}
