//! The store as its callers see it: what is acknowledged is there, once, whatever happens to the disk.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_wrap,
    clippy::cast_possible_truncation,
    reason = "the code of a test"
)]

mod backup;
mod basics;
mod bucket;
mod bucket_crash;
mod bucket_deletion;
mod concurrency;
mod crash;
mod damage;
mod deletion;
mod deletion_crash;
mod eviction;
mod faults;
mod feed;
mod fixture;
mod lines;
mod merge;
mod properties;
