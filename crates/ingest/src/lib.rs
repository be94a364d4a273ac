//! Bytes to events: every wire format, decompression, and what each kind of bad input becomes. Pure.
