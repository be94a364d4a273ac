//! Reads the small parts of a chunk one after the other; every read is checked.

use super::Corrupt;

const TRUNCATED: Corrupt = Corrupt("a chunk that ends too early");

/// The bytes not yet read.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Cursor<'a> {
        Cursor { rest: bytes }
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Corrupt> {
        let (head, rest) = self.rest.split_at_checked(length).ok_or(TRUNCATED)?;
        self.rest = rest;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Corrupt> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(TRUNCATED)?;
        self.rest = rest;
        Ok(*head)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Corrupt> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    /// An unsigned LEB128 number of 64 bits.
    pub(crate) fn varint(&mut self) -> Result<u64, Corrupt> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Corrupt("a number of more than 64 bits"))
    }

    /// A signed number, zigzag coded.
    pub(crate) fn signed(&mut self) -> Result<i64, Corrupt> {
        let coded = self.varint()?;
        Ok((coded >> 1).cast_signed() ^ -((coded & 1).cast_signed()))
    }

    /// A count or length, at most `max`.
    pub(crate) fn count(&mut self, max: usize) -> Result<usize, Corrupt> {
        let count = usize::try_from(self.varint()?).ok();
        count
            .filter(|count| *count <= max)
            .ok_or(Corrupt("a count beyond its limit"))
    }

    /// How many bytes are left.
    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Nothing may follow.
    pub(crate) fn finish(self) -> Result<(), Corrupt> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Corrupt("bytes after the end of a chunk"))
        }
    }
}

/// Appends an unsigned LEB128 number.
pub(crate) fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

/// Appends a count or length.
pub(crate) fn push_count(out: &mut Vec<u8>, count: usize) {
    push_varint(out, count as u64);
}

/// Appends a signed number, zigzag coded.
pub(crate) fn push_signed(out: &mut Vec<u8>, value: i64) {
    push_varint(out, ((value << 1) ^ (value >> 63)).cast_unsigned());
}
