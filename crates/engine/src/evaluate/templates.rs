//! What a test says of all texts that follow a template, from the template alone: found out once for every table of templates.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use cordwood_query::{Predicate, TextPattern, TextTest};
use cordwood_store::column::SlotIndex;
use cordwood_store::template::{CharClasses, Stamp, Template, TemplateTable, slot_runs};
use cordwood_store::tokens::WordHash;

/// What a test says of the texts of one template, wherever they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Every one matches, whatever is in the slots.
    All,
    /// None can match.
    None,
    /// Only those can match in which a slot holds what it needs to, one of these at least.
    Slots(Box<[SlotNeed]>),
    /// Any may match.
    Open,
}

/// A slot, and the part of a literal it must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotNeed {
    /// The place of the slot in its template.
    pub(crate) slot: usize,
    /// An index into the parts of the test.
    part: usize,
}

/// A test of texts, prepared to be asked of templates.
#[derive(Debug)]
pub(crate) struct TemplateTest {
    /// Of the alternatives of the test, what their matches contain; `None` if that is not known of one of them.
    literals: Option<Vec<Literal>>,
    /// The parts of all literals.
    parts: Vec<LiteralPart>,
    /// By the address of a table, the verdicts on its templates.
    tables: Mutex<HashMap<usize, Arc<TableVerdicts>>>,
}

/// The verdicts on all templates of a table.
#[derive(Debug)]
pub(crate) struct TableVerdicts {
    /// Keeps the table where it is.
    _table: Arc<TemplateTable>,
    by_template: Vec<Verdict>,
}

/// What every text contains that matches an alternative of a test.
#[derive(Debug)]
struct Literal {
    text: String,
    pattern: TextPattern,
    /// Whether the alternative matches wherever the literal stands at the boundaries of words.
    is_phrase: bool,
    /// Of [`TemplateTest::parts`], and where in the text it begins.
    parts: Vec<(usize, usize)>,
    /// Words without which no text matches, as far as they can be looked up.
    words: Vec<WordHash>,
}

/// A run of slot characters in a literal. A match that reaches into a slot covers as much of it as one of these runs,
/// because next to a slot there is no slot character.
#[derive(Debug)]
pub(crate) struct LiteralPart {
    pub(crate) pattern: TextPattern,
    classes: CharClasses,
    /// The bytes a slot must have to hold it: unknown, and 0, where letters of two cases may differ in length.
    bytes_min: u32,
    bytes: usize,
    /// Its words, if a slot must hold them as words.
    pub(crate) words: Vec<WordHash>,
    /// Whether a slot with the part at the boundaries of words is all that it takes for a match.
    pub(crate) suffices: bool,
}

impl TableVerdicts {
    /// The verdict on the template at an index of the table.
    pub(crate) fn of(&self, template: u32) -> &Verdict {
        self.by_template
            .get(template as usize)
            .unwrap_or(&Verdict::Open)
    }
}

impl TemplateTest {
    pub(crate) fn new(predicate: &Predicate) -> TemplateTest {
        let mut test = TemplateTest {
            literals: None,
            parts: Vec::new(),
            tables: Mutex::default(),
        };
        let alternatives = match predicate.alternatives() {
            Some(alternatives) => alternatives,
            None => std::slice::from_ref(predicate),
        };
        let literals = alternatives
            .iter()
            .map(|alternative| test.literal(alternative.text_test()));
        test.literals = literals.collect::<Option<_>>();
        test
    }

    fn literal(&mut self, test: TextTest<'_>) -> Option<Literal> {
        let text = test.required_literal()?;
        let is_phrase = matches!(test, TextTest::Contains(_));
        let holds_words = is_phrase || matches!(test, TextTest::Exact(_));
        let words_of = |text: &str| match holds_words {
            true => SlotIndex::words_of(text),
            false => Vec::new(),
        };
        let mut parts = Vec::new();
        for run in slot_runs(&text) {
            let start = run.as_ptr().addr() - text.as_ptr().addr();
            parts.push((self.parts.len(), start));
            let bytes = if run.is_ascii() { run.len() } else { 0 };
            self.parts.push(LiteralPart {
                pattern: TextPattern::new(run)?,
                classes: CharClasses::of(run),
                bytes_min: u32::try_from(bytes).unwrap_or(u32::MAX),
                bytes: run.len(),
                words: words_of(run),
                suffices: is_phrase && run.len() == text.len(),
            });
        }
        Some(Literal {
            pattern: TextPattern::new(&text)?,
            is_phrase,
            parts,
            words: words_of(&text),
            text,
        })
    }

    /// The part of a literal that a slot needs to hold.
    pub(crate) fn part(&self, need: SlotNeed) -> &LiteralPart {
        &self.parts[need.part]
    }

    /// Whether a text that is kept whole may match.
    pub(crate) fn may_match_whole(&self, slots: &SlotIndex) -> bool {
        let may_match = |literal: &Literal| slots.whole_may_hold(&literal.words);
        match &self.literals {
            Some(literals) => literals.iter().any(may_match),
            None => slots.whole_may_hold(&[]),
        }
    }

    /// The verdicts on the templates of a table, of the test that this was made of.
    pub(crate) fn verdicts(
        &self,
        predicate: &Predicate,
        table: &Arc<TemplateTable>,
    ) -> Arc<TableVerdicts> {
        let address = Arc::as_ptr(table).addr();
        let known = || self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(verdicts) = known().get(&address) {
            return Arc::clone(verdicts);
        }
        let templates = (0..table.len()).filter_map(|index| table.get(index));
        let verdicts = templates.map(|template| self.verdict(predicate, template));
        let verdicts = Arc::new(TableVerdicts {
            by_template: verdicts.collect(),
            _table: Arc::clone(table),
        });
        known().insert(address, Arc::clone(&verdicts));
        verdicts
    }

    /// The verdict on the texts of a template.
    fn verdict(&self, predicate: &Predicate, template: &Template) -> Verdict {
        if template.slots() == 0 {
            return match predicate.matches_text(template.text()) {
                true => Verdict::All,
                false => Verdict::None,
            };
        }
        let statics: Vec<&str> = template.statics().collect();
        if statics.iter().any(|text| holds_for_part(predicate, text)) {
            return Verdict::All;
        }
        let Some(literals) = &self.literals else {
            return Verdict::Open;
        };
        let mut needs = Vec::new();
        for literal in literals {
            // Of a phrase it is known already that it stands in no static text at word boundaries.
            let in_static = |text: &&str| literal.pattern.candidate(text.as_bytes(), 0).is_some();
            if !literal.is_phrase && statics.iter().any(in_static) {
                return Verdict::Open;
            }
            self.push_needs(literal, &statics, &mut needs);
        }
        match needs.is_empty() {
            true => Verdict::None,
            false => Verdict::Slots(needs.into()),
        }
    }

    /// The slots a match of a literal may reach into, each with the part of it that lies there.
    fn push_needs(&self, literal: &Literal, statics: &[&str], needs: &mut Vec<SlotNeed>) {
        for (slot, around) in statics.windows(2).enumerate() {
            let [static_before, static_after] = around else {
                continue;
            };
            for (part, start) in &literal.parts {
                let end = start + self.parts[*part].bytes;
                let before = Side {
                    literal: &literal.text[..*start],
                    text: static_before,
                    is_last: slot == 0,
                };
                let after = Side {
                    literal: &literal.text[end..],
                    text: static_after,
                    is_last: slot + 2 == statics.len(),
                };
                if before.agrees(backwards) && after.agrees(forwards) {
                    needs.push(SlotNeed { slot, part: *part });
                }
            }
        }
    }
}

/// What is next to a slot, and what is next to the part of a literal that is thought to lie in it.
struct Side<'a> {
    literal: &'a str,
    /// The static text between the slot and the next one, or the end.
    text: &'a str,
    /// Whether there is no next one.
    is_last: bool,
}

impl Side<'_> {
    /// Whether they are the same as far as the static text goes; `in_order` gives bytes from the slot on.
    fn agrees<'s, I: Iterator<Item = u8>>(&'s self, in_order: impl Fn(&'s str) -> I) -> bool {
        if !self.literal.is_ascii() {
            // Letters of two cases may differ in length.
            return true;
        }
        let same = in_order(self.literal)
            .zip(in_order(self.text))
            .all(|(a, b)| a.eq_ignore_ascii_case(&b));
        same && (!self.is_last || self.literal.len() <= self.text.len())
    }
}

fn forwards(text: &str) -> impl Iterator<Item = u8> {
    text.bytes()
}

fn backwards(text: &str) -> impl Iterator<Item = u8> {
    text.bytes().rev()
}

impl LiteralPart {
    /// Whether a slot with this stamp can hold the part.
    pub(crate) fn fits(&self, stamp: &Stamp) -> bool {
        stamp.classes.contain(self.classes) && self.bytes_min <= stamp.bytes_max
    }
}

/// Whether every text matches that has this static text in it, between slots or at its end. Static text next to a
/// slot begins and ends with a character that belongs to no word, so that its ends are word boundaries wherever a
/// word of a phrase could begin or end there.
fn holds_for_part(predicate: &Predicate, text: &str) -> bool {
    if let Some(alternatives) = predicate.alternatives() {
        let mut alternatives = alternatives.iter();
        return alternatives.any(|alternative| holds_for_part(alternative, text));
    }
    match predicate.text_test() {
        TextTest::Always => true,
        TextTest::Contains(pattern) => pattern.matches(text),
        TextTest::Wildcard(pattern) => pattern.is_open() && pattern.matches(text),
        _ => false,
    }
}
