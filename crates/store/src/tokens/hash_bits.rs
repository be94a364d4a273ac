//! How many bits of the hash of a word a token map has.
//!
//! A map of few words tells them apart by fewer bits than a hash has, and each bit less is one less for nearly every word: most
//! are in one block, and a gap and a block are all that is kept of them.

/// The highest bits of a hash, so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HashBits(u32);

/// A word that is not in a segment is taken for one that is, and a block is read in vain, with a chance of one in 2^`SPARE_BITS` at
/// the most; in half as many cases if each word is in two blocks.
const SPARE_BITS: u32 = 4;

/// Of small segments one large one is made, which has no more bits than they have. With 2^26 words, as the greatest segments may have,
/// one lookup in four of a word that is not there reads a block in vain.
const BITS_MIN: u32 = 28;

impl HashBits {
    /// Whole hashes.
    pub(super) const ALL: HashBits = HashBits(u32::BITS);

    /// `None` if there are no bits or more than a hash has.
    pub(super) fn new(bits: u8) -> Option<HashBits> {
        let bits = u32::from(bits);
        (1..=u32::BITS).contains(&bits).then_some(HashBits(bits))
    }

    /// For so many words, those of each block counted by themselves.
    pub(super) fn for_words(words: u64) -> HashBits {
        let width = u64::BITS - words.leading_zeros();
        HashBits((width + SPARE_BITS).clamp(BITS_MIN, u32::BITS))
    }

    /// These bits of a hash.
    #[inline]
    pub(super) fn of(self, hash: u32) -> u32 {
        hash >> HashBits::ALL.beyond(self)
    }

    /// The least hash that has these bits; `None` if they are too many.
    pub(super) fn least(self, bits: u32) -> Option<u32> {
        let least = u64::from(bits) << HashBits::ALL.beyond(self);
        u32::try_from(least).ok()
    }

    /// How many more there are than of others, which are not more.
    #[inline]
    pub(super) fn beyond(self, fewer: HashBits) -> u32 {
        self.0.saturating_sub(fewer.0)
    }

    /// How many hashes differ in them.
    pub(super) fn hashes(self) -> u64 {
        1 << self.0
    }

    pub(super) fn to_byte(self) -> u8 {
        self.0.to_le_bytes()[0]
    }
}
