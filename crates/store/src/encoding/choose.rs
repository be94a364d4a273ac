//! Chooses the encoding of a column from exact counts of what is in it.

use cordwood_event::{Number, Scalar};

use super::collected::{Collected, Numbered, dictionary_values_max};
use super::distinct::Distinct;
use super::float::FloatPlan;
use super::frame::Compressor;
use super::int::IntPlan;
use super::{EncodedText, Encoding, dictionary, float, hex, int, ip4, mixed, template, text};
use crate::block::{NumberRange, ValueCounts};
use crate::column::{HexShape, ScalarKind};
use crate::postings::ColumnPostings;
use crate::tokens::BlockTokens;

/// Texts of one form are packed only when more of them differ: up to here a code takes a byte at most in a
/// dictionary too, and a dictionary can be shared with other columns.
const DICTIONARY_OF_PACKED_MAX: usize = 256;

/// The values of a column as bytes, and what its directory entry says of them.
#[derive(Debug)]
pub(crate) struct EncodedValues {
    pub(crate) encoding: Encoding,
    pub(crate) bytes: Vec<u8>,
    pub(crate) numbers: Option<NumberRange>,
    pub(crate) dictionary_len: u16,
    /// How many rows have each value, if these are few.
    pub(crate) counts: Option<ValueCounts>,
    /// What else there is of the column if the encoding is TEXT.
    pub(crate) text: Option<EncodedText>,
    /// Which of its texts hold which words, if they are listed.
    pub(crate) postings: Option<ColumnPostings>,
}

/// Encodes the values of a column; there is at least one. Small dictionaries go to `shared`; without it, outside the
/// columns of a block, there is no place for templates either. The words of all values go to `tokens`.
pub(crate) fn encode(
    values: &Collected<'_>,
    compressor: &mut Compressor,
    shared: Option<&mut Vec<u8>>,
    tokens: &mut BlockTokens,
) -> EncodedValues {
    let mut out = Vec::new();
    let mut dictionary_len = 0;
    let mut text = None;
    let few = few_values(values);
    let texts = match few {
        Some(few) if few.distinct.len() <= DICTIONARY_OF_PACKED_MAX => None,
        _ => Texts::of(values),
    };
    let dictionary = few
        .filter(|few| is_dictionary_best(few, values, texts.as_ref()))
        .map(Distinct::of_numbered);
    let sentences = match (&dictionary, &texts) {
        (None, Some(texts)) if shared.is_some() => texts.sentences(),
        _ => None,
    };
    let mut encoded = sentences
        .as_ref()
        .and_then(|sentences| template::encode(sentences, compressor, tokens));
    let postings = match (&mut encoded, &sentences) {
        (Some((_, encoded)), _) => encoded.postings.take(),
        (None, Some(sentences)) => template::list_words(sentences, tokens),
        (None, None) => {
            let listed = values.listed().iter();
            listed.for_each(|value| tokens.add_value(*value));
            None
        }
    };
    let counts = dictionary
        .as_ref()
        .and_then(|distinct| ValueCounts::of(&distinct.values, &distinct.rows_by_code()));
    let encoding = match (dictionary, encoded) {
        (Some(distinct), _) if distinct.values.len() == 1 => {
            dictionary::encode_values(&distinct.values, compressor, shared, &mut out);
            Encoding::Const
        }
        (Some(distinct), _) => {
            dictionary_len = u16::try_from(distinct.values.len()).unwrap_or(u16::MAX);
            dictionary::encode_column(&distinct, compressor, shared, &mut out);
            Encoding::Dict
        }
        (None, Some((codes, encoded))) => {
            out = codes;
            text = Some(encoded);
            Encoding::Text
        }
        (None, None) => match texts {
            Some(texts) => texts.encode(compressor, &mut out),
            None => encode_each(values, compressor, &mut out),
        },
    };
    EncodedValues {
        encoding,
        bytes: out,
        numbers: number_range(values.listed()),
        dictionary_len,
        counts,
        text,
        postings,
    }
}

/// The values by number, if each serves enough rows for a dictionary.
fn few_values<'v, 'a>(values: &'v Collected<'a>) -> Option<&'v Numbered<'a>> {
    let distinct_max = dictionary_values_max(values.len());
    let numbered = values.numbered();
    numbered.filter(|numbered| numbered.distinct.len() <= distinct_max)
}

/// A column of nothing but texts, and their form.
struct Texts<'v, 'a> {
    values: &'v Collected<'a>,
    form: Option<Form>,
}

impl<'v, 'a> Texts<'v, 'a> {
    fn of(values: &'v Collected<'a>) -> Option<Texts<'v, 'a>> {
        if common_kind(values) != Some(ScalarKind::Str) {
            return None;
        }
        Some(Texts {
            form: Form::of(&texts_of(values.listed())),
            values,
        })
    }

    /// By rank, if they may have templates.
    fn sentences(&self) -> Option<Vec<&'a str>> {
        if self.form.is_some() {
            return None;
        }
        let texts = texts_of(&self.values.by_rank());
        template::are_sentences(&texts).then_some(texts)
    }

    fn encode(&self, compressor: &mut Compressor, out: &mut Vec<u8>) -> Encoding {
        let codes = self.values.codes();
        match &self.form {
            Some(Form::Hex(shape)) => {
                let listed = texts_of(self.values.listed());
                hex::encode(&listed, codes, shape, compressor, out);
                Encoding::Hex
            }
            Some(Form::Ip4(addresses)) => {
                ip4::encode(addresses, codes, compressor, out);
                Encoding::Ip4
            }
            None => {
                text::encode(&texts_of(&self.values.by_rank()), compressor, out);
                Encoding::Str
            }
        }
    }
}

/// Text is best in a dictionary, where a search looks at each value once, unless there are many of a form that is
/// shorter; numbers may be shorter packed.
fn is_dictionary_best(
    few: &Numbered<'_>,
    values: &Collected<'_>,
    texts: Option<&Texts<'_, '_>>,
) -> bool {
    if few.distinct.len() == 1 {
        return true;
    }
    /// A sorted list of numbers takes about this much each, as varint or compressed bits.
    const NUMBER_BYTES: usize = 3;
    let packed_bytes = match common_kind(values) {
        Some(ScalarKind::Int) => IntPlan::of(&ints_of(&values.by_rank())).bytes(),
        Some(ScalarKind::Float) => FloatPlan::of(&floats_of(&values.by_rank())).bytes(values.len()),
        _ => return texts.is_none_or(|texts| texts.form.is_none()),
    };
    few.code_bytes() + few.distinct.len() * NUMBER_BYTES <= packed_bytes
}

/// Appends values that are not all texts.
fn encode_each(values: &Collected<'_>, compressor: &mut Compressor, out: &mut Vec<u8>) -> Encoding {
    let by_rank = values.by_rank();
    match common_kind(values) {
        Some(ScalarKind::Int) => {
            int::encode(&ints_of(&by_rank), out);
            Encoding::Int
        }
        Some(ScalarKind::Float) => {
            float::encode(&floats_of(&by_rank), compressor, out);
            Encoding::Float
        }
        _ => {
            mixed::encode(&by_rank, compressor, out);
            Encoding::Mixed
        }
    }
}

/// A form that all texts have, in which they are shorter.
enum Form {
    Hex(HexShape),
    Ip4(Vec<u32>),
}

impl Form {
    fn of(texts: &[&str]) -> Option<Form> {
        let hex = hex::shape_of(texts).map(Form::Hex);
        hex.or_else(|| ip4::addresses_of(texts).map(Form::Ip4))
    }
}

fn common_kind(values: &Collected<'_>) -> Option<ScalarKind> {
    let values = values.listed();
    let first = ScalarKind::of(*values.first()?);
    let is_common = values.iter().all(|value| ScalarKind::of(*value) == first);
    is_common.then_some(first)
}

fn texts_of<'a>(values: &[Scalar<'a>]) -> Vec<&'a str> {
    let text = |value: &Scalar<'a>| match *value {
        Scalar::Str(text) => Some(text),
        _ => None,
    };
    vector_of(values.len(), values.iter().filter_map(text))
}

fn ints_of(values: &[Scalar<'_>]) -> Vec<i64> {
    let int = |value: &Scalar<'_>| match value {
        Scalar::Int(integer) => Some(*integer),
        _ => None,
    };
    vector_of(values.len(), values.iter().filter_map(int))
}

fn floats_of(values: &[Scalar<'_>]) -> Vec<f64> {
    let float = |value: &Scalar<'_>| match value {
        Scalar::Float(float) => Some(*float),
        _ => None,
    };
    vector_of(values.len(), values.iter().filter_map(float))
}

/// With room for all, for of a column all values are of the kind that is asked for, or none.
fn vector_of<T>(count: usize, values: impl Iterator<Item = T>) -> Vec<T> {
    let mut vector = Vec::with_capacity(count);
    vector.extend(values);
    vector
}

/// The least and greatest number, when the column holds numbers and nulls only. Equal numbers of two
/// kinds, `1` and `1.0`, may stand for each other.
fn number_range(values: &[Scalar<'_>]) -> Option<NumberRange> {
    let mut ints: Option<(i64, i64)> = None;
    let mut floats: Option<(f64, f64)> = None;
    for value in values {
        match *value {
            Scalar::Null => {}
            Scalar::Int(v) => {
                ints = Some(ints.map_or((v, v), |(min, max)| (min.min(v), max.max(v))));
            }
            Scalar::Float(v) => {
                floats = Some(floats.map_or((v, v), |(min, max)| (min.min(v), max.max(v))));
            }
            Scalar::Bool(_) | Scalar::Str(_) | Scalar::Json(_) => return None,
        }
    }
    let ints = ints.map(|(min, max)| NumberRange {
        min: Number::Int(min.into()),
        max: Number::Int(max.into()),
    });
    let floats = floats.map(|(min, max)| NumberRange {
        min: Number::Float(min),
        max: Number::Float(max),
    });
    match (ints, floats) {
        (Some(a), Some(b)) => Some(a.union(b)),
        (range, None) | (None, range) => range,
    }
}
