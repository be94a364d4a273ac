//! The values of a column, given to the groups of their rows.

use std::ops::Range;
use std::sync::Arc;

use cordwood_event::{Number, Scalar};
use cordwood_store::column::{Column, ScalarKind, Values};

use super::codes::{has_compound, is_compound};
use super::group_of::GroupOf;
use crate::aggregate::{Accumulator, CountDistinct, distinct_hash};
use crate::datum::{Datum, Leaf};
use crate::evaluate::Failure;
use crate::groups::GroupColumn;

/// Counts the rows of each group.
pub(super) fn count_rows(column: &mut GroupColumn, groups: usize, group_of: &GroupOf<'_>) {
    if let Some(group) = group_of.common() {
        return column.count(group, group_of.len() as u64);
    }
    let mut counts = vec![0u64; groups];
    for (_, group) in group_of.iter() {
        if let Some(count) = counts.get_mut(group) {
            *count += 1;
        }
    }
    for (group, rows) in counts.into_iter().enumerate() {
        column.count(group, rows);
    }
}

/// Adds the values of the rows, whose groups are given; `false` when a row may have several, or they are of several
/// kinds, and nothing was added.
pub(super) fn add_column(
    held: &mut GroupColumn,
    group_of: &GroupOf<'_>,
    column: &Column,
) -> Result<bool, Failure> {
    let groups = &group_of.by_rank(&column.presence);
    match held {
        GroupColumn::Counts(counts) => count_values(counts, groups, &column.values),
        GroupColumn::Accumulators(accumulators) => {
            let sink = Sink {
                accumulators,
                groups,
            };
            sink.take(&column.values)
        }
    }
}

/// Counts the rows of each group that have a value other than null.
fn count_values(
    counts: &mut [u64],
    groups: &GroupOf<'_>,
    values: &Values,
) -> Result<bool, Failure> {
    let is_value: Box<dyn Fn(usize) -> bool> = match values {
        Values::Mixed(_) => return Ok(false),
        Values::Const(value) => {
            let is_value = value.as_scalar() != Scalar::Null;
            Box::new(move |_| is_value)
        }
        Values::Dict { values, codes } => {
            let nulls = values.codes_of(ScalarKind::Null);
            let codes = codes.get()?;
            Box::new(move |rank| {
                let code = codes.get(rank).map(|code| usize::from(*code));
                code.is_some_and(|code| !nulls.contains(&code))
            })
        }
        _ => Box::new(|_| true),
    };
    for (rank, group) in groups.iter() {
        if let Some(count) = counts.get_mut(group) {
            *count += u64::from(is_value(rank));
        }
    }
    Ok(true)
}

/// Where the values of one column go.
struct Sink<'a> {
    /// By group.
    accumulators: &'a mut [Accumulator],
    /// By rank.
    groups: &'a GroupOf<'a>,
}

impl Sink<'_> {
    /// Adds the values of the rows; `false` when a row may have several, or they are of several kinds, and nothing was
    /// added.
    fn take(mut self, values: &Values) -> Result<bool, Failure> {
        match values {
            Values::Int(integers) => {
                self.in_runs(integers, add_integers, |accumulator, all, run| {
                    add_integers(accumulator, &all[run]);
                })
            }
            Values::Float(floats) => self.in_runs(floats, add_floats, add_float_run),
            Values::Const(value) => {
                let value = value.as_scalar();
                if is_compound(value) {
                    return Ok(false);
                }
                if let Some(leaf) = Datum::Scalar(value).leaf() {
                    self.each(|accumulator, _| add(accumulator, leaf));
                }
            }
            Values::Dict { values, codes } => {
                if has_compound(values) {
                    return Ok(false);
                }
                if self.is_distinct() {
                    let leaves = values.iter().map(|value| Datum::Scalar(value).leaf());
                    let hashes: Vec<Option<u64>> =
                        leaves.map(|leaf| leaf.map(distinct_hash)).collect();
                    match self.groups.common() {
                        // Every value of a dictionary occurs.
                        Some(group) => hashes.iter().for_each(|hash| {
                            self.distinct(group, Some(hash), CountDistinct::list);
                        }),
                        None => self.add_different(codes.get()?, &hashes),
                    }
                    return Ok(true);
                }
                let codes = codes.get()?;
                let leaves: Vec<Option<Prepared<'_>>> = values.iter().map(prepared).collect();
                self.each(|accumulator, rank| {
                    let code = codes.get(rank).map(|code| usize::from(*code));
                    let leaf = code.and_then(|code| leaves.get(code)?.as_ref());
                    if let Some(prepared) = leaf {
                        prepared.add_to(accumulator);
                    }
                });
            }
            Values::Str(texts) => {
                for index in 0..texts.frame_count() {
                    let frame = texts.frame(index)?;
                    for index in 0..frame.len() {
                        if let Some(accumulator) =
                            self.accumulator(self.groups.get(frame.first_rank + index))
                        {
                            add(
                                accumulator,
                                Leaf::Text(frame.get(index).unwrap_or_default()),
                            );
                        }
                    }
                }
            }
            Values::Text(texts) => {
                for rank in 0..self.groups.len() {
                    if let Some(accumulator) = self.accumulator(self.groups.get(rank)) {
                        add(accumulator, Leaf::Text(texts.get(rank)?));
                    }
                }
            }
            Values::Packed(packed) => {
                let texts = packed.texts();
                let slots = 0..packed.slots();
                let leaves = slots.map(|slot| Ok(prepared(Scalar::Str(texts.get(slot)?))));
                let leaves: Vec<Option<Prepared<'_>>> = leaves.collect::<Result<_, Failure>>()?;
                self.each(|accumulator, rank| {
                    let leaf = packed
                        .slot(rank)
                        .and_then(|slot| leaves.get(slot)?.as_ref());
                    if let Some(prepared) = leaf {
                        prepared.add_to(accumulator);
                    }
                });
            }
            Values::Mixed(_) => return Ok(false),
        }
        Ok(true)
    }

    fn is_distinct(&self) -> bool {
        matches!(
            self.accumulators.first(),
            Some(Accumulator::CountDistinct(_))
        )
    }

    /// Adds the numbers of each group together: all to one, or runs of them, sorted by their groups as in a counting sort.
    fn in_runs<T: Copy + Default>(
        &mut self,
        numbers: &[T],
        add_all: impl Fn(&mut Accumulator, &[T]),
        add: impl Fn(&mut Accumulator, &Arc<Vec<T>>, Range<usize>),
    ) {
        match self.groups {
            GroupOf::One { group, .. } => {
                if let Some(accumulator) = self.accumulator(*group) {
                    add_all(accumulator, numbers);
                }
            }
            GroupOf::Coded { first, codes } => {
                let first = *first as usize;
                let groups = codes.iter().map(|code| usize::from(*code));
                add_sorted(self.accumulators.get_mut(first..), groups, numbers, add);
            }
            GroupOf::Each(groups) => {
                // At last that of the rows in none.
                let none = self.accumulators.len();
                let groups = groups.iter().map(|group| (*group as usize).min(none));
                add_sorted(Some(self.accumulators), groups, numbers, add);
            }
        }
    }

    /// Adds each value of a dictionary once to every group it occurs in, as far as a map of both is small enough.
    fn add_different(&mut self, codes: &[u16], hashes: &[Option<u64>]) {
        /// A mebibyte, which a core's cache holds.
        const SEEN_MAX: usize = 1 << 20;
        let len = hashes.len();
        let mut seen = vec![false; (self.accumulators.len() * len).min(SEEN_MAX)];
        for (rank, group) in self.groups.iter() {
            let Some(code) = codes.get(rank).map(|code| usize::from(*code)) else {
                break;
            };
            match seen.get_mut(group * len + code) {
                Some(seen) => *seen = true,
                None => self.distinct(group, hashes.get(code), CountDistinct::add_hash),
            }
        }
        for (group, seen) in seen.chunks(len.max(1)).enumerate() {
            let codes = seen.iter().enumerate().filter(|(_, seen)| **seen);
            for (code, _) in codes {
                self.distinct(group, hashes.get(code), CountDistinct::list);
            }
        }
    }

    fn distinct(
        &mut self,
        group: usize,
        hash: Option<&Option<u64>>,
        add: fn(&mut CountDistinct, u64),
    ) {
        if let (Some(Accumulator::CountDistinct(distinct)), Some(Some(hash))) =
            (self.accumulators.get_mut(group), hash)
        {
            add(distinct, *hash);
        }
    }

    fn accumulator(&mut self, group: u32) -> Option<&mut Accumulator> {
        self.accumulators.get_mut(group as usize)
    }

    fn each(&mut self, mut add: impl FnMut(&mut Accumulator, usize)) {
        for (rank, group) in self.groups.iter() {
            if let Some(accumulator) = self.accumulators.get_mut(group) {
                add(accumulator, rank);
            }
        }
    }
}

/// Adds to each accumulator the numbers whose group it is; a group past the last is that of those in none.
fn add_sorted<T: Copy + Default>(
    accumulators: Option<&mut [Accumulator]>,
    groups: impl Iterator<Item = usize> + Clone,
    numbers: &[T],
    add: impl Fn(&mut Accumulator, &Arc<Vec<T>>, Range<usize>),
) {
    let accumulators = accumulators.unwrap_or_default();
    // By group: how many numbers it has, then where its next one goes, and at last where its run ends.
    let mut ends = vec![0usize; accumulators.len() + 1];
    groups
        .clone()
        .zip(numbers)
        .for_each(|(group, _)| ends[group] += 1);
    let mut total = 0;
    for end in &mut ends {
        total += std::mem::replace(end, total);
    }
    let mut sorted = vec![T::default(); total];
    for (group, number) in groups.zip(numbers) {
        let next = &mut ends[group];
        sorted[*next] = *number;
        *next += 1;
    }
    let sorted = Arc::new(sorted);
    let mut start = 0;
    for (accumulator, end) in accumulators.iter_mut().zip(ends) {
        if start < end {
            add(accumulator, &sorted, start..end);
        }
        start = end;
    }
}

/// A value of a dictionary, with what functions make of it.
struct Prepared<'a> {
    leaf: Leaf<'a>,
    number: Option<Number>,
    hash: u64,
}

fn prepared(value: Scalar<'_>) -> Option<Prepared<'_>> {
    let leaf = Datum::Scalar(value).leaf()?;
    Some(Prepared {
        leaf,
        number: leaf.as_number(),
        hash: distinct_hash(leaf),
    })
}

impl Prepared<'_> {
    fn add_to(&self, accumulator: &mut Accumulator) {
        match (accumulator, self.number) {
            (Accumulator::CountDistinct(distinct), _) => distinct.add_hash(self.hash),
            (Accumulator::Sum(sum), number) => {
                number.into_iter().for_each(|number| sum.add(number))
            }
            (Accumulator::Values(values), number) => {
                number.into_iter().for_each(|number| values.add(number));
            }
            (accumulator, _) => add(accumulator, self.leaf),
        }
    }
}

fn add_integers(accumulator: &mut Accumulator, integers: &[i64]) {
    match accumulator {
        Accumulator::Sum(sum) => {
            let total = integers.iter().map(|integer| i128::from(*integer)).sum();
            sum.add_integers(integers.len() as u64, total);
        }
        Accumulator::Values(values) => values.add_integers(integers),
        accumulator => integers.iter().for_each(|integer| {
            add(accumulator, Leaf::Number(Number::Int((*integer).into())));
        }),
    }
}

fn add_floats(accumulator: &mut Accumulator, floats: &[f64]) {
    match accumulator {
        Accumulator::Sum(sum) => sum.add_floats(floats),
        Accumulator::Values(values) => values.add_floats(floats),
        accumulator => floats.iter().for_each(|float| {
            add(accumulator, Leaf::Number(Number::Float(*float)));
        }),
    }
}

fn add_float_run(accumulator: &mut Accumulator, all: &Arc<Vec<f64>>, run: Range<usize>) {
    match accumulator {
        Accumulator::Values(values) => values.add_run(all, run),
        accumulator => add_floats(accumulator, &all[run]),
    }
}

/// Adds a single value of a row. What needs to know the row is computed row by row.
fn add(accumulator: &mut Accumulator, leaf: Leaf<'_>) {
    match accumulator {
        Accumulator::CountDistinct(distinct) => distinct.add(leaf),
        Accumulator::Extreme(extreme) => extreme.add(leaf),
        Accumulator::Sum(sum) => leaf
            .as_number()
            .into_iter()
            .for_each(|number| sum.add(number)),
        Accumulator::Values(values) => {
            leaf.as_number()
                .into_iter()
                .for_each(|number| values.add(number));
        }
        Accumulator::Edge(_) => debug_assert!(false, "a value at an end of time has a row"),
    }
}
