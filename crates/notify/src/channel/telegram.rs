//! Telegram: a bot's `sendMessage` with HTML (core.telegram.org/bots/api#sendmessage and #html-style): 4096 characters of text after
//! its marks are taken out.
//!
//! `&`, `<` and `>` of what came out of logs are escaped. Links stand in the text, not on buttons: those are refused for servers that
//! only their own network knows.

use serde_json::{Value, json};

use crate::cut::cut;
use crate::html::html;
use crate::outgoing::HttpRequest;
use crate::reader::Reader;
use crate::wording::{actions, facts, headline, mark, sample_line};
use crate::{Links, Notice, NoticeKind, Secret, Severity};

const URL_DEFAULT: &str = "https://api.telegram.org";
/// These and the labels of links are below 4096.
const HEADLINE_LENGTH_MAX: usize = 320;
const CAUSE_LENGTH_MAX: usize = 1200;
const FACTS_LENGTH_MAX: usize = 1200;
const SAMPLES_LENGTH_MAX: usize = 1200;

#[derive(Clone, Debug)]
pub(crate) struct Telegram {
    url: String,
    chat_id: String,
    /// A topic of a group.
    thread_id: Option<u64>,
    token: Secret,
}

impl Telegram {
    pub(crate) fn read(reader: &mut Reader) -> Telegram {
        Telegram {
            url: reader.url("url").unwrap_or_else(|| URL_DEFAULT.to_owned()),
            chat_id: reader.needed_text("chat_id"),
            thread_id: reader.number("thread_id", 1..=u64::from(u32::MAX)),
            token: reader.needed_secret("token"),
        }
    }

    pub(crate) fn request(&self, notice: &Notice, links: &Links) -> HttpRequest {
        let is_quiet = matches!(
            notice.kind,
            NoticeKind::Resolved | NoticeKind::Working | NoticeKind::Acknowledged
        ) || notice.severity == Severity::Info;
        let mut body = json!({
            "chat_id": self.chat_id,
            "text": text(notice, links),
            "parse_mode": "HTML",
            "link_preview_options": {"is_disabled": true},
            "disable_notification": is_quiet,
        });
        if let Some(thread_id) = self.thread_id {
            body["message_thread_id"] = Value::from(thread_id);
        }
        let base = self.url.trim_end_matches('/');
        let url = format!("{base}/bot{}/sendMessage", self.token.reveal());
        HttpRequest::json(url, &body).hiding([&self.token])
    }
}

fn text(notice: &Notice, links: &Links) -> String {
    let headline = format!("{} {}", mark(notice), headline(notice));
    let mut parts = vec![format!(
        "<b>{}</b>",
        html(&cut(&headline, HEADLINE_LENGTH_MAX))
    )];
    if !notice.cause.is_empty() {
        parts.push(html(&cut(&notice.cause, CAUSE_LENGTH_MAX)));
    }
    let facts: Vec<String> = facts(notice)
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    parts.push(html(&cut(&facts.join("\n"), FACTS_LENGTH_MAX)));
    if !notice.samples.is_empty() {
        let lines: Vec<String> = notice.samples.iter().map(sample_line).collect();
        parts.push(format!(
            "<pre>{}</pre>",
            html(&cut(&lines.join("\n"), SAMPLES_LENGTH_MAX))
        ));
    }
    let links = actions(notice, links).into_iter();
    let links: Vec<String> = links
        .map(|action| format!("<a href=\"{}\">{}</a>", html(&action.url), action.label))
        .collect();
    if !links.is_empty() {
        parts.push(links.join(" · "));
    }
    parts.join("\n\n")
}
