//! Appending numbers, identifiers and JSON text to a line, without an allocation each.

use super::rng::Rng;

const HEX: &[u8; 16] = b"0123456789abcdef";

pub(crate) fn push_integer(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0u8; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// At least `width` digits, padded with zeros.
pub(crate) fn push_padded(out: &mut Vec<u8>, value: u64, width: usize) {
    let mut bound = 1u64;
    for _ in 1..width {
        bound *= 10;
        if value < bound {
            out.push(b'0');
        }
    }
    push_integer(out, value);
}

/// Two decimals.
pub(crate) fn push_decimal(out: &mut Vec<u8>, value: f64) {
    let hundredths = (value * 100.0).round() as u64;
    push_integer(out, hundredths / 100);
    out.push(b'.');
    push_padded(out, hundredths % 100, 2);
}

pub(crate) fn push_hex(out: &mut Vec<u8>, rng: &mut Rng, digits: usize) {
    let mut bits = 0;
    for index in 0..digits {
        if index % 16 == 0 {
            bits = rng.next();
        }
        out.push(HEX[(bits & 15) as usize]);
        bits >>= 4;
    }
}

/// A version 4 UUID of these 128 bits.
pub(crate) fn push_uuid(out: &mut Vec<u8>, high: u64, low: u64) {
    let bits =
        (u128::from(high) << 64 | u128::from(low)) & !(0xF000u128 << 64) & !(0xC000u128 << 48)
            | (0x4000u128 << 64)
            | (0x8000u128 << 48);
    for index in 0..32 {
        if matches!(index, 8 | 12 | 16 | 20) {
            out.push(b'-');
        }
        out.push(HEX[(bits >> (124 - 4 * index)) as usize & 15]);
    }
}

/// The inside of a JSON string.
pub(crate) fn push_escaped(out: &mut Vec<u8>, text: &[u8]) {
    for &byte in text {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\r' => out.extend_from_slice(b"\\r"),
            0..=31 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
}

/// `"key":"value",` with the value escaped: every event begins and goes on with these.
pub(crate) fn push_member(out: &mut Vec<u8>, key: &str, value: &[u8]) {
    push_key(out, key);
    out.push(b'"');
    push_escaped(out, value);
    out.push(b'"');
}

/// A comma and `"key":`.
pub(crate) fn push_key(out: &mut Vec<u8>, key: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
}
