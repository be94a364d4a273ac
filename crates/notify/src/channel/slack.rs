//! Slack: incoming webhooks (docs.slack.dev/messaging/sending-messages-using-incoming-webhooks) with blocks
//! (docs.slack.dev/reference/block-kit/blocks): 150 characters in a header, 3000 in a section, ten fields of 2000, 75 on a button.
//!
//! What came out of logs is plain text, or stands between the marks of code with `&`, `<` and `>` escaped: nothing in it mentions
//! anybody or looks like a link.

use serde_json::{Value, json};

use crate::cut::{cut, escaped};
use crate::outgoing::HttpRequest;
use crate::reader::Reader;
use crate::wording::{self, actions, facts, headline, mark};
use crate::{Links, Notice, Secret};

const HEADER_LENGTH_MAX: usize = 150;
const SECTION_LENGTH_MAX: usize = 3000;
const FIELDS_MAX: usize = 10;
const FIELD_LENGTH_MAX: usize = 2000;
const URL_LENGTH_MAX: usize = 3000;

#[derive(Clone, Debug)]
pub(crate) struct Slack {
    url: Secret,
}

impl Slack {
    pub(crate) fn read(reader: &mut Reader) -> Slack {
        Slack {
            url: reader.needed_secret_url("url"),
        }
    }

    pub(crate) fn request(&self, notice: &Notice, links: &Links) -> HttpRequest {
        let headline = format!("{} {}", mark(notice), headline(notice));
        let fallback = escaped(&headline, SECTION_LENGTH_MAX, escape);
        let body = json!({
            "text": fallback,
            "attachments": [{
                "color": format!("#{:06x}", wording::colour(notice)),
                "fallback": fallback,
                "blocks": blocks(notice, links, &headline),
            }],
        });
        HttpRequest::json(self.url.reveal().to_owned(), &body).hiding([&self.url])
    }
}

fn blocks(notice: &Notice, links: &Links, headline: &str) -> Vec<Value> {
    let plain = |text: &str, length_max: usize| json!({"type": "plain_text", "text": cut(text, length_max), "emoji": false});
    let mut blocks = vec![json!({"type": "header", "text": plain(headline, HEADER_LENGTH_MAX)})];
    if !notice.cause.is_empty() {
        blocks.push(json!({"type": "section", "text": plain(&notice.cause, SECTION_LENGTH_MAX)}));
    }
    for fields in facts(notice).chunks(FIELDS_MAX) {
        let fields: Vec<Value> = fields
            .iter()
            .map(|(name, value)| field(name, value))
            .collect();
        blocks.push(json!({"type": "section", "fields": fields}));
    }
    if !notice.samples.is_empty() {
        blocks
            .push(json!({"type": "section", "text": {"type": "mrkdwn", "text": samples(notice)}}));
    }
    let buttons = actions(notice, links)
        .into_iter()
        .filter(|action| action.url.len() <= URL_LENGTH_MAX);
    let buttons = buttons.map(|action| {
        let text = json!({"type": "plain_text", "text": action.label});
        json!({"type": "button", "text": text, "url": action.url})
    });
    let buttons: Vec<Value> = buttons.collect();
    if !buttons.is_empty() {
        blocks.push(json!({"type": "actions", "elements": buttons}));
    }
    blocks
}

fn field(name: &str, value: &str) -> Value {
    let name = escaped(name, FIELD_LENGTH_MAX / 4, escape);
    let value = escaped(value, FIELD_LENGTH_MAX / 2, escape);
    json!({"type": "mrkdwn", "text": format!("*{name}*\n{value}")})
}

/// Three backticks in a line of log would end the code.
fn samples(notice: &Notice) -> String {
    const MARKS: &str = "```";
    let lines: Vec<String> = notice.samples.iter().map(wording::sample_line).collect();
    let lines = lines.join("\n").replace(MARKS, "'''");
    let length_max = SECTION_LENGTH_MAX - 2 * MARKS.len();
    format!("{MARKS}{}{MARKS}", escaped(&lines, length_max, escape))
}

fn escape(character: char) -> Option<&'static str> {
    match character {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    }
}
