//! Texts of a column as templates and slots: told apart by their codes, and put together only when asked for.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use cordwood_event::Value;

use super::{DictCodes, StrValues};
use crate::block::TEXT_BYTES_MAX;
use crate::encoding::{Corrupt, Slots};
use crate::template::TemplateUses;

pub use crate::encoding::{SlotFrame, SlotIndex, SlotRun, SlotValues};

const PAST_END: Corrupt = Corrupt("a rank past the last text");

/// Which template each text of a column follows, without what is in the slots. A clone shares what it holds.
#[derive(Clone, Debug)]
pub struct TextCodes {
    inner: Arc<Codes>,
}

#[derive(Debug)]
struct Codes {
    codes: DictCodes,
    /// By rank, how many ranks before it have the same code; counted when first asked for.
    places: OnceLock<Vec<u32>>,
    uses: Arc<TemplateUses>,
}

/// What is in the slots of a column, and the texts that follow no template: all its texts, but not in which rows they are. A
/// text is named by its template's index in [`TemplateUses::uses`] and its place, which counts the texts of the template
/// in the order of their rows. A clone shares what it holds.
#[derive(Clone, Debug)]
pub struct TextSlots {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    slots: Slots,
    uses: Arc<TemplateUses>,
    /// By template.
    runs: Vec<OnceLock<TextRun>>,
}

/// The texts of a column by rank. A clone shares what has been put together.
#[derive(Clone, Debug)]
pub struct TextValues {
    codes: TextCodes,
    slots: TextSlots,
}

/// All texts of a column that follow one template, one after the other in the order of their ranks.
#[derive(Clone, Debug, Default)]
pub struct TextRun {
    /// The texts.
    pub text: String,
    /// Where each of them ends.
    pub ends: Vec<u32>,
}

impl TextCodes {
    pub(crate) fn new(codes: DictCodes, uses: Arc<TemplateUses>) -> TextCodes {
        TextCodes {
            inner: Arc::new(Codes {
                codes,
                places: OnceLock::new(),
                uses,
            }),
        }
    }

    /// By rank: 0 for a text that is kept whole, else one more than the index of its template in
    /// [`TemplateUses::uses`].
    pub fn codes(&self) -> Result<&[u16], Corrupt> {
        self.inner.codes.get()
    }

    /// The codes of a few ranks, in the order asked for, without unpacking all.
    pub fn of_ranks(&self, ranks: &[usize]) -> Result<Vec<u16>, Corrupt> {
        self.inner.codes.of_ranks(ranks)
    }

    /// The ranks whose code is one that `holds`, as bits: 64 ranks to a word, the first in the lowest.
    pub fn select(&self, holds: &[bool]) -> Result<Vec<u64>, Corrupt> {
        self.inner.codes.select(holds)
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.inner.codes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The templates.
    pub fn uses(&self) -> &Arc<TemplateUses> {
        &self.inner.uses
    }

    /// Whether the directory counts what is there.
    pub(crate) fn are_as_counted(&self) -> Result<bool, Corrupt> {
        let counts = self.inner.codes.count()?;
        Ok(counts.into_iter().eq(self.uses().rows_by_code()))
    }

    /// The code of a rank, and how many ranks before it have the same.
    fn place_of(&self, rank: usize) -> Result<(u16, usize), Corrupt> {
        let codes = self.codes()?;
        let code = codes.get(rank);
        let places = self.inner.places.get_or_init(|| self.count_places(codes));
        let (code, place) = code.zip(places.get(rank)).ok_or(PAST_END)?;
        Ok((*code, *place as usize))
    }

    /// The same of a rank alone, without counting the places of all.
    fn find_place(&self, rank: usize) -> Result<(u16, usize), Corrupt> {
        let codes = self.codes()?;
        let before = codes.get(..rank).ok_or(PAST_END)?;
        let code = *codes.get(rank).ok_or(PAST_END)?;
        Ok((code, before.iter().filter(|other| **other == code).count()))
    }

    fn count_places(&self, codes: &[u16]) -> Vec<u32> {
        let mut counts = vec![0u32; self.uses().uses().len() + 1];
        let mut place = |code: &u16| match counts.get_mut(usize::from(*code)) {
            Some(count) => {
                *count += 1;
                *count - 1
            }
            None => 0,
        };
        codes.iter().map(&mut place).collect()
    }
}

impl TextRun {
    /// The text at `index`.
    pub fn get(&self, index: usize) -> Option<&str> {
        let start = match index.checked_sub(1) {
            Some(previous) => *self.ends.get(previous)? as usize,
            None => 0,
        };
        self.text.get(start..*self.ends.get(index)? as usize)
    }
}

impl TextSlots {
    /// The slots in the chunk `stored`, where `index` says.
    pub(crate) fn new(index: Arc<SlotIndex>, stored: Bytes, uses: Arc<TemplateUses>) -> TextSlots {
        let runs = uses.uses().iter().map(|_| OnceLock::new());
        TextSlots {
            inner: Arc::new(Inner {
                runs: runs.collect(),
                slots: Slots::new(index, stored),
                uses,
            }),
        }
    }

    /// What the slots can hold.
    pub fn index(&self) -> &SlotIndex {
        self.inner.slots.index()
    }

    /// The texts that are kept whole, in the order of their rows.
    pub fn whole(&self) -> Result<&StrValues, Corrupt> {
        self.inner.slots.whole()
    }

    /// The values of a slot of a template, by the places of its texts.
    pub fn values(&self, template: usize, slot: usize) -> Result<SlotValues<'_>, Corrupt> {
        self.inner.slots.values(template, slot)
    }

    /// Whether each value of a slot of a template is known to have a digit, without a look at it.
    pub fn are_numbers(&self, template: usize, slot: usize) -> Result<bool, Corrupt> {
        self.inner.slots.are_numbers(template, slot)
    }

    /// The frame that holds the values of a slot of a template, if they are text.
    pub fn frame_of(&self, template: usize, slot: usize) -> Result<Option<SlotFrame<'_>>, Corrupt> {
        self.inner.slots.frame_of(template, slot)
    }

    /// Appends the text at a place of a template.
    pub fn push_text(
        &self,
        template: usize,
        place: usize,
        out: &mut String,
    ) -> Result<(), Corrupt> {
        self.push_between(self.statics(template)?, (template, place), out)
    }

    /// The same of one that is asked for by itself.
    fn push_single(&self, template: usize, place: usize, out: &mut String) -> Result<(), Corrupt> {
        let mut statics = self.statics(template)?;
        out.push_str(statics.next().unwrap_or_default());
        for (slot, text) in statics.enumerate() {
            self.inner.slots.push_single((template, slot), place, out)?;
            out.push_str(text);
        }
        Ok(())
    }

    fn statics(&self, template: usize) -> Result<impl Iterator<Item = &str>, Corrupt> {
        let used = self.inner.uses.uses().get(template).ok_or(PAST_END)?;
        let known = self.inner.uses.table().get(used.template as usize);
        Ok(known.ok_or(PAST_END)?.statics())
    }

    /// Appends the values of a text between the static texts of its template.
    fn push_between<'t>(
        &self,
        mut statics: impl Iterator<Item = &'t str>,
        (template, place): (usize, usize),
        out: &mut String,
    ) -> Result<(), Corrupt> {
        out.push_str(statics.next().unwrap_or_default());
        for (slot, text) in statics.enumerate() {
            self.inner.slots.push_value((template, slot), place, out)?;
            out.push_str(text);
        }
        Ok(())
    }

    /// All texts of a template, kept for who asks next.
    pub fn run_of(&self, template: usize) -> Result<&TextRun, Corrupt> {
        let cell = self.inner.runs.get(template);
        let cell = cell.ok_or(Corrupt("a template past the last"))?;
        if let Some(run) = cell.get() {
            return Ok(run);
        }
        let run = self.build_run(template)?;
        Ok(cell.get_or_init(|| run))
    }

    /// All texts of a template, for the caller alone.
    pub fn build_run(&self, template: usize) -> Result<TextRun, Corrupt> {
        let uses = self.inner.uses.uses();
        let rows = uses.get(template).map_or(0, |used| used.rows as usize);
        let statics: Vec<&str> = self.statics(template)?.collect();
        let mut run = TextRun::default();
        for place in 0..rows {
            let between = statics.iter().copied();
            self.push_between(between, (template, place), &mut run.text)?;
            let end = u32::try_from(run.text.len()).ok();
            let end = end.filter(|end| *end as usize <= TEXT_BYTES_MAX);
            run.ends
                .push(end.ok_or(Corrupt("more text than a block can hold"))?);
        }
        Ok(run)
    }
}

impl TextValues {
    /// The texts of one column, in two halves.
    pub fn new(codes: TextCodes, slots: TextSlots) -> TextValues {
        TextValues { codes, slots }
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Which template each text follows.
    pub fn codes(&self) -> &TextCodes {
        &self.codes
    }

    /// What is in the slots.
    pub fn slots(&self) -> &TextSlots {
        &self.slots
    }

    /// The text of rank `rank`; puts all texts of its template together the first time, and keeps them. For a few
    /// texts alone see [`text`](Self::text).
    pub fn get(&self, rank: usize) -> Result<&str, Corrupt> {
        let (code, place) = self.codes.place_of(rank)?;
        match usize::from(code).checked_sub(1) {
            None => self.slots.whole()?.get(place),
            Some(template) => self.slots.run_of(template)?.get(place).ok_or(PAST_END),
        }
    }

    /// The text of rank `rank`, put together by itself.
    pub fn text(&self, rank: usize) -> Result<String, Corrupt> {
        self.text_at(self.codes.place_of(rank)?)
    }

    /// The same of a few ranks.
    pub(crate) fn values_of(&self, ranks: &[usize]) -> Result<Vec<Value>, Corrupt> {
        let texts = self.of_ranks(ranks)?.into_iter();
        Ok(texts.map(|text| Value::Str(text.into())).collect())
    }

    /// The texts of some ranks, each put together by itself.
    fn of_ranks(&self, ranks: &[usize]) -> Result<Vec<String>, Corrupt> {
        /// Counting all places takes as long as finding so many.
        const FEW: usize = 16;
        let is_few = ranks.len() < FEW;
        let text = |rank: &usize| match is_few {
            true => self.single_at(self.codes.find_place(*rank)?),
            false => self.text_at(self.codes.place_of(*rank)?),
        };
        ranks.iter().map(text).collect()
    }

    /// The text of a code, by its place among those of the code, without a look at others of its template.
    fn single_at(&self, (code, place): (u16, usize)) -> Result<String, Corrupt> {
        let Some(template) = usize::from(code).checked_sub(1) else {
            return self.slots.whole()?.get(place).map(str::to_owned);
        };
        let mut text = String::new();
        self.slots.push_single(template, place, &mut text)?;
        Ok(text)
    }

    /// The text of a code, by its place among those of the code.
    fn text_at(&self, (code, place): (u16, usize)) -> Result<String, Corrupt> {
        let Some(template) = usize::from(code).checked_sub(1) else {
            return self.slots.whole()?.get(place).map(str::to_owned);
        };
        let mut text = String::new();
        self.slots.push_text(template, place, &mut text)?;
        Ok(text)
    }
}
