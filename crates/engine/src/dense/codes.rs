//! The keys of all rows of a block as codes into a list of keys.

use std::borrow::Cow;
use std::sync::Arc;

use cordwood_event::{Level, Number, Scalar, Timestamp};
use cordwood_query::Interval;
use cordwood_store::block::BlockDirectory;
use cordwood_store::column::{
    Column, DictCodes, Dictionary, PackedTexts, Presence, ScalarKind, StrValues, Values,
};
use hashbrown::HashTable;

use super::{NANOS_PER_MINUTE, NONE};
use crate::datum::{Datum, Leaf};
use crate::evaluate::Failure;
use crate::groups::interval_start;
use crate::key::{KeyList, KeyRef};
use crate::pattern::FormNumber;

/// A key for each row.
pub(super) struct Coded<'a> {
    keys: Keys<'a>,
    /// By rank among the rows of `presence`.
    pub(super) codes: Codes<'a>,
    /// The rows that have a code, unless all have; the others have the key null.
    pub(super) presence: Option<Cow<'a, Presence>>,
}

/// What codes stand for; two of them may stand for equal keys.
enum Keys<'a> {
    List(Cow<'a, KeyList>),
    Dictionary(&'a Arc<Dictionary>),
    /// The listed texts, each of which is rebuilt already.
    Packed(&'a PackedTexts),
}

impl Keys<'_> {
    /// The same again.
    fn borrowed(&self) -> Keys<'_> {
        match self {
            Keys::List(keys) => Keys::List(Cow::Borrowed(keys)),
            Keys::Dictionary(values) => Keys::Dictionary(values),
            Keys::Packed(texts) => Keys::Packed(texts),
        }
    }

    fn len(&self) -> usize {
        match self {
            Keys::List(keys) => keys.len(),
            Keys::Dictionary(values) => values.len(),
            Keys::Packed(texts) => texts.slots(),
        }
    }

    fn get(&self, code: usize) -> KeyRef<'_> {
        match self {
            Keys::List(keys) => keys.get(code),
            Keys::Dictionary(values) => {
                let leaf = values
                    .get(code)
                    .and_then(|value| Datum::Scalar(value).leaf());
                leaf.map_or(KeyRef::Null, KeyRef::of)
            }
            Keys::Packed(texts) => {
                let text = texts.texts().get(code);
                text.map_or(KeyRef::Null, KeyRef::Text)
            }
        }
    }

    /// The same without what they borrow.
    fn into_list(self) -> KeyList {
        match self {
            Keys::List(keys) => keys.into_owned(),
            Keys::Dictionary(_) | Keys::Packed(_) => {
                let mut list = KeyList::default();
                (0..self.len()).for_each(|code| list.push(self.get(code)));
                list
            }
        }
    }
}

/// A code for each rank.
pub(super) enum Codes<'a> {
    /// All have the first key.
    One,
    Dictionary(Cow<'a, DictCodes>),
    Narrow(Cow<'a, [u16]>),
    Wide(Vec<u32>),
}

/// A code for each row.
pub(super) enum RowCodes<'c> {
    /// All have the first key.
    One,
    Narrow(Cow<'c, [u16]>),
    Wide(Cow<'c, [u32]>),
}

impl<'a> Coded<'a> {
    pub(super) fn constant(key: KeyRef<'_>) -> Coded<'a> {
        Coded::of_all(KeyList::of(key), Codes::One)
    }

    /// Of forms by the rank of the rows that have one, all unless told.
    pub(super) fn of_numbers(
        numbers: &[FormNumber],
        presence: Option<Cow<'a, Presence>>,
    ) -> Coded<'a> {
        let mut keys = KeyList::default();
        // By number: a block has few of all.
        let mut code_by_number: Vec<u32> = Vec::new();
        let code = |number: &FormNumber| {
            let number = number.get();
            let index = number as usize;
            if index >= code_by_number.len() {
                code_by_number.resize(index + 1, NONE);
            }
            let code = &mut code_by_number[index];
            if *code == NONE {
                *code = code_of(keys.len());
                keys.push(KeyRef::Int(number.into()));
            }
            *code
        };
        let codes = numbers.iter().map(code).collect();
        Coded {
            codes: Codes::Wide(codes),
            keys: Keys::List(Cow::Owned(keys)),
            presence,
        }
    }

    fn of_all(keys: KeyList, codes: Codes<'a>) -> Coded<'a> {
        Coded {
            keys: Keys::List(Cow::Owned(keys)),
            codes,
            presence: None,
        }
    }

    /// How many codes there may be, one for the rows that have none among them.
    pub(super) fn len(&self) -> usize {
        self.keys.len() + usize::from(self.presence.is_some())
    }

    /// Whether all rows have one key.
    pub(super) fn is_constant(&self) -> bool {
        matches!(self.codes, Codes::One) && self.presence.is_none()
    }

    /// The values that the codes stand for, if these are their keys.
    pub(super) fn dictionary(&self) -> Option<&Arc<Dictionary>> {
        match &self.keys {
            Keys::Dictionary(values) => Some(values),
            Keys::List(_) | Keys::Packed(_) => None,
        }
    }

    /// Whether every code occurs in some row.
    pub(super) fn has_each(&self) -> bool {
        matches!(self.keys, Keys::Dictionary(_) | Keys::Packed(_))
    }

    /// The key of a code; null of the one that rows without a code have.
    pub(super) fn key(&self, code: usize) -> KeyRef<'_> {
        self.keys.get(code)
    }

    /// By row, with a code of their own for rows that have none.
    pub(super) fn by_row(&self) -> Result<RowCodes<'_>, Failure> {
        Ok(match &self.codes {
            Codes::One => match &self.presence {
                None => RowCodes::One,
                Some(presence) => {
                    let mut by_row = vec![1u16; presence.rows()];
                    presence.iter().for_each(|(row, _)| by_row[row] = 0);
                    RowCodes::Narrow(Cow::Owned(by_row))
                }
            },
            Codes::Dictionary(codes) => RowCodes::Narrow(self.over_rows(codes.get()?)),
            Codes::Narrow(codes) => RowCodes::Narrow(self.over_rows(codes)),
            Codes::Wide(codes) => RowCodes::Wide(self.over_rows(codes)),
        })
    }

    /// The same of some rows alone, rising, as if there were no others.
    pub(super) fn of_rows(&self, rows: &[usize]) -> Result<Coded<'_>, Failure> {
        let mut present = Vec::with_capacity(rows.len());
        let mut ranks = Vec::with_capacity(rows.len());
        for (place, row) in rows.iter().enumerate() {
            let rank = match &self.presence {
                None => Some(*row),
                Some(presence) => presence.rank(*row),
            };
            if let Some(rank) = rank {
                present.push(place);
                ranks.push(rank);
            }
        }
        let codes = match &self.codes {
            Codes::One => Codes::One,
            Codes::Dictionary(codes) => Codes::Narrow(codes.of_ranks(&ranks)?.into()),
            Codes::Narrow(codes) => Codes::Narrow(ranks.iter().map(|rank| codes[*rank]).collect()),
            Codes::Wide(codes) => Codes::Wide(ranks.iter().map(|rank| codes[*rank]).collect()),
        };
        let presence = self.presence.as_ref();
        let presence = presence.map(|_| Presence::of_rows(rows.len(), present));
        Ok(Coded {
            keys: self.keys.borrowed(),
            codes,
            presence: presence.map(Cow::Owned),
        })
    }

    /// From codes by rank to codes by row.
    fn over_rows<'c, T: Copy + TryFrom<usize>>(&self, codes: &'c [T]) -> Cow<'c, [T]> {
        let (Some(presence), Ok(absent)) = (&self.presence, T::try_from(self.len() - 1)) else {
            return Cow::Borrowed(codes);
        };
        let mut by_row = vec![absent; presence.rows()];
        for ((row, _), code) in presence.iter().zip(codes) {
            by_row[row] = *code;
        }
        Cow::Owned(by_row)
    }

    /// The same without what it borrows.
    fn into_owned<'o>(self) -> Coded<'o> {
        Coded {
            keys: Keys::List(Cow::Owned(self.keys.into_list())),
            codes: match self.codes {
                Codes::Dictionary(codes) => Codes::Dictionary(Cow::Owned(codes.into_owned())),
                Codes::One => Codes::One,
                Codes::Narrow(codes) => Codes::Narrow(Cow::Owned(codes.into_owned())),
                Codes::Wide(codes) => Codes::Wide(codes),
            },
            presence: self.presence.map(|rows| Cow::Owned(rows.into_owned())),
        }
    }
}

impl RowCodes<'_> {
    /// The code of a row.
    pub(super) fn get(&self, row: usize) -> usize {
        match self {
            RowCodes::One => 0,
            RowCodes::Narrow(codes) => usize::from(codes[row]),
            RowCodes::Wide(codes) => codes[row] as usize,
        }
    }
}

fn code_of(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(NONE)
}

/// Of sorted times: intervals follow each other.
pub(super) fn of_times<'a>(times: &[i64], interval: Interval) -> Coded<'a> {
    let mut keys = KeyList::default();
    let mut codes = Vec::with_capacity(times.len());
    while let Some(time) = times.get(codes.len()) {
        let start = interval_start(Timestamp::from_nanos(*time), interval);
        let length = i128::from(interval.nanos);
        // Counted from the time itself: the first interval may begin before time does.
        let end = (i128::from(*time).div_euclid(length) + 1) * length - 1;
        let tail = times.get(codes.len()..).unwrap_or_default();
        let length = tail.partition_point(|time| i128::from(*time) <= end);
        codes.resize(codes.len() + length, code_of(keys.len()));
        keys.push(KeyRef::Time(start));
    }
    Coded::of_all(keys, Codes::Wide(codes))
}

/// The same of rows that lie in minutes which the directory counts; `None` if it does not, or if minutes are too long for the interval.
pub(super) fn of_minutes<'a>(directory: &BlockDirectory, interval: Interval) -> Option<Coded<'a>> {
    let minutes = directory.minutes.as_ref()?;
    if interval.nanos % NANOS_PER_MINUTE != 0 {
        return None;
    }
    let mut keys = KeyList::default();
    let mut codes = Vec::with_capacity(directory.rows as usize);
    let mut last = None;
    for (minute, rows) in minutes.iter().filter(|(_, rows)| rows.total() > 0) {
        let time = Timestamp::from_nanos(minute.saturating_mul(NANOS_PER_MINUTE));
        let start = interval_start(time, interval);
        if last.replace(start) != Some(start) {
            keys.push(KeyRef::Time(start));
        }
        codes.resize(codes.len() + rows.total(), code_of(keys.len() - 1));
    }
    (codes.len() == directory.rows as usize).then(|| Coded::of_all(keys, Codes::Wide(codes)))
}

pub(super) fn of_levels(levels: &DictCodes) -> Coded<'_> {
    let mut keys = KeyList::of(KeyRef::Null);
    for level in Level::ALL {
        keys.push(KeyRef::Text(level.name()));
    }
    Coded::of_all(keys, Codes::Dictionary(Cow::Borrowed(levels)))
}

/// Of a column in which no row has several values; else `None`.
pub(super) fn of_column(column: Cow<'_, Column>) -> Result<Option<Coded<'_>>, Failure> {
    match column {
        Cow::Borrowed(column) => of_borrowed(column),
        Cow::Owned(column) => Ok(of_borrowed(&column)?.map(Coded::into_owned)),
    }
}

fn of_borrowed(column: &Column) -> Result<Option<Coded<'_>>, Failure> {
    let (keys, codes) = match &column.values {
        Values::Const(value) => {
            let value = value.as_scalar();
            if is_compound(value) {
                return Ok(None);
            }
            let key = Datum::Scalar(value).leaf().map_or(KeyRef::Null, KeyRef::of);
            (Keys::List(Cow::Owned(KeyList::of(key))), Codes::One)
        }
        Values::Dict { values, codes } => {
            if has_compound(values) {
                return Ok(None);
            }
            let codes = Codes::Dictionary(Cow::Borrowed(codes));
            (Keys::Dictionary(values), codes)
        }
        Values::Int(integers) => {
            let keys = integers
                .iter()
                .map(|integer| KeyRef::Int((*integer).into()));
            Interned::of(keys).into_codes()
        }
        Values::Float(floats) => {
            let number = |float: &f64| KeyRef::of(Leaf::Number(Number::Float(*float)));
            Interned::of(floats.iter().map(number)).into_codes()
        }
        Values::Str(texts) => Interned::of_texts(texts)?.into_codes(),
        Values::Text(texts) => {
            let mut interned = Interned::default();
            for rank in 0..texts.len() {
                interned.push(KeyRef::Text(texts.get(rank)?));
            }
            interned.into_codes()
        }
        Values::Packed(packed) => match packed.codes() {
            Some(codes) => {
                packed.texts().keep_all()?;
                (Keys::Packed(packed), Codes::Narrow(Cow::Borrowed(codes)))
            }
            None => Interned::of_texts(packed.texts())?.into_codes(),
        },
        Values::Mixed(_) => return Ok(None),
    };
    Ok(Some(in_rows_of(column, (keys, codes))))
}

fn in_rows_of<'a>(column: &'a Column, (keys, codes): (Keys<'a>, Codes<'a>)) -> Coded<'a> {
    let presence = (!column.presence.is_all()).then_some(&*column.presence);
    Coded {
        keys,
        codes,
        presence: presence.map(Cow::Borrowed),
    }
}

/// An array or object, which has any number of values.
pub(super) fn is_compound(value: Scalar<'_>) -> bool {
    matches!(value, Scalar::Json(json) if json.starts_with(['[', '{']))
}

pub(super) fn has_compound(values: &Dictionary) -> bool {
    let mut json = values.codes_of(ScalarKind::Json);
    json.any(|code| values.get(code).is_some_and(is_compound))
}

/// Keys as codes.
#[derive(Default)]
struct Interned {
    table: HashTable<u32>,
    hashes: Vec<u64>,
    keys: KeyList,
    codes: Vec<u32>,
}

impl Interned {
    fn of<'k>(keys: impl Iterator<Item = KeyRef<'k>>) -> Interned {
        let mut interned = Interned::default();
        keys.for_each(|key| interned.push(key));
        interned
    }

    fn of_texts(texts: &StrValues) -> Result<Interned, Failure> {
        let mut interned = Interned::default();
        for index in 0..texts.frame_count() {
            let frame = texts.frame(index)?;
            for index in 0..frame.len() {
                interned.push(KeyRef::Text(frame.get(index).unwrap_or_default()));
            }
        }
        Ok(interned)
    }

    fn push(&mut self, key: KeyRef<'_>) {
        let code = self.code(key);
        self.codes.push(code);
    }

    /// The code of a key.
    fn code(&mut self, key: KeyRef<'_>) -> u32 {
        let hash = key.hash();
        let Interned {
            table,
            hashes,
            keys,
            ..
        } = self;
        let is_key =
            |code: &u32| hashes.get(*code as usize) == Some(&hash) && keys.is(*code as usize, key);
        let found = table.find(hash, is_key).copied();
        found.unwrap_or_else(|| {
            let code = code_of(keys.len());
            keys.push(key);
            hashes.push(hash);
            let hash_of = |code: &u32| hashes.get(*code as usize).copied().unwrap_or(0);
            table.insert_unique(hash, code, hash_of);
            code
        })
    }

    fn into_codes<'a>(self) -> (Keys<'a>, Codes<'a>) {
        (Keys::List(Cow::Owned(self.keys)), Codes::Wide(self.codes))
    }
}
