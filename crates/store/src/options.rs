//! What may differ between stores: thresholds that tests make small, and the shared memory budget.

use std::time::Duration;

use crate::{MemoryBudget, Remote};

/// How a store behaves. The defaults are for a server; each carries its reason.
#[derive(Clone, Debug)]
pub struct Options {
    /// The process's memory budget, of which the store takes a part.
    pub memory: MemoryBudget,
    /// The most memory that fresh events may take, before and after they are sealed into blocks. Past it, appends
    /// are refused as busy. The default leaves more than half of the default ceiling to requests and queries, and holds more
    /// rows than two cores seal in the second after which a client is told to try again: at most 230 MB of events.
    pub fresh_bytes_max: u64,
    /// When a log file is closed and the next begun. A flush frees whole files, so large ones free late.
    pub log_file_bytes: u64,
    /// Flush once so many bytes of events, as sent, are in the log only: bounds the time of a recovery to
    /// seconds.
    pub flush_event_bytes: u64,
    /// Flush once sealed blocks take so much memory.
    pub flush_sealed_bytes: u64,
    /// Flush when the oldest event not in a segment is so old.
    pub flush_age: Duration,
    /// The most bytes of events that may be in the log only, when flushing cannot keep up or fails.
    pub unflushed_event_bytes_max: u64,
    /// Refuse appends when the disk has less free space than this: a flush of everything in memory, the manifest
    /// and the catalog must still fit, or the log could never be freed.
    pub free_space_reserve_bytes: u64,
    /// Open rows are sealed once there are so many; a block then has about as many, up to half as many again. The more rows, the more
    /// of what they say is said before, and the more is read to fetch a few of them.
    pub block_rows: usize,
    /// The same in bytes of events as sent, if they have many fields; with few, up to twice as many.
    pub block_event_bytes: usize,
    /// How many threads encode blocks.
    pub sealing_threads: usize,
    /// So many segments of a size make a merge. Each event is written again once for each time the number goes into the
    /// segments of a day.
    pub merge_fan_in: usize,
    /// The most bytes of events, as sent, in a merged segment: bounds the space that a merge needs beside it.
    pub segment_event_bytes_max: u64,
    /// The most blocks in a merged segment.
    pub segment_blocks_max: usize,
    /// The memory that a merge takes of the budget: for a few small blocks decoded and the block they become. What is
    /// copied goes through a megabyte.
    pub merge_memory_bytes: u64,
    /// How long a batch key is remembered, by the clock that stamps `received_at`.
    pub batch_key_validity: Duration,
    /// Where closed segments go beside the local disk, if anywhere.
    pub remote: Option<Remote>,
}

impl Default for Options {
    fn default() -> Options {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Options {
            memory: MemoryBudget::default(),
            fresh_bytes_max: 384 << 20,
            log_file_bytes: 256 << 20,
            flush_event_bytes: 1 << 30,
            flush_sealed_bytes: 128 << 20,
            flush_age: Duration::from_secs(600),
            unflushed_event_bytes_max: 4 << 30,
            free_space_reserve_bytes: 256 << 20,
            block_rows: 32_768,
            block_event_bytes: 4 << 20,
            sealing_threads: cores.clamp(1, 4),
            merge_fan_in: 16,
            segment_event_bytes_max: 16 << 30,
            segment_blocks_max: 4096,
            merge_memory_bytes: 64 << 20,
            batch_key_validity: Duration::from_secs(3600),
            remote: None,
        }
    }
}
