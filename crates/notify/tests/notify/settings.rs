//! What a channel may be made of: all mistakes are told at once.

use cordwood_notify::{Channel, ChannelKind};
use serde_json::{Value, json};

fn check(kind: ChannelKind, settings: Value, secrets: Value, expected: &[&str]) {
    let object = |value: &Value| value.as_object().cloned().unwrap();
    let mistakes = match Channel::read(kind, &object(&settings), &object(&secrets)) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes.iter().map(|mistake| mistake.to_string()).collect(),
    };
    assert_eq!(mistakes, expected, "{} {settings} {secrets}", kind.name());
}

#[test]
fn what_is_missing_or_wrong_is_told() {
    use ChannelKind::*;
    check(
        Slack,
        json!({}),
        json!({"url": "https://hooks.slack.com/services/x"}),
        &[],
    );
    check(Slack, json!({}), json!({}), &["`url` can't be blank"]);
    check(
        Slack,
        json!({}),
        json!({"url": "  "}),
        &["`url` can't be blank"],
    );
    check(
        Slack,
        json!({"colour": "red"}),
        json!({"url": 17}),
        &[
            "`url` has to be a URL such as https://example.com/hook",
            "`colour` means nothing for a channel of this kind",
        ],
    );
    for url in [
        "ftp://example.com",
        "https://",
        "example.com",
        "/hook",
        "https://a b",
        "http:///x",
    ] {
        let wrong = ["`url` has to be a URL such as https://example.com/hook"];
        check(Teams, json!({}), json!({"url": url}), &wrong);
        check(Webhook, json!({"url": url}), json!({}), &wrong);
    }
    check(
        Webhook,
        json!({"url": "https://ann:pw@example.com"}),
        json!({}),
        &["`url` can't have a name and password in it"],
    );
    check(
        Discord,
        json!({}),
        json!({"url": "https://a\nb"}),
        &["`url` has to be one line"],
    );
    check(
        Pagerduty,
        json!({}),
        json!({}),
        &["`routing_key` can't be blank"],
    );
    check(
        Opsgenie,
        json!({"region": "mars"}),
        json!({"api_key": true}),
        &[
            "`region` has to be one of us, eu",
            "`api_key` has to be a text",
        ],
    );
    check(
        Ntfy,
        json!({"topic": "a/b"}),
        json!({}),
        &["`topic` has to be at most 64 letters, digits, - and _"],
    );
    check(
        Ntfy,
        json!({}),
        json!({"token": null}),
        &["`topic` can't be blank"],
    );
    check(
        Telegram,
        json!({"thread_id": 0}),
        json!({}),
        &[
            "`chat_id` can't be blank",
            "`thread_id` has to be a number of 1 to 4294967295",
            "`token` can't be blank",
        ],
    );
}

#[test]
fn mail_needs_a_server_and_people() {
    use ChannelKind::Email;
    let good = json!({"host": "mail", "from": "a@example.com", "to": "b@example.com"});
    check(Email, good.clone(), json!({}), &[]);
    check(
        Email,
        json!({}),
        json!({}),
        &[
            "`host` can't be blank",
            "`from` can't be blank",
            "`to` can't be blank",
        ],
    );
    check(
        Email,
        json!({"host": "mail", "from": "nobody", "to": ["b@example.com", "c"], "port": 99999, "security": "ssl"}),
        json!({}),
        &[
            "`security` has to be one of starttls, tls, none",
            "`port` has to be a number of 1 to 65535",
            "`from` has to be an address such as alerts@example.com",
            "`to` has `c`, which is no address",
        ],
    );
    check(
        Email,
        json!({"host": "mail", "from": "a@example.com\nBcc: x@example.com", "to": "b@example.com\r\nDATA"}),
        json!({}),
        &["`from` has to be one line", "`to` has to be one line"],
    );
    let mut clear = good.clone();
    clear["security"] = "none".into();
    clear["user"] = "ann".into();
    check(
        Email,
        clear,
        json!({"password": "pw"}),
        &["`security` has to be starttls or tls where there is a password"],
    );
    let mut half = good;
    half["user"] = "ann".into();
    half["certificate_authority"] = "-----BEGIN".into();
    check(
        Email,
        half,
        json!({}),
        &[
            "`password` can't be blank where there is a user",
            "`certificate_authority` has to be a certificate in PEM",
        ],
    );
}

#[test]
fn webhooks_have_headers_bodies_and_signatures() {
    use ChannelKind::Webhook;
    let with = |name: &str, value: Value| {
        let mut settings = json!({"url": "https://example.com"});
        settings[name] = value;
        settings
    };
    check(
        Webhook,
        with("headers", json!({"X-A": "b", "x-b": 7})),
        json!({}),
        &[],
    );
    check(
        Webhook,
        with("headers", json!({"Host": "evil", "a b": "c"})),
        json!({}),
        &[
            "`headers` can't have `Host`, which has a setting or a secret of its own or none",
            "`headers` has a header `a b` that can't be sent",
        ],
    );
    check(
        Webhook,
        with("headers", json!("x")),
        json!({}),
        &["`headers` has to be an object of at most 50 texts"],
    );
    check(
        Webhook,
        with("body", json!(r#"{"a": "{hedline}", "b": {"c": 1}}"#)),
        json!({}),
        &["`body` names `{hedline}`, which no notice has"],
    );
    check(
        Webhook,
        with("method", json!("GET")),
        json!({"signing_secret": "abc"}),
        &[
            "`method` has to be one of POST, PUT, PATCH",
            "`signing_secret` has to be whsec_ and 24 to 64 bytes in base64",
        ],
    );
}
