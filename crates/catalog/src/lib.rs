//! Small durable records in embedded SQLite.
