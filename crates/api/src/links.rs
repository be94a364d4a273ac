//! Absolute URLs of this server, as the sender of a request reaches it.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Uri};

use crate::parameters::Parameters;

/// Set by a proxy that ends TLS. Only links are made of it.
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Where a request went to: the base of the links in its answer.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    scheme: &'static str,
    host: String,
    path: String,
    parameters: Parameters,
}

impl Links {
    pub(crate) fn new(headers: &HeaderMap, uri: &Uri) -> Links {
        let forwarded = headers.get(X_FORWARDED_PROTO);
        let is_https = forwarded.is_some_and(|scheme| scheme.as_bytes() == b"https");
        let authority = uri.authority().map(ToString::to_string);
        let host = headers
            .get(HOST)
            .and_then(|host| host.to_str().ok())
            .map(str::to_owned);
        Links {
            scheme: if is_https { "https" } else { "http" },
            // HTTP/1.0 may come without; the default address is then the best guess.
            host: host
                .or(authority)
                .unwrap_or_else(|| "127.0.0.1:4747".into()),
            path: uri.path().to_owned(),
            parameters: Parameters::of(uri),
        }
    }

    /// The same where no request says it: of the address that people know the server by.
    pub(crate) fn at(public_url: &str) -> Links {
        let (scheme, rest) = public_url.split_once("://").unwrap_or(("http", public_url));
        Links {
            scheme: if scheme == "https" { "https" } else { "http" },
            host: rest.trim_end_matches('/').to_owned(),
            path: String::new(),
            parameters: Parameters::default(),
        }
    }

    /// `http://host:port`.
    pub(crate) fn base(&self) -> String {
        format!("{}://{}", self.scheme, self.host)
    }

    /// The host and port, as Better Stack's `ingesting_host`.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// This request again, with one parameter set.
    pub(crate) fn with(&self, name: &str, value: &str) -> String {
        self.with_parameters(&self.parameters, name, value)
    }

    /// The path of this request with these parameters, one of them set.
    pub(crate) fn with_parameters(
        &self,
        parameters: &Parameters,
        name: &str,
        value: &str,
    ) -> String {
        let query_string = parameters.query_string_with(name, value);
        format!("{}{}?{query_string}", self.base(), self.path)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Links {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Links, Infallible> {
        // Of a router in another, the URI of the request lacks the path of the outer one.
        let OriginalUri(uri) = OriginalUri::from_request_parts(parts, state).await?;
        Ok(Links::new(&parts.headers, &uri))
    }
}
