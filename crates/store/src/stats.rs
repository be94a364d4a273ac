//! Counters of the store, for `/metrics`.

/// A reading of the store's counters and gauges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Appends acknowledged, duplicates included.
    pub appends: u64,
    /// Of these, repeated batch keys.
    pub duplicates: u64,
    /// Events stored.
    pub events: u64,
    /// Appends refused because something was exhausted.
    pub refused_busy: u64,
    /// Appends refused for want of disk space.
    pub refused_disk_full: u64,
    /// Appends refused since a failure of the disk.
    pub refused_poisoned: u64,
    /// Why writes are refused, if they are.
    pub poisoned: Option<String>,
    /// Bytes of memory that fresh events take.
    pub fresh_bytes: u64,
    /// Bytes of events, as sent, that are in the log only.
    pub unflushed_event_bytes: u64,
}
