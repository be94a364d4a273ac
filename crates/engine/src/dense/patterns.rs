//! The patterns of the rows of a block as codes: of texts that follow templates, template by template where a template tells the
//! pattern of all its texts. Of rows that are not asked for, no text is looked at.

use std::borrow::Cow;

use cordwood_store::column::{Column, Presence, StrValues, TextCodes};
use rapidhash::RapidHashMap;

use super::codes::{self, Coded};
use super::slot_words::SlotWords;
use crate::block::OpenBlock;
use crate::budget::Budget;
use crate::evaluate::{Failure, ranks};
use crate::pattern::{FormNumber, OfTemplate, OpenTemplate, SourcePatterns, TextForms};
use crate::selection::Selection;

/// How many texts are looked at between two looks at the budget.
const TEXTS_PER_CHECK: usize = 1024;

/// Of the selected rows, by the column at an index, whose texts follow templates. Slots are read only where templates leave it open
/// what is in them.
pub(super) fn of_templates<'b>(
    (block, index): (&'b OpenBlock, usize),
    patterns: &SourcePatterns<'_>,
    (selected, budget): (&Selection, &Budget),
) -> Result<Coded<'b>, Failure> {
    let presence = block.presence(index)?;
    let asked = ranks::to_ranks(&presence, selected);
    let numbers = match asked.is_empty() {
        true => vec![FormNumber::OTHER; asked.rows()],
        false => {
            let codes = block.text_codes(index)?;
            let column = TextColumn {
                block,
                index,
                codes,
                patterns,
            };
            column.numbers(&asked, &mut Forms::new(patterns, budget))?
        }
    };
    let presence = (!presence.is_all()).then(|| Cow::Owned((*presence).clone()));
    Ok(Coded::of_numbers(&numbers, presence))
}

/// Of any other column in which no row has several values; else `None`.
pub(super) fn of_column<'c>(
    column: &Column,
    patterns: &SourcePatterns<'_>,
) -> Result<Option<Coded<'c>>, Failure> {
    let Some(coded) = codes::of_column(Cow::Borrowed(column))? else {
        return Ok(None);
    };
    let mut texts = patterns.texts();
    let numbers = (0..coded.len()).map(|code| texts.of_key(coded.key(code)));
    let by_code: Vec<Option<FormNumber>> = numbers.collect();
    let by_row = coded.by_row()?;
    let by_row = (0..column.presence.rows()).map(|row| by_code[by_row.get(row)]);
    let by_row: Vec<Option<FormNumber>> = by_row.collect();
    let present = by_row
        .iter()
        .enumerate()
        .filter(|(_, number)| number.is_some());
    let presence = Presence::of_rows(by_row.len(), present.map(|(row, _)| row));
    let numbers: Vec<FormNumber> = by_row.into_iter().flatten().collect();
    Ok(Some(Coded::of_numbers(
        &numbers,
        Some(Cow::Owned(presence)),
    )))
}

/// A column whose texts follow templates.
struct TextColumn<'a> {
    block: &'a OpenBlock,
    index: usize,
    codes: &'a TextCodes,
    patterns: &'a SourcePatterns<'a>,
}

/// The patterns of the texts of one code.
enum OfCode {
    One(FormNumber),
    /// Of those that are asked for, in their order.
    Each(std::vec::IntoIter<FormNumber>),
}

impl TextColumn<'_> {
    /// By rank, of those asked for.
    fn numbers(
        &self,
        asked: &Selection,
        forms: &mut Forms<'_>,
    ) -> Result<Vec<FormNumber>, Failure> {
        let codes = self.codes.codes()?;
        let mut by_code = self.of_codes(&Places::of(asked, self.codes)?, forms)?;
        let mut number_of = |code: &u16| match by_code.get_mut(usize::from(*code)) {
            Some(OfCode::One(number)) => *number,
            Some(OfCode::Each(numbers)) => numbers.next().unwrap_or(FormNumber::OTHER),
            None => FormNumber::OTHER,
        };
        if asked.is_all() {
            return Ok(codes.iter().map(number_of).collect());
        }
        let mut numbers = vec![FormNumber::OTHER; codes.len()];
        for rank in asked.iter() {
            if let (Some(number), Some(code)) = (numbers.get_mut(rank), codes.get(rank)) {
                *number = number_of(code);
            }
        }
        Ok(numbers)
    }

    fn of_codes(&self, places: &Places, forms: &mut Forms<'_>) -> Result<Vec<OfCode>, Failure> {
        let uses = self.codes.uses();
        let slots = || self.block.text_slots(self.index);
        let mut by_code = Vec::with_capacity(uses.uses().len() + 1);
        by_code.push(match places.of_code(0) {
            Asked::None => OfCode::One(FormNumber::OTHER),
            _ if uses.whole_rows() == 0 => OfCode::One(FormNumber::OTHER),
            asked => OfCode::Each(forms.of_whole(slots()?.whole()?, asked)?.into_iter()),
        });
        let of_table = self.patterns.of_table(uses.table());
        for (template, used) in uses.uses().iter().enumerate() {
            by_code.push(
                match (places.of_code(template + 1), of_table.of(used.template)) {
                    (Asked::None, _) | (_, None) => OfCode::One(FormNumber::OTHER),
                    (_, Some(OfTemplate::One(number))) => OfCode::One(number),
                    (asked, Some(OfTemplate::Open(open, candidates))) => {
                        let words = SlotWords::of(slots()?, template, open)?;
                        let of_template = OfOpen {
                            open,
                            candidates,
                            words,
                            rows: used.rows as usize,
                        };
                        OfCode::Each(forms.of_open(&of_template, asked)?.into_iter())
                    }
                },
            );
        }
        Ok(by_code)
    }
}

/// Which texts of each code are asked for.
enum Places {
    All,
    /// By code, rising.
    Some(Vec<Vec<u32>>),
}

/// Which texts of a code are asked for, by their places among those of the code.
#[derive(Clone, Copy)]
enum Asked<'p> {
    None,
    All,
    Some(&'p [u32]),
}

impl Places {
    fn of(asked: &Selection, codes: &TextCodes) -> Result<Places, Failure> {
        if asked.is_all() {
            return Ok(Places::All);
        }
        let count = codes.uses().uses().len() + 1;
        let mut before = vec![0u32; count];
        let mut places = vec![Vec::new(); count];
        for (rank, code) in codes.codes()?.iter().enumerate() {
            let code = usize::from(*code);
            let (Some(before), Some(places)) = (before.get_mut(code), places.get_mut(code)) else {
                continue;
            };
            if asked.contains(rank) {
                places.push(*before);
            }
            *before += 1;
        }
        Ok(Places::Some(places))
    }

    fn of_code(&self, code: usize) -> Asked<'_> {
        match self {
            Places::All => Asked::All,
            Places::Some(places) => match places.get(code) {
                Some(places) if !places.is_empty() => Asked::Some(places),
                _ => Asked::None,
            },
        }
    }
}

/// The texts of a template in whose slots words may stand.
struct OfOpen<'t> {
    open: &'t OpenTemplate,
    /// The numbers of its candidates.
    candidates: &'t [FormNumber],
    words: SlotWords<'t>,
    rows: usize,
}

/// The patterns of texts that no template tells.
struct Forms<'p> {
    patterns: &'p SourcePatterns<'p>,
    texts: TextForms<'p>,
    budget: &'p Budget,
    looked_at: usize,
}

impl<'p> Forms<'p> {
    fn new(patterns: &'p SourcePatterns<'p>, budget: &'p Budget) -> Forms<'p> {
        Forms {
            patterns,
            texts: patterns.texts(),
            budget,
            looked_at: 0,
        }
    }

    /// Looks at the budget now and then.
    fn count_text(&mut self) -> Result<(), Failure> {
        if self.looked_at.is_multiple_of(TEXTS_PER_CHECK) {
            self.budget.check()?;
        }
        self.looked_at += 1;
        Ok(())
    }

    fn of(&mut self, text: &str) -> Result<FormNumber, Failure> {
        self.count_text()?;
        Ok(self.texts.of(text))
    }

    /// Of texts that follow no template.
    fn of_whole(
        &mut self,
        texts: &StrValues,
        asked: Asked<'_>,
    ) -> Result<Vec<FormNumber>, Failure> {
        if let Asked::Some(places) = asked {
            let texts = places
                .iter()
                .map(|place| self.of(texts.get(*place as usize)?));
            return texts.collect();
        }
        let mut numbers = Vec::with_capacity(texts.len());
        for index in 0..texts.frame_count() {
            let frame = texts.frame(index)?;
            for index in 0..frame.len() {
                numbers.push(self.of(frame.get(index).unwrap_or_default())?);
            }
        }
        Ok(numbers)
    }

    /// Of texts of a template: those whose words mean the same to the known forms are of one pattern, and of the others those that
    /// have the same words.
    fn of_open(&mut self, of: &OfOpen<'_>, asked: Asked<'_>) -> Result<Vec<FormNumber>, Failure> {
        self.budget.check()?;
        let meanings = of.words.meanings(of.open, of.rows);
        let known = meanings.standing().map(|standing| {
            let index = of.open.known(standing)?;
            of.candidates.get(index).copied()
        });
        let known: Vec<Option<FormNumber>> = known.collect();
        let mut new: RapidHashMap<String, FormNumber> = RapidHashMap::default();
        let mut at_place = String::new();
        let mut number_of = |place: usize| {
            let meaning = meanings.by_place().get(place);
            if let Some(Some(number)) = meaning.and_then(|meaning| known.get(*meaning as usize)) {
                return Ok(*number);
            }
            at_place.clear();
            of.words.push(place, &mut at_place);
            if let Some(number) = new.get(&at_place) {
                return Ok(*number);
            }
            self.count_text()?;
            let form = of.open.form_with(of.words.at(place));
            let number = self.patterns.of_new(&form);
            new.insert(at_place.clone(), number);
            Ok(number)
        };
        match asked {
            Asked::Some(places) => places
                .iter()
                .map(|place| number_of(*place as usize))
                .collect(),
            _ => (0..of.rows).map(number_of).collect(),
        }
    }
}
