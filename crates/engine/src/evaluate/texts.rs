//! One test on a column of texts that follow templates: decided template by template, then by posting lists, and only where these do
//! not suffice by the slots themselves.

use std::sync::Arc;

use cordwood_query::{Predicate, TextTest};
use cordwood_store::column::{SlotIndex, SlotValues, TextCodes};
use cordwood_store::template::{TemplateUse, TemplateUses};

use crate::block::OpenBlock;
use crate::evaluate::frames::PartsInFrames;
use crate::evaluate::listed::{ListedTexts, WordIndex};
use crate::evaluate::templates::{
    Literal, SlotNeed, SlotNeeds, SlotPart, TableVerdicts, TemplateTest, Verdict, VerdictKind,
};
use crate::evaluate::values::{CODES_SPARSE_SHARE, ValueTest};
use crate::evaluate::{Failure, ranks};
use crate::selection::Selection;

/// Of a template with at least one wanted text in so many, all texts are put together and searched in one pass; of
/// others, the wanted ones alone.
const SPARSE_SHARE: usize = 8;

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

/// A test on one column of one block.
#[derive(Debug)]
pub(crate) struct TextColumnTest<'a> {
    predicate: &'a Predicate,
    test: &'a TemplateTest,
    verdicts: Arc<TableVerdicts>,
    block: &'a OpenBlock,
    column: usize,
    uses: &'a TemplateUses,
    /// What the posting lists say of the words of the test.
    lists: ListedTexts<'a>,
    /// Words each of which is all that it takes for a match: the texts listed under them match.
    settling: Vec<WordIndex>,
    /// Which frames of slots hold a part of the test at all.
    frames: PartsInFrames,
    /// By code: 0 are the texts that are kept whole.
    outcomes: Vec<Outcome>,
}

impl<'a> TextColumnTest<'a> {
    /// Reads the index of the slots, if templates and posting lists leave something open.
    pub(crate) fn new(
        (predicate, test): (&'a Predicate, &'a TemplateTest),
        (block, column): (&'a OpenBlock, usize),
        uses: &'a TemplateUses,
    ) -> Result<TextColumnTest<'a>, Failure> {
        let mut column_test = TextColumnTest::unread((predicate, test), (block, column), uses);
        for code in 1..column_test.outcomes.len() {
            if column_test.outcomes[code] == Outcome::Open {
                column_test.outcomes[code] = column_test.outcome_by_dictionaries(code - 1)?;
            }
        }
        Ok(column_test)
    }

    /// The same, as far as it can be told without a look at the block.
    pub(crate) fn unread(
        (predicate, test): (&'a Predicate, &'a TemplateTest),
        (block, column): (&'a OpenBlock, usize),
        uses: &'a TemplateUses,
    ) -> TextColumnTest<'a> {
        let mut column_test = TextColumnTest {
            verdicts: test.verdicts(predicate, uses.table()),
            predicate,
            test,
            block,
            column,
            uses,
            lists: ListedTexts::new(test.words(), (block, column)),
            settling: Vec::new(),
            frames: PartsInFrames::default(),
            outcomes: Vec::new(),
        };
        let of_all = |outcome: Outcome| vec![outcome; uses.uses().len() + 1];
        column_test.outcomes = match predicate.text_test() {
            TextTest::Always => of_all(Outcome::All),
            TextTest::Never => of_all(Outcome::None),
            _ => {
                column_test.find_settling();
                column_test.ask_lists()
            }
        };
        column_test
    }

    fn verdict_of(&self, used: &TemplateUse) -> &Verdict {
        let templates = (self.test, &**self.uses.table());
        self.verdicts.of(used.template, self.predicate, templates)
    }

    fn find_settling(&mut self) {
        let literals = self.test.literals().into_iter().flatten();
        let words = literals.filter_map(|literal| literal.is_word);
        let listed = words.filter(|word| self.lists.count_of(*word).is_some());
        self.settling = listed.collect();
    }

    fn is_settling(&self, word: Option<WordIndex>) -> bool {
        word.is_some_and(|word| self.settling.contains(&word))
    }

    fn ask_lists(&self) -> Vec<Outcome> {
        let words = self.test.literals().into_iter().flatten();
        let mut words = words.filter_map(|literal| literal.is_word);
        let lists_settle = words.all(|word| self.is_settling(Some(word)));
        let of_template = |used: &TemplateUse| match self.verdicts.kind_of(used.template) {
            VerdictKind::All => Outcome::All,
            VerdictKind::None => Outcome::None,
            VerdictKind::Listed if lists_settle => Outcome::None,
            VerdictKind::Listed | VerdictKind::Open => self.outcome_by_lists(used),
        };
        let mut outcomes = Vec::with_capacity(self.uses.uses().len() + 1);
        outcomes.push(self.outcome_of_whole());
        outcomes.extend(self.uses.uses().iter().map(of_template));
        outcomes
    }

    fn outcome_by_lists(&self, used: &TemplateUse) -> Outcome {
        match self.verdict_of(used) {
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
    fn open_needs(&self, needs: &SlotNeeds, used: &TemplateUse) -> impl Iterator<Item = SlotNeed> {
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
    fn outcome_by_dictionaries(&self, template: usize) -> Result<Outcome, Failure> {
        let used = &self.uses.uses()[template];
        let Verdict::Slots(needs) = self.verdict_of(used) else {
            return Ok(Outcome::Open);
        };
        for need in self.open_needs(needs, used) {
            if self.fits(need, template)? {
                return Ok(Outcome::Open);
            }
        }
        Ok(Outcome::None)
    }

    /// Whether a need may be met by some text of a template, as its slots with few values tell.
    fn fits(&self, need: SlotNeed, template: usize) -> Result<bool, Failure> {
        for needed in need.parts() {
            let values = self.index()?.distinct_values(template, needed.slot)?;
            let part = self.test.part(needed);
            if values.is_some_and(|values| part.select(needed, values).is_empty()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn index(&self) -> Result<&'a SlotIndex, Failure> {
        Ok(self.block.slot_index(self.column)?)
    }

    /// By code.
    pub(crate) fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// Whether lists, besides the outcomes, are all that is needed.
    pub(crate) fn is_settled(&self) -> bool {
        !self.outcomes.contains(&Outcome::Open)
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
    pub(crate) fn has_listed_parts(&self) -> bool {
        let literals = self.test.literals().into_iter().flatten();
        let mut words = literals.flat_map(|literal| &literal.words);
        words.any(|word| self.lists.count_of(*word).is_some())
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
        let used = &self.uses.uses()[template];
        let mut candidates = wanted.clone();
        if let Verdict::Slots(needs) = self.verdict_of(used) {
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
        for need in self.open_needs(needs, &self.uses.uses()[template]) {
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
            if !self.fits(need, template)? {
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
        let parts = need.parts().map(|needed| self.test.part(needed));
        let words = parts.flat_map(|part| needs.listed_words(part));
        let listed = self.lists.texts_of_all(words)?;
        Ok(listed.map(|listed| places_of(&listed, ranks)))
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
            let listed = self.whole_listed(texts as usize)?;
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
                    if text.is_some_and(|text| self.predicate.matches_text(text)) {
                        held.insert(place);
                    }
                }
                continue;
            }
            let mut select = |place: usize| held.insert(frame.first_rank + place);
            self.predicate
                .select_texts(frame.text.as_bytes(), frame.ends, &mut select);
        }
        held.intersect(&candidates);
        Ok(held)
    }

    /// Of so many ranks, those whose texts may match if they are kept whole, as lists tell, besides those that lists settle.
    fn whole_listed(&self, texts: usize) -> Result<Selection, Failure> {
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
    let is_by_code = outcomes.iter().any(|outcome| *outcome != Outcome::None);
    if !is_by_code && column_test.lists() == 0 {
        return Ok(none);
    }
    test.has_tested_rows.set(true);
    let presence = block.presence(index)?;
    let wanted = ranks::to_ranks(&presence, among);
    let mut held = Selection::none(wanted.rows());
    for list in column_test.listed()? {
        list.iter().for_each(|rank| held.insert(*rank as usize));
    }
    held.intersect(&wanted);
    if !is_by_code {
        return Ok(ranks::to_rows(&presence, held));
    }
    if uses.uses().is_empty() {
        let mut open = column_test.whole_listed(wanted.rows())?;
        open.intersect(&wanted);
        let open = ranks::to_rows(&presence, open);
        let mut held = ranks::to_rows(&presence, held);
        held.union(&test.select(block.column(index)?, &open)?);
        return Ok(held);
    }
    let codes = block.text_codes(index)?;
    let mut open = wanted;
    open.subtract(&held);
    let matching = match few_by_code(&column_test, codes, &open)? {
        Some(matching) => matching,
        None => by_code(test, &column_test, codes.codes()?, &open)?,
    };
    held.union(&matching);
    Ok(ranks::to_rows(&presence, held))
}

/// The same as [`by_code`] of so few ranks that their codes are looked up one by one; `None` if it takes more than that.
fn few_by_code(
    column_test: &TextColumnTest<'_>,
    codes: &TextCodes,
    wanted: &Selection,
) -> Result<Option<Selection>, Failure> {
    if wanted.count() * CODES_SPARSE_SHARE >= codes.len() {
        return Ok(None);
    }
    let ranks: Vec<usize> = wanted.iter().collect();
    let mut held = Selection::none(wanted.rows());
    for (code, rank) in codes.of_ranks(&ranks)?.into_iter().zip(ranks) {
        match column_test.outcomes().get(usize::from(code)) {
            Some(Outcome::All) => held.insert(rank),
            Some(Outcome::None) => {}
            Some(Outcome::Open) | None => return Ok(None),
        }
    }
    Ok(Some(held))
}

/// Those of the wanted ranks whose text matches because of its template or of what is in its slots.
fn by_code(
    test: &ValueTest<'_>,
    column_test: &TextColumnTest<'_>,
    codes: &[u16],
    wanted: &Selection,
) -> Result<Selection, Failure> {
    let outcomes = column_test.outcomes();
    let is_all: Vec<bool> = outcomes
        .iter()
        .map(|outcome| *outcome == Outcome::All)
        .collect();
    let mut held = match is_all.contains(&true) {
        true => wanted.filter_values(codes, |code| is_all.get(usize::from(code)) == Some(&true)),
        false => Selection::none(wanted.rows()),
    };
    for (code, ranks) in open_ranks(codes, outcomes, wanted) {
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
