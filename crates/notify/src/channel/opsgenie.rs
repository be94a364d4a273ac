//! Opsgenie: the alert API (docs.opsgenie.com/docs/alert-api): 130 characters in a message, 15 000 in a description, 512 in an alias,
//! 20 tags of 50, 8000 in all details.
//!
//! The alias is that of our incident, so that the alert opens, is acknowledged and closed with it.

use serde_json::{Map, Value, json};

use crate::cut::cut;
use crate::outgoing::HttpRequest;
use crate::reader::Reader;
use crate::wording::{actions, facts, headline, sample_line};
use crate::{Links, Notice, NoticeKind, Secret, Severity};

const MESSAGE_LENGTH_MAX: usize = 130;
const DESCRIPTION_LENGTH_MAX: usize = 15_000;
const ALIAS_LENGTH_MAX: usize = 512;
const TAGS_MAX: usize = 20;
const TAG_LENGTH_MAX: usize = 50;
/// Fifty facts of this length, the most there are, are below 8000.
const DETAIL_LENGTH_MAX: usize = 120;
const SOURCE_LENGTH_MAX: usize = 100;

#[derive(Clone, Debug)]
pub(crate) struct Opsgenie {
    url: String,
    api_key: Secret,
}

impl Opsgenie {
    pub(crate) fn read(reader: &mut Reader) -> Opsgenie {
        let regions = [
            ("us", "https://api.opsgenie.com"),
            ("eu", "https://api.eu.opsgenie.com"),
        ];
        let of_region = reader.one_of("region", &regions).unwrap_or_default();
        Opsgenie {
            url: reader.url("url").unwrap_or_else(|| of_region.to_owned()),
            api_key: reader.needed_secret("api_key"),
        }
    }

    pub(crate) fn request(&self, notice: &Notice, links: &Links) -> HttpRequest {
        let alias = cut(&links.subject(notice), ALIAS_LENGTH_MAX);
        let verb = match notice.kind {
            NoticeKind::Acknowledged => Some("acknowledge"),
            NoticeKind::Resolved | NoticeKind::Working => Some("close"),
            NoticeKind::Opened
            | NoticeKind::Reopened
            | NoticeKind::Failing
            | NoticeKind::Digest
            | NoticeKind::Test => None,
        };
        let alerts = format!("{}/v2/alerts", self.url.trim_end_matches('/'));
        let (url, body) = match verb {
            Some(verb) => {
                let url = format!(
                    "{alerts}/{}/{verb}?identifierType=alias",
                    path_segment(&alias)
                );
                (url, json!({"source": "Cordwood", "note": headline(notice)}))
            }
            None => (alerts, alert(notice, links, &alias)),
        };
        let key = format!("GenieKey {}", self.api_key.reveal());
        HttpRequest::json(url, &body)
            .header("authorization", key)
            .hiding([&self.api_key])
    }
}

fn alert(notice: &Notice, links: &Links, alias: &str) -> Value {
    let mut parts = vec![notice.cause.clone()];
    parts.extend(notice.samples.iter().map(sample_line));
    parts.extend(
        actions(notice, links)
            .iter()
            .map(|action| format!("{}: {}", action.label, action.url)),
    );
    let details = facts(notice).into_iter();
    let details: Map<String, Value> = details
        .map(|(name, value)| {
            (
                cut(&name, DETAIL_LENGTH_MAX / 3),
                cut(&value, DETAIL_LENGTH_MAX).into(),
            )
        })
        .collect();
    let tags = notice.labels.iter().take(TAGS_MAX);
    let tags = tags.map(|(name, value)| cut(&format!("{name}={value}"), TAG_LENGTH_MAX));
    json!({
        "message": cut(&headline(notice), MESSAGE_LENGTH_MAX),
        "alias": alias,
        "description": cut(&parts.join("\n"), DESCRIPTION_LENGTH_MAX),
        "priority": match notice.severity {
            Severity::Critical => "P1",
            Severity::Error => "P2",
            Severity::Warning => "P3",
            Severity::Info => "P5",
        },
        "source": cut(&format!("Cordwood {}", notice.client), SOURCE_LENGTH_MAX),
        "entity": notice.rule,
        "tags": tags.collect::<Vec<_>>(),
        "details": details,
    })
}

/// A text as a segment of a path (RFC 3986, section 2.1).
fn path_segment(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let written = text.bytes().map(|byte| match is_plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    written.collect()
}
