//! The durable columnar store: write-ahead log, memtable, blocks, segments, manifest, recovery.
