//! Discord: webhooks with an embed (discord.com/developers/docs/resources/webhook#execute-webhook and
//! …/resources/message#embed-object-embed-limits): 256 characters in a title, 4096 in a description, 25 fields of 256 and 1024,
//! and 6000 in all of it.
//!
//! Marks of Markdown in what came out of logs are escaped, and nobody is mentioned whatever is written.

use serde_json::{Value, json};

use crate::cut::{cut, escaped};
use crate::outgoing::HttpRequest;
use crate::reader::Reader;
use crate::wording::{actions, colour, facts, headline, mark, sample_line};
use crate::{Links, Notice, Secret};

const TITLE_LENGTH_MAX: usize = 256;
/// Cause, samples and links: below 4096, and with what the fields take below 6000.
const CAUSE_LENGTH_MAX: usize = 1500;
const SAMPLES_LENGTH_MAX: usize = 1200;
const LINK_LENGTH_MAX: usize = 300;
const FIELDS_MAX: usize = 25;
const FIELD_NAME_LENGTH_MAX: usize = 256;
const FIELD_VALUE_LENGTH_MAX: usize = 1024;
/// Characters in all fields.
const FIELDS_LENGTH_MAX: usize = 1500;

#[derive(Clone, Debug)]
pub(crate) struct Discord {
    url: Secret,
}

impl Discord {
    pub(crate) fn read(reader: &mut Reader) -> Discord {
        Discord {
            url: reader.needed_secret_url("url"),
        }
    }

    pub(crate) fn request(&self, notice: &Notice, links: &Links) -> HttpRequest {
        let headline = format!("{} {}", mark(notice), headline(notice));
        let body = json!({
            "allowed_mentions": {"parse": []},
            "embeds": [{
                "title": escaped(&headline, TITLE_LENGTH_MAX, escape),
                "description": description(notice, links),
                "color": colour(notice),
                "timestamp": notice.until.unwrap_or(notice.since).to_string(),
                "fields": fields(notice),
            }],
        });
        HttpRequest::json(self.url.reveal().to_owned(), &body).hiding([&self.url])
    }
}

fn description(notice: &Notice, links: &Links) -> String {
    let mut parts = Vec::new();
    if !notice.cause.is_empty() {
        parts.push(escaped(&notice.cause, CAUSE_LENGTH_MAX, escape));
    }
    if !notice.samples.is_empty() {
        let lines: Vec<String> = notice.samples.iter().map(sample_line).collect();
        // Three backticks in a line of log would end the code.
        let lines = cut(&lines.join("\n").replace("```", "'''"), SAMPLES_LENGTH_MAX);
        parts.push(format!("```\n{lines}\n```"));
    }
    let links = actions(notice, links).into_iter();
    let links = links.filter(|action| action.url.len() <= LINK_LENGTH_MAX);
    let links: Vec<String> = links
        .map(|action| format!("[{}](<{}>)", action.label, action.url))
        .collect();
    if !links.is_empty() {
        parts.push(links.join(" · "));
    }
    parts.join("\n\n")
}

fn fields(notice: &Notice) -> Vec<Value> {
    let mut left = FIELDS_LENGTH_MAX;
    let mut fields = Vec::new();
    for (name, value) in facts(notice).iter().take(FIELDS_MAX) {
        let name = escaped(name, FIELD_NAME_LENGTH_MAX.min(left / 2), escape);
        let value = escaped(value, FIELD_VALUE_LENGTH_MAX.min(left / 2), escape);
        left = left.saturating_sub(name.encode_utf16().count() + value.encode_utf16().count());
        // A field without a name or a value is refused.
        let shown = |text: String| {
            if text.trim().is_empty() {
                "–".to_owned()
            } else {
                text
            }
        };
        fields.push(json!({"name": shown(name), "value": shown(value), "inline": true}));
    }
    fields
}

fn escape(character: char) -> Option<&'static str> {
    match character {
        '\\' => Some("\\\\"),
        '*' => Some("\\*"),
        '_' => Some("\\_"),
        '~' => Some("\\~"),
        '`' => Some("\\`"),
        '|' => Some("\\|"),
        '>' => Some("\\>"),
        '<' => Some("\\<"),
        '#' => Some("\\#"),
        '[' => Some("\\["),
        ']' => Some("\\]"),
        '(' => Some("\\("),
        ')' => Some("\\)"),
        '-' => Some("\\-"),
        ':' => Some("\\:"),
        '@' => Some("\\@"),
        _ => None,
    }
}
