//! Notices, and what each provider of channels wants to be sent of them.
//!
//! What is sent is a pure function of notice, links and settings ([`Channel::request`]); sending it ([`Transport`]) is the one place
//! that connects to others. The crate must not know rules, incidents or records: a notice says all that is told, and a channel is
//! what its settings and secrets say. Whatever a notice holds came out of logs, and is text in every format, never a mark of it.
#![warn(missing_docs)]

mod attempt;
mod channel;
mod cut;
mod guard;
mod html;
mod links;
mod mail;
mod notice;
mod outgoing;
mod reader;
mod secret;
mod severity;
mod times;
mod transport;
mod wording;

pub use attempt::{Attempt, RESPONSE_BYTES_MAX, Verdict};
pub use channel::{Channel, ChannelKind, MailSecurity, MailServer, Sending};
pub use guard::Outbound;
pub use links::Links;
pub use notice::{Notice, NoticeKind, SAMPLES_MAX, Sample};
pub use outgoing::{HttpRequest, Mail, Outgoing};
pub use reader::{Mistake, Part};
pub use secret::Secret;
pub use severity::Severity;
pub use transport::Transport;
