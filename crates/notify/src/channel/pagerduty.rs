//! PagerDuty: the events API, version 2 (developer.pagerduty.com/docs/events-api-v2-overview and …/trigger-events): 1024 characters
//! in a summary, 255 in the key that makes one incident of several events, 512 KB in all.
//!
//! The key is that of our incident, so that theirs opens, is acknowledged and resolved with it.

use serde_json::{Map, Value, json};

use crate::cut::cut;
use crate::outgoing::HttpRequest;
use crate::reader::Reader;
use crate::wording::{actions, facts, headline, sample_line};
use crate::{Links, Notice, NoticeKind, Secret};

const URL_DEFAULT: &str = "https://events.pagerduty.com";
const SUMMARY_LENGTH_MAX: usize = 1024;
const KEY_LENGTH_MAX: usize = 255;

#[derive(Clone, Debug)]
pub(crate) struct Pagerduty {
    /// `https://events.eu.pagerduty.com` for accounts in Europe.
    url: String,
    routing_key: Secret,
}

impl Pagerduty {
    pub(crate) fn read(reader: &mut Reader) -> Pagerduty {
        Pagerduty {
            url: reader.url("url").unwrap_or_else(|| URL_DEFAULT.to_owned()),
            routing_key: reader.needed_secret("routing_key"),
        }
    }

    pub(crate) fn request(&self, notice: &Notice, links: &Links) -> HttpRequest {
        let action = match notice.kind {
            NoticeKind::Acknowledged => "acknowledge",
            NoticeKind::Resolved | NoticeKind::Working => "resolve",
            NoticeKind::Opened
            | NoticeKind::Reopened
            | NoticeKind::Failing
            | NoticeKind::Digest
            | NoticeKind::Test => "trigger",
        };
        let mut body = json!({
            "routing_key": self.routing_key.reveal(),
            "event_action": action,
            "dedup_key": cut(&links.subject(notice), KEY_LENGTH_MAX),
        });
        if action == "trigger" {
            body["payload"] = payload(notice);
            let links = actions(notice, links).into_iter();
            let links = links.map(|action| json!({"href": action.url, "text": action.label}));
            body["links"] = links.collect();
            body["client"] = "Cordwood".into();
        }
        let url = format!("{}/v2/enqueue", self.url.trim_end_matches('/'));
        HttpRequest::json(url, &body).hiding([&self.routing_key])
    }
}

fn payload(notice: &Notice) -> Value {
    let summary = match notice.cause.is_empty() {
        true => headline(notice),
        false => format!("{}: {}", headline(notice), notice.cause),
    };
    let mut details: Map<String, Value> = facts(notice)
        .into_iter()
        .map(|(name, value)| (name, value.into()))
        .collect();
    let samples: Vec<String> = notice.samples.iter().map(sample_line).collect();
    details.insert("Samples".to_owned(), samples.into());
    json!({
        "summary": cut(&summary, SUMMARY_LENGTH_MAX),
        "source": notice.client,
        "severity": notice.severity.name(),
        "timestamp": notice.since.to_string(),
        "component": notice.rule,
        "custom_details": details,
    })
}
