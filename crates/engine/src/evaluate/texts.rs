//! One test on a column of texts that follow templates: decided template by template, then by posting lists, and only where these do
//! not suffice by the slots themselves.

use std::borrow::Cow;

use cordwood_query::TextTest;
use cordwood_store::column::{SlotValues, TextCodes};
use cordwood_store::template::TemplateUses;

use crate::block::OpenBlock;
use crate::evaluate::frames::PartsInFrames;
use crate::evaluate::outcomes::{Outcome, TextOutcomes};
use crate::evaluate::templates::{SlotNeed, SlotNeeds, SlotPart, TemplateTest, Verdict};
use crate::evaluate::values::{CODES_SPARSE_SHARE, ValueTest};
use crate::evaluate::{Failure, ranks};
use crate::selection::Selection;

/// Of a template with at least one wanted text in so many, all texts are put together and searched in one pass; of
/// others, the wanted ones alone.
const SPARSE_SHARE: usize = 8;

/// A test on one column of one block, of what its outcomes leave open.
#[derive(Debug)]
pub(crate) struct TextColumnTest<'a> {
    outcomes: &'a TextOutcomes<'a>,
    block: &'a OpenBlock,
    column: usize,
    /// Which frames of slots hold a part of the test at all.
    frames: PartsInFrames,
}

impl<'a> TextColumnTest<'a> {
    pub(crate) fn new(
        outcomes: &'a TextOutcomes<'a>,
        (block, column): (&'a OpenBlock, usize),
    ) -> TextColumnTest<'a> {
        TextColumnTest {
            outcomes,
            block,
            column,
            frames: PartsInFrames::default(),
        }
    }

    /// What is known of the texts of a code.
    pub(crate) fn outcome(&self, code: usize) -> Outcome {
        let outcome = self.outcomes.by_code().get(code);
        outcome.copied().unwrap_or(Outcome::None)
    }

    /// Of the texts of a code whose outcome is open, by their places, those that match, of the wanted ones at least. With the
    /// ranks of the texts at hand, lists narrow what is looked at.
    pub(crate) fn select_places(
        &self,
        (code, ranks): (usize, Option<&[usize]>),
        wanted: &Selection,
        keeps_texts: bool,
    ) -> Result<Selection, Failure> {
        let Some(template) = code.checked_sub(1) else {
            return self.select_whole(ranks, wanted, keeps_texts);
        };
        let used = &self.outcomes.uses.uses()[template];
        let mut candidates = wanted.clone();
        if let Verdict::Slots(needs) = self.outcomes.verdict_of(used) {
            let (meeting, suffices) = self.meeting_any(needs, (template, ranks), wanted)?;
            candidates.intersect(&meeting);
            if suffices || candidates.is_empty() {
                return Ok(candidates);
            }
        }
        self.select_built(template, &candidates, keeps_texts)
    }

    /// The places that meet a need which lists leave open, and whether all of them match.
    fn meeting_any(
        &self,
        needs: &SlotNeeds,
        (template, ranks): (usize, Option<&[usize]>),
        wanted: &Selection,
    ) -> Result<(Selection, bool), Failure> {
        let mut any = Selection::none(wanted.rows());
        let mut suffices = true;
        for need in self
            .outcomes
            .open_needs(needs, &self.outcomes.uses.uses()[template])
        {
            if let Some(ranks) = ranks
                && let Some(mut listed) = self.places_listed(needs, need, ranks)?
            {
                listed.intersect(wanted);
                if listed.count() * SPARSE_SHARE < wanted.rows() {
                    suffices &= listed.is_empty();
                    any.union(&listed);
                    continue;
                }
            }
            let index = self.block.slot_index(self.column)?;
            if !self.outcomes.fits(need, template, index)? {
                continue;
            }
            let (meeting, is_enough) = self.meeting(need, template, wanted.rows())?;
            suffices &= is_enough || meeting.is_empty();
            any.union(&meeting);
        }
        Ok((any, suffices))
    }

    /// The places whose slots hold all the words that a need asks for, if any of these are listed; `ranks` has one for each place.
    fn places_listed(
        &self,
        needs: &SlotNeeds,
        need: SlotNeed,
        ranks: &[usize],
    ) -> Result<Option<Selection>, Failure> {
        let parts = need.parts().map(|needed| self.outcomes.test.part(needed));
        let words = parts.flat_map(|part| needs.listed_words(part));
        let listed = self.outcomes.lists.texts_of_all(words)?;
        Ok(listed.map(|listed| places_of(&listed, ranks)))
    }

    /// The places whose slot holds what it needs to; `None` if that is not known.
    fn holding(
        &self,
        needed: SlotPart,
        template: usize,
        rows: usize,
    ) -> Result<Option<Selection>, Failure> {
        let part = self.outcomes.test.part(needed);
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
                if self.outcomes.predicate.matches_text(&text) {
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
        self.outcomes
            .predicate
            .select_texts(run.text.as_bytes(), &run.ends, &mut select);
        held.intersect(candidates);
        Ok(held)
    }

    fn select_whole(
        &self,
        ranks: Option<&[usize]>,
        wanted: &Selection,
        keeps_texts: bool,
    ) -> Result<Selection, Failure> {
        let whole = self.block.text_slots(self.column)?.whole()?;
        let mut candidates = wanted.clone();
        if let Some(ranks) = ranks {
            let texts = self.block.directory().columns[self.column].present;
            let listed = self.outcomes.whole_listed(texts as usize)?;
            candidates = candidates.filter(|place| {
                let rank = ranks.get(place);
                rank.is_some_and(|rank| listed.contains(*rank))
            });
        }
        let mut held = Selection::none(wanted.rows());
        for index in 0..whole.frame_count() {
            let places = whole.frame_ranks(index);
            let count = candidates.count_in(places.clone());
            if count == 0 {
                continue;
            }
            if keeps_texts {
                whole.get(places.start)?;
            }
            let frame = whole.frame(index)?;
            if count * SPARSE_SHARE < places.len() {
                for place in candidates.iter_in(places) {
                    let text = frame.get(place - frame.first_rank);
                    if text.is_some_and(|text| self.outcomes.predicate.matches_text(text)) {
                        held.insert(place);
                    }
                }
                continue;
            }
            let mut select = |place: usize| held.insert(frame.first_rank + place);
            self.outcomes
                .predicate
                .select_texts(frame.text.as_bytes(), frame.ends, &mut select);
        }
        held.intersect(&candidates);
        Ok(held)
    }
}

/// The places of those ranks that are listed.
fn places_of(listed: &[u32], ranks: &[usize]) -> Selection {
    let mut places = Selection::none(ranks.len());
    let mut from = 0;
    for rank in listed {
        let rest = &ranks[from..];
        from += rest.partition_point(|known| *known < *rank as usize);
        if ranks.get(from) == Some(&(*rank as usize)) {
            places.insert(from);
        }
    }
    places
}

/// Those rows of `among` whose text in the column at `index` matches. Reads nothing of the block if neither a template nor a list
/// makes a match possible, and texts only where these leave the outcome open.
pub(crate) fn select(
    (test, templates): (&ValueTest<'_>, &TemplateTest),
    (block, index): (&OpenBlock, usize),
    uses: Cow<'_, TemplateUses>,
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
    let asked = (test.predicate, templates);
    let mut outcomes = TextOutcomes::new(asked, (block.handle(), index), uses);
    outcomes.ask_dictionaries((block, index))?;
    let by_code = outcomes.by_code();
    let is_by_code = by_code.iter().any(|outcome| *outcome != Outcome::None);
    if !is_by_code && outcomes.lists() == 0 {
        return Ok(none);
    }
    test.has_tested_rows.set(true);
    let presence = block.presence(index)?;
    let wanted = ranks::to_ranks(&presence, among);
    let mut held = Selection::none(wanted.rows());
    for list in outcomes.listed()? {
        list.iter().for_each(|rank| held.insert(*rank as usize));
    }
    held.intersect(&wanted);
    if !is_by_code {
        return Ok(ranks::to_rows(&presence, held));
    }
    if outcomes.uses.uses().is_empty() {
        let mut open = outcomes.whole_listed(wanted.rows())?;
        open.intersect(&wanted);
        let open = ranks::to_rows(&presence, open);
        let mut held = ranks::to_rows(&presence, held);
        held.union(&test.select(block.column(index)?, &open)?);
        return Ok(held);
    }
    let codes = block.text_codes(index)?;
    let mut open = wanted;
    open.subtract(&held);
    let matching = match few_by_code(by_code, codes, &open)? {
        Some(matching) => matching,
        None => {
            let column_test = TextColumnTest::new(&outcomes, (block, index));
            select_by_code(test, &column_test, codes, &open)?
        }
    };
    held.union(&matching);
    Ok(ranks::to_rows(&presence, held))
}

/// The same as [`select_by_code`] of so few ranks that their codes are looked up one by one; `None` if it takes more than that.
fn few_by_code(
    outcomes: &[Outcome],
    codes: &TextCodes,
    wanted: &Selection,
) -> Result<Option<Selection>, Failure> {
    if wanted.count() * CODES_SPARSE_SHARE >= codes.len() {
        return Ok(None);
    }
    let ranks: Vec<usize> = wanted.iter().collect();
    let mut held = Selection::none(wanted.rows());
    for (code, rank) in codes.of_ranks(&ranks)?.into_iter().zip(ranks) {
        match outcomes.get(usize::from(code)) {
            Some(Outcome::All) => held.insert(rank),
            Some(Outcome::None) => {}
            Some(Outcome::Open) | None => return Ok(None),
        }
    }
    Ok(Some(held))
}

/// Those of the wanted ranks whose text matches because of its template or of what is in its slots.
fn select_by_code(
    test: &ValueTest<'_>,
    column_test: &TextColumnTest<'_>,
    codes: &TextCodes,
    wanted: &Selection,
) -> Result<Selection, Failure> {
    let outcomes = column_test.outcomes.by_code();
    let is_all: Vec<bool> = outcomes
        .iter()
        .map(|outcome| *outcome == Outcome::All)
        .collect();
    let mut held = Selection::none(wanted.rows());
    if is_all.contains(&true) {
        held = Selection::of_words(wanted.rows(), codes.select(&is_all)?);
        held.intersect(wanted);
    }
    if !outcomes.contains(&Outcome::Open) {
        return Ok(held);
    }
    for (code, ranks) in open_ranks(codes.codes()?, outcomes, wanted) {
        test.budget.check()?;
        let mut places = Selection::none(ranks.len());
        for (place, rank) in ranks.iter().enumerate() {
            if wanted.contains(*rank) {
                places.insert(place);
            }
        }
        let of_code = (code, Some(&*ranks));
        let matching = column_test.select_places(of_code, &places, test.keeps_frames)?;
        for place in matching.iter() {
            held.insert(ranks[place]);
        }
    }
    Ok(held)
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
