//! Texts made to fit: providers refuse, or cut in the middle, what is longer than they say.

/// What stands for what was cut off.
const MARK: char = '…';

/// The first characters of a text, at most `length_max` with the mark that says that there was more. Counted is in units of UTF-16,
/// as the strictest of the providers do.
pub(crate) fn cut(text: &str, length_max: usize) -> String {
    escaped(text, length_max, |_| None)
}

/// The same of a text in which some characters are written otherwise. Counted is what is written, so that nothing is cut in the
/// middle of an escape.
pub(crate) fn escaped(
    text: &str,
    length_max: usize,
    escape: impl Fn(char) -> Option<&'static str>,
) -> String {
    let length = |character: char| match escape(character) {
        Some(written) => written.encode_utf16().count(),
        None => character.len_utf16(),
    };
    let whole: usize = text.chars().map(length).sum();
    let room = match whole <= length_max {
        true => length_max,
        false => length_max.saturating_sub(MARK.len_utf16()),
    };
    let (mut kept, mut taken) = (String::new(), 0);
    for character in text.chars() {
        taken += length(character);
        if taken > room {
            break;
        }
        match escape(character) {
            Some(written) => kept.push_str(written),
            None => kept.push(character),
        }
    }
    if whole > length_max {
        kept.truncate(kept.trim_end().len());
        kept.push(MARK);
    }
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
    fn escapes_are_whole() {
        let escape = |character| match character {
            '&' => Some("&amp;"),
            _ => None,
        };
        let cases = [
            ("a&b", 7, "a&amp;b"),
            ("a&b", 6, "a…"),
            ("a&bc", 7, "a&amp;…"),
            ("&&", 5, "…"),
            ("😀😀", 4, "😀😀"),
            ("😀😀", 3, "😀…"),
        ];
        for (text, length_max, expected) in cases {
            assert_eq!(escaped(text, length_max, escape), expected, "{text}");
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
