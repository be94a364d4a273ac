//! A set of the blocks of a segment.

const BITS: u32 = u64::BITS;

/// Some of the blocks `0..blocks` of a segment, by their index there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockSet {
    words: Vec<u64>,
    blocks: u32,
}

impl BlockSet {
    /// No block.
    pub fn none(blocks: u32) -> BlockSet {
        BlockSet {
            words: vec![0; blocks.div_ceil(BITS) as usize],
            blocks,
        }
    }

    /// Every block.
    pub fn all(blocks: u32) -> BlockSet {
        let mut all = BlockSet::none(blocks);
        all.words.fill(u64::MAX);
        if let Some(last) = all.words.last_mut()
            && !blocks.is_multiple_of(BITS)
        {
            *last = (1 << (blocks % BITS)) - 1;
        }
        all
    }

    /// How many blocks there are to choose from.
    pub fn blocks(&self) -> u32 {
        self.blocks
    }

    /// Adds a block; one past the last is left out.
    pub fn insert(&mut self, block: u32) {
        if block < self.blocks
            && let Some(word) = self.words.get_mut((block / BITS) as usize)
        {
            *word |= 1 << (block % BITS);
        }
    }

    /// Whether the block is in the set.
    pub fn contains(&self, block: u32) -> bool {
        let word = self.words.get((block / BITS) as usize);
        word.is_some_and(|word| word >> (block % BITS) & 1 == 1)
    }

    /// How many blocks are in the set.
    pub fn count(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    /// Whether no block is.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Keeps those that are in both.
    pub fn intersect(&mut self, other: &BlockSet) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    /// Adds those of another set.
    pub fn union(&mut self, other: &BlockSet) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// The blocks, rising.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.blocks).filter(|block| self.contains(*block))
    }
}
