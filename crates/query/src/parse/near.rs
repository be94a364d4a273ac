//! The name that was probably meant.

/// The known name most like `wanted`: a slip or two away from it, or one that begins with it.
pub(super) fn near_name<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    let length = wanted.chars().count();
    let slips_max = length.div_ceil(3).min(3).min(length.saturating_sub(1));
    known
        .filter_map(|name| {
            let lowered = name.to_lowercase();
            let slips = strsim::osa_distance(&wanted, &lowered);
            let begins = wanted.len() >= 3 && lowered.starts_with(&wanted);
            (slips <= slips_max || begins).then_some((slips, name))
        })
        .min()
        .map(|(_, name)| name)
}
