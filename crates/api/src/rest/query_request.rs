//! The parameters of a query, wherever they came from, as a [`SearchRequest`].

use std::time::Duration;

use cordwood_service::{Order, SearchRequest};
use utoipa::{IntoParams, ToSchema};

use crate::failure::Failure;
use crate::parameters::Parameters;

/// A query, and where to ask it.
#[derive(Debug, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "`search_request` reads the parameters by their names, wherever they came from"
)]
pub(crate) struct QueryParameters {
    /// In the query language; empty for every event.
    query: Option<String>,
    /// Ids, `src-` ids or names, repeated or with commas between; every source the token may see unless given.
    source_id: Option<Vec<String>>,
    /// The same, by the name Better Stack has for it.
    source_ids: Option<Vec<String>>,
    /// From when, inclusive: RFC 3339, a date, `now-1h`, a UNIX time.
    from: Option<String>,
    /// Until when, inclusive.
    to: Option<String>,
    /// Events wanted: 100 unless given, at most 1000. Of a table, rows: 1000, at most 10000.
    batch_size: Option<usize>,
    /// The same, by the name Better Stack has for it.
    batch: Option<usize>,
    /// `newest_first` unless given, or `oldest_first`.
    order: Option<String>,
    /// `next_cursor` of the answer before, with everything else unchanged.
    cursor: Option<String>,
    /// Whether to count all matches.
    total: Option<bool>,
    /// How long it may take, 30000 unless given, at most 300000; what is found by then is answered as incomplete.
    timeout_ms: Option<u64>,
    /// The id or name of a saved query, instead of `query`. A range and sources given beside it come before those saved.
    saved_query: Option<String>,
}

/// How long a search may take unless asked otherwise, and at most: beyond it nobody waits.
const DEADLINE_DEFAULT: Duration = Duration::from_secs(30);
const DEADLINE_MAX: Duration = Duration::from_secs(300);

/// Reads a search.
pub(crate) fn search_request(parameters: &Parameters) -> Result<SearchRequest, Failure> {
    parameters.only::<QueryParameters>()?;
    read_search(parameters)
}

/// The same of parameters that others stand beside.
pub(crate) fn read_search(parameters: &Parameters) -> Result<SearchRequest, Failure> {
    let size_name = match parameters.first("batch_size") {
        Some(_) => "batch_size",
        None => "batch",
    };
    Ok(SearchRequest {
        query: parameters.first("query").unwrap_or_default().to_owned(),
        sources: sources(parameters)?,
        from: text(parameters, "from"),
        to: text(parameters, "to"),
        order: order(parameters)?,
        batch_size: parameters.parsed(size_name, "a whole number of events")?,
        cursor: text(parameters, "cursor"),
        total: total(parameters)?,
        deadline: Some(deadline(parameters)?),
        saved_query: text(parameters, "saved_query"),
    })
}

/// A value; an empty one is as good as none.
pub(crate) fn text(parameters: &Parameters, name: &str) -> Option<String> {
    let value = parameters.first(name)?;
    (!value.trim().is_empty()).then(|| value.to_owned())
}

/// Repeated, or several with commas between.
pub(crate) fn sources(parameters: &Parameters) -> Result<Vec<String>, Failure> {
    let mut sources = Vec::new();
    for (name, value) in parameters.iter() {
        if !matches!(name, "source_id" | "source_ids") {
            continue;
        }
        let before = sources.len();
        let named = value.split(',').map(str::trim);
        sources.extend(named.filter(|source| !source.is_empty()).map(str::to_owned));
        if sources.len() == before {
            // To search everything because a variable was empty would answer another question.
            let sentence = format!("`{name}` is empty; leave it out to search every source");
            return Err(Failure::parameter(name, sentence));
        }
    }
    Ok(sources)
}

pub(crate) fn order(parameters: &Parameters) -> Result<Order, Failure> {
    match parameters.first("order") {
        None | Some("" | "newest_first") => Ok(Order::NewestFirst),
        Some("oldest_first") => Ok(Order::OldestFirst),
        Some(other) => {
            let sentence =
                format!("`order` is `{other}` and has to be `newest_first` or `oldest_first`");
            Err(Failure::parameter("order", sentence))
        }
    }
}

fn total(parameters: &Parameters) -> Result<bool, Failure> {
    match parameters.first("total") {
        None | Some("" | "false" | "0") => Ok(false),
        Some("true" | "1") => Ok(true),
        Some(other) => {
            let sentence = format!("`total` is `{other}` and has to be `true` or `false`");
            Err(Failure::parameter("total", sentence))
        }
    }
}

pub(crate) fn deadline(parameters: &Parameters) -> Result<Duration, Failure> {
    let asked = parameters.parsed("timeout_ms", "a whole number of milliseconds")?;
    let asked = asked.map_or(DEADLINE_DEFAULT, Duration::from_millis);
    Ok(asked.min(DEADLINE_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The request for a query string, or the parameter that is wrong.
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
            (Err(found), Err(parameter)) => {
                let found = format!("{found:?}");
                assert!(
                    found.contains(&format!("`{parameter}`")),
                    "{query_string}: {found}"
                );
            }
            (found, expected) => panic!("{query_string}: {found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn requests() {
        let default = SearchRequest {
            deadline: Some(DEADLINE_DEFAULT),
            ..SearchRequest::default()
        };
        let sources = |names: &[&str]| SearchRequest {
            sources: names.iter().map(|&name| name.into()).collect(),
            ..default.clone()
        };
        check("", Ok(default.clone()));
        check("from=&cursor=&order=", Ok(default.clone()));
        check(
            "source_id=1,src-2&source_ids=web",
            Ok(sources(&["1", "src-2", "web"])),
        );
        check(
            "query=a+b&batch=7&order=oldest_first&total=true&timeout_ms=5&from=now-1h&to=now",
            Ok(SearchRequest {
                query: "a b".into(),
                batch_size: Some(7),
                order: Order::OldestFirst,
                total: true,
                deadline: Some(Duration::from_millis(5)),
                from: Some("now-1h".into()),
                to: Some("now".into()),
                ..default.clone()
            }),
        );
        check(
            "timeout_ms=99999999",
            Ok(SearchRequest {
                deadline: Some(DEADLINE_MAX),
                ..default.clone()
            }),
        );
        check("source_id=,", Err("source_id"));
        check("order=up", Err("order"));
        check("total=maybe", Err("total"));
        check("batch_size=x", Err("batch_size"));
        check("limit=5", Err("limit"));
    }
}
