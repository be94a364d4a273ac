//! What is to be thought of a group at one check.

/// A verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The condition holds.
    Breached,
    /// It does not, and the recovery value is not reached.
    Between,
    /// It does not.
    Clear,
    /// Nobody can tell.
    Unknown,
}

impl Verdict {
    /// That of two conditions which must both hold.
    pub(super) fn and(self, other: Verdict) -> Verdict {
        use Verdict::{Between, Breached, Clear, Unknown};
        match (self, other) {
            (Clear, _) | (_, Clear) => Clear,
            (Unknown, _) | (_, Unknown) => Unknown,
            (Between, _) | (_, Between) => Between,
            (Breached, Breached) => Breached,
        }
    }
}
