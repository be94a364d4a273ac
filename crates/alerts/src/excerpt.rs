//! The beginning of a text that is too long for where it goes.

/// The text, or as much of its beginning as fits into so many bytes and what stands for the rest.
pub(crate) fn excerpt(text: &str, bytes_max: usize, rest: &str) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let ends = (0..=bytes_max).rev();
    let end = ends.into_iter().find(|end| text.is_char_boundary(*end));
    let beginning = text.get(..end.unwrap_or_default()).unwrap_or_default();
    format!("{beginning}{rest}")
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn a_text_is_cut_between_characters() {
        for (text, bytes_max, expected) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "abc…"),
            ("aüü", 3, "aü…"),
            ("aüü", 2, "a…"),
            ("ü", 1, "…"),
            ("", 0, ""),
        ] {
            assert_eq!(
                excerpt(text, bytes_max, "…"),
                expected,
                "{text} {bytes_max}"
            );
        }
    }
}
