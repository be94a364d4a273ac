//! What verifying finds, in words.

use std::fmt;

use crate::key::PublicKey;
use crate::line::{Ending, Header};

/// Something that is not as it was written. Records go by their numbers, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The first line was edited: the query, the range, the sources, who asked or when.
    HeaderEdited,
    /// A record was edited.
    Edited {
        /// Which.
        record: u64,
    },
    /// Records were dropped.
    Dropped {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// A line was added.
    Added {
        /// The record it stands behind; 0 if it stands before the first.
        behind: u64,
        /// The number it says it has.
        claims: Option<u64>,
    },
    /// A record is there once more.
    Repeated {
        /// Which.
        record: u64,
        /// The record the other one stands behind.
        behind: u64,
    },
    /// Two records were swapped.
    Swapped {
        /// One of them.
        first: u64,
        /// The other.
        second: u64,
    },
    /// A record was moved.
    Moved {
        /// Which.
        record: u64,
        /// The record it stands behind now.
        behind: u64,
    },
    /// Among these, more was changed than can be told apart.
    Changed {
        /// The first.
        first: u64,
        /// The last.
        last: u64,
    },
    /// A seal is not signed with the key: what it says of its records is worth nothing.
    SealForged {
        /// The first record before it that no other seal covers.
        first: u64,
        /// The last.
        last: u64,
    },
    /// A seal was dropped, and its records are there.
    SealDropped {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// A seal, and the records before it, are there once more or in another place.
    SealMisplaced {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// The manifest is not signed with the key.
    ManifestForged,
    /// The manifest is signed, and says something else than the records.
    ManifestContradicts,
    /// The file ends before its manifest.
    Truncated {
        /// The last record that is there.
        behind: u64,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::HeaderEdited => {
                f.write_str("the header was edited: query, range, sources, who asked or when")
            }
            Finding::Edited { record } => write!(f, "record {record} was edited"),
            Finding::Dropped { first, last } if first == last => {
                write!(f, "record {first} was dropped")
            }
            Finding::Dropped { first, last } => {
                write!(f, "records {first} to {last} were dropped")
            }
            Finding::Added { behind, claims } => {
                write!(f, "a line was added behind record {behind}")?;
                match claims {
                    Some(number) => write!(f, "; it says it is record {number}"),
                    None => Ok(()),
                }
            }
            Finding::Repeated { record, behind } => {
                write!(f, "record {record} stands once more behind record {behind}")
            }
            Finding::Swapped { first, second } => {
                write!(f, "records {first} and {second} were swapped")
            }
            Finding::Moved { record, behind } => {
                write!(f, "record {record} was moved behind record {behind}")
            }
            Finding::Changed { first, last } => {
                write!(f, "records {first} to {last} were changed")
            }
            Finding::SealForged { first, last } => {
                write!(
                    f,
                    "the signature of the seal of records {first} to {last} is wrong"
                )
            }
            Finding::SealDropped { first, last } => {
                write!(f, "the seal of records {first} to {last} was dropped")
            }
            Finding::SealMisplaced { first, last } => write!(
                f,
                "the seal of records {first} to {last} stands where it does not belong"
            ),
            Finding::ManifestForged => f.write_str("the signature of the manifest is wrong"),
            Finding::ManifestContradicts => {
                f.write_str("the manifest does not belong to these records")
            }
            Finding::Truncated { behind } => {
                write!(
                    f,
                    "the file ends behind record {behind}, before its manifest"
                )
            }
        }
    }
}

/// What came of verifying a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What is not as it was written; nothing of a good file.
    pub findings: Vec<Finding>,
    /// Whether there is more than that.
    pub has_more: bool,
    /// Lines of records.
    pub records: u64,
    /// The first line, if it can be read.
    pub header: Option<Header>,
    /// What the manifest says, if its signature is right.
    pub ending: Option<Ending>,
    /// The key the signatures were verified with.
    pub public_key: PublicKey,
}

impl Report {
    /// Whether the file is as it was written.
    pub fn is_good(&self) -> bool {
        self.findings.is_empty()
    }
}
