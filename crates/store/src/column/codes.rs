//! Which value of a list each rank has, unpacked when somebody asks for it.
//!
//! What the values alone decide needs no code, and how many ranks have each value is counted on packed codes.

use std::sync::OnceLock;

use bytes::Bytes;

use crate::encoding::cursor::Cursor;
use crate::encoding::{Corrupt, codes};

/// By rank, the index of a value in its list.
#[derive(Clone, Debug)]
pub struct DictCodes {
    /// To the end of their chunk.
    stored: Bytes,
    len: usize,
    /// How many values the list has.
    values: usize,
    unpacked: OnceLock<Vec<u16>>,
}

impl DictCodes {
    /// The codes of `len` ranks, each below `values`.
    pub(crate) fn new(stored: Bytes, len: usize, values: usize) -> DictCodes {
        DictCodes {
            stored,
            len,
            values,
            unpacked: OnceLock::new(),
        }
    }

    /// How many ranks there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All of them, each below the number of values; unpacked the first time, and kept.
    pub fn get(&self) -> Result<&[u16], Corrupt> {
        if let Some(unpacked) = self.unpacked.get() {
            return Ok(unpacked);
        }
        let mut cursor = Cursor::new(&self.stored);
        let unpacked = codes::decode(&mut cursor, self.len, self.values)?;
        cursor.finish()?;
        Ok(self.unpacked.get_or_init(|| unpacked))
    }

    /// Those of a few ranks, in the order asked for. Unpacks no more than it takes; where that is all, it is kept.
    pub fn of_ranks(&self, ranks: &[usize]) -> Result<Vec<u16>, Corrupt> {
        if self.unpacked.get().is_none() && codes::are_packed(&self.stored) {
            let mut cursor = Cursor::new(&self.stored);
            let codes = codes::decode_few(&mut cursor, (self.len, self.values), ranks)?;
            cursor.finish()?;
            return Ok(codes);
        }
        let unpacked = self.get()?;
        let mut codes = Vec::with_capacity(ranks.len());
        codes.extend(ranks.iter().map_while(|rank| unpacked.get(*rank)));
        match codes.len() == ranks.len() {
            true => Ok(codes),
            false => Err(Corrupt("a rank past the last value")),
        }
    }

    /// The ranks whose value is one that `holds`, as bits: 64 ranks to a word, the first in the lowest. Unpacks nothing.
    pub fn select(&self, holds: &[bool]) -> Result<Vec<u64>, Corrupt> {
        let mut cursor = Cursor::new(&self.stored);
        let words = codes::select(&mut cursor, (self.len, self.values), holds)?;
        cursor.finish()?;
        Ok(words)
    }

    /// How many ranks have each value.
    pub fn count(&self) -> Result<Vec<u32>, Corrupt> {
        if let Some(unpacked) = self.unpacked.get() {
            let mut counts = vec![0; self.values];
            for code in unpacked {
                if let Some(count) = counts.get_mut(usize::from(*code)) {
                    *count += 1;
                }
            }
            return Ok(counts);
        }
        let mut cursor = Cursor::new(&self.stored);
        let counts = codes::count(&mut cursor, self.len, self.values)?;
        cursor.finish()?;
        Ok(counts)
    }
}
