//! Tests that packed texts answer without being rebuilt.

use std::net::Ipv4Addr;

use cordwood_query::{TextPattern, TextTest};
use cordwood_store::column::{Case, PackedTexts};

use crate::selection::Selection;

/// Those of `slots` whose text matches; `None` when the texts themselves have to be asked.
pub(crate) fn select(
    test: TextTest<'_>,
    packed: &PackedTexts,
    slots: &Selection,
) -> Option<Selection> {
    match test {
        TextTest::Exact(text) => Some(find(packed, text.as_bytes(), Case::Exact, slots)),
        TextTest::Contains(phrase) => select_containing(phrase, packed, slots),
        TextTest::Cidr(block) => {
            let addresses = packed.addresses()?;
            Some(slots.filter(|slot| {
                let address = addresses.get(slot).copied().map(Ipv4Addr::from_bits);
                address.is_some_and(|address| block.contains(address.into()))
            }))
        }
        _ => None,
    }
}

/// A phrase as long as the longest text can only be all of it, and the ends of a text are word boundaries.
fn select_containing(
    phrase: &TextPattern,
    packed: &PackedTexts,
    slots: &Selection,
) -> Option<Selection> {
    let none = Selection::none(slots.rows());
    let Some(phrase) = phrase.ascii() else {
        return Some(none);
    };
    let may_hold = |byte: &u8| packed.may_hold(*byte) || packed.may_hold(byte.to_ascii_uppercase());
    if phrase.len() > packed.text_bytes_max() || !phrase.iter().all(may_hold) {
        return Some(none);
    }
    let is_whole = match packed.addresses() {
        Some(_) => is_whole_address(phrase),
        None => phrase.len() == packed.text_bytes_max(),
    };
    is_whole.then(|| find(packed, phrase, Case::Ignored, slots))
}

/// Whether a phrase can only be all of an address: it has all the dots, and digits at its ends, where a word must end.
fn is_whole_address(phrase: &[u8]) -> bool {
    const DOTS: usize = 3;
    let ends = [phrase.first(), phrase.last()];
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    ends.into_iter().all(is_digit) && phrase.iter().filter(|byte| **byte == b'.').count() == DOTS
}

fn find(packed: &PackedTexts, text: &[u8], case: Case, slots: &Selection) -> Selection {
    let mut held = Selection::none(slots.rows());
    packed.find(text, case, |slot| {
        if slots.contains(slot) {
            held.insert(slot);
        }
    });
    held
}
