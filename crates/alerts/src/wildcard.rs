//! A text in which `*` stands for any run of characters and `?` for one, compared ignoring case.

/// Whether `text` as a whole is as `pattern` says. Takes time at most proportional to the product of their lengths, which are limited.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = folded(pattern);
    let text: Vec<char> = folded(text);
    let (mut at, mut tried) = (0, 0);
    // Where the last `*` stands, and what of the text it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while tried < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, tried));
                at += 1;
            }
            Some(expected) if *expected == '?' || text.get(tried) == Some(expected) => {
                at += 1;
                tried += 1;
            }
            _ => match &mut star {
                Some((place, taken)) => {
                    *taken += 1;
                    at = *place + 1;
                    tried = *taken;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|rest| *rest == '*')
}

fn folded(text: &str) -> Vec<char> {
    text.chars().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_takes_any_run() {
        for (pattern, text, expected) in [
            ("web-3", "web-3", true),
            ("WEB-3", "web-3", true),
            ("web-3", "web-30", false),
            ("web-*", "web-30", true),
            ("*-30", "web-30", true),
            ("*b*3?", "web-30", true),
            ("*b*3?", "web-3", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("?", "ü", true),
            ("a**b", "ab", true),
            ("*aab", "aaaaab", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        assert!(!fits(&"*a".repeat(200), &"ab".repeat(500)));
    }
}
