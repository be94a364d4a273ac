//! Runs a filter over a snapshot of the store.
