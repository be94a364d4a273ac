//! What a test says of all texts that follow a template, from the template alone: found out once for every table of templates.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use cordwood_event::is_word;
use cordwood_query::{Predicate, TextPattern, TextTest};
use cordwood_store::column::SlotRun;
use cordwood_store::postings::ListedWord;
use cordwood_store::template::{CharClasses, Stamp, Template, TemplateTable, slot_runs};

use crate::evaluate::listed::{TestWords, WordIndex};
use crate::selection::Selection;

/// What a test says of the texts of one template, wherever they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Every one matches, whatever is in the slots.
    All,
    /// None can match.
    None,
    /// Only those can match in which a slot holds what it needs to, one of these at least.
    Slots(SlotNeeds),
    /// Any may match.
    Open,
}

/// What the slots of a template must hold for a match: one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SlotNeeds {
    pub(crate) needs: Box<[SlotNeed]>,
    /// Words that the template says all its texts have: these are not listed under them.
    said: Box<[WordIndex]>,
}

/// The first slot that a match reaches into, and the next if it reaches so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotNeed {
    /// The word that is all it takes, whichever slot of the template it is in, or the pair, whichever two slots.
    pub(crate) word: Option<WordIndex>,
    pub(crate) first: SlotPart,
    pub(crate) next: Option<SlotPart>,
    /// Whether these slots are all that it takes for a match.
    pub(crate) suffices: bool,
}

/// A slot, and the part of a literal it must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotPart {
    /// The place of the slot in its template.
    pub(crate) slot: usize,
    /// An index into the parts of the test.
    pub(crate) part: usize,
    /// Whether the part stands at the start of the slot, because the match begins before it.
    at_start: bool,
    /// Whether it stands at the end, because the match goes on behind it.
    at_end: bool,
}

impl SlotNeeds {
    /// Those words of a part that a text of the template is listed under if it holds them in a slot.
    pub(crate) fn listed_words<'w>(
        &'w self,
        part: &'w LiteralPart,
    ) -> impl Iterator<Item = WordIndex> + 'w {
        let words = part.words.iter().copied();
        words.filter(|word| !self.said.contains(word))
    }
}

impl SlotNeed {
    /// All slots that must hold something.
    pub(crate) fn parts(self) -> impl Iterator<Item = SlotPart> {
        std::iter::once(self.first).chain(self.next)
    }
}

/// A test of texts, prepared to be asked of templates.
#[derive(Debug)]
pub(crate) struct TemplateTest {
    /// Of the alternatives of the test, what their matches contain; `None` if that is not known of one of them.
    literals: Option<Vec<Literal>>,
    /// The parts of all literals.
    parts: Vec<LiteralPart>,
    /// The words of all literals that have lists.
    words: TestWords,
    lists: DecidedByLists,
    /// By the address of a table, the verdicts on its templates.
    tables: Mutex<HashMap<usize, Arc<TableVerdicts>>>,
    /// Held by the thread that finds verdicts: who wants the same waits for them.
    finding: Mutex<()>,
}

/// What lists decide of a test, besides what its templates say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DecidedByLists {
    /// Everything: it asks for words.
    Words,
    /// All that lies within slots: it asks for words, or for pairs of them with something between that no slot holds.
    Pairs,
    /// It may depend on more than that.
    Open,
}

/// The verdicts on all templates of a table.
#[derive(Debug)]
pub(crate) struct TableVerdicts {
    /// As long as this is kept, no other table has its address.
    table: Weak<TemplateTable>,
    kinds: Vec<VerdictKind>,
    /// The same at length, of those that somebody asked for.
    by_template: Vec<OnceLock<Verdict>>,
}

/// A verdict in short: what a block has to be asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VerdictKind {
    All,
    None,
    /// Nothing but the lists of words that are all it takes for a match.
    Listed,
    /// More than that.
    Open,
}

impl VerdictKind {
    /// In their order.
    pub(crate) const ALL: [VerdictKind; 4] = [
        VerdictKind::All,
        VerdictKind::None,
        VerdictKind::Listed,
        VerdictKind::Open,
    ];
}

impl Verdict {
    fn kind(&self) -> VerdictKind {
        match self {
            Verdict::All => VerdictKind::All,
            Verdict::None => VerdictKind::None,
            Verdict::Slots(slots) if slots.needs.iter().all(|need| need.word.is_some()) => {
                VerdictKind::Listed
            }
            Verdict::Slots(_) | Verdict::Open => VerdictKind::Open,
        }
    }
}

/// What every text contains that matches an alternative of a test.
#[derive(Debug)]
pub(crate) struct Literal {
    text: String,
    pattern: TextPattern,
    /// Whether the alternative matches wherever the literal stands at the boundaries of words.
    is_phrase: bool,
    /// Whether it matches wherever the literal stands, if need be at the boundaries of words.
    suffices: bool,
    /// Of [`TemplateTest::parts`], and where in the text it begins.
    parts: Vec<(usize, usize)>,
    /// Words without which no text matches that is kept whole, as far as they can be looked up.
    pub(crate) words: Vec<WordIndex>,
    /// The word it is, or the two words: whatever text holds them matches.
    pub(crate) is_word: Option<WordIndex>,
}

/// A run of slot characters in a literal. A match that reaches into a slot covers as much of it as one of these runs,
/// because next to a slot there is no slot character.
#[derive(Debug)]
pub(crate) struct LiteralPart {
    pattern: TextPattern,
    /// Whether it must stand at the boundaries of words.
    is_phrase: bool,
    classes: CharClasses,
    /// The bytes a slot must have to hold it: unknown, and 0, where letters of two cases may differ in length.
    bytes_min: u32,
    bytes: usize,
    /// Its words, if a slot must hold them as words.
    pub(crate) words: Vec<WordIndex>,
}

impl Literal {
    /// Whether it may begin or end at a place of a static text: a phrase does not within a word.
    fn may_end_at(&self, text: &str, at: usize) -> bool {
        let is_in_word = |text: Option<&str>, last: fn(&str) -> Option<char>| {
            text.and_then(last).is_some_and(is_word)
        };
        let is_cut = is_in_word(text.get(..at), |text| text.chars().next_back())
            && is_in_word(text.get(at..), |text| text.chars().next());
        !self.is_phrase || !is_cut
    }
}

impl TableVerdicts {
    /// The verdict on the template at an index of the table, of the test that these were made of.
    pub(crate) fn of(
        &self,
        template: u32,
        predicate: &Predicate,
        (test, table): (&TemplateTest, &TemplateTable),
    ) -> &Verdict {
        let index = template as usize;
        let known = self.by_template.get(index).zip(table.get(index));
        known.map_or(&Verdict::Open, |(known, template)| {
            known.get_or_init(|| test.verdict(predicate, template))
        })
    }

    /// The same in short.
    pub(crate) fn kind_of(&self, template: u32) -> VerdictKind {
        let kind = self.kinds.get(template as usize);
        kind.copied().unwrap_or(VerdictKind::Open)
    }
}

impl TemplateTest {
    pub(crate) fn new(predicate: &Predicate) -> TemplateTest {
        let mut test = TemplateTest {
            literals: None,
            parts: Vec::new(),
            words: TestWords::default(),
            lists: DecidedByLists::Open,
            tables: Mutex::default(),
            finding: Mutex::default(),
        };
        let alternatives = match predicate.alternatives() {
            Some(alternatives) => alternatives,
            None => std::slice::from_ref(predicate),
        };
        let literals = alternatives
            .iter()
            .map(|alternative| test.literal(alternative.text_test()));
        test.literals = literals.collect::<Option<_>>();
        test.lists = test.decided_by_lists();
        test
    }

    fn literal(&mut self, test: TextTest<'_>) -> Option<Literal> {
        let text = test.required_literal()?;
        let is_phrase = matches!(test, TextTest::Contains(_));
        let holds_words = is_phrase || matches!(test, TextTest::Exact(_));
        let mut parts = Vec::new();
        for run in slot_runs(&text) {
            let start = run.as_ptr().addr() - text.as_ptr().addr();
            parts.push((self.parts.len(), start));
            let bytes = if run.is_ascii() { run.len() } else { 0 };
            let words = match holds_words {
                true => self.words.add(ListedWord::each_of(run)),
                false => Vec::new(),
            };
            self.parts.push(LiteralPart {
                pattern: TextPattern::new(run)?,
                classes: CharClasses::of(run),
                bytes_min: u32::try_from(bytes).unwrap_or(u32::MAX),
                bytes: run.len(),
                words,
                is_phrase,
            });
        }
        let words = match holds_words {
            true => {
                // Pairs first: fewer texts hold them.
                let mut words = ListedWord::each_pair_of(&text);
                words.extend(ListedWord::each_of(&text));
                self.words.add(words)
            }
            false => Vec::new(),
        };
        let is_all = |word: &WordIndex| {
            let spelled = self.words.get(*word).spelled();
            is_phrase && spelled.eq_ignore_ascii_case(&text)
        };
        Some(Literal {
            pattern: TextPattern::new(&text)?,
            is_phrase,
            suffices: match test {
                TextTest::Wildcard(pattern) => pattern.is_infix(),
                _ => is_phrase,
            },
            parts,
            is_word: words.iter().copied().find(is_all),
            words,
            text,
        })
    }

    /// All words that lists may be asked for.
    pub(crate) fn words(&self) -> &TestWords {
        &self.words
    }

    /// Of the alternatives of the test, what their matches contain; `None` if that is not known of one of them.
    pub(crate) fn literals(&self) -> Option<&[Literal]> {
        self.literals.as_deref()
    }

    /// The part of a literal that a slot needs to hold.
    pub(crate) fn part(&self, needed: SlotPart) -> &LiteralPart {
        &self.parts[needed.part]
    }

    /// The verdicts on the templates of a table, if they were found before.
    pub(crate) fn known_verdicts(&self, table: &Arc<TemplateTable>) -> Option<Arc<TableVerdicts>> {
        let known = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&Arc::as_ptr(table).addr()).cloned()
    }

    /// The verdicts on the templates of a table, of the test that this was made of.
    pub(crate) fn verdicts(
        &self,
        predicate: &Predicate,
        table: &Arc<TemplateTable>,
    ) -> Arc<TableVerdicts> {
        if let Some(verdicts) = self.known_verdicts(table) {
            return verdicts;
        }
        let _turn = self.finding.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(verdicts) = self.known_verdicts(table) {
            return verdicts;
        }
        let mut verdicts = TableVerdicts {
            table: Arc::downgrade(table),
            kinds: Vec::with_capacity(table.len()),
            by_template: Vec::with_capacity(table.len()),
        };
        for template in (0..table.len()).filter_map(|index| table.get(index)) {
            let at_length = OnceLock::new();
            let in_short = self.kind_in_short(predicate, template);
            verdicts.kinds.push(in_short.unwrap_or_else(|| {
                let verdict = at_length.get_or_init(|| self.verdict(predicate, template));
                verdict.kind()
            }));
            verdicts.by_template.push(at_length);
        }
        let verdicts = Arc::new(verdicts);
        let mut known = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        // A test may live longer than the blocks it is asked about.
        known.retain(|_, verdicts| verdicts.table.strong_count() > 0);
        known.insert(Arc::as_ptr(table).addr(), Arc::clone(&verdicts));
        verdicts
    }

    fn decided_by_lists(&self) -> DecidedByLists {
        let of_literal = |literal: &Literal| match (literal.is_word, &*literal.parts) {
            (Some(word), [(part, _)]) if self.parts[*part].words == [word] => DecidedByLists::Words,
            (Some(_), [_, _]) => DecidedByLists::Pairs,
            _ => DecidedByLists::Open,
        };
        let Some(literals) = self.literals() else {
            return DecidedByLists::Open;
        };
        let literals: Vec<DecidedByLists> = literals.iter().map(of_literal).collect();
        [DecidedByLists::Open, DecidedByLists::Pairs]
            .into_iter()
            .find(|decided| literals.contains(decided))
            .unwrap_or(DecidedByLists::Words)
    }

    /// The kind of the verdict on a template, where that takes no more than looking for the words in it. What is none at length may be
    /// listed in short.
    fn kind_in_short(&self, predicate: &Predicate, template: &Template) -> Option<VerdictKind> {
        match self.lists {
            DecidedByLists::Words => Some(self.kind_of_words(predicate, template)),
            // With neither of its words in the static text, a pair is in two slots that lie side by side, or in no text.
            DecidedByLists::Pairs if !self.is_touched_by(template) => match template.slots() {
                0 => Some(VerdictKind::None),
                _ => Some(VerdictKind::Listed),
            },
            _ => None,
        }
    }

    /// Whether a template has any part of the test in its text, or says that its slots have a word which is all it takes.
    fn is_touched_by(&self, template: &Template) -> bool {
        let mut parts = self.parts.iter();
        parts.any(|part| part.is_in_any(template.text())) || self.is_held(template)
    }

    /// The kind of the verdict on a template. No such word has a digit, as what stands for a slot does, and next to a slot no word ends: a word that
    /// is in the template is in its static text.
    fn kind_of_words(&self, predicate: &Predicate, template: &Template) -> VerdictKind {
        let is_said = predicate.matches_text(template.text()) || self.is_held(template);
        match (is_said, template.slots()) {
            (true, _) => VerdictKind::All,
            (false, 0) => VerdictKind::None,
            (false, _) => VerdictKind::Listed,
        }
    }

    /// Whether a word that is all it takes for a match stands in the slots of each text of a template.
    fn is_held(&self, template: &Template) -> bool {
        let words = self.literals().into_iter().flatten();
        let mut words = words.filter_map(|literal| literal.is_word);
        words.any(|word| template.holds(self.words.get(word)))
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
        let in_static = |text: &&str| holds_for_part(predicate, text);
        if statics.iter().any(in_static) || self.is_held(template) {
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
            false => Verdict::Slots(SlotNeeds {
                needs: needs.into(),
                said: self.words_said(&statics, template).into(),
            }),
        }
    }

    /// The words that a template says all its texts have.
    fn words_said(&self, statics: &[&str], template: &Template) -> Vec<WordIndex> {
        let in_statics = statics.iter().flat_map(|text| self.words.each_in(text));
        in_statics.chain(self.words.each_held(template)).collect()
    }

    /// The slots a match of a literal may reach into.
    fn push_needs(&self, literal: &Literal, statics: &[&str], needs: &mut Vec<SlotNeed>) {
        for slot in 0..statics.len() - 1 {
            for index in 0..literal.parts.len() {
                needs.extend(self.need(literal, index, slot, statics));
            }
        }
    }

    /// What it takes for a match whose first slot is this one, where it has the part at `index` of the literal; `None` if the
    /// text around the slot is another.
    fn need(
        &self,
        literal: &Literal,
        index: usize,
        slot: usize,
        statics: &[&str],
    ) -> Option<SlotNeed> {
        let (part, start) = literal.parts[index];
        let literal_after = literal.text.get(start + self.parts[part].bytes..)?;
        let first = SlotPart {
            slot,
            part,
            at_start: start > 0,
            at_end: !literal_after.is_empty(),
        };
        if !literal.text.is_ascii() {
            // Letters of two cases may differ in length, so that what is around the slot is not compared.
            return Some(SlotNeed {
                word: None,
                first: SlotPart {
                    at_start: false,
                    at_end: false,
                    ..first
                },
                next: None,
                suffices: literal.suffices && !first.at_start && !first.at_end,
            });
        }
        let before = statics[slot];
        if !ends_with(before, literal.text.get(..start)?)
            || !literal.may_end_at(before, before.len() - start)
        {
            return None;
        }
        let after = statics[slot + 1];
        if literal_after.len() <= after.len() {
            let agrees =
                starts_with(after, literal_after) && literal.may_end_at(after, literal_after.len());
            return agrees.then_some(SlotNeed {
                word: literal
                    .is_word
                    .filter(|word| self.parts[part].words == [*word]),
                first,
                next: None,
                suffices: literal.suffices,
            });
        }
        // It goes on in the next slot, which begins with a slot character.
        let behind_next = statics.get(slot + 2)?;
        let in_next = literal_after.get(after.len()..)?;
        if !starts_with(literal_after, after) {
            return None;
        }
        // Words of the static text between the two are parts as well.
        let next_start = literal.text.len() - in_next.len();
        let mut parts = literal.parts.iter();
        let (next, _) = *parts.find(|(_, start)| *start == next_start)?;
        let rest = in_next.get(self.parts[next].bytes..)?;
        let ends_there = rest.len() <= behind_next.len();
        let agrees = match ends_there {
            true => starts_with(behind_next, rest) && literal.may_end_at(behind_next, rest.len()),
            false => starts_with(rest, behind_next) && slot + 3 < statics.len(),
        };
        let ends_both = first.at_start || !rest.is_empty();
        agrees.then_some(SlotNeed {
            word: literal.is_word.filter(|_| !ends_both && after.len() == 1),
            first,
            next: Some(SlotPart {
                slot: slot + 1,
                part: next,
                at_start: true,
                at_end: !rest.is_empty(),
            }),
            suffices: literal.suffices && ends_there,
        })
    }
}

fn starts_with(text: &str, start: &str) -> bool {
    let head = text.as_bytes().get(..start.len());
    head.is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
}

fn ends_with(text: &str, end: &str) -> bool {
    let tail = text.len().checked_sub(end.len());
    let tail = tail.and_then(|start| text.as_bytes().get(start..));
    tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
}

impl LiteralPart {
    /// Whether a slot with this stamp can hold the part.
    pub(crate) fn fits(&self, stamp: &Stamp) -> bool {
        stamp.classes.contain(self.classes) && self.bytes_min <= stamp.bytes_max
    }

    /// Whether the part stands anywhere in the text of several slots.
    pub(crate) fn is_in_any(&self, text: &str) -> bool {
        self.pattern.candidate(text.as_bytes(), 0).is_some()
    }

    /// Those values of a slot that hold the part where they need to.
    pub(crate) fn select(&self, needed: SlotPart, values: SlotRun<'_>) -> Selection {
        let mut found = Selection::none(values.len());
        let text = values.text().as_bytes();
        let mut at = 0;
        while let Some(candidate) = self.pattern.candidate(text, at) {
            let index = values.index_at(candidate.start);
            let value = values.get(index).unwrap_or_default();
            if self.is_in(needed, value.as_bytes()) {
                found.insert(index);
            }
            match values.start_after(index) {
                Some(next) => at = next,
                None => break,
            }
        }
        found
    }

    fn is_in(&self, needed: SlotPart, value: &[u8]) -> bool {
        let mut at = 0;
        let find = |from| match self.is_phrase {
            true => self.pattern.find(value, from),
            false => self.pattern.candidate(value, from),
        };
        while let Some(found) = find(at) {
            let is_at_start = !needed.at_start || found.start == 0;
            if is_at_start && (!needed.at_end || found.end == value.len()) {
                return true;
            }
            if needed.at_start {
                return false;
            }
            // Only what is ASCII must stand at the end.
            at = found.start + 1;
        }
        false
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
