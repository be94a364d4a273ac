//! The query language: text to a checked syntax tree with diagnostics, canonical text, and the one-event matcher.
