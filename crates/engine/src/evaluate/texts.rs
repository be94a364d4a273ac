//! One test on a column of texts that follow templates: decided template by template, then by what the index of the slots
//! says, and only where that does not suffice by the slots themselves.

use std::sync::Arc;

use cordwood_query::{Predicate, TextTest};
use cordwood_store::column::{SlotIndex, SlotValues};
use cordwood_store::template::{TemplateUse, TemplateUses};

use crate::block::OpenBlock;
use crate::evaluate::frames::PartsInFrames;
use crate::evaluate::listed::{ListedTexts, TextsOfWord};
use crate::evaluate::templates::{
    Literal, SlotNeed, SlotPart, TableVerdicts, TemplateTest, Verdict, WordIndex,
};
use crate::evaluate::values::ValueTest;
use crate::evaluate::{Failure, ranks};
use crate::selection::Selection;

/// Of a template with at least one wanted text in so many, all texts are put together and searched in one pass; of
/// others, the wanted ones alone.
const SPARSE_SHARE: usize = 8;

/// What a test says of the texts of one code in one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    All,
    None,
    /// The index lists those that match.
    Listed,
    /// It depends on the slots, or on the texts that are kept whole.
    Open,
}

impl Outcome {
    /// What is known of a whole without a look at single texts.
    pub(crate) fn known(self) -> Option<bool> {
        match self {
            Outcome::All => Some(true),
            Outcome::None => Some(false),
            Outcome::Listed | Outcome::Open => None,
        }
    }
}

/// A test on one column of one block.
#[derive(Debug)]
pub(crate) struct TextColumnTest<'a> {
    predicate: &'a Predicate,
    test: &'a TemplateTest,
    verdicts: Arc<TableVerdicts>,
    block: &'a OpenBlock,
    column: usize,
    uses: &'a TemplateUses,
    /// What the index lists of the words of the test.
    listed: ListedTexts,
    /// Which frames of slots hold a part of the test at all.
    frames: PartsInFrames,
    /// By code: 0 are the texts that are kept whole.
    outcomes: Vec<Outcome>,
}

impl<'a> TextColumnTest<'a> {
    /// Reads the index of the slots, if a template is not decided by itself.
    pub(crate) fn new(
        (predicate, test): (&'a Predicate, &'a TemplateTest),
        (block, column): (&'a OpenBlock, usize),
        uses: &'a TemplateUses,
    ) -> Result<TextColumnTest<'a>, Failure> {
        let mut column_test = TextColumnTest::unasked((predicate, test), (block, column), uses);
        column_test.outcomes = match predicate.text_test() {
            TextTest::Always => vec![Outcome::All; uses.uses().len() + 1],
            TextTest::Never => vec![Outcome::None; uses.uses().len() + 1],
            _ => column_test.ask_index()?,
        };
        Ok(column_test)
    }

    fn unasked(
        (predicate, test): (&'a Predicate, &'a TemplateTest),
        (block, column): (&'a OpenBlock, usize),
        uses: &'a TemplateUses,
    ) -> TextColumnTest<'a> {
        TextColumnTest {
            verdicts: test.verdicts(predicate, uses.table()),
            predicate,
            test,
            block,
            column,
            uses,
            listed: ListedTexts::new(test.words().len(), uses),
            frames: PartsInFrames::default(),
            outcomes: Vec::new(),
        }
    }

    /// Whether such a test would read nothing.
    pub(crate) fn is_decided_unread(
        (predicate, test): (&'a Predicate, &'a TemplateTest),
        (block, column): (&'a OpenBlock, usize),
        uses: &'a TemplateUses,
    ) -> bool {
        match predicate.text_test() {
            TextTest::Always | TextTest::Never => true,
            _ => TextColumnTest::unasked((predicate, test), (block, column), uses)
                .is_decided_by_templates(),
        }
    }

    /// Whether every text follows a template that is decided by itself.
    fn is_decided_by_templates(&self) -> bool {
        let is_decided = |used: &TemplateUse| match self.verdicts.of(used.template) {
            Verdict::All | Verdict::None => true,
            Verdict::Slots(needs) => !needs.iter().any(|need| self.fits_stamps(*need, used)),
            Verdict::Open => false,
        };
        self.uses.whole_rows() == 0 && self.uses.uses().iter().all(is_decided)
    }

    fn ask_index(&self) -> Result<Vec<Outcome>, Failure> {
        let mut outcomes = vec![self.outcome_of_whole()?];
        for (template, used) in self.uses.uses().iter().enumerate() {
            outcomes.push(match self.verdicts.of(used.template) {
                Verdict::All => Outcome::All,
                Verdict::None => Outcome::None,
                Verdict::Slots(needs) => self.outcome_of_needs(needs, template)?,
                Verdict::Open => Outcome::Open,
            });
        }
        Ok(outcomes)
    }

    fn outcome_of_whole(&self) -> Result<Outcome, Failure> {
        if self.uses.whole_rows() == 0 {
            return Ok(Outcome::None);
        }
        let Some(literals) = self.test.literals() else {
            return Ok(Outcome::Open);
        };
        let mut outcome = Outcome::None;
        for literal in literals {
            let listed = match literal.is_word {
                Some(word) => self.texts_of(word)?,
                None => None,
            };
            match listed {
                Some(texts) if texts.of_code(0).next().is_some() => outcome = Outcome::Listed,
                None if self.whole_may_hold(literal)? => return Ok(Outcome::Open),
                _ => {}
            }
        }
        Ok(outcome)
    }

    fn whole_may_hold(&self, literal: &Literal) -> Result<bool, Failure> {
        for word in &literal.words {
            let may_hold = match self.texts_of(*word)? {
                Some(texts) => texts.of_code(0).next().is_some(),
                None => self.index()?.whole_may_hold(&self.test.words()[*word])?,
            };
            if !may_hold {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn outcome_of_needs(&self, needs: &[SlotNeed], template: usize) -> Result<Outcome, Failure> {
        let mut outcome = Outcome::None;
        for need in needs {
            if !self.fits_stamps(*need, &self.uses.uses()[template]) {
                continue;
            }
            match self.listed_for(*need)? {
                Some(texts) if texts.of_code(template + 1).next().is_some() => {
                    outcome = Outcome::Listed;
                }
                None if self.fits(*need, template)? => return Ok(Outcome::Open),
                _ => {}
            }
        }
        Ok(outcome)
    }

    /// The texts that meet a need, if the index lists them.
    fn listed_for(&self, need: SlotNeed) -> Result<Option<TextsOfWord<'_>>, Failure> {
        match need.word {
            Some(word) => self.texts_of(word),
            None => Ok(None),
        }
    }

    fn index(&self) -> Result<&'a SlotIndex, Failure> {
        Ok(self.block.slot_index(self.column)?)
    }

    fn texts_of(&self, word: WordIndex) -> Result<Option<TextsOfWord<'_>>, Failure> {
        self.listed.of(word, || {
            Ok(self.index()?.texts_of(&self.test.words()[word])?)
        })
    }

    fn fits_stamps(&self, need: SlotNeed, used: &TemplateUse) -> bool {
        need.parts().all(|needed| {
            let stamp = used.stamps.get(needed.slot);
            stamp.is_some_and(|stamp| self.test.part(needed).fits(stamp))
        })
    }

    /// Whether a need may be met by some text of a template.
    fn fits(&self, need: SlotNeed, template: usize) -> Result<bool, Failure> {
        if !self.fits_stamps(need, &self.uses.uses()[template]) {
            return Ok(false);
        }
        for needed in need.parts() {
            if !self.slot_may_hold(needed, template)? {
                return Ok(false);
            }
        }
        match (need.word, need.next) {
            (Some(pair), Some(_)) => {
                let pair = &self.test.words()[pair];
                Ok(self.index()?.may_hold_between(pair)?)
            }
            _ => Ok(true),
        }
    }

    fn slot_may_hold(&self, needed: SlotPart, template: usize) -> Result<bool, Failure> {
        let part = self.test.part(needed);
        for word in &part.words {
            let may_hold = match self.texts_of(*word)? {
                Some(texts) => texts.of_code(template + 1).next().is_some(),
                None => {
                    let word = &self.test.words()[*word];
                    self.index()?.may_hold(template, needed.slot, word)?
                }
            };
            if !may_hold {
                return Ok(false);
            }
        }
        let values = self.index()?.distinct_values(template, needed.slot)?;
        Ok(values.is_none_or(|values| !part.select(needed, values).is_empty()))
    }

    /// By code.
    pub(crate) fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// Of the texts of a code whose outcome is listed or open, by their places, those that match, of the wanted ones at least.
    pub(crate) fn select_places(
        &self,
        code: usize,
        wanted: &Selection,
        keeps_texts: bool,
    ) -> Result<Selection, Failure> {
        let Some(template) = code.checked_sub(1) else {
            return self.select_whole(wanted, keeps_texts);
        };
        let verdict = self.verdicts.of(self.uses.uses()[template].template);
        let mut candidates = wanted.clone();
        if let Verdict::Slots(needs) = verdict {
            let (meeting, suffices) = self.meeting_any(needs, template, wanted.rows())?;
            candidates.intersect(&meeting);
            if suffices || candidates.is_empty() {
                return Ok(candidates);
            }
        }
        self.select_built(template, &candidates, keeps_texts)
    }

    /// The places that meet a need, and whether all of them match.
    fn meeting_any(
        &self,
        needs: &[SlotNeed],
        template: usize,
        rows: usize,
    ) -> Result<(Selection, bool), Failure> {
        let mut any = Selection::none(rows);
        let mut suffices = true;
        for need in needs {
            if let Some(texts) = self.listed_for(*need)? {
                let places = texts.of_code(template + 1);
                places.for_each(|place| any.insert(place));
                continue;
            }
            if !self.fits(*need, template)? {
                continue;
            }
            let (meeting, is_enough) = self.meeting(*need, template, rows)?;
            suffices &= is_enough || meeting.is_empty();
            any.union(&meeting);
        }
        Ok((any, suffices))
    }

    /// The places whose slot holds what it needs to; `None` if that is not known.
    fn holding(
        &self,
        needed: SlotPart,
        template: usize,
        rows: usize,
    ) -> Result<Option<Selection>, Failure> {
        let part = self.test.part(needed);
        let slots = self.block.text_slots(self.column)?;
        if let Some(frame) = slots.frame_of(template, needed.slot)?
            && !self.frames.holds((needed.part, part), frame)
        {
            return Ok(Some(Selection::none(rows)));
        }
        Ok(match slots.values(template, needed.slot)? {
            SlotValues::Texts(values) => Some(part.select(needed, values)),
            SlotValues::Dictionary(values, codes) => {
                let held = part.select(needed, values);
                let is_held = |place: usize| {
                    let code = codes.get(place);
                    code.is_some_and(|code| held.contains(usize::from(*code)))
                };
                Some(Selection::all(rows).filter(is_held))
            }
            SlotValues::Numbers => None,
        })
    }

    /// The places that meet a need, and whether all of them match.
    fn meeting(
        &self,
        need: SlotNeed,
        template: usize,
        rows: usize,
    ) -> Result<(Selection, bool), Failure> {
        let mut meeting: Option<Selection> = None;
        let mut suffices = need.suffices;
        for needed in need.parts() {
            match (self.holding(needed, template, rows)?, &mut meeting) {
                (Some(holding), Some(meeting)) => meeting.intersect(&holding),
                (Some(holding), None) => meeting = Some(holding),
                (None, _) => suffices = false,
            }
            if meeting.as_ref().is_some_and(Selection::is_empty) {
                break;
            }
        }
        let meeting = meeting.unwrap_or_else(|| Selection::all(rows));
        Ok((meeting, suffices))
    }

    fn select_built(
        &self,
        template: usize,
        candidates: &Selection,
        keeps_texts: bool,
    ) -> Result<Selection, Failure> {
        let slots = self.block.text_slots(self.column)?;
        let mut held = Selection::none(candidates.rows());
        if candidates.count() * SPARSE_SHARE < candidates.rows() {
            let mut text = String::new();
            for place in candidates.iter() {
                text.clear();
                slots.push_text(template, place, &mut text)?;
                if self.predicate.matches_text(&text) {
                    held.insert(place);
                }
            }
            return Ok(held);
        }
        let built;
        let run = match keeps_texts {
            true => slots.run_of(template)?,
            false => {
                built = slots.build_run(template)?;
                &built
            }
        };
        let mut select = |place: usize| held.insert(place);
        self.predicate
            .select_texts(run.text.as_bytes(), &run.ends, &mut select);
        held.intersect(candidates);
        Ok(held)
    }

    fn select_whole(&self, wanted: &Selection, keeps_texts: bool) -> Result<Selection, Failure> {
        let mut held = Selection::none(wanted.rows());
        if self.outcomes.first() == Some(&Outcome::Listed) {
            let words = self.test.literals().into_iter().flatten();
            for word in words.filter_map(|literal| literal.is_word) {
                if let Some(texts) = self.texts_of(word)? {
                    texts.of_code(0).for_each(|place| held.insert(place));
                }
            }
            held.intersect(wanted);
            return Ok(held);
        }
        let whole = self.block.text_slots(self.column)?.whole()?;
        for index in 0..whole.frame_count() {
            if keeps_texts {
                whole.get(whole.frame_ranks(index).start)?;
            }
            let frame = whole.frame(index)?;
            let mut select = |place: usize| held.insert(frame.first_rank + place);
            self.predicate
                .select_texts(frame.text.as_bytes(), frame.ends, &mut select);
        }
        held.intersect(wanted);
        Ok(held)
    }
}

/// Those rows of `among` whose text in the column at `index` matches. Reads nothing if no template can match, and the
/// slots only if there is a template on which the outcome depends on them.
pub(crate) fn select(
    test: &ValueTest<'_>,
    templates: &TemplateTest,
    (block, index): (&OpenBlock, usize),
    uses: &TemplateUses,
    among: &Selection,
) -> Result<Selection, Failure> {
    let none = Selection::none(among.rows());
    if test.is_inside_arrays() {
        return Ok(none);
    }
    if matches!(test.predicate.text_test(), TextTest::Always) {
        let presence = block.presence(index)?;
        return Ok(ranks::to_rows(&presence, ranks::to_ranks(&presence, among)));
    }
    let column_test = TextColumnTest::new((test.predicate, templates), (block, index), uses)?;
    let outcomes = column_test.outcomes();
    if outcomes.iter().all(|outcome| *outcome == Outcome::None) {
        return Ok(none);
    }
    test.has_tested_rows.set(true);
    let presence = block.presence(index)?;
    let wanted = ranks::to_ranks(&presence, among);
    let codes = block.text_codes(index)?;
    let codes = codes.codes();
    let outcome_of = |rank: usize| outcomes.get(usize::from(*codes.get(rank)?)).copied();
    let mut held = wanted.filter(|rank| outcome_of(rank) == Some(Outcome::All));
    for (code, ranks) in open_ranks(codes, outcomes, &wanted) {
        test.budget.check()?;
        let mut places = Selection::none(ranks.len());
        for (place, rank) in ranks.iter().enumerate() {
            if wanted.contains(*rank) {
                places.insert(place);
            }
        }
        let matching = column_test.select_places(code, &places, test.keeps_frames)?;
        for place in matching.iter() {
            held.insert(ranks[place]);
        }
    }
    Ok(ranks::to_rows(&presence, held))
}

/// The codes whose outcomes differ from text to text and that have wanted ranks, each with all its ranks.
fn open_ranks(
    codes: &[u16],
    outcomes: &[Outcome],
    wanted: &Selection,
) -> impl Iterator<Item = (usize, Vec<usize>)> {
    let is_open = |code: usize| {
        let outcome = outcomes.get(code);
        outcome.is_some_and(|outcome| outcome.known().is_none())
    };
    let mut ranks: Vec<Option<Vec<usize>>> = vec![None; outcomes.len()];
    if (0..outcomes.len()).any(is_open) {
        for rank in wanted.iter() {
            let code = codes.get(rank).map_or(0, |code| usize::from(*code));
            if is_open(code) {
                ranks[code].get_or_insert_default();
            }
        }
        for (rank, code) in codes.iter().enumerate() {
            if let Some(Some(ranks)) = ranks.get_mut(usize::from(*code)) {
                ranks.push(rank);
            }
        }
    }
    let with_codes = ranks.into_iter().enumerate();
    with_codes.filter_map(|(code, ranks)| Some((code, ranks?)))
}
