//! Severity levels, and how the many spellings in the wild map onto six.

use std::fmt;

/// A normalised severity, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// Finer than debug.
    Trace = 1,
    /// Of use while developing.
    Debug = 2,
    /// Normal operation; syslog's notice too.
    Info = 3,
    /// Unexpected but handled.
    Warn = 4,
    /// Something failed.
    Error = 5,
    /// The process or the system cannot go on; syslog's critical, alert and emergency too.
    Fatal = 6,
}

impl Level {
    /// All levels, in rising order.
    pub const ALL: [Level; 6] = [
        Level::Trace,
        Level::Debug,
        Level::Info,
        Level::Warn,
        Level::Error,
        Level::Fatal,
    ];

    /// The normalised name, lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
            Level::Fatal => "fatal",
        }
    }

    /// A stable code, 1 to 6; 0 is left for "no level".
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The inverse of [`Level::code`].
    pub fn from_code(code: u8) -> Option<Level> {
        Level::ALL.get(usize::from(code).checked_sub(1)?).copied()
    }

    /// The inverse of [`Level::name`].
    #[inline]
    pub fn from_name(name: &str) -> Option<Level> {
        match name.as_bytes() {
            b"trace" => Some(Level::Trace),
            b"debug" => Some(Level::Debug),
            b"info" => Some(Level::Info),
            b"warn" => Some(Level::Warn),
            b"error" => Some(Level::Error),
            b"fatal" => Some(Level::Fatal),
            _ => None,
        }
    }

    /// Normalises a name in any case, or a number in text (see [`Level::from_number`]).
    pub fn parse(text: &str) -> Option<Level> {
        /// The longest name below; anything longer is no level and need not be lowered.
        const NAME_BYTES_MAX: usize = 13;
        let text = text.trim();
        if text.len() > NAME_BYTES_MAX {
            return None;
        }
        let mut lowered = [0u8; NAME_BYTES_MAX];
        let lowered = &mut lowered[..text.len()];
        lowered.copy_from_slice(text.as_bytes());
        lowered.make_ascii_lowercase();
        match &*lowered {
            b"trace" | b"trc" | b"verbose" | b"finest" | b"finer" | b"silly" => Some(Level::Trace),
            b"debug" | b"dbg" | b"fine" | b"config" => Some(Level::Debug),
            b"info" | b"information" | b"informational" | b"inf" | b"notice" | b"log"
            | b"default" => Some(Level::Info),
            b"warn" | b"warning" | b"wrn" => Some(Level::Warn),
            b"error" | b"err" | b"eror" | b"severe" | b"failure" => Some(Level::Error),
            b"fatal" | b"ftl" | b"critical" | b"crit" | b"emerg" | b"emergency" | b"panic"
            | b"alert" | b"dpanic" => Some(Level::Fatal),
            _ => text.parse().ok().and_then(Level::from_number),
        }
    }

    /// Normalises a numeric level: syslog severities 0–7 (RFC 5424 section 6.2.1) and the tens of
    /// pino, bunyan and Python's logging (10 trace/debug … 60 fatal).
    pub fn from_number(number: i64) -> Option<Level> {
        match number {
            0..=2 => Some(Level::Fatal),
            3 => Some(Level::Error),
            4 => Some(Level::Warn),
            5 | 6 => Some(Level::Info),
            7 => Some(Level::Debug),
            10..20 => Some(Level::Trace),
            20..30 => Some(Level::Debug),
            30..40 => Some(Level::Info),
            40..50 => Some(Level::Warn),
            50..60 => Some(Level::Error),
            60 => Some(Level::Fatal),
            _ => None,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
