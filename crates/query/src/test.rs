//! What a clause asks of a value: one file per feature of the language.

mod alternatives;
mod cidr;
mod range;
mod regex;
mod time;
mod wildcard;

pub use cidr::Cidr;
pub use range::Range;
pub(crate) use range::end_of;
pub use regex::{InvalidRegex, RegexTest};
pub use time::{InvalidTime, TimePoint, TimeTest, TimeUnit};
pub use wildcard::{GlobToken, Wildcard};

use cordwood_event::EventId;

/// A condition on one value; on an array, at least one element must meet it.
///
/// `null` meets none. Text is compared ignoring case except by [`Test::Equals`], [`Test::Regex`] and
/// [`Test::Range`].
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// `field:*`: the value is there and not null. An empty array or object is there.
    Present,
    /// `field:word`, `field:"some phrase"`: text contains it, between word boundaries where it begins or ends
    /// with a word character; a number equals it by value; a boolean is it. Never empty.
    Contains(String),
    /// `field=value`: text is exactly it; a number equals it by value; a boolean is it.
    Equals(String),
    /// `field:prod-*`: the text, or one whitespace-separated word in it, or a number as JSON writes it, matches.
    Wildcard(Wildcard),
    /// `field:/re/`: the text, or a number as JSON writes it, contains a match.
    Regex(RegexTest),
    /// `field:[a TO b]`, `field:>5`.
    Range(Range),
    /// `field:10.0.0.0/8`.
    Cidr(Cidr),
    /// Any test of the event's time.
    Time(TimeTest),
    /// `_id:…`: this very event.
    Id(EventId),
    /// `field:(a OR b)`, `field:in(a, b)`: any of two or more, none of them alternatives again.
    AnyOf(Vec<Test>),
}
