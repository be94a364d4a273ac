//! What each provider is sent, byte for byte: `tests/requests` holds it, as the documentation named in each file of `channel/` wants
//! it. `CORDWOOD_WRITE_REQUESTS=1` writes the files anew; what changed in them is to be read.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use cordwood_notify::{HttpRequest, Mail, Outgoing};
use serde_json::Value;

use crate::notices::{acknowledged, channels, links, opened, resolved, sending};

#[test]
fn each_provider_gets_what_it_documents() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requests");
    let is_writing = env::var_os("CORDWOOD_WRITE_REQUESTS").is_some();
    for (name, channel) in channels() {
        let mut told = String::new();
        for notice in [opened(), acknowledged(), resolved()] {
            let outgoing = channel.request(&notice, &links(), &sending());
            write!(told, "== {}\n{}\n", notice.kind.name(), written(&outgoing)).unwrap();
        }
        let path = directory.join(format!("{name}.txt"));
        if is_writing {
            fs::write(&path, &told).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(told, expected, "{name}");
    }
}

fn written(outgoing: &Outgoing) -> String {
    match outgoing {
        Outgoing::Http(request) => written_request(request),
        Outgoing::Mail(mail) => written_mail(mail),
    }
}

fn written_request(request: &HttpRequest) -> String {
    let mut text = format!("{} {}\n", request.method, request.url);
    for (name, value) in &request.headers {
        writeln!(text, "{name}: {value}").unwrap();
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    write!(text, "\n{body:#}\n").unwrap();
    text
}

fn written_mail(mail: &Mail) -> String {
    let Mail {
        server,
        from,
        to,
        subject,
        text,
        html,
        message_id,
        thread_id,
        date_s,
        is_urgent,
    } = mail;
    format!(
        "{server:?}\n{from} -> {to:?}\n{message_id} in {thread_id}, {date_s} s, urgent: {is_urgent}\n{subject}\n\n{text}\n{html}"
    )
}

/// Neither in a log of ours: secrets are shown by no `Debug`.
#[test]
fn what_is_printed_holds_no_secret() {
    for (name, channel) in channels() {
        let outgoing = channel.request(&opened(), &links(), &sending());
        let printed = format!("{channel:?} {outgoing:?}");
        for secret in ["s3cr3t", "hunter22", "whsec", "MfKQ9r8"] {
            assert!(!printed.contains(secret), "{name}: {printed}");
        }
    }
}
