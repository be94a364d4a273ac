//! Texts made to fit: providers refuse, or cut in the middle, what is longer than they say.

/// What stands for what was cut off.
const MARK: char = '…';

/// The first characters of a text, at most `length_max` with the mark that says that there was more.
pub(crate) fn cut(text: &str, length_max: usize) -> String {
    if text.chars().nth(length_max).is_none() {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(length_max.saturating_sub(1)).collect();
    kept.truncate(kept.trim_end().len());
    kept.push(MARK);
    kept
}

/// The text in one line, without characters that move the cursor of whoever reads it.
pub(crate) fn one_line(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect();
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_says_so() {
        let cases = [
            ("", 3, ""),
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("äöüß", 3, "äö…"),
            ("a b c", 3, "a…"),
        ];
        for (text, length_max, expected) in cases {
            assert_eq!(cut(text, length_max), expected, "{text}");
        }
    }

    #[test]
    fn lines_are_one() {
        let cases = [
            ("a\nb", "a b"),
            ("\u{1b}[31mred\r\n", "[31mred"),
            ("a", "a"),
        ];
        for (text, expected) in cases {
            assert_eq!(one_line(text), expected);
        }
    }
}
