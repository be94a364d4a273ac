//! The values of a column whose type varies from row to row.

use cordwood_event::Scalar;

use super::StrValues;
use crate::encoding::Corrupt;

/// The kind of a scalar; the order in which a dictionary sorts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "documented on Scalar")]
pub enum ScalarKind {
    Null = 0,
    Bool = 1,
    Int = 2,
    Float = 3,
    Str = 4,
    Json = 5,
}

impl ScalarKind {
    /// All kinds, in order.
    pub const ALL: [ScalarKind; 6] = [
        ScalarKind::Null,
        ScalarKind::Bool,
        ScalarKind::Int,
        ScalarKind::Float,
        ScalarKind::Str,
        ScalarKind::Json,
    ];

    /// The kind of a value.
    pub fn of(value: Scalar<'_>) -> ScalarKind {
        match value {
            Scalar::Null => ScalarKind::Null,
            Scalar::Bool(_) => ScalarKind::Bool,
            Scalar::Int(_) => ScalarKind::Int,
            Scalar::Float(_) => ScalarKind::Float,
            Scalar::Str(_) => ScalarKind::Str,
            Scalar::Json(_) => ScalarKind::Json,
        }
    }
}

/// Values of several kinds: each kind has a dense run of its own.
#[derive(Clone, Debug, Default)]
pub struct Mixed {
    kinds: Vec<ScalarKind>,
    /// By rank, the index within the run of the value's kind.
    slots: Vec<u32>,
    pub(crate) bools: Vec<bool>,
    pub(crate) ints: Vec<i64>,
    pub(crate) floats: Vec<f64>,
    pub(crate) strs: StrValues,
    pub(crate) jsons: StrValues,
}

impl Mixed {
    pub(crate) fn of_kinds(kinds: Vec<ScalarKind>) -> Mixed {
        let mut counts = [0u32; ScalarKind::ALL.len()];
        let mut slots = Vec::with_capacity(kinds.len());
        for kind in &kinds {
            if let Some(count) = counts.get_mut(*kind as usize) {
                slots.push(*count);
                *count += 1;
            }
        }
        Mixed {
            kinds,
            slots,
            ..Mixed::default()
        }
    }

    pub(crate) fn of_scalars(values: &[Scalar<'_>], kinds: Vec<ScalarKind>) -> Mixed {
        let mut mixed = Mixed::of_kinds(kinds);
        let (mut strs, mut jsons) = (Vec::new(), Vec::new());
        for value in values {
            match *value {
                Scalar::Null => {}
                Scalar::Bool(boolean) => mixed.bools.push(boolean),
                Scalar::Int(integer) => mixed.ints.push(integer),
                Scalar::Float(float) => mixed.floats.push(float),
                Scalar::Str(text) => strs.push(text),
                Scalar::Json(text) => jsons.push(text),
            }
        }
        mixed.strs = StrValues::of_texts(strs);
        mixed.jsons = StrValues::of_texts(jsons);
        mixed
    }

    /// The kind all values have, if they have one.
    pub(crate) fn common_kind(&self) -> Option<ScalarKind> {
        let first = *self.kinds.first()?;
        self.kinds
            .iter()
            .all(|kind| *kind == first)
            .then_some(first)
    }

    /// The kind of each rank's value.
    pub fn kinds(&self) -> &[ScalarKind] {
        &self.kinds
    }

    /// The index of a rank's value within the run of its kind.
    pub fn slot(&self, rank: usize) -> Option<usize> {
        self.slots.get(rank).map(|slot| *slot as usize)
    }

    /// The booleans, in rank order.
    pub fn bools(&self) -> &[bool] {
        &self.bools
    }

    /// The integers, in rank order.
    pub fn ints(&self) -> &[i64] {
        &self.ints
    }

    /// The floats, in rank order.
    pub fn floats(&self) -> &[f64] {
        &self.floats
    }

    /// The texts, in rank order.
    pub fn strs(&self) -> &StrValues {
        &self.strs
    }

    /// The JSON texts, in rank order.
    pub fn jsons(&self) -> &StrValues {
        &self.jsons
    }

    /// The value of rank `rank`.
    pub fn get(&self, rank: usize) -> Result<Scalar<'_>, Corrupt> {
        const PAST_END: Corrupt = Corrupt("a rank past the last value of a mixed column");
        let kind = *self.kinds.get(rank).ok_or(PAST_END)?;
        let slot = self.slot(rank).ok_or(PAST_END)?;
        match kind {
            ScalarKind::Null => Ok(Scalar::Null),
            ScalarKind::Bool => self
                .bools
                .get(slot)
                .map(|v| Scalar::Bool(*v))
                .ok_or(PAST_END),
            ScalarKind::Int => self.ints.get(slot).map(|v| Scalar::Int(*v)).ok_or(PAST_END),
            ScalarKind::Float => self
                .floats
                .get(slot)
                .map(|v| Scalar::Float(*v))
                .ok_or(PAST_END),
            ScalarKind::Str => self.strs.get(slot).map(Scalar::Str),
            ScalarKind::Json => self.jsons.get(slot).map(Scalar::Json),
        }
    }
}
