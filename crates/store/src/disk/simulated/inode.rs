//! A file of the simulated disk: its content as a process sees it, and what would be left without power.

use std::io;
use std::ops::Range;

#[derive(Clone, Debug, Default)]
pub(super) struct Inode {
    cached: Vec<u8>,
    durable: Vec<u8>,
    /// Bytes whose sync failed: the kernel holds them for written and never writes them again.
    lost: Vec<Range<usize>>,
}

impl Inode {
    pub(super) fn durable_with(bytes: Vec<u8>) -> Inode {
        Inode {
            durable: bytes.clone(),
            cached: bytes,
            lost: Vec::new(),
        }
    }

    pub(super) fn content(&self) -> Vec<u8> {
        self.cached.clone()
    }

    pub(super) fn length(&self) -> u64 {
        self.cached.len() as u64
    }

    pub(super) fn append(&mut self, bytes: &[u8]) {
        self.cached.extend(bytes);
    }

    pub(super) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let found = start
            .checked_add(buffer.len())
            .and_then(|end| self.cached.get(start..end));
        buffer.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    pub(super) fn truncate(&mut self, length: u64) {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        self.cached.resize(length, 0);
        self.lost.retain(|range| range.start < length);
    }

    pub(super) fn sync(&mut self) {
        self.durable = self.cached.clone();
        for range in &self.lost {
            if let Some(bytes) = self.durable.get_mut(range.clone()) {
                bytes.fill(0);
            }
        }
    }

    pub(super) fn fail_sync(&mut self) {
        if self.cached.len() > self.durable.len() {
            self.lost.push(self.durable.len()..self.cached.len());
        }
    }

    pub(super) fn flip_bit(&mut self, bit: usize) {
        for bytes in [&mut self.cached, &mut self.durable] {
            if let Some(byte) = bytes.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
            }
        }
    }

    /// What is on disk after the power failed: the durable bytes, and `kept` bytes of those that were not.
    pub(super) fn after_power_loss(&self, kept: usize, is_tail_zeroed: bool) -> Inode {
        let mut left = self.durable.clone();
        if let Some(unsynced) = self.cached.get(self.durable.len()..)
            && self.cached.starts_with(&self.durable)
        {
            let kept = kept.min(unsynced.len());
            left.extend(unsynced.get(..kept).unwrap_or_default());
            if is_tail_zeroed {
                left.resize(self.cached.len(), 0);
            }
        }
        Inode::durable_with(left)
    }

    pub(super) fn unsynced_bytes(&self) -> usize {
        self.cached.len().saturating_sub(self.durable.len())
    }
}
