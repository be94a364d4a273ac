//! `POST /api/v1/sql`: run a statement of SQL.
//!
//! Without the cargo feature `sql` the endpoint is there all the same, and says how to get what it lacks.

#[cfg(feature = "sql")]
pub(crate) use built::{__path_post, post};
#[cfg(not(feature = "sql"))]
pub(crate) use not_built::{__path_post, post};

#[cfg(not(feature = "sql"))]
mod not_built {
    use axum::http::StatusCode;

    use crate::authentication::Authenticated;
    use crate::failure::{Failure, FailureBody};

    /// The command that builds a server with SQL.
    const COMMAND: &str = "cargo build --release --features sql";

    /// Run a statement of SQL
    #[utoipa::path(
        post, path = "/sql", tag = "sql",
        responses((status = 501, description = "Not in this build", body = FailureBody)),
    )]
    pub(crate) async fn post(_caller: Authenticated) -> Failure {
        let sentence = "This server was built without SQL.";
        Failure::new(StatusCode::NOT_IMPLEMENTED, "sql_not_built", sentence)
            .with("command", COMMAND)
            .hint(format!(
                "Build it with `{COMMAND}`, or ask with POST /api/v1/query."
            ))
    }
}

#[cfg(feature = "sql")]
mod built {
    use std::sync::Arc;

    use axum::extract::{Request, State};
    use axum::response::Response;
    use cordwood_service::Cancel;

    use crate::authentication::Authenticated;
    use crate::edge::Edge;
    use crate::failure::Failure;
    use crate::json_body::{media_type, parse, read};
    use crate::parameters::Parameters;
    use crate::rest::query::CancelOnDrop;
    use crate::rest::sql_answer::{SqlAnswerBody, sql_answer};
    use crate::rest::sql_request::{SqlParameters, of_text, sql_request};

    /// Run a statement of SQL
    ///
    /// The statement as text, or with its parameters as a JSON object or a form. In the formats `ndjson`, `csv`, `arrow` and
    /// `parquet` the body is the rows alone, and headers say whether they are all.
    #[utoipa::path(
        post, path = "/sql", tag = "sql",
        request_body = SqlParameters,
        responses((status = 200, body = SqlAnswerBody)),
    )]
    pub(crate) async fn post(
        State(edge): State<Arc<Edge>>,
        Authenticated(caller): Authenticated,
        request: Request,
    ) -> Result<Response, Failure> {
        let (parts, mut body) = request.into_parts();
        let body = read(&mut body).await?;
        let mut parameters = match media_type(&parts.headers).as_str() {
            "application/x-www-form-urlencoded" => Parameters::of_form(&body),
            "text/plain" | "application/sql" => of_text(&body)?,
            _ => Parameters::of_json(parse(&body)?)?,
        };
        parameters.append(Parameters::of(&parts.uri));
        let request = sql_request(&parameters, &parts.headers)?;
        let service = edge.ready()?;
        let cancel = Cancel::default();
        let _gone = CancelOnDrop(cancel.clone());
        let answer = edge
            .query
            .run(move || service.sql(&caller, &request, &cancel));
        Ok(sql_answer(answer.await??))
    }
}
