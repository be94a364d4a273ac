//! Microsoft Teams: the webhook of a workflow, "When a Teams webhook request is received"
//! (learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook), with an adaptive card of
//! version 1.4 (adaptivecards.io/explorer). A message may have 28 KB.
//!
//! Text in a card is Markdown, but not that of a `TextRun`: all that came out of logs is one.

use serde_json::{Value, json};

use crate::cut::cut;
use crate::outgoing::HttpRequest;
use crate::reader::Reader;
use crate::wording::{actions, facts, headline, mark, sample_line};
use crate::{Links, Notice, NoticeKind, Secret, Severity};

/// So many facts of so many characters, and all else, are far from 28 KB in any script.
const FACTS_MAX: usize = 20;
const FACT_LENGTH_MAX: usize = 150;
const CAUSE_LENGTH_MAX: usize = 1500;

#[derive(Clone, Debug)]
pub(crate) struct Teams {
    url: Secret,
}

impl Teams {
    pub(crate) fn read(reader: &mut Reader) -> Teams {
        Teams {
            url: reader.needed_secret_url("url"),
        }
    }

    pub(crate) fn request(&self, notice: &Notice, links: &Links) -> HttpRequest {
        let body = json!({
            "type": "message",
            "attachments": [{
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": null,
                "content": card(notice, links),
            }],
        });
        HttpRequest::json(self.url.reveal().to_owned(), &body).hiding([&self.url])
    }
}

fn card(notice: &Notice, links: &Links) -> Value {
    let headline = format!("{} {}", mark(notice), headline(notice));
    let mut body = vec![json!({
        "type": "Container",
        "style": style(notice),
        "bleed": true,
        "items": [text(json!({"text": headline, "weight": "bolder", "size": "large"}))],
    })];
    if !notice.cause.is_empty() {
        body.push(text(json!({"text": cut(&notice.cause, CAUSE_LENGTH_MAX)})));
    }
    for (name, value) in facts(notice).iter().take(FACTS_MAX) {
        let name = format!("{}: ", cut(name, FACT_LENGTH_MAX));
        let runs = [
            json!({"type": "TextRun", "text": name, "weight": "bolder"}),
            json!({"type": "TextRun", "text": cut(value, FACT_LENGTH_MAX)}),
        ];
        body.push(json!({"type": "RichTextBlock", "spacing": "none", "inlines": runs}));
    }
    for sample in &notice.samples {
        body.push(text(
            json!({"text": sample_line(sample), "fontType": "monospace", "size": "small"}),
        ));
    }
    let actions = actions(notice, links).into_iter();
    let actions = actions
        .map(|action| json!({"type": "Action.OpenUrl", "title": action.label, "url": action.url}));
    json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": body,
        "actions": actions.collect::<Vec<Value>>(),
    })
}

/// A paragraph of one run.
fn text(mut run: Value) -> Value {
    run["type"] = "TextRun".into();
    json!({"type": "RichTextBlock", "inlines": [run]})
}

fn style(notice: &Notice) -> &'static str {
    match (notice.kind, notice.severity) {
        (NoticeKind::Resolved | NoticeKind::Working, _) => "good",
        (NoticeKind::Acknowledged, _) | (_, Severity::Info) => "accent",
        (_, Severity::Warning) => "warning",
        (_, Severity::Error | Severity::Critical) => "attention",
    }
}
