//! What opening a store found.

/// What was found and done when a data directory was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Records of the log that were replayed.
    pub replayed_records: u64,
    /// Events in them.
    pub replayed_events: u64,
    /// Bytes at the end of the log of a write that never finished, and so was never acknowledged. They were cut off.
    pub torn_bytes: u64,
    /// What is damaged or missing: acknowledged events may be among it. Each is a sentence.
    pub damage: Vec<String>,
}
