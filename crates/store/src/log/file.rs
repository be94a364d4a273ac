//! A log file: its name and its header.

use std::hash::{BuildHasher, RandomState};

use crate::fixed::{Fixed, NUMBER_END};

const MAGIC: [u8; 8] = *b"CwdLog\r\n";
const VERSION: u32 = 1;
const SUFFIX: &str = ".log";

/// The length of the header.
pub(crate) const HEADER_BYTES: usize = 40;

/// What stands before every record of a file: eight random bytes that no sender can know, so that a body cannot pose as
/// a record when a reader looks for the next one after damage.
pub(crate) type Marker = [u8; 8];

/// The head of a log file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogHeader {
    pub(crate) number: u64,
    /// The sequence number of the first event in the file.
    pub(crate) first_sequence: u64,
    pub(crate) marker: Marker,
}

impl LogHeader {
    pub(crate) fn new(number: u64, first_sequence: u64) -> LogHeader {
        let marker = RandomState::new().hash_one((number, first_sequence));
        LogHeader {
            number,
            first_sequence,
            marker: marker.to_le_bytes(),
        }
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(self.number.to_le_bytes());
        bytes.extend(self.first_sequence.to_le_bytes());
        bytes.extend(self.marker);
        let crc = crc32c::crc32c(&bytes);
        bytes.extend(crc.to_le_bytes());
        bytes
    }

    /// `None` unless the bytes are a whole and undamaged header of this version.
    pub(crate) fn parse(bytes: &[u8]) -> Option<LogHeader> {
        let mut fields = Fixed::new(bytes);
        let is_known = fields.array()? == MAGIC && fields.u32()? == VERSION;
        let header = LogHeader {
            number: fields.number()?,
            first_sequence: fields.number()?,
            marker: fields.array()?,
        };
        let crc = crc32c::crc32c(bytes.get(..HEADER_BYTES - 4)?);
        (is_known && fields.u32()? == crc).then_some(header)
    }
}

/// The path of the log file with this number.
pub(crate) fn file_name(number: u64) -> String {
    format!("{}/{number:020}{SUFFIX}", super::DIRECTORY)
}

/// The number of the log file with this name, without its directory.
pub(crate) fn file_number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX)?;
    let is_canonical = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse().ok().filter(|number| *number < NUMBER_END);
    number.filter(|_| is_canonical)
}
