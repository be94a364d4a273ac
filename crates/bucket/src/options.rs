//! Where a bucket is, and with which keys.

use std::fmt;

/// A text that is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// An S3-compatible bucket.
#[derive(Clone, Debug)]
pub struct S3Options {
    /// The address of the service, `https://host[:port]`; `None` for Amazon's, by region.
    pub endpoint: Option<String>,
    /// The name of the bucket, which must exist.
    pub bucket: String,
    /// What names of objects begin with, without slashes at its ends; it may be empty.
    pub prefix: String,
    /// The region requests are signed for.
    pub region: String,
    /// The id of the key.
    pub access_key: Secret,
    /// The key.
    pub secret_key: Secret,
    /// Whether the bucket is named in the path, as most services but Amazon's want it, or in the host.
    pub addressing: Addressing,
}

/// How a request names the bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Addressing {
    /// `https://host/bucket/object`.
    #[default]
    Path,
    /// `https://bucket.host/object`.
    Host,
}

impl S3Options {
    /// Whether requests go without TLS: the address says so.
    pub(crate) fn is_plain_http(&self) -> bool {
        let endpoint = self.endpoint.as_deref().unwrap_or_default();
        endpoint.starts_with("http://")
    }

    /// The address that requests go to, before the path.
    pub(crate) fn address(&self) -> Option<String> {
        let endpoint = self.endpoint.as_deref()?.trim_end_matches('/');
        match (self.addressing, endpoint.split_once("://")) {
            (Addressing::Host, Some((scheme, host))) => {
                Some(format!("{scheme}://{}.{host}", self.bucket))
            }
            _ => Some(endpoint.to_owned()),
        }
    }

    /// `s3://bucket/prefix at endpoint`, for messages.
    pub(crate) fn describe(&self) -> String {
        let separator = if self.prefix.is_empty() { "" } else { "/" };
        let place = format!("s3://{}{separator}{}", self.bucket, self.prefix);
        match &self.endpoint {
            Some(endpoint) => format!("{place} at {endpoint}"),
            None => format!("{place} in {}", self.region),
        }
    }

    /// A message without the keys, whoever put them there, of one line and not too long.
    pub(crate) fn without_keys(&self, message: &str) -> String {
        const CHARS_MAX: usize = 400;
        let mut text = message.replace(['\n', '\r'], " ");
        for key in [&self.access_key, &self.secret_key] {
            if !key.reveal().is_empty() {
                text = text.replace(key.reveal(), "(secret)");
            }
        }
        match text.char_indices().nth(CHARS_MAX) {
            Some((end, _)) => format!("{} …", text.get(..end).unwrap_or_default()),
            None => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Addressing, S3Options, Secret};

    fn options() -> S3Options {
        S3Options {
            endpoint: Some("https://s3.example.org/".to_owned()),
            bucket: "logs".to_owned(),
            prefix: "cordwood".to_owned(),
            region: "eu-central-1".to_owned(),
            access_key: Secret::new("AKIDEXAMPLE"),
            secret_key: Secret::new("wJalrXUtnFEMI"),
            addressing: Addressing::Path,
        }
    }

    #[test]
    fn addresses() {
        let mut options = options();
        let address = options.address();
        assert_eq!(address.as_deref(), Some("https://s3.example.org"));
        options.addressing = Addressing::Host;
        let address = options.address();
        assert_eq!(address.as_deref(), Some("https://logs.s3.example.org"));
        options.endpoint = None;
        assert_eq!(options.address(), None);
        assert_eq!(options.describe(), "s3://logs/cordwood in eu-central-1");
    }

    #[test]
    fn keys_are_not_shown() {
        let options = options();
        let shown = [
            format!("{options:?}"),
            options.without_keys("<AWSAccessKeyId>AKIDEXAMPLE</AWSAccessKeyId>\nwJalrXUtnFEMI"),
            options.without_keys(&"é AKIDEXAMPLE".repeat(1000)),
        ];
        for text in shown {
            let is_shown = text.contains("AKIDEXAMPLE") || text.contains("wJalrXUtnFEMI");
            assert!(!is_shown && text.len() < 2000, "{text}");
        }
    }
}
