//! The patterns of all rows of a block as codes: of texts that follow templates, template by template where a template tells the
//! pattern of all its texts.

use std::borrow::Cow;

use cordwood_store::column::{Column, StrValues, TextCodes};
use rapidhash::RapidHashMap;

use super::codes::{self, Coded, Interned};
use super::slot_words::SlotWords;
use crate::block::OpenBlock;
use crate::budget::Budget;
use crate::evaluate::Failure;
use crate::key::KeyRef;
use crate::pattern::{Form, OfTemplate, OpenTemplate, SourcePatterns};

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
    let of_table = forms.patterns.of_table(uses.table());
    for (place, used) in uses.uses().iter().enumerate() {
        by_code.push(match of_table.of(used.template) {
            None => OfCode::One(0),
            Some(OfTemplate::One(form)) => OfCode::One(forms.interned.code(KeyRef::Text(form))),
            Some(OfTemplate::Open(open)) => {
                let words = SlotWords::of(block.text_slots(index)?, place, open)?;
                OfCode::Each(forms.of_places(open, &words, used.rows as usize)?)
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
    /// By the form that texts have of their own, if they follow no template.
    by_own: RapidHashMap<String, u32>,
    /// That of the last text.
    own: String,
    texts: usize,
}

impl<'p> Forms<'p> {
    fn new(patterns: &'p SourcePatterns<'p>, budget: &'p Budget) -> Forms<'p> {
        Forms {
            patterns,
            budget,
            interned: Interned::default(),
            by_own: RapidHashMap::default(),
            own: String::new(),
            texts: 0,
        }
    }

    /// Looks at the budget now and then.
    fn count_text(&mut self) -> Result<(), Failure> {
        if self.texts.is_multiple_of(TEXTS_PER_CHECK) {
            self.budget.check()?;
        }
        self.texts += 1;
        Ok(())
    }

    /// Of any text: those of one form are looked up once.
    fn of(&mut self, text: &str) -> Result<u32, Failure> {
        self.count_text()?;
        let form = Form::of_text(text);
        self.own.clear();
        form.push_text(&mut self.own);
        if let Some(pattern) = self.by_own.get(&self.own) {
            return Ok(*pattern);
        }
        let of_form = self.patterns.of_form(&form);
        let pattern = self.interned.code(KeyRef::Text(&of_form));
        self.by_own.insert(self.own.clone(), pattern);
        Ok(pattern)
    }

    /// Of the texts of a template, by place: those whose words mean the same to the known forms are of one pattern, and of the others
    /// those that have the same words.
    fn of_places(
        &mut self,
        open: &OpenTemplate,
        words: &SlotWords<'_>,
        rows: usize,
    ) -> Result<Vec<u32>, Failure> {
        self.budget.check()?;
        let meanings = words.meanings(open, rows);
        let known: Vec<Option<u32>> = meanings
            .standing()
            .map(|standing| Some(self.interned.code(KeyRef::Text(open.known(standing)?))))
            .collect();
        let mut new: RapidHashMap<String, u32> = RapidHashMap::default();
        let mut patterns = Vec::with_capacity(rows);
        let mut at_place = String::new();
        for (place, meaning) in meanings.by_place().iter().enumerate() {
            if let Some(Some(pattern)) = known.get(*meaning as usize) {
                patterns.push(*pattern);
                continue;
            }
            at_place.clear();
            words.push(place, &mut at_place);
            if let Some(pattern) = new.get(&at_place) {
                patterns.push(*pattern);
                continue;
            }
            self.count_text()?;
            let form = self.patterns.admitted(open.form_with(words.at(place)));
            let pattern = self.interned.code(KeyRef::Text(&form));
            new.insert(at_place.clone(), pattern);
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
