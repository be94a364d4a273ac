//! The body of a tail: piece after piece, each written when the one before has left.
//!
//! So a connection that takes nothing holds one piece, and what waits behind it is bounded where it waits, in the service.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cordwood_service::{Since, Tail, TailBatch, TailItem};
use futures_util::Stream;
use tokio::sync::Notify;

use crate::rest::tail_events;

/// How long a tail is silent at most: proxies take a connection for dead after half a minute to a minute.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);

/// What a tail says of itself, what comes, and the end.
pub(super) fn stream(
    tail: Tail,
    since: Since,
    news: Arc<Notify>,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let writing = Writing {
        hello: Some(tail_events::hello(tail.hello(), since)),
        tail,
        news,
        left: Arc::new(Notify::new()),
        is_under_way: false,
        is_over: false,
    };
    futures_util::stream::unfold(writing, async |mut writing| {
        let piece = writing.next().await?;
        Some((Ok(piece), writing))
    })
}

/// A tail being written.
struct Writing {
    tail: Tail,
    hello: Option<Vec<u8>>,
    /// Something may wait in the tail.
    news: Arc<Notify>,
    /// The piece before has been given to the connection.
    left: Arc<Notify>,
    is_under_way: bool,
    is_over: bool,
}

impl Writing {
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        if self.is_under_way {
            self.left.notified().await;
        }
        self.is_under_way = true;
        let text = match self.hello.take() {
            Some(hello) => Text::Own(hello),
            None => self.text().await,
        };
        let left = Arc::clone(&self.left);
        Some(Bytes::from_owner(Piece { text, left }))
    }

    /// What comes next, or a sign of life.
    async fn text(&mut self) -> Text {
        loop {
            match self.tail.take() {
                Some(TailItem::Rows(batch)) => return Text::Shared(batch),
                Some(TailItem::Dropped(dropped)) => {
                    return Text::Own(tail_events::dropped(dropped));
                }
                Some(TailItem::Ended(end)) => {
                    self.is_over = true;
                    return Text::Own(tail_events::end(&end));
                }
                None => {}
            }
            let news = tokio::time::timeout(HEARTBEAT_INTERVAL, self.news.notified());
            if news.await.is_err() {
                return Text::Own(tail_events::heartbeat(self.tail.position()));
            }
        }
    }
}

/// Bytes on their way to the connection.
enum Text {
    Own(Vec<u8>),
    /// Encoded once for all readers.
    Shared(Arc<TailBatch>),
}

/// The same, until the connection lets go of them.
struct Piece {
    text: Text,
    left: Arc<Notify>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        match &self.text {
            Text::Own(text) => text,
            Text::Shared(batch) => batch.encoded(tail_events::rows),
        }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.left.notify_one();
    }
}
