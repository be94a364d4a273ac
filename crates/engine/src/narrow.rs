//! What rules a block out before it is read.

/// What ruled a block out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pruned {
    Time,
    Sequence,
    Statistics,
    AbsentColumn,
    Dictionary,
}
