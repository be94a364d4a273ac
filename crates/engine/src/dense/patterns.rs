//! The patterns of all rows of a block as codes: of texts that follow templates, template by template where a template tells the
//! pattern of all its texts.

use std::borrow::Cow;
use std::collections::HashMap;

use cordwood_store::column::{Column, SlotRun, SlotValues, StrValues, TextCodes, TextSlots};
use cordwood_store::template::Template;

use super::codes::{self, Coded, Interned};
use crate::block::OpenBlock;
use crate::budget::Budget;
use crate::evaluate::Failure;
use crate::key::KeyRef;
use crate::pattern::{Form, SourcePatterns, word_of};

/// How many texts are looked at between two looks at the budget.
const TEXTS_PER_CHECK: usize = 1024;

/// The patterns of the texts of one code.
enum OfCode {
    One(u32),
    /// By place.
    Each(Vec<u32>),
}

/// Of the column at an index, whose texts follow templates. Slots are read only where templates leave it open what is in them.
pub(super) fn of_templates<'b>(
    (block, index): (&'b OpenBlock, usize),
    patterns: &SourcePatterns<'_>,
    budget: &Budget,
) -> Result<Coded<'b>, Failure> {
    let codes = block.text_codes(index)?;
    let mut forms = Forms::new(patterns, budget);
    let by_code = of_codes((block, index), codes, &mut forms)?;
    let mut places = vec![0usize; by_code.len()];
    let pattern_of = |code: &u16| {
        let code = usize::from(*code);
        match by_code.get(code) {
            Some(OfCode::One(pattern)) => *pattern,
            Some(OfCode::Each(patterns)) => {
                let place = places[code];
                places[code] += 1;
                patterns.get(place).copied().unwrap_or(0)
            }
            None => 0,
        }
    };
    let by_rank = codes.codes()?.iter().map(pattern_of).collect();
    let presence = block.presence(index)?;
    let presence = (!presence.is_all()).then(|| Cow::Owned((*presence).clone()));
    Ok(forms.interned.with_codes(by_rank, presence))
}

fn of_codes(
    (block, index): (&OpenBlock, usize),
    codes: &TextCodes,
    forms: &mut Forms<'_>,
) -> Result<Vec<OfCode>, Failure> {
    let uses = codes.uses();
    let mut by_code = Vec::with_capacity(uses.uses().len() + 1);
    by_code.push(match uses.whole_rows() {
        0 => OfCode::One(0),
        _ => OfCode::Each(forms.of_each(block.text_slots(index)?.whole()?)?),
    });
    for (place, used) in uses.uses().iter().enumerate() {
        let form = forms.patterns.of_template(uses.table(), used.template);
        by_code.push(match form {
            Some(form) => OfCode::One(forms.interned.code(KeyRef::Text(&form))),
            None => {
                let slots = block.text_slots(index)?;
                let template = uses.table().get(used.template as usize);
                let form = Form::of_template(template.map_or("", Template::text));
                let words = SlotWords::of(slots, place, &form)?;
                OfCode::Each(forms.of_places(slots, (place, used.rows as usize), &words)?)
            }
        });
    }
    Ok(by_code)
}

/// Of any other column in which no row has several values; else `None`.
pub(super) fn of_column<'c>(
    column: &Column,
    patterns: &SourcePatterns<'_>,
) -> Result<Option<Coded<'c>>, Failure> {
    let Some(coded) = codes::of_column(Cow::Borrowed(column))? else {
        return Ok(None);
    };
    let mut interned = Interned::default();
    let mut by_code = Vec::with_capacity(coded.len());
    for code in 0..coded.len() {
        by_code.push(match patterns.of_key(coded.key(code)) {
            Some(form) => interned.code(KeyRef::Text(&form)),
            None => interned.code(KeyRef::Null),
        });
    }
    let by_row = coded.by_row()?;
    let by_row = (0..column.presence.rows()).map(|row| by_code[by_row.get(row)]);
    Ok(Some(interned.with_codes(by_row.collect(), None)))
}

/// The patterns found so far.
struct Forms<'p> {
    patterns: &'p SourcePatterns<'p>,
    budget: &'p Budget,
    interned: Interned,
    texts: usize,
}

impl<'p> Forms<'p> {
    fn new(patterns: &'p SourcePatterns<'p>, budget: &'p Budget) -> Forms<'p> {
        Forms {
            patterns,
            budget,
            interned: Interned::default(),
            texts: 0,
        }
    }

    fn of(&mut self, text: &str) -> Result<u32, Failure> {
        if self.texts.is_multiple_of(TEXTS_PER_CHECK) {
            self.budget.check()?;
        }
        self.texts += 1;
        let form = self.patterns.of_text(text);
        Ok(self.interned.code(KeyRef::Text(&form)))
    }

    /// Of the texts of a template, by place: texts with the same words in its slots are of one pattern, and put together once.
    fn of_places(
        &mut self,
        slots: &TextSlots,
        (template, rows): (usize, usize),
        words: &SlotWords<'_>,
    ) -> Result<Vec<u32>, Failure> {
        let mut known: HashMap<String, u32> = HashMap::new();
        let mut patterns = Vec::with_capacity(rows);
        let (mut at_place, mut text) = (String::new(), String::new());
        for place in 0..rows {
            at_place.clear();
            words.push(place, &mut at_place);
            if let Some(pattern) = known.get(&at_place) {
                patterns.push(*pattern);
                continue;
            }
            text.clear();
            slots.push_text(template, place, &mut text)?;
            let pattern = self.of(&text)?;
            known.insert(at_place.clone(), pattern);
            patterns.push(pattern);
        }
        Ok(patterns)
    }

    fn of_each(&mut self, texts: &StrValues) -> Result<Vec<u32>, Failure> {
        let mut patterns = Vec::with_capacity(texts.len());
        for index in 0..texts.frame_count() {
            let frame = texts.frame(index)?;
            for index in 0..frame.len() {
                patterns.push(self.of(frame.get(index).unwrap_or_default())?);
            }
        }
        Ok(patterns)
    }
}

/// The words in those slots of a template that may hold some.
struct SlotWords<'s> {
    slots: Vec<InSlot<'s>>,
}

/// The words in one slot, by the place of a text.
enum InSlot<'s> {
    Texts(SlotRun<'s>),
    /// By code, and the codes by place.
    Dictionary(Vec<&'s str>, &'s [u16]),
}

impl<'s> SlotWords<'s> {
    fn of(
        slots: &'s TextSlots,
        template: usize,
        form: &Form<'_>,
    ) -> Result<SlotWords<'s>, Failure> {
        let mut words = Vec::new();
        for slot in form.open_slots() {
            if slots.are_numbers(template, slot)? {
                continue;
            }
            words.push(match slots.values(template, slot)? {
                SlotValues::Numbers => continue,
                SlotValues::Texts(run) => InSlot::Texts(run),
                SlotValues::Dictionary(run, codes) => {
                    let values = (0..run.len()).map(|code| run.get(code).unwrap_or_default());
                    let words = values.map(|value| word_of(value).unwrap_or_default());
                    InSlot::Dictionary(words.collect(), codes)
                }
            });
        }
        Ok(SlotWords { slots: words })
    }

    /// Appends the words at a place, each behind a line feed, which no slot holds; nothing for what varies.
    fn push(&self, place: usize, out: &mut String) {
        for slot in &self.slots {
            let word = match slot {
                InSlot::Texts(run) => run.get(place).and_then(word_of),
                InSlot::Dictionary(words, codes) => codes
                    .get(place)
                    .and_then(|code| words.get(usize::from(*code)))
                    .copied(),
            };
            out.push('\n');
            out.push_str(word.unwrap_or_default());
        }
    }
}
