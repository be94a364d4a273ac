//! Reads little-endian fields of fixed width one after the other; a read past the end is `None`.

/// Numbers that count up from 1 (events, files, segments, commits) stay below this: a million a second for a hundred
/// thousand years. A greater one was never written, and would overflow.
pub(crate) const NUMBER_END: u64 = 1 << 62;

/// The bytes not yet read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fixed<'a> {
    rest: &'a [u8],
}

impl<'a> Fixed<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Fixed<'a> {
        Fixed { rest: bytes }
    }

    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*head)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number that counts up from 1.
    pub(crate) fn number(&mut self) -> Option<u64> {
        self.u64().filter(|number| (1..NUMBER_END).contains(number))
    }

    pub(crate) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    pub(crate) fn u128(&mut self) -> Option<u128> {
        self.array().map(u128::from_le_bytes)
    }

    /// What has not been read.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.rest
    }
}
