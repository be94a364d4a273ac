//! Whatever takes requests of HTTP: our own JSON, that of Better Stack's outgoing webhooks (betterstack.com/docs/uptime/webhooks), or
//! a template. Signed, if there is a secret, as Standard Webhooks says (github.com/standard-webhooks/standard-webhooks).

mod better_stack;
mod signature;
mod template;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::outgoing::HttpRequest;
use crate::reader::{Part, Reader};
use crate::{Links, Notice, Secret, Sending};
use signature::SigningKey;
use template::{Escape, Template};

/// Headers that are ours to set, or the connection's.
const HEADERS_TAKEN: [&str; 10] = [
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "idempotency-key",
    "transfer-encoding",
    "webhook-id",
    "webhook-signature",
    "webhook-timestamp",
];

#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    url: String,
    method: &'static str,
    headers: Vec<(String, String)>,
    content_type: String,
    body: Body,
    /// The value of `Authorization`.
    authorization: Option<Secret>,
    signing: Option<SigningKey>,
}

#[derive(Clone, Debug)]
enum Body {
    Cordwood,
    BetterStack,
    Template(Template),
}

#[derive(Clone, Copy)]
enum Format {
    Cordwood,
    BetterStack,
}

impl Webhook {
    pub(crate) fn read(reader: &mut Reader) -> Webhook {
        let methods = [("POST", "POST"), ("PUT", "PUT"), ("PATCH", "PATCH")];
        let formats = [
            ("cordwood", Format::Cordwood),
            ("better_stack", Format::BetterStack),
        ];
        let is_url_given = reader.url("url");
        if is_url_given.is_none() {
            reader.needs("url");
        }
        let content_type = reader
            .text("content_type")
            .unwrap_or_else(|| "application/json".to_owned());
        let format = reader
            .one_of("format", &formats)
            .unwrap_or(Format::Cordwood);
        Webhook {
            url: is_url_given.unwrap_or_default(),
            method: reader.one_of("method", &methods).unwrap_or("POST"),
            headers: headers(reader),
            body: body(reader, format, &content_type),
            content_type,
            authorization: reader.secret("authorization"),
            signing: signing(reader),
        }
    }

    pub(crate) fn request(&self, notice: &Notice, links: &Links, sending: &Sending) -> HttpRequest {
        let body = match &self.body {
            Body::Cordwood => own(notice, links, sending).to_string(),
            Body::BetterStack => better_stack::body(notice, links).to_string(),
            Body::Template(template) => template.fill(notice, links, sending),
        };
        let mut request = HttpRequest {
            method: self.method,
            url: self.url.clone(),
            headers: vec![("content-type".to_owned(), self.content_type.clone())],
            body: body.into_bytes(),
            secrets: Vec::new(),
        };
        request.headers.extend(self.headers.iter().cloned());
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization.reveal());
        }
        request = request.hiding(&self.authorization);
        let seconds = (sending.now.as_nanos() / 1_000_000_000).to_string();
        if let Some(key) = &self.signing {
            let signature = key.sign(&sending.id, &seconds, &request.body);
            request = request.header("webhook-signature", signature);
        }
        request
            .header("webhook-id", &sending.id)
            .header("webhook-timestamp", seconds)
    }
}

/// Type, time and data, as Standard Webhooks has payloads.
fn own(notice: &Notice, links: &Links, sending: &Sending) -> Value {
    let group = notice.group.iter().cloned();
    let group: BTreeMap<String, String> = group.collect();
    let mut data = json!(notice);
    data["group"] = json!(group);
    // It is among the links, whole.
    data.as_object_mut()
        .map(|members| members.remove("sample_link"));
    data["links"] = json!({
        "incident": links.incident,
        "acknowledge": links.acknowledge,
        "events": links.events(notice),
    });
    json!({
        "type": format!("notice.{}", notice.kind.name()),
        "timestamp": sending.written_at.to_string(),
        "data": data,
    })
}

fn headers(reader: &mut Reader) -> Vec<(String, String)> {
    let pairs = reader.pairs("headers");
    for (name, value) in &pairs {
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) || !value.is_ascii() {
            reader.refuse(
                Part::Settings,
                "headers",
                format!("has a header `{name}` that can't be sent"),
            );
        } else if HEADERS_TAKEN.contains(&name.to_ascii_lowercase().as_str()) {
            let message =
                format!("can't have `{name}`, which has a setting or a secret of its own or none");
            reader.refuse(Part::Settings, "headers", message);
        }
    }
    pairs
}

fn body(reader: &mut Reader, format: Format, content_type: &str) -> Body {
    let Some(text) = reader.long_text("body") else {
        return match format {
            Format::Cordwood => Body::Cordwood,
            Format::BetterStack => Body::BetterStack,
        };
    };
    match Template::parse(&text, Escape::of(content_type)) {
        Ok(template) => Body::Template(template),
        Err(unknown) => {
            let message = format!("names `{{{unknown}}}`, which no notice has");
            reader.refuse(Part::Settings, "body", message);
            Body::Cordwood
        }
    }
}

fn signing(reader: &mut Reader) -> Option<SigningKey> {
    let secret = reader.secret("signing_secret")?;
    let key = SigningKey::parse(&secret);
    if key.is_none() {
        let message = "has to be whsec_ and 24 to 64 bytes in base64";
        reader.refuse(Part::Secrets, "signing_secret", message);
    }
    key
}
