//! One test on a column of texts that follow templates: decided template by template, then by what the index of the slots
//! says, and only where that does not suffice by the slots themselves.

use std::sync::Arc;

use cordwood_query::{Predicate, TextTest};
use cordwood_store::column::{SlotIndex, SlotValues, TextSlots};
use cordwood_store::template::{TemplateUse, TemplateUses};

use crate::block::OpenBlock;
use crate::evaluate::templates::{SlotNeed, SlotPart, TableVerdicts, TemplateTest, Verdict};
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
    /// It depends on the slots, or on the texts that are kept whole.
    Open,
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
        let uses = self.uses.uses();
        let index = match self.is_decided_by_templates() {
            true => None,
            false => Some(self.block.slot_index(self.column)?),
        };
        let whole = match index {
            Some(index) if self.test.may_match_whole(index) => Outcome::Open,
            _ => Outcome::None,
        };
        let of_template = |(template, used): (usize, &TemplateUse)| {
            Ok(match (self.verdicts.of(used.template), index) {
                (Verdict::All, _) => Outcome::All,
                // Without an index all is decided.
                (Verdict::None, _) | (_, None) => Outcome::None,
                (Verdict::Slots(needs), Some(index)) => {
                    match self.fits_any(needs, template, index)? {
                        true => Outcome::Open,
                        false => Outcome::None,
                    }
                }
                (Verdict::Open, Some(_)) => Outcome::Open,
            })
        };
        let of_templates = uses.iter().enumerate().map(of_template);
        std::iter::once(Ok(whole)).chain(of_templates).collect()
    }

    fn fits_stamps(&self, need: SlotNeed, used: &TemplateUse) -> bool {
        need.parts().all(|needed| {
            let stamp = used.stamps.get(needed.slot);
            stamp.is_some_and(|stamp| self.test.part(needed).fits(stamp))
        })
    }

    fn fits(&self, need: SlotNeed, template: usize, index: &SlotIndex) -> Result<bool, Failure> {
        if !self.fits_stamps(need, &self.uses.uses()[template]) {
            return Ok(false);
        }
        for needed in need.parts() {
            let part = self.test.part(needed);
            if !index.may_hold(template, needed.slot, &part.words)? {
                return Ok(false);
            }
            let values = index.distinct_values(template, needed.slot)?;
            if values.is_some_and(|values| part.select(needed, values).is_empty()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn fits_any(
        &self,
        needs: &[SlotNeed],
        template: usize,
        index: &SlotIndex,
    ) -> Result<bool, Failure> {
        for need in needs {
            if self.fits(*need, template, index)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// By code.
    pub(crate) fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// Of the texts of a code whose outcome is open, by their places, those that match, of the wanted ones at least.
    pub(crate) fn select_places(
        &self,
        code: usize,
        wanted: &Selection,
        keeps_texts: bool,
    ) -> Result<Selection, Failure> {
        let slots = self.block.text_slots(self.column)?;
        let Some(template) = code.checked_sub(1) else {
            return self.select_whole(slots, wanted, keeps_texts);
        };
        let verdict = self.verdicts.of(self.uses.uses()[template].template);
        let mut candidates = wanted.clone();
        if let Verdict::Slots(needs) = verdict {
            let mut any = Selection::none(wanted.rows());
            let mut suffices = true;
            let index = slots.index();
            for need in needs {
                if !self.fits(*need, template, index)? {
                    continue;
                }
                let (meeting, is_enough) = self.meeting(*need, template, slots, wanted.rows())?;
                suffices &= is_enough || meeting.is_empty();
                any.union(&meeting);
            }
            candidates.intersect(&any);
            if suffices {
                return Ok(candidates);
            }
        }
        self.select_built(slots, template, &candidates, keeps_texts)
    }

    /// The places whose slot holds what it needs to; `None` if that is not known.
    fn holding(
        &self,
        needed: SlotPart,
        template: usize,
        slots: &TextSlots,
        rows: usize,
    ) -> Result<Option<Selection>, Failure> {
        let part = self.test.part(needed);
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
        slots: &TextSlots,
        rows: usize,
    ) -> Result<(Selection, bool), Failure> {
        let mut meeting = Selection::all(rows);
        let mut suffices = need.suffices;
        for needed in need.parts() {
            match self.holding(needed, template, slots, rows)? {
                Some(holding) => meeting.intersect(&holding),
                None => suffices = false,
            }
            if meeting.is_empty() {
                break;
            }
        }
        Ok((meeting, suffices))
    }

    fn select_built(
        &self,
        slots: &TextSlots,
        template: usize,
        candidates: &Selection,
        keeps_texts: bool,
    ) -> Result<Selection, Failure> {
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

    fn select_whole(
        &self,
        slots: &TextSlots,
        wanted: &Selection,
        keeps_texts: bool,
    ) -> Result<Selection, Failure> {
        let mut held = Selection::none(wanted.rows());
        let whole = slots.whole()?;
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

/// The codes with open outcomes and wanted ranks, each with all its ranks.
fn open_ranks(
    codes: &[u16],
    outcomes: &[Outcome],
    wanted: &Selection,
) -> impl Iterator<Item = (usize, Vec<usize>)> {
    let is_open = |code: usize| outcomes.get(code) == Some(&Outcome::Open);
    let mut ranks: Vec<Option<Vec<usize>>> = vec![None; outcomes.len()];
    if outcomes.contains(&Outcome::Open) {
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
