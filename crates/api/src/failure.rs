//! Error answers of the REST API: `{"errors": "<sentence>", "code": "<stable_code>", …,
//! "request_id": …}` with the status that fits.
//!
//! The body is written in one place, [`finish`], after the handler, where the request id is known.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::ops::Range;

use axum::Json;
use axum::http::header::{CONTENT_LENGTH, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use cordwood_service::{Error, QueryProblem, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::offload::Lost;

/// Why a request failed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "bodies are written from the members of a `Failure`"
)]
pub(crate) struct FailureBody {
    errors: Errors,
    /// Stays the same in all versions.
    code: String,
    request_id: String,
    /// What to do about it.
    hint: Option<String>,
    /// More of why.
    detail: Option<String>,
    /// The parameter that cannot be.
    parameter: Option<String>,
    /// What is wrong with the text of a query or statement: where.
    position: Option<Position>,
    /// All that is wrong with the text of a query.
    diagnostics: Option<Vec<Diagnostic>>,
    /// By the members of a record: what is wrong with their values.
    invalid_values: Option<BTreeMap<String, Vec<String>>>,
    /// Members of a record that mean nothing here.
    invalid_attributes: Option<Vec<String>>,
    /// Names that may have been meant.
    near: Option<Vec<String>>,
    /// Ids of all that have the name.
    ids: Option<Vec<String>>,
    /// A command that builds a server with what this one lacks.
    command: Option<String>,
}

/// A sentence; of alerts with Better Stack's names, what is wrong by attribute, as there.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "as in `FailureBody`")]
enum Errors {
    Sentence(String),
    ByAttribute(BTreeMap<String, Vec<String>>),
}

/// A refusal, before it is written.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    members: Map<String, Value>,
    retry_after_s: Option<u64>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, code: &str, sentence: impl Into<String>) -> Failure {
        let mut members = Map::new();
        members.insert("errors".into(), sentence.into().into());
        members.insert("code".into(), code.into());
        Failure {
            status,
            members,
            retry_after_s: None,
        }
    }

    pub(crate) fn with(mut self, member: &str, value: impl Into<Value>) -> Failure {
        self.members.insert(member.into(), value.into());
        self
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Failure {
        self.with("hint", hint.into())
    }

    /// A parameter of the URL or a member of the body of a query that cannot be.
    pub(crate) fn parameter(parameter: &str, sentence: impl Into<String>) -> Failure {
        Failure::new(StatusCode::BAD_REQUEST, "invalid_parameter", sentence)
            .with("parameter", parameter)
    }

    /// Values of members that cannot be: what is wrong with each.
    pub(crate) fn invalid_values(values: Map<String, Value>) -> Failure {
        let sentence = "Sorry, some values are incorrect";
        Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_values", sentence)
            .with("invalid_values", values)
    }

    /// One value that cannot be.
    pub(crate) fn invalid_value(name: &str, message: &str) -> Failure {
        let mut values = Map::new();
        values.insert(name.to_owned(), json!([message]));
        Failure::invalid_values(values)
    }

    /// With what is wrong by attribute in the place of the sentence, each attribute by the name that `named` gives it. A failure that is about
    /// something else stays what it is.
    pub(crate) fn by_attribute(mut self, named: impl Fn(&str) -> String) -> Failure {
        let Some(Value::Object(values)) = self.members.get("invalid_values").cloned() else {
            return self;
        };
        let mut renamed: Map<String, Value> = Map::new();
        for (name, messages) in values {
            let of_name = renamed
                .entry(named(&name))
                .or_insert_with(|| Value::Array(Vec::new()));
            if let (Value::Array(of_name), Value::Array(messages)) = (of_name, messages) {
                of_name.extend(messages);
            }
        }
        self.members.insert("errors".into(), renamed.clone().into());
        self.with("invalid_values", renamed)
    }

    /// The sentence, the code and whatever else the body of the answer says.
    pub(crate) fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// Whether the value of this member is one that cannot be.
    pub(crate) fn is_about_value(&self, name: &str) -> bool {
        let values = self.members.get("invalid_values");
        values.is_some_and(|values| values.get(name).is_some())
    }

    pub(crate) fn starting() -> Failure {
        let sentence = "The server is starting, try again in a moment.";
        let mut failure = Failure::new(StatusCode::SERVICE_UNAVAILABLE, "starting", sentence);
        failure.retry_after_s = Some(1);
        failure
    }
}

impl From<Lost> for Failure {
    fn from(lost: Lost) -> Failure {
        match lost {
            Lost::Full => {
                let sentence = "Too many requests at once, try again in a moment.";
                let mut failure = Failure::new(StatusCode::TOO_MANY_REQUESTS, "busy", sentence);
                failure.retry_after_s = Some(1);
                failure
            }
            Lost::Panicked => Failure::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Something went wrong in the server; its log says what.",
            ),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        log_internal(&error);
        let mut failure = Failure::new(status_of(&error), error.code(), sentence_of(&error));
        failure.retry_after_s = error.retry_after().map(|wait| wait.as_secs().max(1));
        if let Some(hint) = error.hint() {
            failure = failure.hint(hint);
        }
        match error {
            Error::Query(problems) => with_problems(failure, &problems),
            Error::Statement {
                position: Some(position),
                ..
            } => failure.with("position", json!(Position::of(&position))),
            Error::InvalidValues(values) => {
                let mut messages: Map<String, Value> = Map::new();
                for value in values {
                    let of_field = messages
                        .entry(value.field.as_ref())
                        .or_insert_with(|| Value::Array(Vec::new()));
                    if let Value::Array(of_field) = of_field {
                        of_field.push(value.message.into());
                    }
                }
                failure.with("invalid_values", messages)
            }
            Error::InvalidParameter { parameter, .. } => failure.with("parameter", parameter),
            Error::NotFound { near, .. } if !near.is_empty() => failure.with("near", near),
            Error::Ambiguous { ids, .. } => failure.with("ids", ids),
            Error::NotBuilt { command, .. } => failure.with("command", command),
            Error::Refused(refusal) => match refusal.detail() {
                Some(detail) => failure.with("detail", detail),
                None => failure,
            },
            _ => failure,
        }
    }
}

fn status_of(error: &Error) -> StatusCode {
    match error {
        Error::Unauthenticated => StatusCode::UNAUTHORIZED,
        Error::Forbidden { .. } | Error::NeedsAllClients => StatusCode::FORBIDDEN,
        Error::AlreadyRunning { .. } | Error::ExportNotReady { .. } | Error::Conflict { .. } => {
            StatusCode::CONFLICT
        }
        Error::NotFound { .. } | Error::EventNotFound { .. } => StatusCode::NOT_FOUND,
        Error::Ambiguous { .. }
        | Error::Query(_)
        | Error::InvalidParameter { .. }
        | Error::InvalidCursor { .. } => StatusCode::BAD_REQUEST,
        Error::Statement { .. } => StatusCode::BAD_REQUEST,
        Error::InvalidValues(_) | Error::StatementTooCostly { .. } => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Error::Refused(refusal) => status_of_refusal(refusal),
        Error::Busy { .. }
        | Error::TooManyDeletions { .. }
        | Error::TooManyTails { .. }
        | Error::TooManyExports { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::NotBuilt { .. } => StatusCode::NOT_IMPLEMENTED,
        // Nobody reads the answer to a cancelled request; 499 is what nginx logs for it.
        Error::Cancelled => StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST),
        Error::InUse | Error::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The statuses of the ingest contract.
pub(crate) fn status_of_refusal(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Unauthorized | Refusal::Paused => StatusCode::FORBIDDEN,
        Refusal::QuotaExceeded => StatusCode::PAYMENT_REQUIRED,
        Refusal::Undecodable { .. } => StatusCode::NOT_ACCEPTABLE,
        Refusal::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::InvalidRequest { .. } => StatusCode::BAD_REQUEST,
        Refusal::Busy { .. } => StatusCode::TOO_MANY_REQUESTS,
        Refusal::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The sentence for the user, begun as a sentence is. What failed inside the server is in its log.
fn sentence_of(error: &Error) -> String {
    let sentence = error.to_string();
    let mut characters = sentence.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => sentence,
    }
}

fn with_problems(failure: Failure, problems: &[QueryProblem]) -> Failure {
    let diagnostics: Vec<Diagnostic> = problems.iter().map(Diagnostic::of).collect();
    let failure = match problems.first() {
        Some(first) => failure.with("position", json!(Position::of(&first.position))),
        None => failure,
    };
    failure.with("diagnostics", json!(diagnostics))
}

/// A remark on the text of a query.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Diagnostic {
    /// A sentence.
    message: String,
    position: Position,
    /// How to mend it.
    hint: Option<String>,
}

/// A part of a text, in bytes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Position {
    start: usize,
    end: usize,
}

impl Diagnostic {
    pub(crate) fn of(problem: &QueryProblem) -> Diagnostic {
        Diagnostic {
            message: problem.message.clone(),
            position: Position::of(&problem.position),
            hint: problem.hint.clone(),
        }
    }
}

impl Position {
    pub(crate) fn of(range: &Range<usize>) -> Position {
        Position {
            start: range.start,
            end: range.end,
        }
    }
}

/// Logged once, here: what the caller is told says less.
pub(crate) fn log_internal(error: &Error) {
    if let Error::Internal { doing, .. } = error {
        let mut reasons = Vec::new();
        let mut source = error.source();
        while let Some(reason) = source {
            reasons.push(reason.to_string());
            source = reason.source();
        }
        tracing::error!(doing, reason = reasons.join(": "), "a request failed");
    }
}

/// Leaves the body to [`finish`].
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the body of a failure, with the id of its request.
pub(crate) fn finish(response: Response, request_id: &HeaderValue) -> Response {
    let (mut parts, body) = response.into_parts();
    let Some(failure) = parts.extensions.remove::<Failure>() else {
        return Response::from_parts(parts, body);
    };
    let request_id = request_id.to_str().unwrap_or_default();
    let failure = failure.with("request_id", request_id);
    let mut response = (failure.status, Json(Value::Object(failure.members))).into_response();
    if let Some(seconds) = failure.retry_after_s {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    for (name, value) in &parts.headers {
        if name != CONTENT_LENGTH && !response.headers().contains_key(name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}
