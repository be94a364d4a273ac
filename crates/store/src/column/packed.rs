//! Texts that all have one form, kept as something shorter than text: hex digits as bytes, IPv4 addresses as numbers.
//!
//! Distinct texts are listed once where they repeat; a listed text has a *slot*. Whole texts are compared in their packed form;
//! for any other test the listed texts are rebuilt, frame by frame, as [`StrValues`].

use std::net::Ipv4Addr;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::strings::{FrameText, StoredFrame, StrValues};

/// Texts rebuilt together: for one of them that takes some ten microseconds.
const TEXTS_PER_FRAME: usize = 512;

/// `255.255.255.255`
const ADDRESS_BYTES_MAX: usize = 15;

/// Whether the letters of two texts must have the same case to be equal. Packed texts are ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// They must.
    Exact,
    /// They need not.
    Ignored,
}

/// Texts by rank.
#[derive(Clone, Debug)]
pub struct PackedTexts {
    packed: Arc<Packed>,
    codes: Option<Vec<u16>>,
    texts: OnceLock<StrValues>,
}

/// The listed texts, packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Packed {
    Hex(HexTexts),
    Ip4(Vec<u32>),
}

/// Texts that differ in hex digits only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HexTexts {
    pub(crate) shape: HexShape,
    /// [`HexShape::packed_bytes`] for every text, the first digit in the high half of the first byte.
    pub(crate) bytes: Vec<u8>,
}

/// What texts that differ in hex digits only have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HexShape {
    pub(crate) is_upper_case: bool,
    /// ASCII; `None` where a digit stands.
    pub(crate) template: Vec<Option<u8>>,
}

impl PackedTexts {
    /// `codes`, by rank, are slots that exist; without codes the slot of a text is its rank.
    pub(crate) fn new(packed: Packed, codes: Option<Vec<u16>>) -> PackedTexts {
        PackedTexts {
            packed: Arc::new(packed),
            codes,
            texts: OnceLock::new(),
        }
    }

    /// By rank, the slot of the text; `None` when that is the rank itself.
    pub fn codes(&self) -> Option<&[u16]> {
        self.codes.as_deref()
    }

    /// How many texts are listed.
    pub fn slots(&self) -> usize {
        self.packed.slots()
    }

    /// The slot of a rank, which may be past the end.
    pub fn slot(&self, rank: usize) -> Option<usize> {
        match &self.codes {
            Some(codes) => codes.get(rank).map(|code| usize::from(*code)),
            None => Some(rank),
        }
    }

    /// The listed texts by slot, rebuilt as they are asked for.
    pub fn texts(&self) -> &StrValues {
        self.texts.get_or_init(|| rebuilt(&self.packed))
    }

    /// The text of a slot, rebuilt by itself; `None` past the last.
    pub fn text(&self, slot: usize) -> Option<String> {
        if slot >= self.slots() {
            return None;
        }
        String::from_utf8(self.packed.rebuild(slot..slot + 1)).ok()
    }

    /// The most bytes a listed text can have.
    pub fn text_bytes_max(&self) -> usize {
        match &*self.packed {
            Packed::Hex(texts) => texts.shape.template.len(),
            Packed::Ip4(_) => ADDRESS_BYTES_MAX,
        }
    }

    /// The addresses by slot, when the texts are IPv4 addresses.
    pub fn addresses(&self) -> Option<&[u32]> {
        match &*self.packed {
            Packed::Ip4(addresses) => Some(addresses),
            Packed::Hex(_) => None,
        }
    }

    /// Whether `byte` can occur in a listed text.
    pub fn may_hold(&self, byte: u8) -> bool {
        match &*self.packed {
            Packed::Hex(texts) => {
                byte.is_ascii_hexdigit() || texts.shape.template.contains(&Some(byte))
            }
            Packed::Ip4(_) => byte == b'.' || byte.is_ascii_digit(),
        }
    }

    /// Calls `found` with the slot of each listed text that is `text`.
    pub fn find(&self, text: &[u8], case: Case, mut found: impl FnMut(usize)) {
        match &*self.packed {
            Packed::Hex(texts) => {
                let mut wanted = Vec::new();
                if !texts.shape.push_packed(text, case, &mut wanted) {
                    return;
                }
                let width = wanted.len().max(1);
                let bytes = texts.bytes.chunks_exact(width).enumerate();
                bytes
                    .filter(|(_, bytes)| *bytes == wanted)
                    .for_each(|(slot, _)| found(slot));
            }
            Packed::Ip4(addresses) => {
                let Some(wanted) = address_of(text) else {
                    return;
                };
                let addresses = addresses.iter().enumerate();
                addresses
                    .filter(|(_, address)| **address == wanted)
                    .for_each(|(slot, _)| found(slot));
            }
        }
    }
}

/// The address that `text` spells in the one way this crate would spell it.
pub(crate) fn address_of(text: &[u8]) -> Option<u32> {
    let address: Ipv4Addr = str::from_utf8(text).ok()?.parse().ok()?;
    Some(address.to_bits())
}

/// Appends an address as [`Ipv4Addr`] spells it, in a tenth of the time.
fn push_address(address: u32, out: &mut Vec<u8>) {
    for (place, octet) in address.to_be_bytes().into_iter().enumerate() {
        if place > 0 {
            out.push(b'.');
        }
        if octet >= 100 {
            out.push(b'0' + octet / 100);
        }
        if octet >= 10 {
            out.push(b'0' + octet / 10 % 10);
        }
        out.push(b'0' + octet % 10);
    }
}

impl HexShape {
    /// How many bytes the digits of a text take.
    pub(crate) fn packed_bytes(&self) -> usize {
        self.digits().div_ceil(2)
    }

    pub(crate) fn digits(&self) -> usize {
        self.template.iter().filter(|byte| byte.is_none()).count()
    }

    /// Appends the digits of `text`, if it has this shape; else some of them.
    pub(crate) fn push_packed(&self, text: &[u8], case: Case, out: &mut Vec<u8>) -> bool {
        if text.len() != self.template.len() {
            return false;
        }
        let mut high = None;
        for (byte, expected) in text.iter().zip(&self.template) {
            let digit = match expected {
                Some(expected) if is_equal(*byte, *expected, case) => continue,
                Some(_) => None,
                None => self.digit_of(*byte, case),
            };
            let Some(digit) = digit else {
                return false;
            };
            match high.take() {
                Some(high) => out.push(high << 4 | digit),
                None => high = Some(digit),
            }
        }
        out.extend(high.map(|high| high << 4));
        true
    }

    fn digit_of(&self, byte: u8, case: Case) -> Option<u8> {
        match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' if case == Case::Ignored || !self.is_upper_case => Some(byte - b'a' + 10),
            b'A'..=b'F' if case == Case::Ignored || self.is_upper_case => Some(byte - b'A' + 10),
            _ => None,
        }
    }

    fn push_text(&self, packed: &[u8], out: &mut Vec<u8>) {
        let letters = if self.is_upper_case { b'A' } else { b'a' };
        let mut digits = packed.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        for byte in &self.template {
            out.push(byte.unwrap_or_else(|| match digits.next().unwrap_or(0) {
                digit @ 0..=9 => b'0' + digit,
                digit => letters + digit - 10,
            }));
        }
    }
}

fn is_equal(a: u8, b: u8, case: Case) -> bool {
    match case {
        Case::Exact => a == b,
        Case::Ignored => a.eq_ignore_ascii_case(&b),
    }
}

impl Packed {
    pub(crate) fn slots(&self) -> usize {
        match self {
            Packed::Hex(texts) => texts.bytes.len() / texts.shape.packed_bytes().max(1),
            Packed::Ip4(addresses) => addresses.len(),
        }
    }

    fn text_bytes(&self, slot: usize) -> usize {
        match self {
            Packed::Hex(texts) => texts.shape.template.len(),
            Packed::Ip4(addresses) => addresses.get(slot).map_or(0, |address| {
                /// Three dots.
                const DOTS: usize = 3;
                let digits = |octet: u8| 1 + usize::from(octet >= 10) + usize::from(octet >= 100);
                DOTS + address.to_be_bytes().map(digits).iter().sum::<usize>()
            }),
        }
    }

    /// The texts of some slots, one after the other.
    pub(super) fn rebuild(&self, slots: Range<usize>) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Packed::Hex(texts) => {
                let width = texts.shape.packed_bytes().max(1);
                out.reserve(slots.len() * texts.shape.template.len());
                let bytes = texts.bytes.get(slots.start * width..slots.end * width);
                for packed in bytes.unwrap_or_default().chunks_exact(width) {
                    texts.shape.push_text(packed, &mut out);
                }
            }
            Packed::Ip4(addresses) => {
                out.reserve(slots.len() * ADDRESS_BYTES_MAX);
                for address in addresses.get(slots).unwrap_or_default() {
                    push_address(*address, &mut out);
                }
            }
        }
        out
    }
}

fn rebuilt(packed: &Arc<Packed>) -> StrValues {
    let slots = packed.slots();
    let mut ends = Vec::with_capacity(slots);
    let mut frames = Vec::new();
    for start in (0..slots).step_by(TEXTS_PER_FRAME) {
        let frame = start..slots.min(start + TEXTS_PER_FRAME);
        let mut end = 0u32;
        for slot in frame.clone() {
            end += u32::try_from(packed.text_bytes(slot)).unwrap_or(0);
            ends.push(end);
        }
        let text = FrameText::Packed(Arc::clone(packed), frame.clone());
        frames.push(StoredFrame::new(frame.end, text));
    }
    StrValues::of_frames(ends, frames)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::{ADDRESS_BYTES_MAX, push_address};

    #[test]
    fn addresses_are_spelled_as_usual() {
        for octet in 0..=u8::MAX {
            for address in [
                Ipv4Addr::new(octet, 0, 9, 255),
                Ipv4Addr::new(10, octet, 99, octet),
                Ipv4Addr::new(100, 200, 1, octet),
            ] {
                let mut text = Vec::new();
                push_address(address.to_bits(), &mut text);
                assert_eq!(text, address.to_string().into_bytes());
                assert!(text.len() <= ADDRESS_BYTES_MAX);
            }
        }
    }
}
