//! Many values laid end to end: from places in the run to the values they lie in.

/// Calls `visit` with the index and the bytes of each value.
pub(crate) fn each_value(run: &[u8], ends: &[u32], visit: &mut dyn FnMut(usize, &[u8])) {
    let mut start = 0;
    for (index, end) in ends.iter().enumerate() {
        let end = *end as usize;
        visit(index, run.get(start..end).unwrap_or_default());
        start = end;
    }
}

/// Calls `select` with the index of each value for which `verify` holds, looking only at values in which
/// `candidate` finds a place to begin: `candidate(from)` is the first place at or after `from` in the run,
/// `verify(value, place)` decides whether the value matches at or after `place`, counted from its own start.
pub(crate) fn select_by_candidates(
    run: &[u8],
    ends: &[u32],
    mut candidate: impl FnMut(usize) -> Option<usize>,
    mut verify: impl FnMut(&[u8], usize) -> bool,
    select: &mut dyn FnMut(usize),
) {
    let mut index = 0;
    let mut at = 0;
    while let Some(place) = candidate(at) {
        index += values_ended_by(&ends[index..], place);
        let Some(end) = ends.get(index) else {
            return;
        };
        let start = match index {
            0 => 0,
            _ => ends[index - 1] as usize,
        };
        let end = *end as usize;
        if verify(run.get(start..end).unwrap_or_default(), place - start) {
            select(index);
        }
        index += 1;
        at = end;
    }
}

/// How many of the values have ended at `place`. Doubles its step, so that near values are found
/// at once and far ones without a walk.
fn values_ended_by(ends: &[u32], place: usize) -> usize {
    let has_ended = |end: &u32| *end as usize <= place;
    let mut reach = 1;
    while ends.get(reach - 1).is_some_and(has_ended) {
        reach *= 2;
    }
    let known = reach / 2;
    let upper = reach.min(ends.len());
    known + ends[known..upper].partition_point(has_ended)
}
