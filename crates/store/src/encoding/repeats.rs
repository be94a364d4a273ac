//! Which texts of a column are which of its list, when the list has them in the order in which they first come.
//!
//! A text is written as how far it lies from the end of the list as met so far, 0 being a new one: ids of requests and of
//! clients come in clusters, so that most distances are small. On the reference corpus they take 0.2 bytes for
//! a request id, where indexes into a sorted list take 1.4.

use std::collections::HashMap;
use std::hash::Hash;

use super::Corrupt;
use super::cursor::Cursor;
use super::frame::{Compressor, read_frame, view_frame};

const PAST_START: Corrupt = Corrupt("a text before the first of its list");
const PAST_END: Corrupt = Corrupt("a rank past the last text");

const BYTES_PER_DISTANCE_MAX: usize = 2;

/// What there is to write of some values.
#[derive(Debug)]
pub(super) struct Repeats<T> {
    /// The distinct values in the order in which they first come; the values themselves if they hardly repeat.
    pub(super) list: Vec<T>,
    /// By rank, which of the list the value is, if it lists distinct ones.
    pub(super) codes: Option<Vec<u16>>,
}

impl<T: Copy + Eq + Hash> Repeats<T> {
    /// Lists values once, if that saves something: a distance is taken to cost a byte. With `codes`, the values are distinct
    /// already and the codes say which is where.
    pub(super) fn of(values: Vec<T>, codes: Option<&[u16]>, value_bytes: usize) -> Repeats<T> {
        let saves =
            |listed: usize, count: usize| listed * value_bytes + count <= count * value_bytes;
        if let Some(codes) = codes {
            return if saves(values.len(), codes.len()) {
                let codes = Some(codes.to_vec());
                Repeats {
                    list: values,
                    codes,
                }
            } else {
                let value = |code: &u16| values.get(usize::from(*code)).copied();
                Repeats {
                    list: codes.iter().filter_map(value).collect(),
                    codes: None,
                }
            };
        }
        let listed = listed(&values, |listed| saves(listed, values.len()));
        match listed {
            Some((list, codes)) => Repeats {
                list,
                codes: Some(codes),
            },
            None => Repeats {
                list: values,
                codes: None,
            },
        }
    }
}

/// The distinct values and the code of each; `None` as soon as there are so many that nothing is saved.
fn listed<T: Copy + Eq + Hash>(
    values: &[T],
    saves: impl Fn(usize) -> bool,
) -> Option<(Vec<T>, Vec<u16>)> {
    let mut list = Vec::new();
    let mut codes = Vec::with_capacity(values.len());
    let mut by_value: HashMap<T, u16, rapidhash::fast::RandomState> = HashMap::default();
    for value in values {
        let next = u16::try_from(list.len()).ok();
        let next = next.filter(|next| *next < u16::MAX)?;
        let code = *by_value.entry(*value).or_insert(next);
        if code == next {
            list.push(*value);
            if !saves(list.len()) {
                return None;
            }
        }
        codes.push(code);
    }
    Some((list, codes))
}

/// Appends the codes into a list of so many; a reader must know how long it is.
pub(super) fn push_codes(
    codes: &[u16],
    listed: usize,
    compressor: &mut Compressor,
    out: &mut Vec<u8>,
) {
    let mut met = 0u16;
    let distances: Vec<u16> = codes
        .iter()
        .map(|code| {
            if *code == met {
                met += 1;
                0
            } else {
                met - code
            }
        })
        .collect();
    let bytes = distances.iter().map(|distance| distance.to_le_bytes());
    let mut planes: Vec<u8> = bytes.clone().map(|[low, _]| low).collect();
    if bytes_per_distance(listed) == BYTES_PER_DISTANCE_MAX {
        planes.extend(bytes.map(|[_, high]| high));
    }
    compressor.push_frame(out, &planes);
}

/// Reads the codes of `count` texts, which are all those of a list of `listed`.
pub(super) fn decode(
    cursor: &mut Cursor<'_>,
    count: usize,
    listed: usize,
) -> Result<Vec<u16>, Corrupt> {
    let planes = read_frame(cursor, count * bytes_per_distance(listed))?;
    let (low, high) = planes.split_at_checked(count).unwrap_or_default();
    let high = high.iter().copied().chain(std::iter::repeat(0));
    let mut met = 0u16;
    let mut codes = Vec::with_capacity(count);
    for (low, high) in low.iter().zip(high) {
        let distance = u16::from_le_bytes([*low, high]);
        codes.push(met.checked_sub(distance).ok_or(PAST_START)?);
        if distance == 0 {
            met = met.checked_add(1).ok_or(PAST_START)?;
        }
    }
    if usize::from(met) == listed {
        Ok(codes)
    } else {
        Err(Corrupt("a list of other texts than there are"))
    }
}

/// Reads the codes at some of `count` ranks, in the order asked for; they are below `listed` or damaged.
pub(super) fn decode_few(
    cursor: &mut Cursor<'_>,
    (count, listed): (usize, usize),
    ranks: &[usize],
) -> Result<Vec<usize>, Corrupt> {
    let planes = view_frame(cursor, count * bytes_per_distance(listed))?;
    let (low, high) = planes.split_at_checked(count).unwrap_or_default();
    let met_in = |from: usize, end: usize| {
        let low = low.get(from..end).unwrap_or_default();
        // Without a branch for each, which becomes vector code.
        match high.get(from..end).filter(|high| !high.is_empty()) {
            Some(high) => low.iter().zip(high).filter(|(a, b)| **a | **b == 0).count(),
            None => low.iter().filter(|low| **low == 0).count(),
        }
    };
    let mut by_rank: Vec<(usize, usize)> = ranks.iter().copied().zip(0..).collect();
    by_rank.sort_unstable();
    let mut codes = vec![0; ranks.len()];
    let (mut met, mut counted) = (0usize, 0);
    for (rank, index) in by_rank {
        met += met_in(counted, rank);
        counted = rank;
        let low = *low.get(rank).ok_or(PAST_END)?;
        let distance = u16::from_le_bytes([low, high.get(rank).copied().unwrap_or(0)]);
        let code = met.checked_sub(distance.into()).ok_or(PAST_START)?;
        if let Some(slot) = codes.get_mut(index) {
            *slot = code;
        }
    }
    Ok(codes)
}

/// A distance is less than the length of the list, or equal to it.
fn bytes_per_distance(listed: usize) -> usize {
    if listed <= usize::from(u8::MAX) {
        1
    } else {
        BYTES_PER_DISTANCE_MAX
    }
}
