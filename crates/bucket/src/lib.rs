//! The bucket of the store as an S3-compatible service has it: the only crate that knows `object_store`, and how it is spoken to.
//!
//! It must not know what the objects hold. Async stays inside: one thread of its own runs what callers wait for.
#![warn(missing_docs)]

mod connector;
mod error;
mod options;
mod s3;
mod worker;

pub use error::Error;
pub use options::{Addressing, S3Options, Secret};
pub use s3::S3Bucket;
