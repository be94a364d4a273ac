//! Deletions: which events a request takes away, and how far that has come.
//!
//! Who asks the store for events leaves out what [`DeletionRequest`]s mean, from the moment they are in a snapshot; merges
//! write what they touch again without it. The store does not know the language of the query: it knows where and until when
//! a deletion can apply, and is told which rows of a block it means by a [`FindDeleted`].

use std::fmt;
use std::sync::Arc;

use cordwood_event::{SourceId, Timestamp};

use crate::BlockHandle;

/// Deletions that may stand at once: each search evaluates those that its blocks may hold rows of.
pub(crate) const STANDING_MAX: usize = 256;

/// Records of deletions that are done are kept for so many.
pub(crate) const PURGED_KEPT: usize = 1000;

/// Names a deletion, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeletionId(pub u64);

impl fmt::Display for DeletionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A source to delete from, and what it was called then: the query may mean it by its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeletedSource {
    /// Its id.
    pub id: SourceId,
    /// Its name when the deletion was requested.
    pub name: String,
}

/// Which events are to be deleted: those that all of this is true of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeletionRequest {
    /// They are of one of these sources.
    pub sources: Vec<DeletedSource>,
    /// Their time is this or later.
    pub first: Timestamp,
    /// Their time is this or earlier.
    pub last: Timestamp,
    /// They match this, a text of the query language, which the store does not look into.
    pub query: String,
    /// What `now` means in it.
    pub requested_at: Timestamp,
    /// Their sequence number is this or a lower one: what comes later is not deleted.
    pub up_to_sequence: u64,
}

/// How far a deletion has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeletionState {
    /// Its events are not found any more, and some may still be on disk.
    Hidden,
    /// No file of the store holds any of them.
    Purged,
}

/// A deletion and what has become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Its number; later ones have higher numbers.
    pub id: DeletionId,
    /// What is deleted.
    pub request: Arc<DeletionRequest>,
    /// How far it has come.
    pub state: DeletionState,
    /// How many events it hid, as who requested it counted; `None` if that took too long.
    pub events_hidden: Option<u64>,
    /// How many events were removed for good so far. Events that went for another reason, as retention, are not among them.
    pub events_purged: u64,
    /// Bytes of these as sent, about.
    pub bytes_purged: u64,
}

/// Says which rows of a block a deletion means.
pub trait FindDeleted: Send + Sync + fmt::Debug {
    /// Their indices, rising.
    fn deleted_rows(
        &self,
        request: &DeletionRequest,
        source: SourceId,
        block: &BlockHandle,
    ) -> Result<Vec<usize>, Untold>;
}

/// Why it cannot be told which rows of a block a deletion means.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untold {
    /// The bucket that holds the block cannot be reached; it is asked again later.
    #[error("{0}")]
    OutOfReach(String),
    /// It will not be told later either: the block is damaged, or the query is not understood.
    #[error("{0}")]
    Lasting(String),
}

impl DeletionRequest {
    /// Whether it can mean any of some events of a source, between two times, of which the first has a sequence number.
    pub fn may_touch(
        &self,
        source: SourceId,
        times: (Timestamp, Timestamp),
        first_sequence: u64,
    ) -> bool {
        first_sequence <= self.up_to_sequence
            && self.first <= times.1
            && times.0 <= self.last
            && self.sources.iter().any(|deleted| deleted.id == source)
    }
}
