//! A histogram of floats whose buckets are a fixed share of the values in them.
//!
//! The buckets are those of a float's exponent and leading bits of its fraction, as in HdrHistogram and in the linearly
//! interpolated mapping of DDSketch (Masson, Rim, Lee, 2019): found by a shift, the same in every block, so that
//! histograms merge by adding.

use std::slice;

/// How many bits of the fraction tell buckets apart.
const FRACTION_BITS: u32 = 7;
const SHIFT: u32 = 52 - FRACTION_BITS;
/// Buckets come in pages, one for each power of two, made when the first value falls into one.
const PAGE: usize = 1 << FRACTION_BITS;

type Page = Box<[u64; PAGE]>;

/// Counts of values by bucket.
#[derive(Clone, Debug, Default)]
pub(crate) struct Histogram {
    count: u64,
    /// The sign (below zero first) and power of two of the first page.
    first_page: i32,
    /// The pages from there on without a gap; those in which no value fell are not made.
    pages: Vec<Option<Page>>,
    /// The least and the greatest value.
    extremes: Option<(f64, f64)>,
}

impl Histogram {
    /// Half the width of a bucket, as a share of its lower end.
    pub(crate) const RELATIVE_ERROR: f64 = 0.5 / PAGE as f64;

    /// Adds the floats that some numbers are.
    pub(crate) fn add_each<N>(&mut self, numbers: &[N], float_of: impl Fn(&N) -> f64) {
        const AT_ONCE: usize = 256;
        for numbers in numbers.chunks(AT_ONCE) {
            let floats: Vec<f64> = numbers.iter().map(&float_of).collect();
            self.add_all(&floats);
        }
    }

    pub(crate) fn add_all(&mut self, floats: &[f64]) {
        let mut rest = floats.iter();
        while let Some((page, bucket)) = count_in(&mut self.pages, self.first_page, &mut rest) {
            self.page(page)[bucket] += 1;
        }
        self.count += floats.len() as u64;
        if let Some(extremes) = extremes_of(floats) {
            self.widen(extremes);
        }
    }

    fn widen(&mut self, (least, greatest): (f64, f64)) {
        let own = self.extremes.unwrap_or((least, greatest));
        self.extremes = Some((own.0.min(least), own.1.max(greatest)));
    }

    pub(crate) fn merge(&mut self, other: &Histogram) {
        for (page, counts) in other.numbered_pages() {
            for (own, other) in self.page(page).iter_mut().zip(counts.iter()) {
                *own += other;
            }
        }
        self.count += other.count;
        if let Some(extremes) = other.extremes {
            self.widen(extremes);
        }
    }

    fn numbered_pages(&self) -> impl Iterator<Item = (i32, &Page)> {
        let pages = (self.first_page..).zip(&self.pages);
        pages.filter_map(|(page, counts)| Some((page, counts.as_ref()?)))
    }

    fn page(&mut self, page: i32) -> &mut [u64; PAGE] {
        if self.pages.is_empty() {
            self.first_page = page;
        }
        if page < self.first_page {
            let missing = self.first_page.abs_diff(page) as usize;
            self.pages.splice(0..0, std::iter::repeat_n(None, missing));
            self.first_page = page;
        }
        let index = page.abs_diff(self.first_page) as usize;
        if index >= self.pages.len() {
            self.pages.resize(index + 1, None);
        }
        self.pages[index].get_or_insert_with(|| Box::new([0; PAGE]))
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// About the value that `rank` others come before in order.
    pub(crate) fn value_at(&self, rank: u64) -> Option<f64> {
        let (least, greatest) = self.extremes?;
        let mut before = 0;
        for (page, counts) in self.numbered_pages() {
            // Below zero the greater magnitude comes first.
            for index in 0..PAGE {
                let bucket = if page < 0 { PAGE - 1 - index } else { index };
                before += counts[bucket];
                if before > rank {
                    return Some(middle_of(page, bucket).clamp(least, greatest));
                }
            }
        }
        None
    }

    pub(crate) fn bytes(&self) -> u64 {
        let made = self.pages.iter().flatten().count() * size_of::<[u64; PAGE]>();
        (made + self.pages.len() * size_of::<Option<Page>>() + size_of::<Histogram>()) as u64
    }
}

/// Counts floats until one has no page yet, whose place that is. Where pages lie is known once for all floats.
fn count_in(
    pages: &mut [Option<Page>],
    first_page: i32,
    floats: &mut slice::Iter<'_, f64>,
) -> Option<(i32, usize)> {
    for float in floats {
        let (page, bucket) = place_of(*float);
        let index = page.wrapping_sub(first_page).cast_unsigned() as usize;
        match pages.get_mut(index) {
            Some(Some(counts)) => counts[bucket] += 1,
            _ => return Some((page, bucket)),
        }
    }
    None
}

/// Pages from 0 up hold what is at or above zero, those from -1 down what is below it.
fn place_of(float: f64) -> (i32, usize) {
    let bits = float.abs().to_bits() >> SHIFT;
    let (bucket, exponent) = (bits as usize % PAGE, (bits >> FRACTION_BITS) as i32);
    if float < 0.0 {
        (-1 - exponent, bucket)
    } else {
        (exponent, bucket)
    }
}

/// The least and the greatest, found in lanes side by side: one comparison would wait for the one before it.
fn extremes_of(floats: &[f64]) -> Option<(f64, f64)> {
    const LANES: usize = 4;
    let first = *floats.first()?;
    let (mut least, mut greatest) = ([first; LANES], [first; LANES]);
    let (whole, tail) = floats.as_chunks::<LANES>();
    let mut last = [first; LANES];
    last[..tail.len()].copy_from_slice(tail);
    for floats in whole.iter().chain([&last]) {
        for ((least, greatest), float) in least.iter_mut().zip(&mut greatest).zip(floats) {
            *least = if float < least { *float } else { *least };
            *greatest = if float > greatest { *float } else { *greatest };
        }
    }
    let least = least.into_iter().fold(first, f64::min);
    Some((least, greatest.into_iter().fold(first, f64::max)))
}

fn middle_of(page: i32, bucket: usize) -> f64 {
    let exponent = if page < 0 { -1 - page } else { page };
    let bits = u64::from(exponent.unsigned_abs()) << FRACTION_BITS | bucket as u64;
    let lower = f64::from_bits(bits << SHIFT);
    let upper = f64::from_bits((bits + 1) << SHIFT);
    let middle = match bits {
        0 => 0.0,
        _ if upper.is_finite() => lower + (upper - lower) / 2.0,
        _ => lower,
    };
    if page < 0 { -middle } else { middle }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Histogram;

    proptest! {
        #[test]
        fn values_are_as_near_as_promised(
            mut floats in proptest::collection::vec(
                prop_oneof![-1e6f64..1e6, Just(0.0), Just(1e300), Just(-1e-200)], 1..200),
            split in 0usize..200,
        ) {
            let (head, tail) = floats.split_at(split.min(floats.len()));
            let (mut histogram, mut other) = (Histogram::default(), Histogram::default());
            histogram.add_all(head);
            other.add_all(tail);
            histogram.merge(&other);
            floats.sort_by(f64::total_cmp);
            for (rank, float) in floats.iter().enumerate() {
                let found = histogram.value_at(rank as u64).expect("there are so many");
                let off = (found - float).abs();
                prop_assert!(off <= float.abs() * Histogram::RELATIVE_ERROR, "{float}: {found}");
            }
        }
    }
}
