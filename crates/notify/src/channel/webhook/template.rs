//! Bodies of one's own: text with names in braces, `{"text": "{headline}"}`. Braces around anything that is no name are text.

use crate::wording::{actions, facts, headline, sample_line};
use crate::{Links, Notice, Sending};

/// How values are written, so that no value can end the text it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    /// As the inside of a text in JSON.
    Json,
    /// As a value in a form (application/x-www-form-urlencoded).
    Form,
    /// As it is.
    Plain,
}

impl Escape {
    pub(super) fn of(content_type: &str) -> Escape {
        let media_type = content_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        match media_type.as_str() {
            "application/x-www-form-urlencoded" => Escape::Form,
            json if json == "application/json" || json.ends_with("+json") => Escape::Json,
            _ => Escape::Plain,
        }
    }

    fn written(self, value: &str) -> String {
        match self {
            Escape::Plain => value.to_owned(),
            Escape::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                let inside = quoted
                    .strip_prefix('"')
                    .and_then(|rest| rest.strip_suffix('"'));
                inside.unwrap_or_default().to_owned()
            }
            Escape::Form => {
                let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._*".contains(&byte);
                let written = value.bytes().map(|byte| match byte {
                    b' ' => "+".to_owned(),
                    byte if is_plain(byte) => char::from(byte).to_string(),
                    byte => format!("%{byte:02X}"),
                });
                written.collect()
            }
        }
    }
}

/// A template that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    escape: Escape,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Name(String),
}

/// Names without a dot; `label.` and `group.` with anything behind them are names too.
const NAMES: [&str; 20] = [
    "acknowledge_link",
    "cause",
    "client",
    "events_link",
    "facts",
    "headline",
    "id",
    "incident",
    "incident_link",
    "kind",
    "links",
    "rule",
    "runbook",
    "samples",
    "severity",
    "since",
    "threshold",
    "title",
    "until",
    "value",
];

impl Template {
    /// Reads a template, or tells of the first name that no notice has.
    pub(super) fn parse(text: &str, escape: Escape) -> Result<Template, String> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        let mut plain = String::new();
        while let Some((before, behind)) = rest.split_once('{') {
            plain.push_str(before);
            let name = behind
                .split_once('}')
                .filter(|(name, _)| looks_like_a_name(name));
            let Some((name, after)) = name else {
                plain.push('{');
                rest = behind;
                continue;
            };
            let is_known =
                NAMES.contains(&name) || name.starts_with("label.") || name.starts_with("group.");
            if !is_known {
                return Err(name.to_owned());
            }
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
            pieces.push(Piece::Name(name.to_owned()));
            rest = after;
        }
        plain.push_str(rest);
        pieces.push(Piece::Text(plain));
        Ok(Template { escape, pieces })
    }

    pub(super) fn fill(&self, notice: &Notice, links: &Links, sending: &Sending) -> String {
        let pieces = self.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Name(name) => self.escape.written(&value(name, notice, links, sending)),
        });
        pieces.collect()
    }
}

fn looks_like_a_name(text: &str) -> bool {
    let is_ours = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    text.bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_lowercase())
        && text.bytes().all(is_ours)
}

/// Nothing, where a notice has nothing.
fn value(name: &str, notice: &Notice, links: &Links, sending: &Sending) -> String {
    let lines = |lines: Vec<String>| lines.join("\n");
    if let Some(label) = name.strip_prefix("label.") {
        return notice.labels.get(label).cloned().unwrap_or_default();
    }
    if let Some(field) = name.strip_prefix("group.") {
        let found = notice.group.iter().find(|(known, _)| known == field);
        return found.map(|(_, value)| value.clone()).unwrap_or_default();
    }
    let found = match name {
        "acknowledge_link" => links.acknowledge.clone(),
        "cause" => Some(notice.cause.clone()),
        "client" => Some(notice.client.clone()),
        "events_link" => links.events(notice),
        "facts" => Some(lines(
            facts(notice)
                .iter()
                .map(|(name, value)| format!("{name}: {value}"))
                .collect(),
        )),
        "headline" => Some(headline(notice)),
        "id" => Some(sending.id.clone()),
        "incident" => notice.incident.map(|incident| incident.to_string()),
        "incident_link" => links.incident.clone(),
        "kind" => Some(notice.kind.name().to_owned()),
        "links" => {
            let actions = actions(notice, links);
            Some(lines(
                actions
                    .iter()
                    .map(|action| format!("{}: {}", action.label, action.url))
                    .collect(),
            ))
        }
        "rule" => notice.rule.clone(),
        "runbook" => notice.runbook.clone(),
        "samples" => Some(lines(notice.samples.iter().map(sample_line).collect())),
        "severity" => Some(notice.severity.to_string()),
        "since" => Some(notice.since.to_string()),
        "threshold" => notice.threshold.clone(),
        "title" => Some(notice.title.clone()),
        "until" => notice.until.map(|until| until.to_string()),
        "value" => notice.value.clone(),
        _ => None,
    };
    found.unwrap_or_default()
}
