//! Names that may have been meant: those a few slips of the finger away from the one that was typed, and those that hold it.

/// Names to offer at most.
const NAMES_MAX: usize = 3;

/// Of a name of so many letters one may be wrong; more than [`SLIPS_MAX`] make it another name.
const LETTERS_PER_SLIP: usize = 3;

const SLIPS_MAX: usize = 3;

/// A part of a name is as many letters at least.
const PART_LETTERS_MIN: usize = 3;

/// The names among `known` most like `wanted`, the best first. Case counts for nothing.
pub fn near_names<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = wanted.to_lowercase();
    let letters = wanted.chars().count();
    // With all its letters wrong it would be any name.
    let slips_max = letters
        .div_ceil(LETTERS_PER_SLIP)
        .min(SLIPS_MAX)
        .min(letters.saturating_sub(1));
    let slips_of = |name: &str| {
        let name = name.to_lowercase();
        let is_part = letters >= PART_LETTERS_MIN && name.contains(&wanted);
        // Cheap, and true of most.
        if name.chars().count().abs_diff(letters) > slips_max && !is_part {
            return None;
        }
        let slips = strsim::osa_distance(&wanted, &name);
        (slips <= slips_max || is_part).then_some(slips)
    };
    let mut near: Vec<(usize, &str)> = known
        .filter_map(|name| Some((slips_of(name)?, name)))
        .collect();
    near.sort_unstable();
    near.dedup();
    near.truncate(NAMES_MAX);
    near.into_iter().map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::near_names;

    fn check(wanted: &str, known: &[&str], expected: &[&str]) {
        assert_eq!(
            near_names(wanted, known.iter().copied()),
            expected,
            "near {wanted:?}"
        );
    }

    #[test]
    fn slips_of_the_finger() {
        check("sevice", &["service", "level", "message"], &["service"]);
        check("serivce", &["service"], &["service"]);
        check("sercices", &["service"], &["service"]);
        check("Service", &["service"], &["service"]);
        check("defualt", &["default", "web-shop"], &["default"]);
        check("hostname", &["service", "host"], &[]);
        check(
            "usre_id",
            &["user_id", "users_id"],
            &["user_id", "users_id"],
        );
        check("straße", &["strasse", "strase"], &["strase", "strasse"]);
    }

    #[test]
    fn a_part_of_the_name() {
        check(
            "web",
            &["billing", "web-shop", "web-api"],
            &["web-api", "web-shop"],
        );
        check("status", &["http.status_code"], &["http.status_code"]);
        check("kubernetes", &["billing"], &[]);
    }

    #[test]
    fn a_short_name_is_not_near_every_other() {
        check("", &["a", "billing"], &[]);
        check("x", &["y", "ab", "X"], &["X"]);
        check("id", &["ab", "ip", "ids"], &["ids", "ip"]);
    }

    #[test]
    fn the_nearest_three() {
        check(
            "abcd",
            &["abcdef", "abxd", "abcde", "abc", "abcd1", "abcd2"],
            &["abc", "abcd1", "abcd2"],
        );
    }
}
