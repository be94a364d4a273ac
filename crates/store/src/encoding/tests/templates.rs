//! What is decoded of a TEXT column: texts, stamps, slots and their index tell the same.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::postings::{ColumnPostings, ListedWord};

/// Texts come back one by one and by template, the stamps tell the truth, and every word is listed with its texts.
pub(super) fn check(texts: &TextValues, postings: &ColumnPostings, values: &[Value]) {
    let (codes, slots) = (texts.codes(), texts.slots());
    let whole = slots.whole().unwrap();
    let mut seen = whole.len();
    let mut words = TextsByWord::default();
    let ranks_of = |code: usize| {
        let ranks = 0..values.len();
        ranks.filter(move |rank| usize::from(codes.codes().unwrap()[*rank]) == code)
    };
    for (place, rank) in ranks_of(0).enumerate() {
        words.add_each(whole.get(place).unwrap(), rank, &[]);
    }
    for (index, (template, used)) in codes.uses().templates().enumerate() {
        let run = slots.build_run(index).unwrap();
        let ranks: Vec<usize> = ranks_of(index + 1).collect();
        for (place, rank) in ranks.iter().enumerate() {
            let text = values[*rank].as_scalar().as_str();
            assert_eq!(run.get(place), text);
            assert_eq!(texts.text(*rank).ok().as_deref(), text);
        }
        assert_eq!(run.ends.len(), used.rows as usize);
        assert!(used.rows as usize >= template::ROWS_OF_MANY_LEFT);
        for text in (0..run.ends.len()).filter_map(|place| run.get(place)) {
            check_stamps(template, used, text);
        }
        check_slots((slots, &ranks), index, template, &run, &mut words);
        seen += run.ends.len();
    }
    assert_eq!(seen, values.len());
    words.check(postings);
}

/// What must be listed, and nothing else.
#[derive(Default)]
struct TextsByWord {
    by_word: BTreeMap<String, BTreeSet<u32>>,
}

impl TextsByWord {
    /// Adds a word of the text of a rank, unless it is among those that the template says.
    fn add(&mut self, word: &ListedWord, rank: usize, statics: &[ListedWord]) {
        if !statics.contains(word) {
            let texts = self.by_word.entry(word.spelled().to_owned());
            texts.or_default().insert(u32::try_from(rank).unwrap());
        }
    }

    fn add_each(&mut self, text: &str, rank: usize, statics: &[ListedWord]) {
        for word in words_and_pairs_of(text) {
            self.add(&word, rank, statics);
        }
    }

    fn check(&self, postings: &ColumnPostings) {
        let listed = postings.each_decoded().map(|(word, texts)| {
            let texts: BTreeSet<u32> = texts.unwrap().into_iter().collect();
            (word.to_owned(), texts)
        });
        assert_eq!(listed.collect::<BTreeMap<_, _>>(), self.by_word);
    }
}

fn words_and_pairs_of(text: &str) -> Vec<ListedWord> {
    let mut words = ListedWord::each_of(text);
    words.extend(ListedWord::each_pair_of(text));
    words
}

/// The values of slots make the texts, which have these ranks.
fn check_slots(
    (slots, ranks): (&TextSlots, &[usize]),
    index: usize,
    template: &Template,
    run: &TextRun,
    words: &mut TextsByWord,
) {
    let statics: Vec<&str> = template.statics().collect();
    let mut in_statics: Vec<ListedWord> = statics
        .iter()
        .flat_map(|text| words_and_pairs_of(text))
        .collect();
    in_statics.extend(held_by_all(template, run));
    for (place, rank) in ranks.iter().enumerate() {
        let mut rebuilt = statics[0].to_owned();
        let mut previous = 0;
        for slot in 0..template.slots() {
            let before = rebuilt.len();
            match slots.values(index, slot).unwrap() {
                SlotValues::Texts(values) => {
                    assert_eq!(values.len(), run.ends.len());
                    rebuilt += check_slot_value(values, place);
                }
                SlotValues::Dictionary(values, codes) => {
                    rebuilt += check_slot_value(values, usize::from(codes[place]));
                }
                SlotValues::Numbers => {
                    let rest = run.get(place).unwrap().get(before..).unwrap();
                    let next = statics[slot + 1].chars().next();
                    let end = next.map_or(rest.len(), |next| rest.find(next).unwrap());
                    rebuilt += rest.get(..end).unwrap();
                }
            }
            for word in ListedWord::each_of(rebuilt.get(before..).unwrap()) {
                words.add(&word, *rank, &in_statics);
            }
            let two = rebuilt.get(previous..).unwrap();
            for pair in ListedWord::each_pair_of(two) {
                let at = before - previous;
                // Others are inside one slot, or reach into static text.
                if slot > 0 && statics[slot].len() == 1 && is_around(two, &pair, at - 1) {
                    words.add(&pair, *rank, &in_statics);
                }
            }
            previous = before;
            rebuilt += statics[slot + 1];
        }
        assert_eq!(run.get(place), Some(&*rebuilt));
    }
}

/// The words that the template says all its texts have in their slots, and no others have they.
fn held_by_all(template: &Template, run: &TextRun) -> Vec<ListedWord> {
    let texts = (0..run.ends.len()).filter_map(|place| run.get(place));
    let in_slots = texts.map(|text| words_in_slots(template, text));
    let common = in_slots.reduce(|common, words| &common & &words);
    let common = common.unwrap_or_default();
    assert!(template.held_words().eq(common.iter().map(|word| &**word)));
    common
        .iter()
        .flat_map(|word| ListedWord::each_of(word))
        .collect()
}

fn words_in_slots(template: &Template, text: &str) -> BTreeSet<String> {
    let mut statics = template.statics();
    let mut rest = text.strip_prefix(statics.next().unwrap()).unwrap();
    let mut words = BTreeSet::new();
    for after in statics {
        let run = slot_runs(rest).next().unwrap();
        let listed = ListedWord::each_of(run).into_iter();
        words.extend(listed.map(|word| word.spelled().to_owned()));
        rest = rest.strip_prefix(run).unwrap().strip_prefix(after).unwrap();
    }
    words
}

/// Whether a pair stands with what is between its words at a place of a text.
fn is_around(text: &str, pair: &ListedWord, between: usize) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let first = pair.spelled().split(|c| !is_word(c)).next().unwrap();
    let start = between.checked_sub(first.len());
    let found = start.and_then(|start| text.get(start..start + pair.spelled().len()));
    found.is_some_and(|found| found.eq_ignore_ascii_case(pair.spelled()))
}

fn check_slot_value(values: SlotRun<'_>, index: usize) -> &str {
    let value = values.get(index).unwrap();
    let start = values.start_after(index).unwrap() - value.len() - 1;
    let with_end = values.text().get(start..=start + value.len());
    assert_eq!(with_end, Some(&*format!("{value}\n")));
    assert_eq!(values.index_at(start), index);
    assert_eq!(values.index_at(start + value.len()), index);
    value
}

/// The slots of a text are what is left when the static text is taken out, and each is as its stamp says.
fn check_stamps(template: &Template, used: &TemplateUse, text: &str) {
    let statics: Vec<&str> = template.statics().collect();
    let mut rest = text.strip_prefix(statics[0]).unwrap();
    for (stamp, after) in used.stamps.iter().zip(&statics[1..]) {
        let run = slot_runs(rest).next().unwrap();
        assert!(rest.starts_with(run), "{rest} begins with a slot");
        assert!((stamp.bytes_min..=stamp.bytes_max).contains(&u32::try_from(run.len()).unwrap()));
        assert!(stamp.classes.contain(CharClasses::of(run)), "{run}");
        let tail = rest.strip_prefix(run).unwrap();
        rest = tail.strip_prefix(after).unwrap();
    }
    assert_eq!(rest, "");
}

/// Log messages of a few kinds, with all sorts of things in the slots, and a few of no kind.
pub(super) fn messages() -> impl Strategy<Value = Vec<Value>> {
    let slot = prop_oneof![
        (0u32..3000).prop_map(|n| n.to_string()),
        (0u32..300_000).prop_map(|n| format!("{}.{:02}ms", n / 100, n % 100)),
        any::<u64>().prop_map(|n| n.to_string()),
        any::<u32>().prop_map(|n| format!("{n:08x}")),
        any::<i64>().prop_map(|n| format!("blk_{n}")),
        (0u32..200).prop_map(|n| format!("0{n}")),
        (0u32..200).prop_map(|n| format!("10.0.{n}.1:80")),
        any::<u16>().prop_map(|n| format!("r{}-2026-07-{:02}_{:02}", n / 999, n % 31, n % 24)),
        (0u32..5).prop_map(|n| format!("/api/v{n}/users")),
        "[a-c]{1,3}",
        "é[0-9a]{1,2}ß",
        "-?[0-9]{1,3}",
        "[0-9]{0,20}",
    ];
    let text = (0usize..8, vec(slot, 3)).prop_map(|(kind, slots)| match kind {
        0 => format!(
            "connection {} refused after a while, {}",
            slots[0], slots[1]
        ),
        1 => format!(
            "{} took {}, which is long for {}",
            slots[0], slots[1], slots[2]
        ),
        2 => format!(
            "«{}» is no name for the thing at hand {}",
            slots[0], slots[1]
        ),
        6 => format!("it gave {} {} {} at last", slots[0], slots[1], slots[2]),
        7 => format!(
            "{} says again what {} said, {}",
            slots[0], slots[0], slots[1]
        ),
        3 => "nothing varies here, in this text: nothing at all".to_owned(),
        4 => format!(
            "line one of a trace\n  at line {} of it\n{}",
            slots[0], slots[1]
        ),
        _ => format!("{}{}", slots.join("  "), " and many more words"),
    });
    let odd = prop_oneof![40 => text, 1 => any::<String>()];
    vec(odd.prop_map(|text| Value::Str(text.into())), 1..400)
}

#[test]
fn numbers_between_what_never_varies_are_packed() {
    let encoded = |slot: &dyn Fn(u32) -> String| {
        let text = |n: u32| Value::Str(format!("the request took {} this time", slot(n)).into());
        let values: Vec<Value> = (0..4096).map(text).collect();
        let encoded = check_values(&values);
        assert_eq!(encoded.encoding, Encoding::Text);
        encoded.bytes.len()
            + encoded
                .text
                .map_or(0, |text| text.index.len() + text.slots.len())
    };
    let scattered = |n: u32| n.wrapping_mul(2_654_435_761) >> 20;
    let far = |n: u32| u64::from(n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let date = |n: u32| {
        let (day, hour, second) = (n % 28 + 1, n / 28 % 24, scattered(n) % 64);
        format!("2026-05-{day:02}T{hour}.{second:02}Z")
    };
    for (size, bits) in [
        (encoded(&date), 16),
        (encoded(&|n| format!("{} or {}", date(n), date(n))), 16),
        (
            encoded(&|n| format!("{}-{:03}-b", scattered(n) % 4096, scattered(n) % 512)),
            21,
        ),
        (encoded(&|n| format!("{}", scattered(n) % 4096)), 12),
        (encoded(&|n| format!("u-{}", scattered(n) % 4096)), 12),
        (encoded(&|n| format!("blk_{}", far(n).cast_signed())), 64),
        (
            encoded(&|n| format!("req-{:016x}-b in {}", far(n), n % 60)),
            71,
        ),
        (
            encoded(&|n| format!("{} to {}", scattered(n / 32), scattered(n))),
            14,
        ),
        (
            encoded(&|n| format!("{}.{:02}ms", scattered(n) / 100, scattered(n) % 100)),
            12,
        ),
    ] {
        assert!(size < 4096 * bits / 8 + 80, "{size}");
    }
}

#[test]
fn texts_with_little_in_common_are_not_taken_apart() {
    let encoding = |text: &dyn Fn(u32) -> String| {
        let values = (0..2000).map(|n| Value::Str(text(n).into()));
        check_values(&values.collect::<Vec<_>>()).encoding
    };
    let letters = |n: u32| format!("{}", n + 1000).replace(|c: char| c.is_ascii_digit(), "x");
    assert_eq!(
        encoding(&|n| format!("took {n} ms")),
        Encoding::Str,
        "short"
    );
    assert_eq!(encoding(&|n| format!("{n:036}")), Encoding::Str, "no words");
    let puzzle = |n: u32| {
        format!(
            "{}{}{}",
            ", ".repeat(n as usize % 40),
            letters(n),
            "; ".repeat(n as usize / 40 + 20)
        )
    };
    assert_eq!(encoding(&puzzle), Encoding::Str, "no two alike");
    assert_eq!(
        encoding(&|n| format!("request {n} took {} ms", n % 7)),
        Encoding::Str,
        "short"
    );
    assert_eq!(
        encoding(&|n| format!("the request {n} took {} ms", n % 7)),
        Encoding::Text
    );
}
