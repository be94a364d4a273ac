//! A decoded column of a block: which rows have the field, and the values of those rows.
//!
//! Values are dense over the rows that have the field: the *rank* of a row is its index among them.
//! Only [`DictCodes`], [`StrValues`], [`PackedTexts`] and [`TextValues`] are lazy: they are unpacked, decompressed, rebuilt or put
//! together when asked for. Nothing here knows where the bytes came from, nor the query language.

mod codes;
mod dictionary;
mod mixed;
mod packed;
mod presence;
mod strings;
mod texts;

use std::sync::Arc;

use cordwood_event::{Scalar, Value};

pub use codes::DictCodes;
pub use dictionary::Dictionary;
pub use mixed::{Mixed, ScalarKind};
pub use packed::{Case, PackedTexts};
pub(crate) use packed::{HexShape, HexTexts, Packed, address_of};
pub use presence::{Presence, PresentRows};
pub use strings::{Frame, StrValues};
pub(crate) use strings::{FrameText, StoredFrame};
pub use texts::{
    SlotFrame, SlotIndex, SlotRun, SlotValues, TextCodes, TextRun, TextSlots, TextValues,
};

use crate::encoding::Corrupt;

const PAST_END: Corrupt = Corrupt("a rank past the last value");

/// One column of one block.
#[derive(Clone, Debug)]
pub struct Column {
    /// The rows that have the field. Columns of one block that are present in the same rows share it.
    pub presence: Arc<Presence>,
    /// The values of those rows, in row order.
    pub values: Values,
}

/// The values of a column by rank. Types are exact: the integer 1, the float 1.0 and the text "1" differ.
#[derive(Clone, Debug)]
pub enum Values {
    /// Every present row has this value.
    Const(Value),
    /// Few distinct values, of any kind, and the code of each rank's value.
    Dict {
        /// The distinct values, sorted; each occurs.
        values: Arc<Dictionary>,
        /// By rank, an index into `values`.
        codes: DictCodes,
    },
    /// Integers only.
    Int(Vec<i64>),
    /// Floats only.
    Float(Vec<f64>),
    /// Texts only; decompressed frame by frame.
    Str(StrValues),
    /// Texts of one form only, kept as something shorter.
    Packed(PackedTexts),
    /// Texts only, as templates and slots; put together when asked for.
    Text(TextValues),
    /// Values of several kinds, or of kinds with no column of their own.
    Mixed(Mixed),
}

impl Column {
    /// How many rows the block has.
    pub fn rows(&self) -> usize {
        self.presence.rows()
    }

    /// The value in row `row`; `None` where the field is absent, and past the last row.
    pub fn value(&self, row: usize) -> Result<Option<Value>, Corrupt> {
        let Some(rank) = self.presence.rank(row) else {
            return Ok(None);
        };
        self.values.value(rank).map(Some)
    }

    /// The values in a few rows, in the order asked for. Unpacks, rebuilds and puts together no more than these.
    pub fn values_of(&self, rows: &[usize]) -> Result<Vec<Option<Value>>, Corrupt> {
        let ranks: Vec<Option<usize>> = rows.iter().map(|row| self.presence.rank(*row)).collect();
        let present: Vec<usize> = ranks.iter().flatten().copied().collect();
        let mut values = self.values.of_ranks(&present)?.into_iter();
        let by_row = ranks.iter().map(|rank| rank.and_then(|_| values.next()));
        Ok(by_row.collect())
    }

    /// Like [`value`](Self::value), borrowed.
    pub fn scalar(&self, row: usize) -> Result<Option<Scalar<'_>>, Corrupt> {
        match self.presence.rank(row) {
            Some(rank) => self.values.scalar(rank).map(Some),
            None => Ok(None),
        }
    }
}

impl Values {
    /// The given values, in memory.
    pub fn of_scalars(values: &[Scalar<'_>]) -> Values {
        let kinds: Vec<ScalarKind> = values.iter().map(|value| ScalarKind::of(*value)).collect();
        let mixed = Mixed::of_scalars(values, kinds);
        match mixed.common_kind() {
            Some(ScalarKind::Int) => Values::Int(mixed.ints),
            Some(ScalarKind::Float) => Values::Float(mixed.floats),
            Some(ScalarKind::Str) => Values::Str(mixed.strs),
            _ => Values::Mixed(mixed),
        }
    }

    fn of_ranks(&self, ranks: &[usize]) -> Result<Vec<Value>, Corrupt> {
        match self {
            Values::Dict { values, codes } => {
                let codes = codes.of_ranks(ranks)?.into_iter();
                let value = |code| values.get(usize::from(code)).map(Scalar::to_value);
                codes.map(|code| value(code).ok_or(PAST_END)).collect()
            }
            Values::Text(texts) => texts.values_of(ranks),
            _ => ranks.iter().map(|rank| self.value(*rank)).collect(),
        }
    }

    /// The value of a rank by itself: nothing but dictionary codes and decompressed frames is kept for the next.
    fn value(&self, rank: usize) -> Result<Value, Corrupt> {
        match self {
            Values::Text(texts) => texts.text(rank).map(|text| Value::Str(text.into())),
            Values::Packed(packed) => {
                let text = packed.slot(rank).and_then(|slot| packed.text(slot));
                Ok(Value::Str(text.ok_or(PAST_END)?.into()))
            }
            values => values.scalar(rank).map(Scalar::to_value),
        }
    }

    /// The value of rank `rank`. A rank past the end is reported as [`Corrupt`]: only damaged bytes
    /// lead to one.
    pub fn scalar(&self, rank: usize) -> Result<Scalar<'_>, Corrupt> {
        match self {
            Values::Const(value) => Ok(value.as_scalar()),
            Values::Dict { values, codes } => codes
                .get()?
                .get(rank)
                .and_then(|code| values.get(usize::from(*code)))
                .ok_or(PAST_END),
            Values::Int(integers) => integers.get(rank).map(|v| Scalar::Int(*v)).ok_or(PAST_END),
            Values::Float(floats) => floats.get(rank).map(|v| Scalar::Float(*v)).ok_or(PAST_END),
            Values::Str(texts) => texts.get(rank).map(Scalar::Str),
            Values::Packed(packed) => {
                let slot = packed.slot(rank).ok_or(PAST_END)?;
                packed.texts().get(slot).map(Scalar::Str)
            }
            Values::Text(texts) => texts.get(rank).map(Scalar::Str),
            Values::Mixed(mixed) => mixed.get(rank),
        }
    }
}
