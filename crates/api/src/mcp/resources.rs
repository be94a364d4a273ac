//! Resources: the guide to the query language, and the fields of each source.

use cordwood_service::{PER_PAGE_MAX, SourceFilter};
use rmcp::RoleServer;
use rmcp::model::{
    ErrorData, ReadResourceResponse, ReadResourceResult, Resource, ResourceContents,
};
use rmcp::service::RequestContext;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::mcp::tool::Call;
use crate::mcp::{call, tools};

/// The whole language, as people read it.
const GUIDE: &str = include_str!("../../../../docs/query-language.md");
const GUIDE_URI: &str = "cordwood://guide/query-language";

/// What stands before and behind the id of a source.
const FIELDS: (&str, &str) = ("cordwood://sources/", "/fields");

/// The guide, and the fields of each source that the caller sees.
pub(crate) async fn list(call: &Call) -> Result<Vec<Resource>, Failure> {
    let filter = SourceFilter {
        per_page: Some(PER_PAGE_MAX),
        ..SourceFilter::default()
    };
    let sources = call
        .manage(move |service, caller| service.list_sources(caller, &filter))
        .await?
        .sources;
    let guide = Resource::new(GUIDE_URI, "query-language")
        .with_title("The query language")
        .with_description("Filters, ranges, wildcards, stages and functions, with examples")
        .with_mime_type("text/markdown");
    let fields = sources.iter().map(|source| {
        let (before, behind) = FIELDS;
        let uri = format!("{before}src-{}{behind}", source.id);
        Resource::new(uri, format!("fields-src-{}", source.id))
            .with_title(format!("Fields of {}", source.name))
            .with_description(
                "Which fields its events have, in how many, with their commonest values",
            )
            .with_mime_type("application/json")
    });
    Ok([guide].into_iter().chain(fields).collect())
}

/// The text of a resource. The fields of a source are what `logs_fields` says of it, and written down as a call of it.
pub(crate) async fn read(
    mut asked: Call,
    uri: &str,
    context: &RequestContext<RoleServer>,
) -> Result<ReadResourceResponse, ErrorData> {
    if uri == GUIDE_URI {
        let guide = ResourceContents::text(GUIDE, uri).with_mime_type("text/markdown");
        return Ok(ReadResourceResult::new(vec![guide]).into());
    }
    let (before, behind) = FIELDS;
    let source = uri
        .strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(behind));
    let unknown = || {
        let sentence = format!("There is no resource `{uri}`; resources/list has those there are.");
        ErrorData::resource_not_found(sentence, None)
    };
    let source = source.ok_or_else(unknown)?;
    asked
        .arguments
        .insert("source_id".to_owned(), json!(source));
    let found = call::answer(&tools::FIELDS, asked, context).await;
    let text = found.content.first().and_then(|content| content.as_text());
    let text = text.map(|text| text.text.clone()).unwrap_or_default();
    if found.is_error != Some(true) {
        let fields = ResourceContents::text(text, uri).with_mime_type("application/json");
        return Ok(ReadResourceResult::new(vec![fields]).into());
    }
    let refused: Value = serde_json::from_str(&text).unwrap_or_default();
    let error = &refused["error"];
    match error["code"].as_str() {
        Some("source_not_found") | None => Err(unknown()),
        // A server that is busy has the resource all the same.
        Some(_) => {
            let sentence = error["errors"].as_str().unwrap_or("It failed.").to_owned();
            Err(ErrorData::internal_error(sentence, Some(error.clone())))
        }
    }
}
