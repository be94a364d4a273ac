//! An id for each request, on every answer: the sender's own if it is sane, else one made here.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use cordwood_service::Random;

/// The header, in requests and answers.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request, for handlers that send it in a body.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) HeaderValue);

/// Longer ids are not taken over: they end up in logs and error bodies.
const REQUEST_ID_BYTES_MAX: usize = 128;

/// Makes request ids: a random part for the process, and a count.
#[derive(Debug)]
pub(crate) struct RequestIds {
    process: u64,
    next: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new(random: &dyn Random) -> RequestIds {
        let mut process = [0; 8];
        random.fill(&mut process);
        RequestIds {
            process: u64::from_le_bytes(process),
            next: AtomicU64::new(1),
        }
    }

    /// The id of the request with these headers.
    pub(crate) fn of(&self, headers: &HeaderMap) -> HeaderValue {
        match headers.get(X_REQUEST_ID) {
            Some(sent) if is_sane(sent) => sent.clone(),
            _ => self.make(),
        }
    }

    fn make(&self) -> HeaderValue {
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        HeaderValue::from_str(&format!("{:016x}-{count:x}", self.process))
            .expect("hex digits are a valid header value")
    }
}

fn is_sane(sent: &HeaderValue) -> bool {
    let bytes = sent.as_bytes();
    (1..=REQUEST_ID_BYTES_MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
}
