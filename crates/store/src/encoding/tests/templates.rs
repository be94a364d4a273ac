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
        assert!(used.rows as usize >= template::ROWS_PER_TEMPLATE_MIN);
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
