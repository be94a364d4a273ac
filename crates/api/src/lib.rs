//! The edges: HTTP endpoints. The only async.
