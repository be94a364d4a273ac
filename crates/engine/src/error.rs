//! What keeps the engine from answering at all. What merely makes an answer incomplete stands in its account.

/// The engine cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The threads that evaluate blocks could not be started.
    #[error("the search threads could not be started")]
    Threads(#[source] std::io::Error),
    /// Evaluating a block panicked: a broken invariant. The engine goes on, the search does not.
    #[error("a search thread failed; its panic message says where")]
    Broken,
}
