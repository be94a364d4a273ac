//! Notices and channels to try things with.

use cordwood_event::Timestamp;
use cordwood_notify::{Channel, ChannelKind, Links, Notice, NoticeKind, Sample, Sending, Severity};
use serde_json::{Value, json};

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

/// An incident with everything in it, and lines of log that try to be more than lines.
pub(crate) fn opened() -> Notice {
    let sample = |second: u32, level: Option<&str>, message: &str| Sample {
        dt: at(&format!("2026-03-27T10:15:{second}.125Z")),
        source: "web".to_owned(),
        level: level.map(str::to_owned),
        message: message.to_owned(),
    };
    Notice {
        kind: NoticeKind::Opened,
        title: "error rate of checkout-api".to_owned(),
        cause: "error rate of checkout-api is 7.2 %, above 5 %".to_owned(),
        severity: Severity::Critical,
        client: "Acme & Sons".to_owned(),
        rule: Some("checkout errors".to_owned()),
        group: vec![("service".to_owned(), "checkout-api".to_owned())],
        since: at("2026-03-27T10:15:30.5Z"),
        until: None,
        value: Some("7.2 %".to_owned()),
        threshold: Some("above 5 %".to_owned()),
        samples: vec![
            sample(28, Some("error"), "payment <failed> for *bob* & _ann_ `x`"),
            sample(
                29,
                Some("error"),
                "<!channel> @everyone ```\n[link](https://evil.example)",
            ),
            sample(30, None, "<b>\"quoted\"</b> \u{1b}[31m"),
        ],
        sample_link: Some("/search?query=level%3Aerror&from=2026-03-27T10:10:00Z".to_owned()),
        incident: Some(17),
        labels: [("team".to_owned(), "payments".to_owned())].into(),
        runbook: Some("https://wiki.example.com/checkout".to_owned()),
    }
}

pub(crate) fn resolved() -> Notice {
    Notice {
        kind: NoticeKind::Resolved,
        until: Some(at("2026-03-27T10:27:42Z")),
        samples: Vec::new(),
        runbook: Some("ask Ann".to_owned()),
        ..opened()
    }
}

pub(crate) fn acknowledged() -> Notice {
    Notice {
        kind: NoticeKind::Acknowledged,
        cause: "by ann".to_owned(),
        samples: Vec::new(),
        ..opened()
    }
}

pub(crate) fn links() -> Links {
    Links {
        server: "https://logs.example.com".to_owned(),
        origin: "cordwood-0011aabb".to_owned(),
        incident: Some("https://logs.example.com/incidents/17".to_owned()),
        acknowledge: Some("https://logs.example.com/acknowledge/t0k3n".to_owned()),
    }
}

pub(crate) fn sending() -> Sending {
    Sending {
        id: "msg-5e1d".to_owned(),
        written_at: at("2026-03-27T10:15:31Z"),
        now: at("2026-03-27T10:15:32Z"),
    }
}

pub(crate) fn channel(kind: ChannelKind, settings: Value, secrets: Value) -> Channel {
    let object = |value: Value| value.as_object().cloned().unwrap();
    Channel::read(kind, &object(settings), &object(secrets)).unwrap()
}

/// One of each kind.
pub(crate) fn channels() -> Vec<(&'static str, Channel)> {
    let template = r#"{"text": "{headline}", "who": {"team": "{label.team}", "host": "{group.host}"}, "log": "{samples}"}"#;
    let all = [
        (
            "email",
            ChannelKind::Email,
            json!({"host": "mail.example.com", "user": "alerts", "from": "Alerts <alerts@example.com>",
                "to": ["ann@example.com", "bob@example.com"]}),
            json!({"password": "hunter22"}),
        ),
        (
            "slack",
            ChannelKind::Slack,
            json!({}),
            json!({"url": "https://hooks.slack.com/services/T0/B0/s3cr3t"}),
        ),
        (
            "teams",
            ChannelKind::Teams,
            json!({}),
            json!({"url": "https://prod.westeurope.logic.azure.com/workflows/s3cr3t?sig=s3cr3t"}),
        ),
        (
            "discord",
            ChannelKind::Discord,
            json!({}),
            json!({"url": "https://discord.com/api/webhooks/1/s3cr3t"}),
        ),
        (
            "pagerduty",
            ChannelKind::Pagerduty,
            json!({}),
            json!({"routing_key": "0123456789s3cr3t"}),
        ),
        (
            "opsgenie",
            ChannelKind::Opsgenie,
            json!({"region": "eu"}),
            json!({"api_key": "s3cr3t-key"}),
        ),
        (
            "ntfy",
            ChannelKind::Ntfy,
            json!({"topic": "acme-alerts"}),
            json!({"token": "tk_s3cr3t"}),
        ),
        (
            "telegram",
            ChannelKind::Telegram,
            json!({"chat_id": -1001, "thread_id": 7}),
            json!({"token": "110201543:s3cr3t"}),
        ),
        (
            "webhook",
            ChannelKind::Webhook,
            json!({"url": "https://example.com/hook", "headers": {"X-Team": "payments"}}),
            json!({"signing_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "authorization": "Bearer s3cr3t"}),
        ),
        (
            "webhook-better-stack",
            ChannelKind::Webhook,
            json!({"url": "https://example.com/hook", "format": "better_stack"}),
            json!({}),
        ),
        (
            "webhook-template",
            ChannelKind::Webhook,
            json!({"url": "https://example.com/hook", "method": "PUT", "body": template}),
            json!({}),
        ),
    ];
    all.into_iter()
        .map(|(name, kind, settings, secrets)| (name, channel(kind, settings, secrets)))
        .collect()
}
