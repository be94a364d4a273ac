//! What one request may ask of the decoder.

/// The bounds of one call of [`decode`](crate::decode).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A body may not grow beyond this when decompressed; the whole request is refused.
    pub decompressed_bytes_max: usize,
    /// An event that takes more of the body than this is rejected.
    pub event_bytes_max: usize,
    /// An event whose objects and arrays nest deeper than this is rejected; the event itself is the
    /// first level.
    pub depth_max: usize,
    /// The event that would make the batch hold more memory than this is rejected, and all after it. It bounds what a
    /// body of empty objects or one-letter keys can ask for, which is many times its own size.
    pub batch_bytes_max: usize,
}

impl Limits {
    /// The limits of the ingest contract: 100 MiB decompressed, 10 MiB for an event, 128 levels. The
    /// batch is given half of the default memory ceiling of 1 GiB.
    pub const CONTRACT: Limits = Limits {
        decompressed_bytes_max: 100 << 20,
        event_bytes_max: 10 << 20,
        depth_max: 128,
        batch_bytes_max: 512 << 20,
    };
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::CONTRACT
    }
}
