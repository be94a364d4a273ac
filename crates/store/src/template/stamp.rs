//! What the values of a slot look like as a whole, so that most of what is asked of them can be excluded unseen.

/// A set of kinds of characters: each letter of ASCII whatever its case, the digits, some of the other characters
/// that slots are made of, and all that is not ASCII.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CharClasses(pub(crate) u32);

const DIGIT: u32 = 26;
const DOT: u32 = 27;
const COLON: u32 = 28;
const SLASH: u32 = 29;
/// `-_%@+`, and whatever ASCII cannot be in a slot.
const OTHER: u32 = 30;
const NOT_ASCII: u32 = 31;

impl CharClasses {
    /// The kinds of the characters of a text.
    pub fn of(text: &str) -> CharClasses {
        CharClasses::of_bytes(text.as_bytes())
    }

    #[inline]
    fn of_bytes(text: &[u8]) -> CharClasses {
        let bits = text.iter().map(|byte| BITS.get(usize::from(*byte)));
        CharClasses(bits.flatten().fold(0, |classes, bit| classes | bit))
    }

    /// Whether every kind in `other` is in this set.
    pub fn contain(self, other: CharClasses) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The kind of every byte.
const BITS: [u32; 256] = {
    let mut bits = [0; 256];
    let mut byte = 0;
    while byte < bits.len() {
        #[expect(
            clippy::indexing_slicing,
            clippy::cast_possible_truncation,
            reason = "evaluated by the compiler, for bytes"
        )]
        {
            bits[byte] = 1 << bit_of(byte as u8);
        }
        byte += 1;
    }
    bits
};

const fn bit_of(byte: u8) -> u32 {
    match byte {
        b'a'..=b'z' => (byte - b'a') as u32,
        b'A'..=b'Z' => (byte - b'A') as u32,
        b'0'..=b'9' => DIGIT,
        b'.' => DOT,
        b':' => COLON,
        b'/' => SLASH,
        0x80.. => NOT_ASCII,
        _ => OTHER,
    }
}

/// What the values of one slot of one template in one block look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Bytes of the shortest value.
    pub bytes_min: u32,
    /// Bytes of the longest value.
    pub bytes_max: u32,
    /// The characters that occur.
    pub classes: CharClasses,
}

impl Stamp {
    /// The stamp of some values.
    pub(crate) fn of<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Stamp {
        let mut stamp = Stamp {
            bytes_min: u32::MAX,
            ..Stamp::default()
        };
        for value in values {
            let bytes = u32::try_from(value.len()).unwrap_or(u32::MAX);
            stamp.bytes_min = stamp.bytes_min.min(bytes);
            stamp.bytes_max = stamp.bytes_max.max(bytes);
            stamp.classes.0 |= CharClasses::of_bytes(value).0;
        }
        stamp
    }
}
