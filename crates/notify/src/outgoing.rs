//! What is sent: a request of HTTP, or a mail.

use std::fmt;

use serde_json::Value;

use crate::Secret;
use crate::channel::MailServer;

/// Something to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// A request of HTTP.
    Http(HttpRequest),
    /// A mail.
    Mail(Box<Mail>),
}

/// A request of HTTP. Its URL and headers may be secrets, so that `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// `POST`.
    pub method: &'static str,
    /// Where to.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// What is sent.
    pub body: Vec<u8>,
    /// What must not come back out of an answer.
    pub secrets: Vec<Secret>,
}

impl HttpRequest {
    /// A POST of JSON.
    pub(crate) fn json(url: String, body: &Value) -> HttpRequest {
        HttpRequest {
            method: "POST",
            url,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.to_string().into_bytes(),
            secrets: Vec::new(),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> HttpRequest {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn hiding<'a>(
        mut self,
        secrets: impl IntoIterator<Item = &'a Secret>,
    ) -> HttpRequest {
        self.secrets.extend(secrets.into_iter().cloned());
        self
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.body.len();
        write!(f, "HttpRequest({}, {bytes} bytes)", self.method)
    }
}

/// A mail and the server that takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The server.
    pub server: MailServer,
    /// Who sends it.
    pub from: String,
    /// Who gets it.
    pub to: Vec<String>,
    /// What it is called, in one line.
    pub subject: String,
    /// What it says.
    pub text: String,
    /// The same with colours and links.
    pub html: String,
    /// The same for every attempt, without its brackets.
    pub message_id: String,
    /// What mail programs put it in a thread with.
    pub thread_id: String,
    /// When it was written, in seconds since 1970.
    pub date_s: u64,
    /// Whether it is to be looked at now.
    pub is_urgent: bool,
}
