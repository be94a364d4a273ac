//! One page of a token map: hashes in order, each with the blocks that hold a word of this hash.
//!
//! A page is read and verified by itself.

use super::BlockSet;
use crate::Corrupt;
use crate::bits::{BitReader, BitWriter, LOOK_BITS, gamma_bits};
use crate::encoding::bitpack::bit_width;
use crate::fixed::Fixed;

/// Bytes of every page but the last, which may be shorter: what a disk reads at once.
pub(super) const PAGE_BYTES: usize = 4096;

/// Checksum, first hash, number of hashes, bits of the low part of a gap.
const HEADER_BYTES: usize = 4 + 4 + 2 + 1;

/// A gap of more than this times 2^`low_bits` is written as it is.
const QUOTIENT_MAX: u32 = 24;

/// A list of blocks that takes more bits says "every block" instead, so that any list fits a page. Only a segment of
/// more than 8192 blocks can have one.
const LIST_BITS_MAX: usize = 8192;

/// The forms of a list, as the ones before the next zero, three at most.
const ONE: u32 = 0;
const GAPS: u32 = 1;
const BITMAP: u32 = 2;
const EVERY: u32 = 3;

/// Where a page stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    Inner,
    Last,
}

/// A page being filled.
#[derive(Debug)]
pub(super) struct PageWriter {
    blocks: u32,
    low_bits: u32,
    first: u32,
    last: u32,
    count: u16,
    bits: BitWriter,
    entry: BitWriter,
}

impl PageWriter {
    /// Of a segment of `blocks` blocks, with hashes about `gap` apart.
    pub(super) fn new(blocks: u32, gap: u64) -> PageWriter {
        PageWriter {
            blocks,
            // Rice's parameter: the mean gap times ln 2, to the power of two below.
            low_bits: bit_width(gap * 7 / 10).clamp(1, 32) - 1,
            first: 0,
            last: 0,
            count: 0,
            bits: BitWriter::with_capacity(PAGE_BYTES),
            entry: BitWriter::default(),
        }
    }

    /// Adds a hash greater than the last, with the blocks that have it, rising; false if it does not fit any more.
    pub(super) fn push(&mut self, hash: u32, blocks: &[u32]) -> bool {
        if let Some((entry, width)) = self.entry_of_one_block(hash, blocks) {
            if !self.fits(width as usize) {
                return false;
            }
            self.bits.push(entry, width);
        } else {
            self.entry.clear();
            if self.count > 0 {
                push_gap(&mut self.entry, hash - self.last, self.low_bits);
            }
            push_list(&mut self.entry, blocks, self.blocks);
            if !self.fits(self.entry.bits()) {
                return false;
            }
            self.bits.append(&self.entry);
        }
        if self.count == 0 {
            self.first = hash;
        }
        self.last = hash;
        self.count += 1;
        true
    }

    /// The bits of a hash that one block has, as most have, and how many; `None` where they are not for one number to hold.
    fn entry_of_one_block(&self, hash: u32, blocks: &[u32]) -> Option<(u64, u32)> {
        let [block] = *blocks else {
            return None;
        };
        if self.count == 0 {
            return None;
        }
        let beyond = u64::from(hash - self.last - 1);
        let ones = u32::try_from(beyond >> self.low_bits).ok();
        let ones = ones.filter(|ones| *ones < QUOTIENT_MAX)?;
        let list_at = ones + 1 + self.low_bits;
        let width = list_at + 1 + id_width(self.blocks);
        if width > u64::BITS {
            return None;
        }
        let low = beyond & ((1 << self.low_bits) - 1);
        let gap = low << (ones + 1) | ((1 << ones) - 1);
        Some((u64::from(block) << (list_at + 1) | gap, width))
    }

    /// Whether there is room for an entry of so many bits: in an empty page always.
    fn fits(&self, entry_bits: usize) -> bool {
        let bits = self.bits.bits() + entry_bits;
        let is_within = bits.div_ceil(8) <= PAGE_BYTES - HEADER_BYTES && self.count < u16::MAX;
        self.count == 0 || is_within
    }

    pub(super) fn first(&self) -> u32 {
        self.first
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How far apart the hashes were.
    pub(super) fn gap(&self) -> u64 {
        u64::from(self.last - self.first) / u64::from(self.count.max(2) - 1)
    }

    /// The bytes, `PAGE_BYTES` of them unless it is the last page.
    pub(super) fn finish(self, position: Position) -> Vec<u8> {
        let mut page = vec![0; 4];
        page.extend(self.first.to_le_bytes());
        page.extend(self.count.to_le_bytes());
        page.push(self.low_bits.to_le_bytes()[0]);
        page.extend(self.bits.into_bytes());
        if position == Position::Inner {
            page.resize(PAGE_BYTES, 0);
        }
        let crc = crc32c::crc32c(page.get(4..).unwrap_or_default());
        page.splice(..4, crc.to_le_bytes());
        page
    }
}

fn push_gap(out: &mut BitWriter, gap: u32, low_bits: u32) {
    let beyond = u64::from(gap - 1);
    let quotient = beyond >> low_bits;
    if quotient >= u64::from(QUOTIENT_MAX) {
        out.push((1 << QUOTIENT_MAX) - 1, QUOTIENT_MAX);
        out.push(beyond, u32::BITS);
        return;
    }
    let ones = u32::try_from(quotient).unwrap_or(QUOTIENT_MAX);
    out.push((1 << ones) - 1, ones + 1);
    out.push(beyond & ((1 << low_bits) - 1), low_bits);
}

fn push_list(out: &mut BitWriter, list: &[u32], blocks: u32) {
    let width = id_width(blocks);
    let gaps = || list.iter().zip(list.iter().skip(1)).map(|(a, b)| b - a);
    let count = u32::try_from(list.len()).unwrap_or(u32::MAX);
    match list {
        [block] => {
            out.push(0, 1);
            out.push(u64::from(*block), width);
        }
        _ if count >= blocks => out.push(0b111, 3),
        [] => out.push(0b111, 3),
        [first, ..] => {
            let gap_bits: usize = gaps().map(gamma_bits).sum();
            let list_bits = gamma_bits(count - 1) + width as usize + gap_bits;
            if list_bits.min(blocks as usize) > LIST_BITS_MAX {
                out.push(0b111, 3);
            } else if list_bits <= blocks as usize {
                out.push(0b01, 2);
                out.push_gamma(count - 1);
                out.push(u64::from(*first), width);
                gaps().for_each(|gap| out.push_gamma(gap));
            } else {
                out.push(0b011, 3);
                push_bitmap(out, list, blocks);
            }
        }
    }
}

fn push_bitmap(out: &mut BitWriter, list: &[u32], blocks: u32) {
    let mut list = list.iter().peekable();
    for block in 0..blocks {
        let is_in = list.next_if(|next| **next == block).is_some();
        out.push(u64::from(is_in), 1);
    }
}

/// How many bits the index of a block takes.
fn id_width(blocks: u32) -> u32 {
    bit_width(u64::from(blocks.saturating_sub(1)))
}

/// A verified page.
#[derive(Debug)]
pub(super) struct Page<'a> {
    reader: BitReader<'a>,
    blocks: u32,
    low_bits: u32,
    /// The last hash read; the first of the page before any was.
    hash: u32,
    left: u16,
    is_fresh: bool,
}

/// Why a page cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PageError {
    Checksum,
    Malformed(Corrupt),
}

impl From<Corrupt> for PageError {
    fn from(corrupt: Corrupt) -> PageError {
        PageError::Malformed(corrupt)
    }
}

impl<'a> Page<'a> {
    /// Verifies the bytes of the page that begins with the hash `first`.
    pub(super) fn open(bytes: &'a [u8], first: u32, blocks: u32) -> Result<Page<'a>, PageError> {
        const SHORT: Corrupt = Corrupt("a page of the token map without a header");
        let mut fields = Fixed::new(bytes);
        let crc = fields.u32().ok_or(SHORT)?;
        if crc32c::crc32c(fields.rest()) != crc {
            return Err(PageError::Checksum);
        }
        let hash = fields.u32().ok_or(SHORT)?;
        let left = fields.u16().ok_or(SHORT)?;
        let low_bits = fields.u8().ok_or(SHORT)?;
        if hash != first || low_bits > 31 || left == 0 {
            return Err(Corrupt("a page of the token map that is another").into());
        }
        Ok(Page {
            reader: BitReader::new(fields.rest()),
            blocks,
            low_bits: low_bits.into(),
            hash,
            left,
            is_fresh: true,
        })
    }

    /// The blocks that have `hash`; `None` when it is not in the page.
    pub(super) fn find(mut self, hash: u32) -> Result<Option<BlockSet>, Corrupt> {
        while let Some(found) = self.next_hash()? {
            if found == hash {
                let mut set = BlockSet::none(self.blocks);
                self.each_block(|block| set.insert(block))?;
                return Ok(Some(set));
            }
            if found > hash {
                return Ok(None);
            }
            self.each_block(|_| {})?;
        }
        Ok(None)
    }

    /// The next hash; its blocks, rising, are added to `blocks`.
    pub(super) fn next(&mut self, blocks: &mut Vec<u32>) -> Result<Option<u32>, Corrupt> {
        if let Some((hash, block)) = self.next_in_one_block() {
            blocks.push(block);
            return Ok(Some(hash));
        }
        let hash = self.next_hash()?;
        if hash.is_some() {
            self.each_block(|block| blocks.push(block))?;
        }
        Ok(hash)
    }

    /// The same of a hash that one block has, as most have, at one look at the bits; `None` if it takes more, or is not sound.
    fn next_in_one_block(&mut self) -> Option<(u32, u32)> {
        if self.left == 0 || self.is_fresh {
            return None;
        }
        let (bits, width) = (self.reader.look()?, id_width(self.blocks));
        let quotient = bits.trailing_ones();
        let list_at = quotient + 1 + self.low_bits;
        let length = list_at + 1 + width;
        let is_one_block =
            quotient < QUOTIENT_MAX && length <= LOOK_BITS && bits >> list_at & 1 == 0;
        if !is_one_block {
            return None;
        }
        let low = bits >> (quotient + 1) & ((1 << self.low_bits) - 1);
        let gap = (u64::from(quotient) << self.low_bits | low) + 1;
        let hash = u32::try_from(u64::from(self.hash) + gap).ok()?;
        let block = bits >> (list_at + 1) & ((1 << width) - 1);
        let block = self.checked(block).ok()?;
        self.reader.skip(length).ok()?;
        self.left -= 1;
        self.hash = hash;
        Some((hash, block))
    }

    fn next_hash(&mut self) -> Result<Option<u32>, Corrupt> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        if !std::mem::take(&mut self.is_fresh) {
            let quotient = self.reader.read_ones(QUOTIENT_MAX)?;
            let beyond = match quotient {
                QUOTIENT_MAX => self.reader.read(u32::BITS)?,
                _ => u64::from(quotient) << self.low_bits | self.reader.read(self.low_bits)?,
            };
            let hash = u64::from(self.hash) + beyond + 1;
            let beyond_end = |_| Corrupt("a hash of the token map beyond the greatest");
            self.hash = u32::try_from(hash).map_err(beyond_end)?;
        }
        Ok(Some(self.hash))
    }

    fn each_block(&mut self, mut visit: impl FnMut(u32)) -> Result<(), Corrupt> {
        let width = id_width(self.blocks);
        match self.reader.read_ones(EVERY)? {
            ONE => {
                let block = self.reader.read(width)?;
                visit(self.checked(block)?);
            }
            GAPS => {
                let more = self.reader.read_gamma()?;
                let first = self.reader.read(width)?;
                let mut block = self.checked(first)?;
                visit(block);
                for _ in 0..more {
                    let gap = self.reader.read_gamma()?;
                    block = self.checked(u64::from(block) + u64::from(gap))?;
                    visit(block);
                }
            }
            BITMAP => {
                for block in 0..self.blocks {
                    if self.reader.read(1)? == 1 {
                        visit(block);
                    }
                }
            }
            _ => (0..self.blocks).for_each(visit),
        }
        Ok(())
    }

    fn checked(&self, block: u64) -> Result<u32, Corrupt> {
        let block = u32::try_from(block).ok();
        let block = block.filter(|block| *block < self.blocks);
        block.ok_or(Corrupt("a block of the token map that is not there"))
    }
}
