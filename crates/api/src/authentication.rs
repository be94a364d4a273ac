//! Who asks: tokens out of headers and URLs, and the caller an API token stands for.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use cordwood_service::{Caller, Error};

use crate::edge::Edge;
use crate::failure::Failure;
use crate::parameters::Parameters;

/// The token of `Authorization: Bearer …`; the scheme in any case, as RFC 9110 section 11.1 has it.
pub(crate) fn bearer_token(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| token.to_owned())
}

/// `?source_token=…`, for senders that cannot set headers.
pub(crate) fn source_token_parameter(uri: &Uri) -> Option<String> {
    let parameters = Parameters::of(uri);
    let token = parameters.first("source_token")?;
    (!token.is_empty()).then(|| token.to_owned())
}

/// The caller of a REST request. An extractor: without a good API token the handler is not reached.
pub(crate) struct Authenticated(pub(crate) Caller);

impl FromRequestParts<Arc<Edge>> for Authenticated {
    type Rejection = Failure;

    async fn from_request_parts(
        parts: &mut Parts,
        edge: &Arc<Edge>,
    ) -> Result<Authenticated, Failure> {
        let service = edge.ready()?;
        let token = bearer_token(&parts.headers).ok_or_else(missing)?;
        let caller = edge.manage.run(move || service.authenticate(&token));
        match caller.await? {
            Ok(caller) => Ok(Authenticated(caller)),
            Err(Error::Unauthenticated) => Err(Failure::from(Error::Unauthenticated).hint(
                "This API token is not known here, or has expired or been revoked. \
                 `cordwood token create NAME` makes one.",
            )),
            Err(error) => Err(error.into()),
        }
    }
}

fn missing() -> Failure {
    Failure::from(Error::Unauthenticated).hint(
        "Send `Authorization: Bearer <API token>`. The command line's own token is the file \
         `cli-token` in the data directory; `cordwood token create NAME` makes another.",
    )
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn bearer_tokens() {
        let cases = [
            ("Bearer abc", Some("abc")),
            ("bearer  abc ", Some("abc")),
            ("Basic abc", None),
            ("Bearer ", None),
            ("Bearer", None),
            ("", None),
        ];
        for (value, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_static(value));
            assert_eq!(bearer_token(&headers).as_deref(), expected, "{value:?}");
        }
    }

    #[test]
    fn source_tokens_in_the_url() {
        let cases = [
            ("/?source_token=abc", Some("abc")),
            ("/?a=1&source_token=a%62c", Some("abc")),
            ("/?source_token=", None),
            ("/?token=abc", None),
            ("/", None),
        ];
        for (uri, expected) in cases {
            let uri: Uri = uri.parse().expect("a URI");
            assert_eq!(source_token_parameter(&uri).as_deref(), expected, "{uri}");
        }
    }
}
