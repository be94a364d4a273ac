//! The hashes of records: each alone, and each with all before it.

use sha2::{Digest as _, Sha256};

/// A SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hash(pub(crate) [u8; 32]);

/// The first 8 bytes of the SHA-256 of a record: enough to say which record it is, not to prove it.
pub(crate) type Digest = [u8; DIGEST_BYTES];

/// The length of a digest.
pub(crate) const DIGEST_BYTES: usize = 8;

impl Hash {
    /// The hash of some bytes.
    pub(crate) fn of(bytes: &[u8]) -> Hash {
        Hash(Sha256::digest(bytes).into())
    }

    /// The next hash of the chain: that of this one and of the hash of a record.
    pub(crate) fn then(self, record: Hash) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update(self.0);
        hasher.update(record.0);
        Hash(hasher.finalize().into())
    }

    /// Its digest.
    pub(crate) fn digest(self) -> Digest {
        let mut digest = [0; DIGEST_BYTES];
        for (to, from) in digest.iter_mut().zip(self.0) {
            *to = from;
        }
        digest
    }

    pub(crate) fn to_hex(self) -> String {
        to_hex(&self.0)
    }

    pub(crate) fn from_hex(text: &str) -> Option<Hash> {
        from_hex(text)?.try_into().ok().map(Hash)
    }
}

/// Two lower-case digits for each byte.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| DIGITS[usize::from(digit)]).collect()
}

/// The inverse of [`to_hex`]; there is one text for each value.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    pairs.collect()
}
