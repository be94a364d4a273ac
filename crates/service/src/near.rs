//! Names someone may have meant.

/// Names to offer at most.
const NAMES_MAX: usize = 3;

/// The names most like `wanted`: a few typing errors away, or one holding the other. Best first.
pub(crate) fn names<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let errors_max = wanted.chars().count().div_ceil(3).min(4);
    let mut near: Vec<(usize, &str)> = known
        .filter_map(|name| {
            let lowered = name.to_lowercase();
            let errors = strsim::osa_distance(&wanted, &lowered);
            let holds = wanted.len() >= 3 && lowered.contains(&wanted);
            (errors <= errors_max || holds).then_some((errors, name))
        })
        .collect();
    near.sort();
    near.dedup();
    near.into_iter()
        .take(NAMES_MAX)
        .map(|(_, name)| name.to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn near_names_are_offered() {
        let known = ["default", "web-shop", "web-api", "billing"];
        let cases: [(&str, &[&str]); 6] = [
            ("defualt", &["default"]),
            ("Default", &["default"]),
            ("web", &["web-api", "web-shop"]),
            ("webshop", &["web-shop"]),
            ("kubernetes", &[]),
            ("", &[]),
        ];
        for (wanted, expected) in cases {
            assert_eq!(names(wanted, known.into_iter()), expected, "{wanted:?}");
        }
    }
}
