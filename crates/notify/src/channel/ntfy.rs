//! ntfy: publishing as JSON (docs.ntfy.sh/publish/#publish-as-json): 4096 bytes in a message, priorities of 1 to 5, at most three
//! actions.

use serde_json::{Value, json};

use crate::cut::cut;
use crate::outgoing::HttpRequest;
use crate::reader::{Part, Reader};
use crate::wording::{actions, facts, headline, mark, sample_line};
use crate::{Links, Notice, NoticeKind, Secret, Severity};

const URL_DEFAULT: &str = "https://ntfy.sh";
/// Bytes; what is longer becomes an attachment.
const MESSAGE_BYTES_MAX: usize = 4096;
const ACTIONS_MAX: usize = 3;
/// Letters in the name of a topic at most.
const TOPIC_LENGTH_MAX: usize = 64;
const TITLE_LENGTH_MAX: usize = 200;

#[derive(Clone, Debug)]
pub(crate) struct Ntfy {
    url: String,
    topic: String,
    token: Option<Secret>,
}

impl Ntfy {
    pub(crate) fn read(reader: &mut Reader) -> Ntfy {
        let topic = reader.needed_text("topic");
        let is_ours = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if topic.len() > TOPIC_LENGTH_MAX || !topic.bytes().all(is_ours) {
            let message = "has to be at most 64 letters, digits, - and _";
            reader.refuse(Part::Settings, "topic", message);
        }
        Ntfy {
            url: reader.url("url").unwrap_or_else(|| URL_DEFAULT.to_owned()),
            topic,
            token: reader.secret("token"),
        }
    }

    pub(crate) fn request(&self, notice: &Notice, links: &Links) -> HttpRequest {
        let actions = actions(notice, links);
        let click = actions.iter().find(|action| action.label != "Acknowledge");
        let views = actions.iter().take(ACTIONS_MAX);
        let views =
            views.map(|action| json!({"action": "view", "label": action.label, "url": action.url}));
        let title = format!("{} {}", mark(notice), headline(notice));
        let body = json!({
            "topic": self.topic,
            "title": cut(&title, TITLE_LENGTH_MAX),
            "message": message(notice),
            "priority": priority(notice),
            "click": click.map(|action| &action.url),
            "actions": views.collect::<Vec<Value>>(),
        });
        let request = HttpRequest::json(self.url.clone(), &body).hiding(&self.token);
        match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {}", token.reveal())),
            None => request,
        }
    }
}

/// What is over or seen by somebody wakes nobody.
fn priority(notice: &Notice) -> u8 {
    match (notice.kind, notice.severity) {
        (NoticeKind::Resolved | NoticeKind::Working | NoticeKind::Acknowledged, _) => 2,
        (_, Severity::Critical) => 5,
        (_, Severity::Error) => 4,
        (_, Severity::Warning) => 3,
        (_, Severity::Info) => 2,
    }
}

fn message(notice: &Notice) -> String {
    let mut lines = vec![notice.cause.clone()];
    lines.extend(
        facts(notice)
            .iter()
            .map(|(name, value)| format!("{name}: {value}")),
    );
    lines.extend(notice.samples.iter().map(sample_line));
    let text = lines.join("\n");
    let mut length_max = MESSAGE_BYTES_MAX;
    let mut message = cut(text.trim(), length_max);
    // A character may have four bytes, so that a length in characters has to be found.
    while message.len() > MESSAGE_BYTES_MAX {
        length_max = length_max * 3 / 4;
        message = cut(text.trim(), length_max);
    }
    message
}
