//! `/acknowledge/{token}`: the link in notices. Looking at it changes nothing, since mail programs and chats look at links by
//! themselves; the button on the page does.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use axum::response::{Html, IntoResponse, Response};
use cordwood_service::{Error, Incident, IncidentStatus};

use crate::edge::Edge;
use crate::failure::Failure;

/// Nothing is loaded, nothing runs, nobody frames it, and the form goes here alone.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Show an incident by the link of a notice
///
/// A page with a button. The link is good for a week.
#[utoipa::path(
    get, path = "/acknowledge/{token}", tag = "acknowledge",
    params(("token" = String, Path, description = "Out of the notice")),
    responses((status = 200, description = "A page with a button", content_type = "text/html", body = String)),
)]
pub(crate) async fn show(
    State(edge): State<Arc<Edge>>,
    Path(token): Path<String>,
) -> Result<Response, Failure> {
    let service = edge.ready()?;
    let found = edge.manage.run(move || service.incident_by_link(&token));
    answer(found.await?)
}

/// Acknowledge an incident by the link of a notice
///
/// Of one that is over, or that somebody takes care of, nothing changes.
#[utoipa::path(
    post, path = "/acknowledge/{token}", tag = "acknowledge",
    params(("token" = String, Path, description = "Out of the notice")),
    responses((status = 200, description = "A page that says so", content_type = "text/html", body = String)),
)]
pub(crate) async fn acknowledge(
    State(edge): State<Arc<Edge>>,
    Path(token): Path<String>,
) -> Result<Response, Failure> {
    let service = edge.ready()?;
    let acknowledged = edge.manage.run(move || service.acknowledge_by_link(&token));
    answer(acknowledged.await?)
}

fn answer(found: Result<Incident, Error>) -> Result<Response, Failure> {
    let (status, page) = match found {
        Ok(incident) => (StatusCode::OK, page_of(&incident)),
        Err(Error::NotFound { .. }) => {
            let text = "This link is too old, or is none of ours.";
            (
                StatusCode::NOT_FOUND,
                page("Not found", &format!("<p>{text}</p>")),
            )
        }
        Err(error) => return Err(error.into()),
    };
    let headers = [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
    ];
    Ok((status, headers, Html(page)).into_response())
}

fn page_of(incident: &Incident) -> String {
    let done = |what: &str, by: Option<&str>| match by {
        Some(by) => format!("<p>It is {what} by {}.</p>", escaped(by)),
        None => format!("<p>It is {what}.</p>"),
    };
    let by = |deed: &Option<cordwood_service::Deed>| deed.as_ref().map(|deed| deed.by.clone());
    let state = match incident.status() {
        IncidentStatus::Started => {
            "<form method=\"post\"><button type=\"submit\">Acknowledge</button></form>".to_owned()
        }
        IncidentStatus::Acknowledged => done("acknowledged", by(&incident.acknowledged).as_deref()),
        IncidentStatus::Resolved => done("resolved", by(&incident.resolved).as_deref()),
    };
    let cause = escaped(&incident.cause);
    let body = format!(
        "<p style=\"white-space:pre-wrap\">{cause}</p><p>Since {}</p>{state}",
        incident.started_at
    );
    page(&incident.name, &body)
}

fn page(title: &str, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>body{{font:16px sans-serif;max-width:40em;margin:2em auto;padding:0 1em}}\
         button{{font:inherit;padding:.5em 1em}}</style></head>\
         <body><h1>{title}</h1>{body}</body></html>"
    )
}

/// A text as HTML has it.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_incident_is_called_is_text() {
        let page = page("<script>a & \"b\"</script>", "");
        assert!(!page.contains("<script"), "{page}");
        assert!(
            page.contains("&lt;script&gt;a &amp; &quot;b&quot;"),
            "{page}"
        );
    }
}
