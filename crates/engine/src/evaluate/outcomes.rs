//! What templates and posting lists say of one test on a column of texts of one block: which texts match, and which are left open.
//!
//! Nothing of the block is read for it but, where somebody asks for them, lists and the slots with few values.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use cordwood_query::{Predicate, TextTest};
use cordwood_store::BlockHandle;
use cordwood_store::column::SlotIndex;
use cordwood_store::template::{TemplateUse, TemplateUses};

use crate::block::OpenBlock;
use crate::evaluate::Failure;
use crate::evaluate::listed::{ListedTexts, WordIndex};
use crate::evaluate::templates::{
    Literal, SlotNeed, SlotNeeds, SlotPart, TableVerdicts, TemplateTest, Verdict, VerdictKind,
};
use crate::selection::Selection;

/// What a test says of the texts of one code in one block, besides those that are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    All,
    None,
    /// It depends on the slots, or on the texts that are kept whole.
    Open,
}

impl Outcome {
    /// What is known of a whole without a look at single texts.
    pub(crate) fn known(self) -> Option<bool> {
        match self {
            Outcome::All => Some(true),
            Outcome::None => Some(false),
            Outcome::Open => None,
        }
    }
}

/// A test on one column of one block, as far as it is decided without the texts.
#[derive(Debug)]
pub(crate) struct TextOutcomes<'a> {
    pub(super) predicate: &'a Predicate,
    pub(super) test: &'a TemplateTest,
    verdicts: Arc<TableVerdicts>,
    pub(super) uses: Cow<'a, TemplateUses>,
    /// What the posting lists say of the words of the test.
    pub(super) lists: ListedTexts<'a>,
    /// Words each of which is all that it takes for a match: the texts listed under them match.
    settling: Vec<WordIndex>,
    /// By code: 0 are the texts that are kept whole.
    by_code: OnceCell<Vec<Outcome>>,
}

impl<'a> TextOutcomes<'a> {
    /// Of the column at an index of the directory, of texts that follow these templates.
    pub(crate) fn new(
        (predicate, test): (&'a Predicate, &'a TemplateTest),
        column: (&'a BlockHandle, usize),
        uses: Cow<'a, TemplateUses>,
    ) -> TextOutcomes<'a> {
        let verdicts = test.verdicts(predicate, uses.table());
        TextOutcomes::of_verdicts((predicate, test), verdicts, column, uses)
    }

    /// The same, if the verdicts on the templates were found before: then it takes microseconds, whatever the test.
    pub(crate) fn of_known(
        (predicate, test): (&'a Predicate, &'a TemplateTest),
        column: (&'a BlockHandle, usize),
        uses: Cow<'a, TemplateUses>,
    ) -> Option<TextOutcomes<'a>> {
        let verdicts = test.known_verdicts(uses.table())?;
        Some(TextOutcomes::of_verdicts(
            (predicate, test),
            verdicts,
            column,
            uses,
        ))
    }

    fn of_verdicts(
        (predicate, test): (&'a Predicate, &'a TemplateTest),
        verdicts: Arc<TableVerdicts>,
        (block, column): (&'a BlockHandle, usize),
        uses: Cow<'a, TemplateUses>,
    ) -> TextOutcomes<'a> {
        let mut outcomes = TextOutcomes {
            verdicts,
            predicate,
            test,
            uses,
            lists: ListedTexts::new(test.words(), (block, column)),
            settling: Vec::new(),
            by_code: OnceCell::new(),
        };
        if !matches!(predicate.text_test(), TextTest::Always | TextTest::Never) {
            outcomes.find_settling();
        }
        outcomes
    }

    /// By code.
    pub(crate) fn by_code(&self) -> &[Outcome] {
        let of_all = |outcome: Outcome| vec![outcome; self.uses.uses().len() + 1];
        self.by_code
            .get_or_init(|| match self.predicate.text_test() {
                TextTest::Always => of_all(Outcome::All),
                TextTest::Never => of_all(Outcome::None),
                _ => self.ask_lists(),
            })
    }

    /// Asks the slots with few values about what templates and lists leave open. Reads the index of the slots if there is any.
    pub(crate) fn ask_dictionaries(
        &mut self,
        (block, column): (&OpenBlock, usize),
    ) -> Result<(), Failure> {
        let mut by_code = self.by_code().to_vec();
        for (template, outcome) in by_code.iter_mut().skip(1).enumerate() {
            if *outcome == Outcome::Open {
                *outcome = self.outcome_by_dictionaries(template, (block, column))?;
            }
        }
        self.by_code = by_code.into();
        Ok(())
    }

    pub(super) fn verdict_of(&self, used: &TemplateUse) -> &Verdict {
        let templates = (self.test, &**self.uses.table());
        self.verdicts.of(used.template, self.predicate, templates)
    }

    fn find_settling(&mut self) {
        let literals = self.test.literals().into_iter().flatten();
        let words = literals.filter_map(|literal| literal.is_word);
        let listed = words.filter(|word| self.lists.count_of(*word).is_some());
        self.settling = listed.collect();
    }

    pub(super) fn is_settling(&self, word: Option<WordIndex>) -> bool {
        word.is_some_and(|word| self.settling.contains(&word))
    }

    fn ask_lists(&self) -> Vec<Outcome> {
        let words = self.test.literals().into_iter().flatten();
        let mut words = words.filter_map(|literal| literal.is_word);
        let lists_settle = words.all(|word| self.is_settling(Some(word)));
        let of_kind = VerdictKind::ALL.map(|kind| match kind {
            VerdictKind::All => Outcome::All,
            VerdictKind::None => Outcome::None,
            VerdictKind::Listed if lists_settle => Outcome::None,
            VerdictKind::Listed | VerdictKind::Open => Outcome::Open,
        });
        let uses = self.uses.uses();
        let mut outcomes = Vec::with_capacity(uses.len() + 1);
        outcomes.push(self.outcome_of_whole());
        // Looked up: nobody could foresee which kind the next template is.
        let kinds = uses.iter().map(|used| self.verdicts.kind_of(used.template));
        outcomes.extend(kinds.map(|kind| of_kind[kind as usize]));
        for (outcome, used) in outcomes.iter_mut().skip(1).zip(uses) {
            if *outcome == Outcome::Open {
                *outcome = self.outcome_by_lists(used);
            }
        }
        outcomes
    }

    fn outcome_by_lists(&self, used: &TemplateUse) -> Outcome {
        match self.verdict_of(used) {
            Verdict::None => Outcome::None,
            Verdict::Slots(needs) if self.open_needs(needs, used).next().is_none() => Outcome::None,
            _ => Outcome::Open,
        }
    }

    fn outcome_of_whole(&self) -> Outcome {
        let may_hold = |literal: &Literal| {
            !self.is_settling(literal.is_word)
                && literal.words.iter().all(|word| self.lists.may_hold(*word))
        };
        match self.test.literals() {
            _ if self.uses.whole_rows() == 0 => Outcome::None,
            Some(literals) if !literals.iter().any(may_hold) => Outcome::None,
            _ => Outcome::Open,
        }
    }

    /// The needs that some text of a template may meet, as far as stamps and lists tell, but for those that lists settle.
    pub(super) fn open_needs(
        &self,
        needs: &SlotNeeds,
        used: &TemplateUse,
    ) -> impl Iterator<Item = SlotNeed> {
        let may_hold = move |needed: SlotPart| {
            let part = self.test.part(needed);
            let stamp = used.stamps.get(needed.slot);
            stamp.is_some_and(|stamp| part.fits(stamp))
                && needs
                    .listed_words(part)
                    .all(|word| self.lists.may_hold(word))
        };
        let open = needs.needs.iter().copied();
        open.filter(move |need| !self.is_settling(need.word) && need.parts().all(may_hold))
    }

    /// The outcome of a template that lists leave open.
    fn outcome_by_dictionaries(
        &self,
        template: usize,
        (block, column): (&OpenBlock, usize),
    ) -> Result<Outcome, Failure> {
        let used = &self.uses.uses()[template];
        let Verdict::Slots(needs) = self.verdict_of(used) else {
            return Ok(Outcome::Open);
        };
        for need in self.open_needs(needs, used) {
            if self.fits(need, template, block.slot_index(column)?)? {
                return Ok(Outcome::Open);
            }
        }
        Ok(Outcome::None)
    }

    /// Whether a need may be met by some text of a template, as its slots with few values tell.
    pub(super) fn fits(
        &self,
        need: SlotNeed,
        template: usize,
        index: &SlotIndex,
    ) -> Result<bool, Failure> {
        for needed in need.parts() {
            let values = index.distinct_values(template, needed.slot)?;
            let part = self.test.part(needed);
            if values.is_some_and(|values| part.select(needed, values).is_empty()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How many texts have each code.
    pub(crate) fn rows_by_code(&self) -> impl Iterator<Item = u32> {
        self.uses.rows_by_code()
    }

    /// Whether lists, besides the outcomes, are all that is needed.
    pub(crate) fn are_settled(&self) -> bool {
        !self.by_code().contains(&Outcome::Open)
    }

    /// How many lists hold texts that match.
    pub(crate) fn lists(&self) -> usize {
        let holding = self.settling.iter();
        holding.filter(|word| self.lists.may_hold(**word)).count()
    }

    /// Whether no text that is listed follows a template whose texts all match: another alternative might hold for these.
    pub(crate) fn counts_add_up(&self) -> bool {
        let is_alone = self.test.literals().is_some_and(|all| all.len() == 1);
        is_alone || self.lists() == 0
    }

    /// How many texts match because they are listed, where one list holds them at most.
    pub(crate) fn count_listed(&self) -> u64 {
        let counts = self.settling.iter();
        let counts = counts.filter_map(|word| self.lists.count_of(*word));
        counts.map(u64::from).sum()
    }

    /// The lists of the texts that match, by rank, besides those of codes whose outcome is all.
    pub(crate) fn listed(&self) -> Result<Vec<&[u32]>, Failure> {
        let mut lists = Vec::with_capacity(self.settling.len());
        for word in &self.settling {
            lists.extend(self.lists.texts_of(*word)?);
        }
        Ok(lists)
    }

    /// Whether lists narrow what is to be looked at in the slots or in texts that are kept whole.
    pub(crate) fn have_listed_parts(&self) -> bool {
        let literals = self.test.literals().into_iter().flatten();
        let mut words = literals.flat_map(|literal| &literal.words);
        words.any(|word| self.lists.count_of(*word).is_some())
    }
    /// Of so many ranks, those whose texts may match if they are kept whole, as lists tell, besides those that lists settle.
    pub(super) fn whole_listed(&self, texts: usize) -> Result<Selection, Failure> {
        let Some(literals) = self.test.literals() else {
            return Ok(Selection::all(texts));
        };
        let mut any = Selection::none(texts);
        for literal in literals {
            if self.is_settling(literal.is_word) {
                continue;
            }
            match self.lists.texts_of_all(literal.words.iter().copied())? {
                Some(listed) => listed.iter().for_each(|rank| any.insert(*rank as usize)),
                None => return Ok(Selection::all(texts)),
            }
        }
        Ok(any)
    }
}
