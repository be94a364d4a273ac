//! The limits of the language. Each is part of its contract and named in the diagnostic that reports it.

/// The longest query text, in bytes: far beyond what a person types, and parsed in under a millisecond.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;

/// The deepest nesting of parentheses and negations; keeps every recursion over a filter shallow.
pub const NESTING_MAX: usize = 64;

/// The most alternatives of one `OR` or `in(…)`.
pub const ALTERNATIVES_MAX: usize = 1024;

/// The most regular expressions of one query: together they stay below 16 MiB compiled. One expression can
/// hold many alternatives itself.
pub const REGEX_COUNT_MAX: usize = 64;

/// The largest compiled program of one regular expression, in bytes; bounds its memory and running time.
pub const REGEX_BYTES_MAX: usize = 256 * 1024;
