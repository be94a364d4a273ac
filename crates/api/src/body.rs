//! Reading a request body: capped while it comes, and not waited for for ever.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, EXPECT};
use bytes::Buf;
use std::future::poll_fn;
use std::pin::Pin;

/// The ingest contract's limit on the wire: 20 MiB.
pub(crate) const BODY_BYTES_MAX: usize = 20 << 20;

/// A body of which nothing came for this long is given up.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// What is read of a body nobody wants, so that the sender, still writing, comes to read the answer:
/// closing a connection with unread bytes resets it, and the answer is lost with it.
const DRAIN_BYTES_MAX: usize = 64 << 20;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a body did not come whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It is longer than the limit.
    TooLarge,
    /// The connection broke or the framing is wrong.
    Broken,
    /// It stopped coming.
    Stalled,
}

/// The `Content-Length`, if there is one that is a number.
pub(crate) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads a body of at most `bytes_max`. Room is made at once for the length that is announced: where nothing comes, its pages
/// take no memory.
pub(crate) async fn read(body: &mut Body, bytes_max: usize) -> Result<Vec<u8>, Unread> {
    let announced = body.size_hint().exact();
    if announced.is_some_and(|bytes| bytes > bytes_max as u64) {
        return Err(Unread::TooLarge);
    }
    let announced = usize::try_from(announced.unwrap_or_default());
    let mut bytes = Vec::with_capacity(announced.unwrap_or_default());
    while let Some(chunk) = next_chunk(body).await? {
        if bytes.len() + chunk.len() > bytes_max {
            return Err(Unread::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Reads on and forgets what comes, unless the sender waits to be asked for the body.
pub(crate) async fn drain(headers: &HeaderMap, mut body: Body) {
    if headers.contains_key(EXPECT) {
        return;
    }
    let forget = async {
        let mut left = DRAIN_BYTES_MAX;
        while let Ok(Some(chunk)) = next_chunk(&mut body).await {
            left = left.saturating_sub(chunk.remaining());
            if left == 0 {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, forget).await;
}

async fn next_chunk(body: &mut Body) -> Result<Option<bytes::Bytes>, Unread> {
    loop {
        let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context));
        let frame = tokio::time::timeout(IDLE_TIMEOUT, frame).await;
        match frame.map_err(|_| Unread::Stalled)? {
            None => return Ok(None),
            Some(Err(_)) => return Err(Unread::Broken),
            // Anything but a chunk is a trailer, which means nothing here.
            Some(Ok(frame)) => {
                if let Ok(chunk) = frame.into_data() {
                    return Ok(Some(chunk));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bodies_are_read_up_to_the_limit() {
        let cases = [(0, 4, Ok(0)), (4, 4, Ok(4)), (5, 4, Err(Unread::TooLarge))];
        for (body_bytes, bytes_max, expected) in cases {
            let mut body = Body::from(vec![b'x'; body_bytes]);
            let read = read(&mut body, bytes_max).await;
            assert_eq!(read.map(|bytes| bytes.len()), expected);
        }
    }
}
