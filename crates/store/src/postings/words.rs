//! The words that have posting lists, and how texts are taken apart into them.
//!
//! A word here is a maximal run of word characters of any script, and listed if it is nothing but ASCII letters and `_`: so it stands at
//! the boundaries of words as the query language sees them. Words with a digit are mostly ids, of which every text has its own.

use std::ops::Range;

use cordwood_event::is_word;

/// Ends every value where many lie one after the other. No slot can hold it, nor any word.
pub(crate) const END: u8 = b'\n';

/// A word that has posting lists, or two with one ASCII character between them; in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedWord {
    spelled: Box<str>,
}

impl ListedWord {
    /// The words of a text whose ends are boundaries of words.
    pub fn each_of(text: &str) -> Vec<ListedWord> {
        let mut words = Vec::new();
        each_range(text, |range| {
            words.extend(text.get(range).map(ListedWord::new));
        });
        words
    }

    /// Each two words next to each other.
    pub fn each_pair_of(text: &str) -> Vec<ListedWord> {
        let mut pairs = Vec::new();
        let mut previous: Option<Range<usize>> = None;
        each_range(text, |range| {
            if let Some(first) = previous.take()
                && between(&first, &range, text).is_some()
            {
                pairs.extend(text.get(first.start..range.end).map(ListedWord::new));
            }
            previous = Some(range);
        });
        pairs
    }

    fn new(text: &str) -> ListedWord {
        ListedWord {
            spelled: text.to_ascii_lowercase().into(),
        }
    }

    /// Whether a text has it among its words or pairs.
    pub fn is_in(&self, text: &str) -> bool {
        let is_same = |range: Range<usize>| {
            let found = text.get(range);
            found.is_some_and(|found| found.eq_ignore_ascii_case(&self.spelled))
        };
        let mut is_in = false;
        let mut previous: Option<Range<usize>> = None;
        each_range(text, |range| {
            let first = previous.replace(range.clone());
            is_in |= is_same(range.clone());
            is_in |= first.is_some_and(|first| {
                between(&first, &range, text).is_some() && is_same(first.start..range.end)
            });
        });
        is_in
    }

    /// Whether it is two words.
    pub fn is_pair(&self) -> bool {
        let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        !self.spelled.bytes().all(is_letter)
    }

    /// How it is spelled, in lower case.
    pub fn spelled(&self) -> &str {
        &self.spelled
    }
}

/// A word in a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    pub(crate) text: &'a str,
    /// Where it begins.
    pub(crate) start: usize,
}

impl Found<'_> {
    pub(crate) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// The one character between this word and the next in a text, if they are a pair.
    pub(crate) fn is_before(&self, next: &Found<'_>, text: &str) -> Option<u8> {
        between(&(self.start..self.end()), &(next.start..next.end()), text)
    }
}

fn between(first: &Range<usize>, next: &Range<usize>, text: &str) -> Option<u8> {
    let between = text.as_bytes().get(first.end).copied();
    between.filter(|between| first.end + 1 == next.start && *between != END)
}

/// Visits the listed words of a text.
pub(crate) fn each_word<'a>(text: &'a str, mut visit: impl FnMut(Found<'a>)) {
    each_range(text, |range| {
        let start = range.start;
        let text = text.get(range).unwrap_or_default();
        visit(Found { text, start });
    });
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ByteClass {
    Separator,
    Letter,
    Digit,
    /// Part of a character that has to be looked at as a whole.
    Unicode,
}

const CLASSES: [ByteClass; 256] = {
    let mut classes = [ByteClass::Separator; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(
            clippy::indexing_slicing,
            clippy::cast_possible_truncation,
            reason = "evaluated by the compiler, for bytes"
        )]
        {
            classes[byte] = match byte as u8 {
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => ByteClass::Letter,
                b'0'..=b'9' => ByteClass::Digit,
                0x80.. => ByteClass::Unicode,
                _ => ByteClass::Separator,
            };
        }
        byte += 1;
    }
    classes
};

/// Visits where the listed words of a text are.
fn each_range(text: &str, mut visit: impl FnMut(Range<usize>)) {
    let bytes = text.as_bytes();
    let class_at = |at: usize| {
        let byte = bytes.get(at)?;
        CLASSES.get(usize::from(*byte)).copied()
    };
    let char_at = |at: usize| text.get(at..).and_then(|rest| rest.chars().next());
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let mut is_listed = true;
        loop {
            match class_at(at) {
                Some(ByteClass::Letter) => at += 1,
                Some(ByteClass::Digit) => {
                    is_listed = false;
                    at += 1;
                }
                Some(ByteClass::Unicode) => match char_at(at) {
                    Some(c) if is_word(c) => {
                        is_listed = false;
                        at += c.len_utf8();
                    }
                    _ => break,
                },
                Some(ByteClass::Separator) | None => break,
            }
        }
        if is_listed && at > start {
            visit(start..at);
        }
        // Over what separates, to the next word.
        while let Some(class) = class_at(at) {
            match class {
                ByteClass::Separator => at += 1,
                ByteClass::Letter | ByteClass::Digit => break,
                ByteClass::Unicode => match char_at(at) {
                    Some(c) if !is_word(c) => at += c.len_utf8(),
                    Some(_) => break,
                    None => at += 1,
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ListedWord;

    fn check(text: &str, words: &[&str], pairs: &[&str]) {
        let spelled = |listed: Vec<ListedWord>| -> Vec<String> {
            listed
                .iter()
                .map(|word| word.spelled().to_owned())
                .collect()
        };
        assert_eq!(spelled(ListedWord::each_of(text)), words, "{text}");
        assert_eq!(spelled(ListedWord::each_pair_of(text)), pairs, "{text}");
    }

    #[test]
    fn words_stand_alone_and_in_pairs() {
        check("", &[], &[]);
        check(
            "Connection refused",
            &["connection", "refused"],
            &["connection refused"],
        );
        check("a, b-c", &["a", "b", "c"], &["b-c"]);
        check("read_only x1 y", &["read_only", "y"], &[]);
        check("one\ntwo", &["one", "two"], &[]);
    }

    /// A letter of any script next to them makes another word of them.
    #[test]
    fn words_are_bounded_as_in_queries() {
        check("naïve ab—cd é", &["ab", "cd"], &[]);
        check("xé yÄz ", &[], &[]);
        check("日本 log 日本log", &["log"], &[]);
    }
}
