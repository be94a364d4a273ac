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

/// The most stages of one query: more than a person can follow.
pub const STAGES_MAX: usize = 32;

/// The most columns that one stage computes; each takes memory in every group.
pub const AGGREGATES_MAX: usize = 64;

/// The most fields that one stage groups by; each takes part in the key of every group.
pub const GROUP_KEYS_MAX: usize = 16;

/// The most fields or columns that `sort`, `fields` or `dedup` names.
pub const NAMES_MAX: usize = 256;

/// The most rows that `limit` and `top` can ask for: what an answer can hold in memory.
pub const ROWS_MAX: u64 = 1_000_000;

/// The most captures of one `parse`.
pub const CAPTURES_MAX: usize = 64;

/// The longest text that `parse` takes for a number, in bytes. No number that a program writes is longer, and the time
/// that a text of digits takes stays linear.
pub const CAPTURED_NUMBER_BYTES_MAX: usize = 1024;
