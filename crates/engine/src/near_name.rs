//! Names that may have been meant: those a slip or two away from the one that was typed.

/// More slips than this and it is another word.
const DISTANCE_MAX: usize = 2;

/// How many names to offer.
const NAMES_MAX: usize = 3;

/// The names among `known` nearest to `name`, the nearest first. Case counts for nothing.
pub(crate) fn near_names<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    let mut near: Vec<(usize, &str)> = known
        .filter_map(|known| {
            let candidate: Vec<char> = known.to_lowercase().chars().collect();
            let distance = distance(&wanted, &candidate)?;
            (distance < wanted.len()).then_some((distance, known))
        })
        .collect();
    near.sort_unstable();
    near.dedup();
    near.truncate(NAMES_MAX);
    near.into_iter().map(|(_, name)| name.to_owned()).collect()
}

/// How many letters to insert, drop, replace or swap with their neighbour to make `a` into `b` (optimal string
/// alignment); `None` beyond [`DISTANCE_MAX`].
fn distance(a: &[char], b: &[char]) -> Option<usize> {
    if a.len().abs_diff(b.len()) > DISTANCE_MAX {
        return None;
    }
    let mut two_back: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut current = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let replaced = previous[j] + usize::from(from != to);
            let mut best = replaced.min(previous[j + 1] + 1).min(current[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *to && *from == b[j - 1] {
                best = best.min(two_back[j - 1] + 1);
            }
            current.push(best);
        }
        two_back = std::mem::replace(&mut previous, current);
    }
    previous
        .last()
        .copied()
        .filter(|distance| *distance <= DISTANCE_MAX)
}

#[cfg(test)]
mod tests;
