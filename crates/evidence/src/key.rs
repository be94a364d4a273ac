//! The keys: the server signs with one, anybody verifies with the other. Ed25519, RFC 8032.

use std::fmt;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::hash::{from_hex, to_hex};

/// A key to sign with.
pub struct Key(SigningKey);

/// A key to verify with, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl Key {
    /// The key that these 32 random bytes are.
    pub fn from_bytes(secret: &[u8; 32]) -> Key {
        Key(SigningKey::from_bytes(secret))
    }

    /// What verifies its signatures.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// A signature of a text, as 128 hexadecimal digits.
    pub(crate) fn sign(&self, text: &[u8]) -> String {
        to_hex(&self.0.sign(text).to_bytes())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl PublicKey {
    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<PublicKey> {
        let bytes: [u8; 32] = from_hex(text)?.try_into().ok()?;
        VerifyingKey::from_bytes(&bytes).ok().map(PublicKey)
    }

    /// Whether a signature is this key's, of this text. Strict: there is one signature of a text that is accepted, and none of
    /// weak keys.
    pub(crate) fn has_signed(&self, text: &[u8], signature: &str) -> bool {
        let bytes: Option<[u8; 64]> = from_hex(signature).and_then(|bytes| bytes.try_into().ok());
        bytes.is_some_and(|bytes| {
            let signature = Signature::from_bytes(&bytes);
            self.0.verify_strict(text, &signature).is_ok()
        })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}
