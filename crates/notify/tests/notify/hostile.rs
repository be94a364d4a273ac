//! Whatever stands in a notice: what is sent is well formed, within the provider's limits, and none of it is more than text.

use cordwood_event::Timestamp;
use cordwood_notify::{Notice, NoticeKind, Outgoing, Sample, Severity};
use proptest::prelude::*;
use serde_json::Value;

use crate::notices::{channels, links, opened, sending};

/// Texts with marks of all the formats, of any length.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("```".to_owned()),
        Just("<!channel>".to_owned()),
        Just("@everyone".to_owned()),
        Just("</pre><script>".to_owned()),
        Just("\r\nBcc: x@example.com\r\n".to_owned()),
        Just("{cause}\"}\\".to_owned()),
        Just("😀".to_owned()),
        Just("&".repeat(50)),
        any::<String>(),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn kind() -> impl Strategy<Value = NoticeKind> {
    use NoticeKind::*;
    proptest::sample::select(vec![
        Opened,
        Acknowledged,
        Resolved,
        Reopened,
        Failing,
        Working,
        Digest,
        Test,
    ])
}

fn notice() -> impl Strategy<Value = Notice> {
    let severity = proptest::sample::select(vec![Severity::Info, Severity::Critical]);
    let texts = (text(), text(), text(), text(), text());
    let pairs = proptest::collection::vec((text(), text()), 0..30);
    (kind(), severity, texts, pairs, any::<i64>()).prop_map(
        |(kind, severity, texts, pairs, nanos)| {
            let (title, cause, client, message, value) = texts;
            let dt = Timestamp::from_nanos(nanos);
            let sample = Sample {
                dt,
                source: client.clone(),
                level: Some(value.clone()),
                message,
            };
            Notice {
                kind,
                title,
                cause,
                severity,
                client,
                rule: Some(value.clone()),
                group: pairs.clone(),
                since: dt,
                until: Some(Timestamp::from_nanos(nanos.saturating_add(1))),
                value: Some(value.clone()),
                threshold: Some(value.clone()),
                samples: vec![sample; 5],
                sample_link: Some(value.clone()),
                incident: None,
                labels: pairs.into_iter().collect(),
                runbook: Some(value),
            }
        },
    )
}

fn length(value: &Value) -> usize {
    value.as_str().unwrap_or_default().encode_utf16().count()
}

/// Within what each provider documents.
fn check(name: &str, body: &Value) {
    match name {
        "slack" => {
            let attachment = &body["attachments"][0];
            for block in attachment["blocks"].as_array().unwrap() {
                let text = length(&block["text"]["text"]);
                let text_max = if block["type"] == "header" { 150 } else { 3000 };
                assert!(text <= text_max, "{block}");
                let fields = block["fields"].as_array();
                assert!(fields.is_none_or(|fields| fields.len() <= 10));
                for field in fields.into_iter().flatten() {
                    assert!(length(&field["text"]) <= 2000);
                    assert!(!field["text"].as_str().unwrap().contains("<!"), "{field}");
                }
            }
        }
        "teams" => assert!(
            body.to_string().len() <= 28 * 1024,
            "{}",
            body.to_string().len()
        ),
        "discord" => {
            let embed = &body["embeds"][0];
            let fields = embed["fields"].as_array().unwrap();
            let mut whole = length(&embed["title"]) + length(&embed["description"]);
            assert!(
                length(&embed["title"]) <= 256
                    && length(&embed["description"]) <= 4096
                    && fields.len() <= 25
            );
            for field in fields {
                let (name, value) = (length(&field["name"]), length(&field["value"]));
                assert!(
                    (1..=256).contains(&name) && (1..=1024).contains(&value),
                    "{field}"
                );
                whole += name + value;
            }
            assert!(whole <= 6000, "{whole}");
        }
        "pagerduty" => {
            assert!(
                length(&body["payload"]["summary"]) <= 1024 && length(&body["dedup_key"]) <= 255
            );
        }
        "opsgenie" => {
            assert!(length(&body["message"]) <= 130 && length(&body["alias"]) <= 512);
            assert!(length(&body["description"]) <= 15_000);
            let details = body["details"].as_object().into_iter().flatten();
            let details: usize = details
                .map(|(name, value)| name.encode_utf16().count() + length(value))
                .sum();
            assert!(details <= 8000, "{details}");
        }
        "ntfy" => assert!(body["message"].as_str().unwrap().len() <= 4096),
        "telegram" => {
            let text = body["text"].as_str().unwrap();
            let tags: Vec<&str> = text
                .split('<')
                .skip(1)
                .map(|tag| tag.split('>').next().unwrap())
                .collect();
            for tag in &tags {
                let known = ["b", "/b", "pre", "/pre", "/a"];
                assert!(known.contains(tag) || tag.starts_with("a href=\""), "{tag}");
            }
            let marks: usize = tags.iter().map(|tag| tag.len() + 2).sum();
            let entities = text.matches("&amp;").count() * 4
                + (text.matches("&lt;").count() + text.matches("&gt;").count()) * 3
                + text.matches("&quot;").count() * 5;
            assert!(text.encode_utf16().count() - marks.min(text.len()) <= 4096 + entities);
        }
        "webhook-template" => assert_eq!(body["who"]["team"], ""),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_stands_in_a_notice_is_text(notice in notice()) {
        for (name, channel) in channels() {
            let mut notice = notice.clone();
            notice.labels.remove("team");
            match channel.request(&notice, &links(), &sending()) {
                Outgoing::Http(request) => {
                    let body: Value = serde_json::from_slice(&request.body).unwrap();
                    check(name, &body);
                    for (header, value) in &request.headers {
                        prop_assert!(!value.chars().any(char::is_control), "{header}");
                    }
                }
                Outgoing::Mail(mail) => {
                    prop_assert!(!mail.subject.chars().any(char::is_control));
                    let opening = mail.html.matches('<').count();
                    prop_assert_eq!(opening, mail.html.matches('>').count());
                    prop_assert!(!mail.html.contains("<script"));
                }
            }
        }
    }
}

/// A notice is read as it was written, and what is too long is cut when it is written.
#[test]
fn notices_are_kept_as_json() {
    let notice = opened();
    let text = serde_json::to_string(&notice.bounded()).unwrap();
    let read: Notice = serde_json::from_str(&text).unwrap();
    assert_eq!(read, notice.bounded());
    let long = Notice {
        cause: "x".repeat(1 << 16),
        samples: vec![notice.samples[0].clone(); 100],
        group: vec![("a".to_owned(), "y".repeat(1 << 16)); 100],
        ..notice
    };
    assert!(serde_json::to_string(&long.bounded()).unwrap().len() < 20_000);
}
