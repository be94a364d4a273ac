//! Tokens: made from randomness, shown once, kept as hashes.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::{Random, Secret};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The length of a source token, as Better Stack's: 142 bits.
const SOURCE_TOKEN_LENGTH: usize = 24;

/// What every API token begins with, so that a leaked one is recognised for what it is.
const API_TOKEN_PREFIX: &str = "cwa_";

/// The length of an API token after its prefix: 238 bits.
const API_TOKEN_LENGTH: usize = 40;

/// How many characters at the end of a token are kept to tell tokens apart. Four of 24 leave 119
/// bits to guess.
const ENDING_LENGTH: usize = 4;

/// The SHA-256 of a token, all that is kept of it. A plain hash is enough: the tokens are random
/// and long, so there is no dictionary to try.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a token's text.
    pub fn of(token: &str) -> TokenHash {
        TokenHash(Sha256::digest(token.as_bytes()).into())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn from_bytes(bytes: [u8; 32]) -> TokenHash {
        TokenHash(bytes)
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// A token just made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Its text, to be shown once.
    pub secret: Secret,
    pub(crate) hash: TokenHash,
    pub(crate) ending: String,
}

impl NewToken {
    /// A token of a source: 24 letters and digits.
    pub fn for_source(random: &dyn Random) -> NewToken {
        NewToken::of(letters_and_digits(random, SOURCE_TOKEN_LENGTH))
    }

    /// A token of the API: `cwa_` and 40 letters and digits.
    pub fn for_api(random: &dyn Random) -> NewToken {
        let random_part = letters_and_digits(random, API_TOKEN_LENGTH);
        NewToken::of(format!("{API_TOKEN_PREFIX}{random_part}"))
    }

    fn of(text: String) -> NewToken {
        let ending = text.chars().skip(text.len() - ENDING_LENGTH).collect();
        NewToken {
            hash: TokenHash::of(&text),
            secret: Secret::new(text),
            ending,
        }
    }
}

/// Letters and digits, each equally likely: bytes beyond the last whole multiple of 62 are thrown away.
fn letters_and_digits(random: &dyn Random, length: usize) -> String {
    const FAIR_BYTES: u8 = 248;
    let mut text = String::with_capacity(length);
    let mut bytes = [0u8; 64];
    while text.len() < length {
        random.fill(&mut bytes);
        let fair = bytes.iter().filter(|byte| **byte < FAIR_BYTES);
        let letters = fair.map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]));
        text.extend(letters.take(length - text.len()));
    }
    text
}
