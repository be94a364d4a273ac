//! What can go wrong before the bucket is asked for anything.

use thiserror::Error;

/// The bucket cannot be used as it is configured.
#[derive(Debug, Error)]
pub enum Error {
    /// The options do not make a client.
    #[error("the options of the bucket are not usable: {0}")]
    Options(String),
    /// The certificates of the system cannot be used.
    #[error("the certificates of the system cannot be used: {0}")]
    Tls(String),
    /// A thread cannot be started.
    #[error("the thread that speaks with the bucket cannot be started")]
    Thread(#[from] std::io::Error),
}
