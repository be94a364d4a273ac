//! The durable columnar store: write-ahead log, memtable, blocks, segments, manifest, recovery.
#![warn(missing_docs, clippy::indexing_slicing)]

mod append;
mod backup;
mod batch_keys;
mod bits;
pub mod block;
pub mod bucket;
mod check;
pub mod column;
mod compacted;
mod decode;
mod deletion;
pub mod disk;
mod encoding;
mod error;
mod eviction;
mod fixed;
mod flush;
mod handle;
mod layout;
mod log;
mod manifest;
mod memory;
mod memtable;
mod merge;
mod offload;
mod options;
pub mod postings;
mod recovery;
mod retention;
mod sealing;
mod segment;
mod shared;
mod snapshot;
mod stats;
mod store;
pub mod template;
pub mod tokens;
mod value_key;
mod view;
mod work_signal;

pub use append::{Append, Appended};
pub use backup::Backup;
pub use bucket::{Bucket, Remote};
pub use check::{CheckReport, Depth, Finding, Severity, check, check_with_bucket};
pub use compacted::Compacted;
pub use decode::{Decode, LoggedBody};
pub use deletion::{
    DeletedSource, Deletion, DeletionId, DeletionRequest, DeletionState, FindDeleted, Untold,
};
pub use disk::Disk;
pub use encoding::{Corrupt, Encoding};
pub(crate) use error::MergeFailure;
pub use error::{AppendError, BusyReason, Error, ReadError, ReadFailure};
pub use eviction::Eviction;
pub use handle::{BlockHandle, BlockWords, Postings, SegmentLists, SegmentWords, Tokens};
pub use memory::{MemoryBudget, Reservation};
pub use memtable::{OpenRows, Sequences};
pub use offload::Offloaded;
pub use options::Options;
pub use recovery::Recovery;
pub use retention::Retention;
pub use snapshot::{Missing, Part, Snapshot, SourceTotals};
pub use stats::{BucketStats, Stats};
pub use store::Store;
