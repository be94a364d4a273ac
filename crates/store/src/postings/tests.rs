//! The posting lists of segments against sets of texts, and damaged bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::index::PostingsPages;
use super::words::each_word;
use super::*;
use crate::tokens::BlockTarget;

/// The texts of some columns of a block.
type Texts = BTreeMap<String, Vec<String>>;

fn block_of(texts: &Texts) -> BlockPostings {
    let mut block = BlockPostings::default();
    for (path, texts) in texts {
        let mut collector = Collector::default();
        for (text, rank) in texts.iter().zip(0..) {
            collector.each_of(text, |collector, word| collector.push(word, rank, 0));
        }
        let column = collector.finish(u32::try_from(texts.len()).unwrap());
        block.push(Arc::from(path.as_str()), column.unwrap());
    }
    block
}

/// A segment as a search sees it.
struct Segment {
    index: PostingsIndex,
    pages: PostingsPages<Bytes>,
}

impl Segment {
    fn open(bytes: PostingsBytes, blocks: u32) -> Segment {
        Segment {
            index: PostingsIndex::decode(&bytes.index, blocks).unwrap(),
            pages: PostingsPages {
                leaves_bytes: bytes.leaves.len() as u64,
                leaves: bytes.leaves.into(),
                lists_bytes: bytes.lists.len() as u64,
                lists: bytes.lists.into(),
            },
        }
    }

    fn texts_of(&self, path: &str, word: &ListedWord, block: u32) -> Option<Vec<u32>> {
        let lists = self.index.find(path, word.spelled(), &self.pages).unwrap();
        let place = lists.of_block(block)?;
        let texts = self.index.read(place, &self.pages).unwrap();
        assert_eq!(texts.len(), place.count() as usize);
        Some(texts)
    }

    fn check(&self, blocks: &[Option<&Texts>]) {
        self.index.check(&self.pages).unwrap();
        let mut expected: BTreeMap<(&str, String), BTreeMap<u32, Vec<u32>>> = BTreeMap::new();
        expected.insert(("p", "in_no_text".to_owned()), BTreeMap::new());
        for (texts, block) in blocks.iter().zip(0..) {
            for (path, texts) in texts.iter().flat_map(|texts| texts.iter()) {
                for (text, rank) in texts.iter().zip(0..) {
                    for word in words_of(text) {
                        let of_word = expected.entry((path, word.spelled().to_owned()));
                        let ranks = of_word.or_default().entry(block).or_default();
                        ranks.push(rank);
                        ranks.dedup();
                    }
                }
            }
        }
        for ((path, spelled), mut by_block) in expected {
            let word = [
                ListedWord::each_pair_of(&spelled),
                ListedWord::each_of(&spelled),
            ]
            .concat();
            for (texts, block) in blocks.iter().zip(0..) {
                let is_listed = texts.is_some_and(|texts| texts.contains_key(path));
                let expected = is_listed.then(|| by_block.remove(&block).unwrap_or_default());
                assert_eq!(
                    self.texts_of(path, &word[0], block),
                    expected,
                    "{path}: {spelled}"
                );
            }
        }
    }
}

fn words_of(text: &str) -> Vec<ListedWord> {
    [ListedWord::each_of(text), ListedWord::each_pair_of(text)].concat()
}

fn ranks_of(texts: &[String], word: &ListedWord) -> Vec<u32> {
    let ranks = (0u32..).zip(texts);
    ranks
        .filter(|(_, text)| words_of(text).contains(word))
        .map(|(rank, _)| rank)
        .collect()
}

/// The three sections that hold posting lists.
#[derive(Clone)]
struct PostingsBytes {
    index: Vec<u8>,
    leaves: Vec<u8>,
    lists: Vec<u8>,
}

fn merged(inputs: &[PostingsInput<'_, Bytes>]) -> Option<PostingsBytes> {
    let mut lists = Vec::new();
    let dictionaries = merge(inputs, &mut lists).unwrap()?;
    Some(PostingsBytes {
        index: dictionaries.index,
        leaves: dictionaries.leaves,
        lists,
    })
}

fn some_texts() -> impl Strategy<Value = Texts> {
    let word = prop::sample::select(vec![
        "a", "B", "b", "user", "User", "x1", "é", "refused", "_",
    ]);
    let text = prop::collection::vec(word, 0..6).prop_map(|words| words.join(" "));
    let path = prop::sample::select(vec!["p", "q", "p.q", "p\nq"]).prop_map(str::to_owned);
    prop::collection::btree_map(path, prop::collection::vec(text, 1..40), 0..3)
}

fn in_pages(plain: &[u8]) -> Vec<u8> {
    let mut pages = pages::PagesWriter::new(Vec::new());
    pages.push(plain).unwrap();
    pages.finish().unwrap()
}

proptest! {
    #[test]
    fn merged_lists_are_those_of_the_blocks(
        blocks in prop::collection::vec(some_texts(), 1..6),
        more in prop::collection::vec(some_texts(), 0..3),
        keeps in prop::collection::vec(any::<bool>(), 6),
    ) {
        let listed: Vec<BlockPostings> = blocks.iter().map(block_of).collect();
        let inputs: Vec<PostingsInput<'_, Bytes>> = listed
            .iter()
            .zip(0..)
            .map(|(block, number)| PostingsInput::Block(block, number))
            .collect();
        let count = u32::try_from(blocks.len()).unwrap();
        let Some(bytes) = merged(&inputs) else {
            prop_assert!(blocks.iter().all(BTreeMap::is_empty));
            return Ok(());
        };
        let older = Segment::open(bytes, count);
        older.check(&blocks.iter().map(Some).collect::<Vec<_>>());

        // Some of its blocks go, and new ones come between.
        let more_listed: Vec<BlockPostings> = more.iter().map(block_of).collect();
        let mut texts: Vec<Option<&Texts>> = Vec::new();
        let mut targets: Vec<BlockTarget> = Vec::new();
        let mut new = more_listed.iter().zip(&more);
        let mut inputs = Vec::new();
        for (block, keep) in blocks.iter().zip(&keeps) {
            if let Some((listed, block)) = new.next() {
                inputs.push(PostingsInput::Block(listed, u32::try_from(texts.len()).unwrap()));
                texts.push(Some(block));
            }
            targets.push(keep.then_some(u32::try_from(texts.len()).unwrap()));
            texts.extend(keep.then_some(Some(block)));
        }
        inputs.push(PostingsInput::Segment(&older.index, &older.pages, &targets));
        let count = u32::try_from(texts.len()).unwrap();
        match merged(&inputs) {
            Some(bytes) => Segment::open(bytes, count).check(&texts),
            None => prop_assert!(texts.iter().flatten().all(|texts| texts.is_empty())),
        }
    }

    #[test]
    fn damaged_indexes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(index) = PostingsIndex::decode(&bytes, 9) {
            let pages = PostingsPages {
                leaves: Bytes::from(bytes.clone()),
                leaves_bytes: bytes.len() as u64,
                lists: Bytes::from(bytes.clone()),
                lists_bytes: bytes.len() as u64,
            };
            let _ = index.find("p", "word", &pages);
            let _ = index.check(&pages);
            let targets: Vec<BlockTarget> = (0..9).map(Some).collect();
            let _ = merge(&[PostingsInput::Segment(&index, &pages, &targets)], &mut Vec::new());
        }
    }

    #[test]
    fn damaged_leaves_never_panic(
        blocks in prop::collection::vec(some_texts(), 1..4),
        at in any::<prop::sample::Index>(),
        bit in 0u8..8,
    ) {
        let listed: Vec<BlockPostings> = blocks.iter().map(block_of).collect();
        let inputs = listed.iter().zip(0..).map(|(block, number)| PostingsInput::Block(block, number));
        let Some(bytes) = merged(&inputs.collect::<Vec<_>>()) else {
            return Ok(());
        };
        prop_assume!(!bytes.leaves.is_empty());
        let mut leaves = bytes.leaves.clone();
        // Its checksum is made to fit, as if the damage had been there when it was written.
        let at = 4 + at.index(leaves.len() - 4);
        leaves[at] ^= 1 << bit;
        let plain = leaves.split_off(4);
        let segment = Segment::open(
            PostingsBytes { leaves: in_pages(&plain), ..bytes },
            u32::try_from(blocks.len()).unwrap(),
        );
        let is_sound = segment.index.check(&segment.pages).is_ok();
        let targets: Vec<BlockTarget> = (0..4).map(Some).collect();
        let input = PostingsInput::Segment(&segment.index, &segment.pages, &targets);
        let merged = merge(&[input], &mut Vec::new());
        prop_assert!(merged.is_ok() || !is_sound);
        for word in words_of("user refused a b") {
            if let Ok(lists) = segment.index.find("p", word.spelled(), &segment.pages)
                && let Some(place) = lists.of_block(0)
            {
                let _ = segment.index.read(place, &segment.pages);
            }
        }
    }
}

/// Many words and blocks make many leaves and pages.
#[test]
fn words_of_many_leaves_are_found() {
    let texts_of = |block: usize| {
        let texts = (0..2_000).map(|rank| {
            let letters = |number: usize| -> String {
                let digits = number.to_string().into_bytes();
                digits.iter().map(|digit| char::from(digit + 49)).collect()
            };
            format!("all {} {}", letters(rank + block), letters(rank / 7))
        });
        Texts::from([("p".to_owned(), texts.collect())])
    };
    let blocks: Vec<Texts> = (0..4).map(texts_of).collect();
    let listed: Vec<BlockPostings> = blocks.iter().map(block_of).collect();
    let inputs = listed
        .iter()
        .zip(0..)
        .map(|(block, number)| PostingsInput::Block(block, number));
    let bytes = merged(&inputs.collect::<Vec<_>>()).unwrap();
    assert!(bytes.lists.len() > 3 * 4096);
    let segment = Segment::open(bytes, 4);
    assert!(segment.index.column("p").unwrap().leaves.len() > 3);
    segment.index.check(&segment.pages).unwrap();
    for word in ["all", "b", "zzz", "bcde", "all b", "in_none"] {
        let word = words_of(word).pop().unwrap();
        for (texts, block) in blocks.iter().zip(0..) {
            assert_eq!(
                segment.texts_of("p", &word, block),
                Some(ranks_of(&texts["p"], &word))
            );
        }
    }
}

/// A column of too many postings has no lists, and says so.
#[test]
fn too_many_postings_are_not_listed() {
    let mut collector = Collector::default();
    let text = "a b c d e f g h";
    for rank in 0..1 << 18 {
        each_word(text, |found| {
            let word = collector.id(found.text);
            collector.push(word, rank, 0);
        });
    }
    assert!(collector.finish(1 << 18).is_some());
    let mut collector = Collector::default();
    for rank in 0..=1 << 18 {
        each_word(text, |found| {
            let word = collector.id(found.text);
            collector.push(word, rank, 0);
        });
    }
    assert!(collector.finish((1 << 18) + 1).is_none());
}

/// Two columns and two blocks, with a list of every form: of all texts, a bitmap, high and low bits.
fn texts_1() -> [Texts; 2] {
    let number_in_letters = |number: usize| -> String {
        let digits = number.to_string().into_bytes();
        digits.iter().map(|digit| char::from(digit + 49)).collect()
    };
    let message = |rank: usize| {
        let half = ["even", "odd"][rank % 2];
        format!(
            "every {half}: user {} was refused",
            number_in_letters(rank / 3)
        )
    };
    let trace = |rank: usize| format!("at com.example.Service{rank} (in {})", rank % 4);
    [0, 700].map(|first| {
        Texts::from([
            (
                "message".to_owned(),
                (first..first + 700).map(message).collect(),
            ),
            (format!("trace.{first}"), (0..40).map(trace).collect()),
        ])
    })
}

/// Lists that earlier versions wrote are read for ever.
#[test]
fn format_1_is_read_for_ever() {
    let bytes = PostingsBytes {
        index: include_bytes!("../../fixtures/postings-1.index.bin").to_vec(),
        leaves: include_bytes!("../../fixtures/postings-1.leaves.bin").to_vec(),
        lists: include_bytes!("../../fixtures/postings-1.lists.bin").to_vec(),
    };
    let blocks = texts_1();
    Segment::open(bytes, 2).check(&blocks.each_ref().map(Some));
}
