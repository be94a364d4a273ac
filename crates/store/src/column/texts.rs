//! Texts of a column as templates and slots: told apart by their codes, and put together only when asked for.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::StrValues;
use crate::block::TEXT_BYTES_MAX;
use crate::encoding::{Corrupt, SlotValues, Slots, decode_slots};
use crate::template::TemplateUses;

const PAST_END: Corrupt = Corrupt("a rank past the last text");

/// Which template each text of a column follows, without what is in the slots. A clone shares what it holds.
#[derive(Clone, Debug)]
pub struct TextCodes {
    inner: Arc<Codes>,
}

#[derive(Debug)]
struct Codes {
    codes: Vec<u16>,
    /// By rank, how many ranks before it have the same code.
    places: Vec<u32>,
    /// The texts that are kept whole: those of code 0.
    whole: StrValues,
    uses: Arc<TemplateUses>,
}

/// The texts of a column by rank. A clone shares what has been put together.
#[derive(Clone, Debug)]
pub struct TextValues {
    codes: TextCodes,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    stored: Bytes,
    slots: OnceLock<Slots>,
    /// By template.
    runs: Vec<OnceLock<TextRun>>,
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
    pub(crate) fn new(codes: Vec<u16>, whole: StrValues, uses: Arc<TemplateUses>) -> TextCodes {
        let mut counts = vec![0u32; uses.uses().len() + 1];
        let mut place = |code: &u16| match counts.get_mut(usize::from(*code)) {
            Some(count) => {
                *count += 1;
                *count - 1
            }
            None => 0,
        };
        let places = codes.iter().map(&mut place).collect();
        let inner = Codes {
            codes,
            places,
            whole,
            uses,
        };
        TextCodes {
            inner: Arc::new(inner),
        }
    }

    /// By rank: 0 for a text that is kept whole, else one more than the index of its template in
    /// [`TemplateUses::uses`].
    pub fn codes(&self) -> &[u16] {
        &self.inner.codes
    }

    /// The templates.
    pub fn uses(&self) -> &Arc<TemplateUses> {
        &self.inner.uses
    }

    /// The texts of code 0, in the order of their ranks.
    pub fn whole(&self) -> &StrValues {
        &self.inner.whole
    }

    /// The code of a rank, and how many ranks before it have the same.
    fn place_of(&self, rank: usize) -> Result<(u16, usize), Corrupt> {
        let code = self.inner.codes.get(rank);
        let place = self.inner.places.get(rank);
        let (code, place) = code.zip(place).ok_or(PAST_END)?;
        Ok((*code, *place as usize))
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

impl TextValues {
    /// The texts of `codes`, whose slots are in the chunk `stored`.
    pub(crate) fn new(codes: TextCodes, stored: Bytes) -> TextValues {
        let templates = codes.uses().uses().len();
        TextValues {
            codes,
            inner: Arc::new(Inner {
                stored,
                slots: OnceLock::new(),
                runs: (0..templates).map(|_| OnceLock::new()).collect(),
            }),
        }
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.codes.codes().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Which template each text follows.
    pub fn codes(&self) -> &TextCodes {
        &self.codes
    }

    /// The text of rank `rank`; puts all texts of its template together the first time, and keeps them. For a few
    /// texts alone see [`text`](Self::text).
    pub fn get(&self, rank: usize) -> Result<&str, Corrupt> {
        let (code, place) = self.codes.place_of(rank)?;
        match usize::from(code).checked_sub(1) {
            None => self.codes.whole().get(place),
            Some(template) => self.run_of(template)?.get(place).ok_or(PAST_END),
        }
    }

    /// The text of rank `rank`, put together by itself.
    pub fn text(&self, rank: usize) -> Result<String, Corrupt> {
        let (code, place) = self.codes.place_of(rank)?;
        let Some(template) = usize::from(code).checked_sub(1) else {
            return self.codes.whole().get(place).map(str::to_owned);
        };
        let mut text = String::new();
        self.builder(template)?.push(place, &mut text)?;
        Ok(text)
    }

    /// All texts of the template at an index of [`TemplateUses::uses`], kept for who asks next.
    pub fn run_of(&self, template: usize) -> Result<&TextRun, Corrupt> {
        let cell = self.inner.runs.get(template);
        let cell = cell.ok_or(Corrupt("a template past the last"))?;
        if let Some(run) = cell.get() {
            return Ok(run);
        }
        let run = self.build_run(template)?;
        Ok(cell.get_or_init(|| run))
    }

    /// All texts of the template at an index of [`TemplateUses::uses`], for the caller alone.
    pub fn build_run(&self, template: usize) -> Result<TextRun, Corrupt> {
        let uses = self.codes.uses().uses();
        let rows = uses.get(template).map_or(0, |used| used.rows as usize);
        let builder = self.builder(template)?;
        let mut run = TextRun::default();
        for place in 0..rows {
            builder.push(place, &mut run.text)?;
            let end = u32::try_from(run.text.len()).ok();
            let end = end.filter(|end| *end as usize <= TEXT_BYTES_MAX);
            run.ends
                .push(end.ok_or(Corrupt("more text than a block can hold"))?);
        }
        Ok(run)
    }

    fn builder(&self, template: usize) -> Result<TextBuilder<'_>, Corrupt> {
        let slots = self.slots()?;
        let code = u16::try_from(template + 1).map_err(|_| PAST_END)?;
        let known = self.codes.uses().template_of(code);
        let known = known.ok_or(Corrupt("a template past the last"))?;
        let mut statics = known.statics();
        let before = statics.next().unwrap_or_default();
        let after = statics.enumerate().map(|(slot, text)| {
            let values = slots.get(template, slot);
            Ok((values.ok_or(Corrupt("a slot past the last"))?, text))
        });
        Ok(TextBuilder {
            slots,
            before,
            after: after.collect::<Result<_, Corrupt>>()?,
        })
    }

    fn slots(&self) -> Result<&Slots, Corrupt> {
        if let Some(slots) = self.inner.slots.get() {
            return Ok(slots);
        }
        let slots = decode_slots(&self.inner.stored, self.codes.uses())?;
        Ok(self.inner.slots.get_or_init(|| slots))
    }
}

/// Puts texts of one template together.
struct TextBuilder<'a> {
    slots: &'a Slots,
    before: &'a str,
    /// Each slot, with the static text behind it.
    after: Vec<(&'a SlotValues, &'a str)>,
}

impl TextBuilder<'_> {
    fn push(&self, place: usize, out: &mut String) -> Result<(), Corrupt> {
        out.push_str(self.before);
        for (slot, text) in &self.after {
            self.slots.push_value(slot, place, out)?;
            out.push_str(text);
        }
        Ok(())
    }
}
