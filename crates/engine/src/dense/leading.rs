//! Which rows of a block can be among the first when rows are sorted, told by its directory or by one column of it.

use std::cmp::Ordering;

use cordwood_event::Number;
use cordwood_query::{Direction, Reach, Target};
use cordwood_store::block::BlockDirectory;
use cordwood_store::column::{Column, DictCodes, Dictionary, Presence, ScalarKind, Values};

use super::codes::{has_compound, is_compound};
use super::{ColumnGrouping, Place};
use crate::datum::Datum;
use crate::evaluate::Failure;
use crate::selection::Selection;
use crate::table::SortValue;

/// By what rows are sorted before all else, and how far down they are needed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leading<'a> {
    pub(crate) field: usize,
    pub(crate) direction: Direction,
    /// How many rows of the block are needed at most.
    pub(crate) rows_max: usize,
    /// A row that stands behind this is not needed.
    pub(crate) bound: Option<&'a SortValue>,
}

impl Leading<'_> {
    fn is_within(&self, value: &SortValue) -> bool {
        self.bound
            .is_none_or(|bound| value.compare_towards(bound, self.direction).is_le())
    }
}

/// What stands before all rows of a block or beside the first, when they are sorted by a field; `None` when the directory
/// does not tell.
pub(crate) fn best_in(
    directory: &BlockDirectory,
    target: &Target,
    direction: Direction,
) -> Option<SortValue> {
    let (least, greatest) = match target {
        Target::Time => {
            let (first, last) = directory.timestamps;
            (SortValue::Time(first), SortValue::Time(last))
        }
        Target::Field(name) if directory.rest.is_none() => {
            let reaching = |path| name.reach(path).is_some();
            let mut columns = directory.columns.iter();
            let Some(column) = columns.find(|column| reaching(&column.path)) else {
                return Some(SortValue::Null);
            };
            if columns.any(|column| reaching(&column.path))
                || name.reach(&column.path) != Some(Reach::Whole)
            {
                return None;
            }
            let range = column.numbers?;
            (SortValue::Number(range.min), SortValue::Number(range.max))
        }
        _ => return None,
    };
    Some(match direction {
        Direction::Ascending => least,
        Direction::Descending => greatest,
    })
}

impl ColumnGrouping<'_> {
    /// Those of the selected rows that can be needed, with others that stand beside the last of them; `None` when that must be
    /// found out row by row.
    pub(crate) fn leading(
        &self,
        by: Leading<'_>,
        selected: &Selection,
    ) -> Result<Option<Selection>, Failure> {
        Ok(match self.place_of(by.field)? {
            Place::Nowhere if by.is_within(&SortValue::Null) => Some(selected.clone()),
            Place::Nowhere => Some(Selection::none(selected.rows())),
            Place::Column(column) => {
                let standing = Standing::of(&column.values, by)?;
                standing.map(|standing| standing.leading(by, &column, selected))
            }
            Place::Elsewhere => None,
        })
    }
}

/// How the values of a column stand to each other and to the bound, by rank.
struct Standing<'a> {
    is_within: Box<dyn Fn(usize) -> bool + 'a>,
    compare: Box<dyn Fn(usize, usize) -> Ordering + 'a>,
}

impl<'a> Standing<'a> {
    /// `None` for arrays, for texts that are no dictionary, and where nulls are stored: they stand beside absent values.
    fn of(values: &'a Values, by: Leading<'a>) -> Result<Option<Standing<'a>>, Failure> {
        Ok(match values {
            Values::Int(integers) => Some(Standing::of_numbers(
                integers,
                |v| Number::Int(v.into()),
                by,
            )),
            Values::Float(floats) => Some(Standing::of_numbers(floats, Number::Float, by)),
            Values::Const(value) if !is_compound(value.as_scalar()) => {
                let value = SortValue::of(Datum::Scalar(value.as_scalar()));
                if value.is_null() {
                    return Ok(None);
                }
                let is_within = by.is_within(&value);
                Some(Standing {
                    is_within: Box::new(move |_| is_within),
                    compare: Box::new(|_, _| Ordering::Equal),
                })
            }
            Values::Dict { values, codes }
                if !has_compound(values) && values.codes_of(ScalarKind::Null).is_empty() =>
            {
                Some(Standing::of_codes(values, codes, by)?)
            }
            _ => None,
        })
    }

    fn of_numbers<T: Copy>(
        values: &'a [T],
        number: fn(T) -> Number,
        by: Leading<'a>,
    ) -> Standing<'a> {
        let value = move |rank: usize| {
            let value = values.get(rank).map(|value| number(*value));
            value.map_or(SortValue::Null, SortValue::Number)
        };
        Standing {
            is_within: Box::new(move |rank| by.is_within(&value(rank))),
            compare: Box::new(move |a, b| value(a).compare_towards(&value(b), by.direction)),
        }
    }

    fn of_codes(
        values: &Dictionary,
        codes: &'a DictCodes,
        by: Leading<'_>,
    ) -> Result<Standing<'a>, Failure> {
        let codes = codes.get()?;
        let values: Vec<SortValue> = values
            .iter()
            .map(|value| SortValue::of(Datum::Scalar(value)))
            .collect();
        let is_within: Vec<bool> = values.iter().map(|value| by.is_within(value)).collect();
        let places = places(&values, by.direction);
        let of_rank = |rank: usize| codes.get(rank).map(|code| usize::from(*code));
        let place = move |rank: usize| of_rank(rank).and_then(|code| places.get(code).copied());
        Ok(Standing {
            is_within: Box::new(move |rank| {
                let is_within = of_rank(rank).and_then(|code| is_within.get(code));
                is_within.copied().unwrap_or(false)
            }),
            compare: Box::new(move |a, b| place(a).cmp(&place(b))),
        })
    }

    fn leading(&self, by: Leading<'_>, column: &Column, selected: &Selection) -> Selection {
        let mut within: Vec<(usize, usize)> = ranked(&column.presence, selected)
            .filter(|(_, rank)| (self.is_within)(*rank))
            .collect();
        let is_enough = within.len() >= by.rows_max;
        if let Some(last) = by.rows_max.checked_sub(1)
            && within.len() > by.rows_max
        {
            let order = |a: &(usize, usize), b: &(usize, usize)| (self.compare)(a.1, b.1);
            let (_, last, _) = within.select_nth_unstable_by(last, order);
            let last = *last;
            within.retain(|row| order(row, &last).is_le());
        }
        // Those without a value stand behind all others.
        let mut leading = match !is_enough && by.is_within(&SortValue::Null) {
            true => selected.filter(|row| !column.presence.contains(row)),
            false => Selection::none(selected.rows()),
        };
        within.iter().for_each(|(row, _)| leading.insert(*row));
        leading
    }
}

/// The selected rows that have a value, with its rank.
fn ranked<'a>(
    presence: &'a Presence,
    selected: &'a Selection,
) -> Box<dyn Iterator<Item = (usize, usize)> + 'a> {
    if presence.is_all() {
        return Box::new(selected.iter().map(|row| (row, row)));
    }
    let present = presence.iter();
    Box::new(present.filter(|(row, _)| selected.contains(*row)))
}

/// The place of each value among all when they are sorted; equals have the same.
fn places(values: &[SortValue], direction: Direction) -> Vec<usize> {
    let mut sorted: Vec<(usize, &SortValue)> = values.iter().enumerate().collect();
    sorted.sort_by(|(_, a), (_, b)| a.compare_towards(b, direction));
    let mut places = vec![0; values.len()];
    let equals = sorted.chunk_by(|(_, a), (_, b)| a.compare_towards(b, direction).is_eq());
    for (place, equal) in equals.enumerate() {
        for (code, _) in equal {
            places[*code] = place;
        }
    }
    places
}
