//! Every encoding gives back what it was given; none panics on bytes it did not write.

mod templates;

use std::sync::Arc;

use bytes::Bytes;
use cordwood_event::{Number, Scalar, Value};
use proptest::collection::vec;
use proptest::prelude::*;

use super::bitpack::{mask, pack, packed_len, unpack};
use super::cursor::{Cursor, push_signed, push_varint};
use super::*;
use crate::column::{Case, DictCodes, PackedTexts, TextRun, TextSlots, TextValues};
use crate::template::{CharClasses, Template, TemplateUse, slot_runs};
use crate::tokens::BlockTokens;
use templates::messages;

/// Integers of all the shapes that matter: small, huge, close together, rising, with outliers.
fn ints() -> impl Strategy<Value = Vec<i64>> {
    let edge = prop_oneof![
        Just(i64::MIN),
        Just(i64::MAX),
        Just(0),
        Just(-1),
        any::<i64>()
    ];
    let rising = (any::<i64>(), vec(0i64..50, 0..300)).prop_map(|(start, steps)| {
        let step = |sum: &mut i64, step: i64| {
            *sum = sum.wrapping_add(step);
            Some(*sum)
        };
        steps.into_iter().scan(start, step).collect()
    });
    let outliers = vec(prop_oneof![40 => 0i64..16, 1 => edge.clone()], 0..300);
    let frequent = vec(
        prop_oneof![Just(i64::MIN), edge.clone(), 0i64..2000],
        0..300,
    );
    let runs = vec((edge.clone(), 1usize..9), 0..60);
    let repeated = runs.prop_map(|runs| {
        let runs = runs.into_iter();
        runs.flat_map(|(value, count)| vec![value; count]).collect()
    });
    prop_oneof![
        repeated,
        vec(edge, 0..150),
        vec(-5i64..5, 0..300),
        rising,
        outliers,
        frequent
    ]
}

fn floats() -> impl Strategy<Value = Vec<f64>> {
    let finite = any::<f64>().prop_filter("events hold finite floats", |float| float.is_finite());
    let edge = prop_oneof![
        Just(0.0),
        Just(-0.0),
        Just(f64::MIN_POSITIVE),
        Just(5e-324),
        Just(f64::MAX),
        Just(f64::MIN),
        Just(9_007_199_254_740_993.0),
        finite.clone(),
    ];
    let decimal = (-1_000_000i32..1_000_000).prop_map(|n| f64::from(n) / 100.0);
    let mostly_decimal = prop_oneof![60 => decimal.clone(), 1 => edge.clone()];
    prop_oneof![
        vec(edge, 0..100),
        vec(decimal, 0..300),
        vec(mostly_decimal, 0..400)
    ]
}

/// Any scalar; few of them when `spread` is small, so that they repeat.
fn value(spread: u32) -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (0..spread).prop_map(|n| Value::Int(n.into())),
        (0..spread).prop_map(|n| Value::Float(f64::from(n) / 4.0)),
        (0..spread).prop_map(|n| Value::Str(format!("{n}").into())),
        (0..spread).prop_map(|n| Value::Json(format!("[{n}]").into())),
    ]
}

/// Texts that differ in hex digits only, or nearly so, and addresses; many or few.
fn packable() -> impl Strategy<Value = Vec<Value>> {
    let spread = prop_oneof![Just(3u128), Just(90), Just(u128::MAX)];
    let hex = (spread.clone(), any::<[bool; 2]>(), 0usize..40).prop_flat_map(
        |(spread, [is_upper, is_uuid], digits)| {
            let spell = move |number: u128| {
                let number = number.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
                let lower = match is_uuid {
                    true => format!(
                        "req-{:08x}-{:04x}-{:08x}",
                        number >> 96,
                        number >> 80 & 0xffff,
                        number & 0xffff_ffff
                    ),
                    false => format!("{number:032x}{number:032x}")
                        .chars()
                        .take(digits)
                        .collect(),
                };
                if is_upper {
                    lower.to_uppercase()
                } else {
                    lower
                }
            };
            let odd = prop_oneof![
                Just("req-"),
                Just("x"),
                Just("4CB3b816-95ba-4578-943b-d02ec5d79dc9")
            ];
            let text =
                prop_oneof![2000 => (0..spread).prop_map(spell), 1 => odd.prop_map(str::to_owned)];
            vec(text, 1..700)
        },
    );
    let address = spread.prop_flat_map(|spread| {
        let spell = |number: u128| {
            let bits = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20 & 0xffff_ffff;
            std::net::Ipv4Addr::from_bits(u32::try_from(bits).unwrap()).to_string()
        };
        let odd = prop_oneof![
            Just("1.2.3"),
            Just("01.2.3.4"),
            Just(" 1.2.3.4"),
            Just("::1")
        ];
        let text =
            prop_oneof![2000 => (0..spread).prop_map(spell), 1 => odd.prop_map(str::to_owned)];
        vec(text, 1..700)
    });
    let texts = prop_oneof![hex, address];
    texts.prop_map(|texts| {
        texts
            .into_iter()
            .map(|text| Value::Str(text.into()))
            .collect()
    })
}

pub(crate) fn values() -> impl Strategy<Value = Vec<Value>> {
    let text = prop_oneof![Just(String::new()), Just("\0".to_owned()), any::<String>()];
    let few_texts = (0u32..5).prop_map(|n| Value::Str(format!("value {n}").into()));
    let ints = ints().prop_map(|ints| ints.into_iter().map(Value::Int).collect());
    let floats = floats().prop_map(|floats| floats.into_iter().map(Value::Float).collect());
    prop_oneof![
        ints,
        floats,
        vec(text.prop_map(|text| Value::Str(text.into())), 1..100),
        vec(few_texts, 1..300),
        packable(),
        vec(any::<bool>().prop_map(Value::Bool), 1..50),
        vec(value(2), 1..400),
        vec(value(1000), 1..300),
    ]
    .prop_filter("a column has a value", |values: &Vec<Value>| {
        !values.is_empty()
    })
}

fn is_same(a: Scalar<'_>, b: Scalar<'_>) -> bool {
    match (a, b) {
        (Scalar::Float(a), Scalar::Float(b)) => a.to_bits() == b.to_bits(),
        (a, b) => a == b,
    }
}

fn encoded(values: &[Value]) -> (choose::EncodedValues, SharedDictionaries) {
    let collected: Collected<'_> = values.iter().map(Value::as_scalar).collect();
    let mut compressor = Compressor::new();
    let mut lists = Vec::new();
    let encoded = encode(
        &collected,
        &mut compressor,
        Some(&mut lists),
        &mut BlockTokens::default(),
    );
    let mut shared = Vec::new();
    SharedDictionaries::encode(&lists, &mut compressor, &mut shared);
    (encoded, SharedDictionaries::decode(&shared).unwrap())
}

/// Decodes whatever the encoding is.
fn decode_any(
    encoded: &choose::EncodedValues,
    bytes: Bytes,
    count: usize,
    shared: &SharedDictionaries,
) -> Result<Values, Corrupt> {
    let Some(text) = &encoded.text else {
        return decode(encoded.encoding, &bytes, count, shared);
    };
    let uses = Arc::new(text.uses.clone());
    let codes = decode_codes(&bytes, count, Arc::clone(&uses));
    let index = Arc::new(SlotIndex::decode(&text.index, &uses)?);
    let slots = TextSlots::new(index, Bytes::from(text.slots.clone()), uses);
    Ok(Values::Text(TextValues::new(codes, slots)))
}

/// The values come back; returns how they were encoded.
fn check_values(values: &[Value]) -> choose::EncodedValues {
    let (encoded, shared) = encoded(values);
    let bytes = Bytes::from(encoded.bytes.clone());
    let decoded = decode_any(&encoded, bytes, values.len(), &shared).unwrap();
    for (rank, value) in values.iter().enumerate() {
        let got = decoded.scalar(rank).unwrap();
        assert!(
            is_same(got, value.as_scalar()),
            "{rank}: {got:?} for {value:?}"
        );
    }
    assert!(decoded.scalar(values.len()).is_err() || encoded.encoding == Encoding::Const);
    match &decoded {
        Values::Str(texts) => check_frames(texts, values),
        Values::Packed(packed) => check_packed(packed, values),
        Values::Text(texts) => {
            let postings = encoded.postings.as_ref();
            templates::check(texts, postings.unwrap(), values);
        }
        _ => {}
    }
    encoded
}

/// Whole texts are found in their packed form, and no others.
fn check_packed(packed: &PackedTexts, values: &[Value]) {
    let text_of = |rank: usize| values[rank].as_scalar().as_str().unwrap();
    let found = |text: &str, case| {
        let mut slots = Vec::new();
        packed.find(text.as_bytes(), case, |slot| slots.push(slot));
        let ranks = (0..values.len()).filter(|rank| slots.contains(&packed.slot(*rank).unwrap()));
        ranks.collect::<Vec<_>>()
    };
    let wanted = |is_wanted: &dyn Fn(&str) -> bool| {
        let ranks = (0..values.len()).filter(|rank| is_wanted(text_of(*rank)));
        ranks.collect::<Vec<_>>()
    };
    let first = text_of(0);
    assert!(first.bytes().all(|byte| packed.may_hold(byte)));
    assert!(first.len() <= packed.text_bytes_max());
    for text in [
        first,
        &first.to_uppercase(),
        first.get(1..).unwrap(),
        "0.0.0.0",
        "",
        "x",
    ] {
        assert_eq!(
            found(text, Case::Exact),
            wanted(&|other| other == text),
            "{text}"
        );
        let ignoring_case = wanted(&|other| other.eq_ignore_ascii_case(text));
        assert_eq!(found(text, Case::Ignored), ignoring_case, "{text}");
    }
    assert_eq!(packed.texts().len(), packed.slots());
    if packed.codes().is_none() {
        check_frames(packed.texts(), values);
    }
}

fn check_frames(texts: &crate::column::StrValues, values: &[Value]) {
    let mut rank = 0;
    let visit = |frame: crate::column::Frame<'_>| {
        assert_eq!(frame.first_rank, rank);
        let mut end = 0;
        for index in 0..frame.len() {
            let text = frame.get(index).unwrap();
            assert_eq!(Some(text), values[rank].as_scalar().as_str());
            assert_eq!(texts.byte_len(rank), Some(text.len()));
            for offset in end..end + text.len() {
                assert_eq!(frame.index_at(offset), index);
            }
            end += text.len();
            rank += 1;
        }
    };
    texts.for_each_frame(visit).unwrap();
    assert_eq!(rank, values.len());
}

#[test]
fn the_encoding_is_chosen_by_what_is_there() {
    let ints = |range: std::ops::Range<i64>| range.map(Value::Int).collect::<Vec<_>>();
    let texts = |count: usize, distinct: usize| {
        let text = |n: usize| Value::Str(format!("text {}", n % distinct).into());
        (0..count).map(text).collect::<Vec<_>>()
    };
    let spelled = |count: usize, distinct: u32, spell: fn(u32) -> String| {
        let numbers = (0..distinct).cycle().take(count);
        let random = numbers.map(|n| n.wrapping_mul(0x9E37_79B9));
        random
            .map(|n| Value::Str(spell(n).into()))
            .collect::<Vec<_>>()
    };
    let trace_id: fn(u32) -> String = |n| format!("trace={n:08x}{n:08x}");
    let upper_case: fn(u32) -> String = |n| format!("{n:08X}-1");
    let both_cases: fn(u32) -> String = |n| format!("{n:08x}-{n:08X}");
    let short: fn(u32) -> String = |n| format!("{:07x}", n >> 4);
    let address: fn(u32) -> String = |n| std::net::Ipv4Addr::from_bits(n).to_string();
    let padded: fn(u32) -> String = |n| format!("{}.{:03}", n >> 8, n & 255);
    let nulls = |values: Vec<Value>| [values, vec![Value::Null]].concat();
    let random = |n: i64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15u64.cast_signed());
    for (values, encoding, dictionary_len) in [
        (vec![Value::Null], Encoding::Const, 0),
        (vec![Value::Str("x".into()); 16_384], Encoding::Const, 0),
        (ints(5..6), Encoding::Const, 0),
        (ints(0..100), Encoding::Int, 0),
        (
            vec![Value::Float(0.5), Value::Float(1.25), Value::Float(8.0)],
            Encoding::Float,
            0,
        ),
        (texts(16_384, 4096), Encoding::Dict, 4096),
        (texts(16_384, 4097), Encoding::Str, 0),
        (texts(4096, 1024), Encoding::Dict, 1024),
        (texts(4096, 1025), Encoding::Str, 0),
        (texts(65_536, 4096), Encoding::Dict, 4096),
        (texts(4, 2), Encoding::Str, 0),
        (spelled(5, 5, trace_id), Encoding::Hex, 0),
        (spelled(3000, 500, trace_id), Encoding::Hex, 0),
        (spelled(3000, 200, trace_id), Encoding::Dict, 200),
        (spelled(3000, 3000, upper_case), Encoding::Hex, 0),
        (spelled(3000, 3000, both_cases), Encoding::Str, 0),
        (spelled(3000, 3000, short), Encoding::Str, 0),
        (spelled(3000, 3000, address), Encoding::Ip4, 0),
        (spelled(3000, 500, address), Encoding::Ip4, 0),
        (spelled(3000, 200, address), Encoding::Dict, 200),
        (spelled(3000, 3000, padded), Encoding::Str, 0),
        (nulls(texts(4, 2)), Encoding::Mixed, 0),
        (nulls(texts(100, 2)), Encoding::Dict, 3),
        (
            vec![Value::Json("[1]".into()), Value::Json("[2]".into())],
            Encoding::Mixed,
            0,
        ),
        (
            (0..1000).map(|n| Value::Int(random(n * n % 200))).collect(),
            Encoding::Dict,
            33,
        ),
        (
            (0..1000).map(|n| Value::Int(n % 200)).collect(),
            Encoding::Int,
            0,
        ),
    ] {
        let encoded = check_values(&values);
        let first = values.first();
        assert_eq!(encoded.encoding, encoding, "{} of {first:?}", values.len());
        assert_eq!(
            encoded.dictionary_len,
            dictionary_len,
            "{} of {first:?}",
            values.len()
        );
    }
}

#[test]
fn the_range_of_numbers_covers_columns_of_numbers_alone() {
    let range = |values: &[Value]| {
        let numbers = check_values(values).numbers?;
        Some((numbers.min, numbers.max))
    };
    let (int, float) = (|n: i64| Number::Int(n.into()), Number::Float);
    for (values, expected) in [
        (
            vec![Value::Int(i64::MIN), Value::Int(i64::MAX)],
            Some((int(i64::MIN), int(i64::MAX))),
        ),
        (
            vec![Value::Int(3), Value::Float(-2.5), Value::Null],
            Some((float(-2.5), int(3))),
        ),
        (vec![Value::Int(3), Value::Str("4".into())], None),
        (vec![Value::Int(3), Value::Bool(true)], None),
        (vec![Value::Int(3), Value::Json("1e400".into())], None),
        (vec![Value::Null, Value::Null], None),
    ] {
        assert_eq!(range(&values), expected, "{values:?}");
    }
}

#[test]
fn sizes_follow_what_is_in_the_values() {
    let bytes = |values: Vec<Value>| check_values(&values).bytes.len();
    let rising = |n: i64| Value::Int(1_700_000_000_000 + n);
    assert!(
        bytes((0..16_384).map(rising).collect()) < 20,
        "one step needs no bits"
    );
    let with_outlier = |n: i64| {
        Value::Int(if n == 7777 {
            i64::MAX
        } else {
            (n * 7919) % 1000
        })
    };
    let size = bytes((0..16_384).map(with_outlier).collect());
    assert!(
        size < 16_384 * 10 / 8 + 60,
        "one outlier is patched: {size}"
    );
    let frequent = |n: i64| Value::Int(if n % 2 == 0 { 9999 } else { n * 7919 % 10_000 });
    let size = bytes((0..16_384).map(frequent).collect());
    assert!(
        size < 16_384 * (2 + 14) / 16 + 60,
        "what every second is takes a bit: {size}"
    );
    let cents = |n: i32| Value::Float(f64::from((n * 7919) % 100_000) / 100.0);
    let size = bytes((0..16_384).map(cents).collect());
    assert!(size < 16_384 * 17 / 8 + 60, "cents take 17 bits: {size}");
    let lopsided = |n: i64| Value::Int(if n % 37 == 0 { n % 5 * 1_000_003 } else { 200 });
    let size = bytes((0..16_384).map(lopsided).collect());
    assert!(
        size < 16_384 * 2 / 8,
        "rare codes cost the common one little: {size}"
    );
}

#[test]
fn ids_take_the_bytes_they_are_random_in() {
    let id = |n: u128| {
        let number = (n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
        let hex = format!("{number:032x}");
        Value::Str(format!("req-{}-4{}", hex.get(..16).unwrap(), hex.get(16..).unwrap()).into())
    };
    let bytes = |ids: Vec<Value>| check_values(&ids).bytes.len();
    let size = bytes((0..8192).map(id).collect());
    assert!(size < 8192 * 16 + 60, "16 bytes each: {size}");
    let size = bytes((0..8192).map(|n| id(n / 4 + n % 2)).collect());
    assert!(
        size < 2048 * 17 + 8192 / 4,
        "ids near each other repeat for little: {size}"
    );
    let address = |n: u32| {
        Value::Str(
            std::net::Ipv4Addr::from_bits(0x0a00_0000 + n * 7919 % 65_536)
                .to_string()
                .into(),
        )
    };
    let size = bytes((0..8192).map(address).collect());
    assert!(
        size < 8192 * 2 + 60,
        "the network they share costs nothing: {size}"
    );
}

#[test]
fn times_use_the_largest_common_unit() {
    for unit in [1, 1_000, 1_000_000, 1_000_000_000] {
        let times: Vec<i64> = (0..1000)
            .map(|n| 1_700_000_000_000_000_000 + n * n % 7 * unit)
            .collect();
        let mut times = times;
        times.sort_unstable();
        let mut out = Vec::new();
        encode_timestamps(&times, &mut out);
        assert!(out.len() < 450, "{unit}: {}", out.len());
        assert_eq!(decode_timestamps(&out, times.len()), Ok(times));
    }
    assert!(
        decode_timestamps(&[4, 0, 0, 0, 0], 1).is_err(),
        "an unknown unit"
    );
}

proptest! {
    #[test]
    fn packed_numbers_come_back(width in 0u32..=64, values in vec(any::<u64>(), 0..200)) {
        let mut out = vec![7];
        pack(values.iter().copied(), width, &mut out);
        prop_assert_eq!(out.len(), 1 + packed_len(values.len(), width));
        let mut got = Vec::new();
        let mut cursor = Cursor::new(&out[1..]);
        unpack(&mut cursor, values.len(), width, |group| got.extend_from_slice(group)).unwrap();
        cursor.finish().unwrap();
        let low: Vec<u64> = values.iter().map(|value| value & mask(width)).collect();
        prop_assert_eq!(got, low);
    }

    #[test]
    fn small_numbers_come_back(unsigned in any::<u64>(), signed in any::<i64>()) {
        let mut out = Vec::new();
        push_varint(&mut out, unsigned);
        push_signed(&mut out, signed);
        let mut cursor = Cursor::new(&out);
        prop_assert_eq!(cursor.varint(), Ok(unsigned));
        prop_assert_eq!(cursor.signed(), Ok(signed));
        prop_assert_eq!(cursor.finish(), Ok(()));
    }

    #[test]
    fn integers_come_back(values in ints()) {
        let mut out = Vec::new();
        int::encode(&values, &mut out);
        let mut cursor = Cursor::new(&out);
        prop_assert_eq!(int::decode(&mut cursor, values.len()), Ok(values));
        prop_assert_eq!(cursor.finish(), Ok(()));
    }

    #[test]
    fn times_come_back(mut times in ints()) {
        times.sort_unstable();
        let mut out = Vec::new();
        encode_timestamps(&times, &mut out);
        prop_assert_eq!(decode_timestamps(&out, times.len()), Ok(times));
    }

    #[test]
    fn sequence_numbers_come_back(numbers in vec(any::<u64>(), 1..100)) {
        let mut out = Vec::new();
        encode_sequences(&numbers, &mut out);
        prop_assert_eq!(decode_sequences(&out, numbers.len()), Ok(numbers));
    }

    #[test]
    fn floats_come_back(floats in floats()) {
        let mut out = Vec::new();
        float::encode(&floats, &mut Compressor::new(), &mut out);
        let mut cursor = Cursor::new(&out);
        let got = float::decode(&mut cursor, floats.len()).unwrap();
        let bits = |floats: Vec<f64>| floats.into_iter().map(f64::to_bits).collect::<Vec<_>>();
        prop_assert_eq!(bits(got), bits(floats));
        prop_assert_eq!(cursor.finish(), Ok(()));
    }

    #[test]
    fn codes_come_back(
        (count, codes) in (1u16..5000).prop_flat_map(|count| {
            let runs = vec((0..count, 1usize..50), 0..60);
            let runs = runs.prop_map(|runs| runs.into_iter().flat_map(|(code, length)| vec![code; length]).collect());
            let skewed = vec(prop_oneof![9 => Just(0), 1 => 0..count], 0..2000);
            (Just(count), prop_oneof![vec(0..count, 0..300), runs, skewed])
        }),
    ) {
        let mut out = Vec::new();
        codes::encode(&codes, count.into(), &mut Compressor::new(), &mut out);
        let mut cursor = Cursor::new(&out);
        let counts = codes::count(&mut cursor, codes.len(), count.into());
        prop_assert_eq!(cursor.finish(), Ok(()));
        let rows_of = |code: u16| codes.iter().filter(|other| **other == code).count();
        let expected: Vec<usize> = (0..count).map(rows_of).collect();
        prop_assert_eq!(counts.map(|counts| counts.into_iter().map(|rows| rows as usize).collect()), Ok(expected));
        let mut cursor = Cursor::new(&out);
        prop_assert_eq!(codes::decode(&mut cursor, codes.len(), count.into()), Ok(codes.clone()));

        let mut cursor = Cursor::new(&out);
        let backwards: Vec<usize> = (0..codes.len()).rev().collect();
        let few = codes::decode_few(&mut cursor, (codes.len(), count.into()), &backwards);
        prop_assert_eq!(few, Ok(codes.iter().rev().copied().collect()));
        let past_end = codes::decode_few(&mut Cursor::new(&out), (codes.len(), count.into()), &[codes.len()]);
        prop_assert!(past_end.is_err());
        prop_assert_eq!(cursor.finish(), Ok(()));
    }

    #[test]
    fn codes_are_counted_as_they_are_read(
        bytes in vec(prop_oneof![0u8..4, any::<u8>()], 0..100),
        count in 0usize..300,
        values in prop_oneof![0usize..9, 250usize..260, 4000usize..70_000],
    ) {
        let codes = DictCodes::new(bytes.into(), count, values);
        let counted = codes.count();
        let read = codes.get().map(<[u16]>::to_vec);
        prop_assert_eq!(counted.is_ok(), read.is_ok(), "{:?} {:?}", counted, read);
        if counted.is_ok() {
            prop_assert_eq!(counted, codes.count());
        }
    }

    #[test]
    fn presence_maps_come_back_and_rank_as_they_should(
        rows in prop_oneof![
            vec(any::<bool>(), 0..300),
            vec(proptest::bool::weighted(0.02), 0..2000),
            vec(proptest::bool::weighted(0.98), 0..2000),
        ],
    ) {
        let present = || rows.iter().enumerate().filter(|(_, present)| **present).map(|(row, _)| row);
        let map = Presence::of_rows(rows.len(), present());
        let mut out = Vec::new();
        encode_presence(&map, &mut Compressor::new(), &mut out);
        let read = decode_presence(&out, rows.len()).unwrap();
        prop_assert_eq!(&read, &map);
        let ranked: Vec<(usize, usize)> = present().zip(0..).collect();
        prop_assert_eq!(map.present(), ranked.len());
        prop_assert_eq!(map.iter().collect::<Vec<_>>(), ranked.clone());
        for (row, rank) in ranked {
            prop_assert_eq!(map.rank(row), Some(rank));
            prop_assert_eq!(map.row(rank), Some(row));
        }
        for (row, is_present) in rows.iter().enumerate() {
            prop_assert_eq!(map.contains(row), *is_present);
        }
        prop_assert_eq!(map.rank(rows.len()), None);
        prop_assert_eq!(map.row(map.present()), None);
    }

    #[test]
    fn values_come_back(values in values()) {
        check_values(&values);
    }

    #[test]
    fn messages_come_back(values in messages()) {
        check_values(&values);
    }

    #[test]
    fn damaged_templates_are_refused_or_read_but_never_panic(
        values in messages(),
        in_codes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        in_slots in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let (mut encoded, shared) = encoded(&values);
        let mut bytes = encoded.bytes.clone();
        for (index, byte) in in_codes {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        if let Some(text) = &mut encoded.text {
            for (index, byte) in in_slots {
                let index = index.index(text.index.len() + text.slots.len());
                match text.index.get_mut(index) {
                    Some(damaged) => *damaged = byte,
                    None => text.slots[index - text.index.len()] = byte,
                }
            }
            if let Some(cut) = cut {
                let chunk = [&mut text.index, &mut text.slots].into_iter().max_by_key(|c| c.len());
                let chunk = chunk.unwrap();
                chunk.truncate(cut.index(chunk.len()));
            }
        }
        if let Ok(Values::Text(texts)) = decode_any(&encoded, bytes.into(), values.len(), &shared) {
            for rank in 0..=values.len() {
                let alone = texts.text(rank);
                if let Ok(text) = texts.get(rank) {
                    prop_assert_eq!(Ok(text.to_owned()), alone);
                }
            }
        }
    }

    #[test]
    fn long_texts_come_back(lengths in vec(0usize..40_000, 1..8)) {
        let text = |(index, length): (usize, &usize)| {
            let letter = |n: usize| char::from(b' ' + ((n * index + n / 7) % 90).to_le_bytes()[0]);
            let text: String = (0..*length).map(letter).collect();
            Value::Str(text.into())
        };
        check_values(&lengths.iter().enumerate().map(text).collect::<Vec<_>>());
    }

    #[test]
    fn damaged_chunks_are_refused_or_read_but_never_panic(
        values in values(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
        count in prop::option::weighted(0.2, 0usize..2000),
        code in 1u8..10,
    ) {
        let (encoded, shared) = encoded(&values);
        let mut bytes = encoded.bytes.clone();
        for (index, byte) in damage {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let count = count.unwrap_or(values.len());
        let bytes = Bytes::from(bytes);
        for encoding in [Some(encoded.encoding), Encoding::from_code(code)].into_iter().flatten() {
            if let Ok(values) = decode(encoding, &bytes, count, &shared) {
                for rank in 0..count {
                    let _ = values.scalar(rank);
                }
                if let Values::Str(texts) = values {
                    let _ = texts.for_each_frame(|frame| assert_eq!(frame.get(frame.len()), None));
                }
            }
        }
        let _ = decode_timestamps(&bytes, count);
        let _ = decode_sequences(&bytes, count);
        let _ = decode_levels(&bytes, count);
        let _ = decode_presence(&bytes, count);
        let _ = SharedDictionaries::decode(&bytes);
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in vec(prop_oneof![0u8..4, any::<u8>()], 0..200),
        count in prop_oneof![20 => 0usize..300, 1 => Just(65_536)],
        code in 1u8..8,
    ) {
        let bytes = Bytes::from(bytes);
        if let Some(encoding) = Encoding::from_code(code)
            && let Ok(values) = decode(encoding, &bytes, count, &SharedDictionaries::default())
        {
            for rank in 0..count {
                let _ = values.scalar(rank);
            }
        }
        let _ = decode_timestamps(&bytes, count);
        let _ = decode_levels(&bytes, count);
        let _ = decode_presence(&bytes, count);
        let _ = SharedDictionaries::decode(&bytes);
    }
}
