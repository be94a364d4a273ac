//! `host:prod-*`, `id:ab?d`: patterns with `*` for any run of characters and `?` for one.

/// One element of a wildcard pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GlobToken {
    /// This character, ignoring case.
    Char(char),
    /// `?`: any one character.
    AnyChar,
    /// `*`: any run of characters, the empty one too.
    AnyRun,
}

/// A pattern with at least one wildcard. The pattern of nothing but `*` is not one: that is [`Test::Present`].
///
/// [`Test::Present`]: crate::Test::Present
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wildcard(Vec<GlobToken>);

impl Wildcard {
    /// The pattern of these elements; `None` when there is no wildcard in it, or nothing but `*`.
    /// Neighbouring `*` are one.
    pub fn new(mut tokens: Vec<GlobToken>) -> Option<Wildcard> {
        tokens.dedup_by(|next, previous| {
            *next == GlobToken::AnyRun && *previous == GlobToken::AnyRun
        });
        let has_wildcard = tokens
            .iter()
            .any(|token| !matches!(token, GlobToken::Char(_)));
        (has_wildcard && tokens != [GlobToken::AnyRun]).then_some(Wildcard(tokens))
    }

    /// The elements in order.
    pub fn tokens(&self) -> &[GlobToken] {
        &self.0
    }
}
