//! What channels are sent, as data; and sending it, over real sockets.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod hostile;
mod notices;
mod requests;
mod settings;
mod sockets;
