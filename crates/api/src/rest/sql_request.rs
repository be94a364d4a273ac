//! The parameters of a statement, and the format an `Accept` header asks for, as a [`SqlRequest`].

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use cordwood_service::{SqlFormat, SqlRequest};
use utoipa::{IntoParams, ToSchema};

use crate::failure::Failure;
use crate::parameters::Parameters;
use crate::rest::query_request::{deadline, sources};

/// A statement, and how to run it.
#[derive(Debug, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "`sql_request` reads the parameters by their names, wherever they came from"
)]
pub(crate) struct SqlParameters {
    /// The statement.
    query: String,
    /// Ids, `src-` ids or names, repeated or with commas between; every source the token may see unless given.
    source_id: Option<Vec<String>>,
    source_ids: Option<Vec<String>>,
    /// From when, inclusive: RFC 3339, a date, `now-1h`, a UNIX time.
    from: Option<String>,
    /// Until when, inclusive.
    to: Option<String>,
    /// Rows wanted.
    limit: Option<usize>,
    /// `json` unless given, `ndjson`, `csv`, `arrow` or `parquet`.
    format: Option<String>,
    /// How long it may take.
    timeout_ms: Option<u64>,
}

/// A body that is the statement itself.
pub(crate) fn of_text(body: &[u8]) -> Result<Parameters, Failure> {
    let text = str::from_utf8(body);
    let text = text.map_err(|_| Failure::parameter("query", "The statement is not UTF-8"))?;
    let mut object = serde_json::Map::new();
    object.insert("query".to_owned(), text.into());
    Parameters::of_json(object)
}

/// Reads a statement and how to run it.
pub(crate) fn sql_request(
    parameters: &Parameters,
    headers: &HeaderMap,
) -> Result<SqlRequest, Failure> {
    parameters.only::<SqlParameters>()?;
    let text = |name: &str| {
        let value = parameters.first(name)?;
        (!value.trim().is_empty()).then(|| value.to_owned())
    };
    Ok(SqlRequest {
        statement: parameters.first("query").unwrap_or_default().to_owned(),
        sources: sources(parameters)?,
        from: text("from"),
        to: text("to"),
        rows_max: parameters.parsed("limit", "a whole number of rows")?,
        deadline: Some(deadline(parameters)?),
        format: match text("format") {
            Some(name) => Some(format_named(&name)?),
            None => accepted(headers),
        },
    })
}

fn format_named(name: &str) -> Result<SqlFormat, Failure> {
    name.parse().map_err(|()| {
        let names = SqlFormat::ALL.map(SqlFormat::name).join(", ");
        let sentence = format!("`format` is `{name}` and has to be one of {names}");
        Failure::parameter("format", sentence)
    })
}

/// The first of the media types that is one of ours.
fn accepted(headers: &HeaderMap) -> Option<SqlFormat> {
    let accepted = headers.get(ACCEPT)?.to_str().ok()?;
    let mut names = accepted.split(',').map(|part| {
        let name = part.split(';').next().unwrap_or_default();
        name.trim().to_ascii_lowercase()
    });
    names.find_map(|name| {
        let mut all = SqlFormat::ALL.into_iter();
        all.find(|format| format.media_type() == name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        let cases = [
            ("format=csv", "", Ok(Some(SqlFormat::Csv))),
            ("format=csv", "application/json", Ok(Some(SqlFormat::Csv))),
            (
                "",
                "application/vnd.apache.parquet",
                Ok(Some(SqlFormat::Parquet)),
            ),
            ("", "text/html, text/csv;q=0.5", Ok(Some(SqlFormat::Csv))),
            ("", "*/*", Ok(None)),
            ("format=xml", "", Err(())),
        ];
        for (query_string, accept, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            let parameters = Parameters::of_form(query_string.as_bytes());
            let request = sql_request(&parameters, &headers);
            let format = request.map(|request| request.format).map_err(|_| ());
            assert_eq!(format, expected, "{query_string} {accept}");
        }
    }
}
