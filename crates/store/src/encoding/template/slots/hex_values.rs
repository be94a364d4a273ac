//! Values that differ in hex digits only, such as ids of requests, as the bytes that the digits spell: see [`hex`].

use super::super::super::cursor::Cursor;
use super::super::super::frame::Compressor;
use super::super::super::{Corrupt, hex};
use super::affixed::bytes_as_text;
use super::read::ValueText;
use crate::block::TEXT_BYTES_MAX;
use crate::column::HexShape;
use crate::postings::words::END;

/// Values of one shape.
#[derive(Debug)]
pub(super) struct HexValues<'a> {
    values: Vec<&'a str>,
    shape: HexShape,
}

impl<'a> HexValues<'a> {
    /// `None` if the values are not of one shape, or shorter as text.
    pub(super) fn of(values: &[&'a [u8]]) -> Option<HexValues<'a>> {
        let (first, others) = values.split_first()?;
        if others.iter().any(|other| other.len() != first.len()) {
            return None;
        }
        let values = values.iter().map(|value| str::from_utf8(value).ok());
        let texts: Vec<&str> = values.collect::<Option<_>>()?;
        let shape = hex::shape_of(&texts)?;
        let packed_bytes = shape.template.len() + texts.len() * shape.packed_bytes();
        let values = texts.iter().map(|text| text.as_bytes());
        (packed_bytes <= bytes_as_text(values)).then_some(HexValues {
            values: texts,
            shape,
        })
    }

    pub(super) fn encode(&self, compressor: &mut Compressor, out: &mut Vec<u8>) {
        hex::encode(&self.values, None, &self.shape, compressor, out);
    }
}

/// Appends the one value at an index of `count` that `cursor` is before.
pub(super) fn push_single(
    cursor: &mut Cursor<'_>,
    (count, index): (usize, usize),
    out: &mut String,
) -> Result<(), Corrupt> {
    let values = hex::decode_few(cursor, (count, &[index]))?;
    values.iter().for_each(|value| out.push_str(value));
    Ok(())
}

/// Reads `count` values, spelled out.
pub(super) fn decode(cursor: &mut Cursor<'_>, count: usize) -> Result<ValueText, Corrupt> {
    const PAST_END: Corrupt = Corrupt("a slot past the last hex digits");
    let packed = hex::decode(cursor, count)?;
    if count.saturating_mul(packed.text_bytes_max() + 1) > TEXT_BYTES_MAX * 2 {
        return Err(Corrupt("more text than a block can hold"));
    }
    let mut text = Vec::with_capacity(count * (packed.text_bytes_max() + 1));
    for rank in 0..count {
        let slot = packed.slot(rank).ok_or(PAST_END)?;
        text.extend_from_slice(packed.texts().get(slot)?.as_bytes());
        text.push(END);
    }
    ValueText::of(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The values packed and back; whether they are shorter so.
    fn check(values: &[String]) -> bool {
        let bytes: Vec<&[u8]> = values.iter().map(|value| value.as_bytes()).collect();
        let Some(hex) = HexValues::of(&bytes) else {
            return false;
        };
        let mut out = Vec::new();
        hex.encode(&mut Compressor::new(), &mut out);
        let mut cursor = Cursor::new(&out);
        let read = decode(&mut cursor, values.len()).unwrap();
        cursor.finish().unwrap();
        let run = read.run(0, values.len()).unwrap();
        for (index, value) in values.iter().enumerate() {
            assert_eq!(run.get(index), Some(&**value));
        }
        true
    }

    proptest! {
        #[test]
        fn ids_come_back(ids in prop::collection::vec(any::<u128>(), 1..60), repeat in 1usize..3) {
            let ids = ids.iter().flat_map(|id| vec![id; repeat]);
            check(&ids.clone().map(|id| format!("req-{id:032x}")).collect::<Vec<_>>());
            check(&ids.map(|id| format!("{id:032X}/")).collect::<Vec<_>>());
        }

        #[test]
        fn damaged_bytes_never_panic(
            bytes in prop::collection::vec(prop_oneof![0u8..4, any::<u8>()], 0..100), count in 0usize..70,
        ) {
            let _ = decode(&mut Cursor::new(&bytes), count);
        }
    }

    #[test]
    fn what_is_no_id_stays_text() {
        let of = |value: &dyn Fn(u32) -> String| check(&(0..200).map(value).collect::<Vec<_>>());
        let id = |n: u32| u64::from(n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        assert!(of(&|n| format!("req-{:016x}", id(n))) && of(&|n| format!("{:016X}", id(n))));
        assert!(!of(&|n| format!("{n:08x}")), "few digits differ");
        assert!(!of(&|n| "x".repeat(n as usize % 3 + 8)));
        assert!(!of(&|n| format!("{}{n:031x}", ["a", "A"][n as usize % 2])));
    }
}
