//! The patterns of all rows of a block as codes: of texts that follow templates, template by template where a template tells the
//! pattern of all its texts.

use std::borrow::Cow;

use cordwood_store::column::{Column, StrValues, TextCodes};

use super::codes::{self, Coded, Interned};
use crate::block::OpenBlock;
use crate::budget::Budget;
use crate::evaluate::Failure;
use crate::key::KeyRef;
use crate::pattern::SourcePatterns;

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
                let run = block.text_slots(index)?.build_run(place)?;
                let texts = (0..run.ends.len()).filter_map(|text| run.get(text));
                OfCode::Each(texts.map(|text| forms.of(text)).collect::<Result<_, _>>()?)
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
