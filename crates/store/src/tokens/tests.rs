//! The map against sets of words; merges against the map of the union; damaged bytes.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use cordwood_event::Scalar;
use proptest::prelude::*;

use super::build::map_blocks_by;
use super::words::each_word;
use super::{BlockSet, BlockTokens, HashBits, MapInput, TokenMap, TokenMapBytes, WordHash, merge};
use crate::ReadFailure;

/// The definition, character by character.
fn words_of(text: &str) -> Vec<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect()
}

fn hashes_of(text: &str) -> Vec<WordHash> {
    let mut hashes = Vec::new();
    each_word(text.as_bytes(), |hash| hashes.push(hash));
    hashes
}

fn collected(values: &[Scalar<'_>]) -> Vec<u32> {
    let mut tokens = BlockTokens::default();
    values.iter().for_each(|value| tokens.add_value(*value));
    tokens.into_sorted()
}

/// Exactly these words, and no other, are found in the value.
fn check_value(value: Scalar<'_>, words: &[&str]) {
    let expected: BTreeSet<u32> = words
        .iter()
        .map(|word| WordHash::of(word).unwrap().0)
        .collect();
    assert_eq!(
        collected(&[value]),
        expected.into_iter().collect::<Vec<_>>(),
        "{value:?}"
    );
}

#[test]
fn words_of_values() {
    check_value(Scalar::Null, &[]);
    check_value(Scalar::Bool(true), &["true"]);
    check_value(Scalar::Int(-500), &["500"]);
    check_value(Scalar::Int(i64::MIN), &["9223372036854775808"]);
    check_value(Scalar::Int(0), &["0"]);
    check_value(Scalar::Float(500.0), &["500"]);
    check_value(Scalar::Float(4.5), &[]);
    check_value(
        Scalar::Str("GET /api/v1?id=A_1 Straße"),
        &["get", "api", "v1", "id", "a_1", "stra", "e"],
    );
    check_value(
        Scalar::Json("18446744073709551615"),
        &["18446744073709551615"],
    );
    check_value(
        Scalar::Json("[5e2, 2.5, true, null, \"a b\"]"),
        &["500", "true", "null", "a", "b"],
    );
    check_value(
        Scalar::Json(r#"[{"key":"x\ny\"z\u0041\u00e9w"}, "back\\slash"]"#),
        &["key", "x", "y", "zA", "w", "back", "slash"],
    );
    check_value(Scalar::Json("[\"never ends\\"), &["never", "ends"]);
}

/// A map of blocks of hashes, and how it is read.
struct Built {
    map: TokenMap,
    pages: Bytes,
}

/// Few words are known by so many bits.
const FEW_BITS: u8 = 28;

fn bits(count: u8) -> HashBits {
    HashBits::new(count).unwrap()
}

/// As segments had it when they did not say how many bits of a hash they have.
fn build_of_whole_hashes(blocks: &[BTreeSet<u32>]) -> Built {
    let lists: Vec<Vec<u32>> = blocks
        .iter()
        .map(|block| block.iter().copied().collect())
        .collect();
    let lists: Vec<&[u32]> = lists.iter().map(Vec::as_slice).collect();
    let mut pages = Vec::new();
    let index = map_blocks_by(HashBits::ALL, &lists, &mut pages).unwrap();
    opened(TokenMapBytes { pages, index })
}

fn build(blocks: &[BTreeSet<u32>]) -> Built {
    let lists: Vec<Vec<u32>> = blocks
        .iter()
        .map(|block| block.iter().copied().collect())
        .collect();
    opened(TokenMapBytes::of_blocks(lists.iter().map(Vec::as_slice)))
}

fn opened(bytes: TokenMapBytes) -> Built {
    let pages = Bytes::from(bytes.pages);
    Built {
        map: TokenMap::open(&bytes.index, pages.len() as u64).unwrap(),
        pages,
    }
}

fn content(built: &Built) -> Result<BTreeMap<u32, Vec<u32>>, ReadFailure> {
    let mut content = BTreeMap::new();
    built.map.each(&built.pages, |hash, blocks| {
        content.insert(hash, blocks.to_vec());
    })?;
    Ok(content)
}

/// By the least hash of those that are one in a map of few words.
fn inverted(blocks: &[BTreeSet<u32>]) -> BTreeMap<u32, Vec<u32>> {
    inverted_by(FEW_BITS, blocks)
}

fn inverted_by(count: u8, blocks: &[BTreeSet<u32>]) -> BTreeMap<u32, Vec<u32>> {
    let mut inverted: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for (index, block) in (0..).zip(blocks) {
        for hash in block {
            let blocks = inverted.entry(least(count, *hash)).or_default();
            blocks.insert(index);
        }
    }
    let lists = inverted.into_iter();
    lists
        .map(|(hash, blocks)| (hash, blocks.into_iter().collect()))
        .collect()
}

fn least(count: u8, hash: u32) -> u32 {
    bits(count).least(bits(count).of(hash)).unwrap()
}

/// Dense, sparse and clustered hashes: gaps of every size.
fn hash() -> impl Strategy<Value = u32> {
    prop_oneof![
        4 => 1u32..1000,
        2 => any::<u32>().prop_map(|hash| hash.max(1)),
        1 => Just(u32::MAX),
        2 => (0u32..3, 0u32..2000).prop_map(|(high, low)| (high << 30) + low + 1),
    ]
}

fn blocks() -> impl Strategy<Value = Vec<BTreeSet<u32>>> {
    let block = proptest::collection::btree_set(hash(), 0..150);
    proptest::collection::vec(block, 0..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Those at both ends too, where words go round the end of the table.
    #[test]
    fn words_of_a_block_come_out_sorted(
        hashes in proptest::collection::vec(prop_oneof![1u32..40, any::<u32>(), u32::MAX - 40..=u32::MAX], 0..900),
        rows in 0usize..2000,
    ) {
        let mut tokens = BlockTokens::of_rows(rows);
        let hashes = hashes.into_iter().map(|hash| hash.max(1));
        let expected: BTreeSet<u32> = hashes.clone().collect();
        hashes.for_each(|hash| tokens.add_word(WordHash(hash)));
        prop_assert!(tokens.into_sorted().into_iter().eq(expected));
    }

    #[test]
    fn words_as_defined(text in "(\\PC|[a-zA-Z0-9_]{1,20}|[ .-]|é|K){0,40}") {
        let expected: Vec<WordHash> = words_of(&text)
            .iter()
            .map(|word| WordHash::of(word).expect("it is a word"))
            .collect();
        prop_assert_eq!(hashes_of(&text), &*expected);
        let mut at = 0;
        let hashes = words_of(&text).into_iter().map(|word| {
            let lower = text.to_ascii_lowercase();
            let rest = lower.get(at..).and_then(|rest| rest.find(&word));
            let start = at + rest.expect("it is there");
            at = start + word.len();
            WordHash::at(text.as_bytes(), start..at)
        });
        prop_assert!(hashes.eq(expected), "each where it is known to be");
    }

    #[test]
    fn a_word_has_one_hash_wherever_it_stands(
        word in "[a-z0-9_]{1,40}", before in "[ -]{0,20}", after in "[^a-zA-Z0-9_]?",
    ) {
        let hashes = hashes_of(&format!("{before}{}{after}", word.to_uppercase()));
        prop_assert_eq!(hashes, vec![WordHash::of(&word).expect("it is a word")]);
    }

    #[test]
    fn a_map_gives_back_what_went_in(blocks in blocks(), absent in hash()) {
        let built = build(&blocks);
        let expected = inverted(&blocks);
        prop_assert_eq!(&content(&built).unwrap(), &expected);
        for hash in expected.keys().copied().step_by(17).chain([absent]) {
            let found = built.map.find(WordHash(hash), &built.pages).unwrap();
            let wanted = expected.get(&least(FEW_BITS, hash)).cloned().unwrap_or_default();
            prop_assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{}", hash);
        }
    }

    #[test]
    fn words_that_share_a_hash_lose_no_block(texts in proptest::collection::vec("[a-h]{1,2}( [a-h]{1,2}){0,20}", 1..20)) {
        // As if there were only sixteen hashes.
        let tiny = |hash: u32| hash % 16 + 1;
        let blocks: Vec<BTreeSet<u32>> = texts
            .iter()
            .map(|text| collected(&[Scalar::Str(text)]).into_iter().map(tiny).collect())
            .collect();
        let built = build(&blocks);
        for (index, text) in (0..).zip(&texts) {
            for hash in hashes_of(text) {
                let found = built.map.find(WordHash(tiny(hash.0)), &built.pages).unwrap();
                prop_assert!(found.contains(index));
            }
        }
    }

    #[test]
    fn maps_of_whole_hashes_are_read(blocks in blocks(), absent in hash()) {
        let built = build_of_whole_hashes(&blocks);
        let expected = inverted_by(32, &blocks);
        prop_assert_eq!(&content(&built).unwrap(), &expected);
        for hash in expected.keys().copied().chain([absent]) {
            let found = built.map.find(WordHash(hash), &built.pages).unwrap();
            let wanted = expected.get(&hash).cloned().unwrap_or_default();
            prop_assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{}", hash);
        }
    }

    /// Of maps of this version and of whole hashes.
    #[test]
    fn a_merge_is_the_map_of_the_union(
        inputs in proptest::collection::vec((blocks(), any::<u64>(), any::<bool>()), 0..4),
        fresh in proptest::collection::btree_set(hash(), 0..50),
    ) {
        let mut union: Vec<BTreeSet<u32>> = vec![fresh.clone()];
        let build = |(blocks, _, are_whole): &(Vec<BTreeSet<u32>>, u64, bool)| match are_whole {
            true => build_of_whole_hashes(blocks),
            false => build(blocks),
        };
        let built: Vec<Built> = inputs.iter().map(build).collect();
        let targets: Vec<Vec<Option<u32>>> = inputs
            .iter()
            .map(|(blocks, kept, _)| {
                let place = |(index, block): (usize, &BTreeSet<u32>)| {
                    (kept >> (index % 64) & 1 == 1).then(|| {
                        union.push(block.clone());
                        u32::try_from(union.len() - 1).unwrap()
                    })
                };
                blocks.iter().enumerate().map(place).collect()
            })
            .collect();
        let fresh: Vec<u32> = fresh.into_iter().collect();
        let mut sources = vec![MapInput::Block(&fresh, 0)];
        sources.extend(
            built.iter().zip(&targets).map(|(built, targets)| {
                MapInput::Map(&built.map, &built.pages, targets.as_slice())
            }),
        );
        let count = u32::try_from(union.len()).unwrap();
        let mut pages = Vec::new();
        let index = merge(&sources, count, &mut pages).unwrap();
        let merged = opened(TokenMapBytes { pages, index });
        prop_assert_eq!(merged.map.blocks(), count);
        prop_assert_eq!(content(&merged).unwrap(), inverted(&union));
    }

    #[test]
    fn a_damaged_page_is_noticed(
        blocks in proptest::collection::vec(proptest::collection::btree_set(hash(), 1..150), 1..20),
        place in any::<prop::sample::Index>(), flip in 1u8..,
    ) {
        let mut built = build(&blocks);
        let mut pages = built.pages.to_vec();
        *place.get_mut(&mut pages) ^= flip;
        built.pages = pages.into();
        prop_assert!(content(&built).is_err());
        for (hash, wanted) in inverted(&blocks).into_iter().step_by(17) {
            // A page that can be read says what it said before.
            if let Ok(found) = built.map.find(WordHash(hash), &built.pages) {
                prop_assert_eq!(found.iter().collect::<Vec<_>>(), wanted);
            }
        }
    }

    #[test]
    fn sets_are_sets(
        a in proptest::collection::btree_set(0u32..200, 0..40),
        b in proptest::collection::btree_set(0u32..200, 0..40),
        blocks in 1u32..200,
    ) {
        let set_of = |members: &BTreeSet<u32>| {
            let mut set = BlockSet::none(blocks);
            members.iter().for_each(|block| set.insert(*block));
            set
        };
        let inside = |block: &u32| *block < blocks;
        let mut both = set_of(&a);
        both.intersect(&set_of(&b));
        let expected: Vec<u32> = a.intersection(&b).copied().filter(inside).collect();
        prop_assert_eq!(both.iter().collect::<Vec<_>>(), expected);
        let mut either = set_of(&a);
        either.union(&set_of(&b));
        let expected: Vec<u32> = a.union(&b).copied().filter(inside).collect();
        prop_assert_eq!(either.iter().collect::<Vec<_>>(), expected);
        prop_assert_eq!(BlockSet::all(blocks).count(), blocks);
    }
}

#[test]
fn a_list_that_fits_no_page_says_every_block() {
    let count = 60_000;
    let mut blocks = vec![BTreeSet::new(); count];
    for (index, block) in blocks.iter_mut().enumerate() {
        if index.is_multiple_of(3) {
            block.insert(0x70);
        }
        if index == 5 || index == 59_999 {
            block.insert(0x80);
        }
    }
    let built = build(&blocks);
    let found = |hash| built.map.find(WordHash(hash), &built.pages).unwrap();
    assert_eq!(found(0x70).count(), 60_000);
    assert_eq!(found(0x80).iter().collect::<Vec<_>>(), [5, 59_999]);
    assert!(found(0x90).is_empty());
}

#[test]
fn many_words_are_known_by_more_bits() {
    for (words, expected) in [(0, 28), (1 << 23, 28), ((1 << 24) + 1, 29), (1 << 40, 32)] {
        assert_eq!(HashBits::for_words(words), bits(expected), "{words}");
    }
    assert_eq!(HashBits::new(0), None);
    assert_eq!(HashBits::new(33), None);
    assert_eq!(bits(28).least(1 << 28), None, "more bits than there are");
}
