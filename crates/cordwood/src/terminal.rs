//! What the terminal can show: colours where they are wanted, and nothing that an event could use to
//! take the terminal over.

use std::borrow::Cow;
use std::env;
use std::fmt::Write;
use std::io::IsTerminal;

/// Whether to colour, for one output stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    On,
    Off,
}

/// The colours we use, each as the SGR parameter of ECMA-48.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ink {
    Bold,
    Dim,
    Red,
    BrightRed,
    Yellow,
    Green,
    Blue,
    Cyan,
}

impl Colour {
    /// Colour when `stream` is a terminal that wants it: see <https://no-color.org>.
    pub(crate) fn of(stream: &impl IsTerminal) -> Colour {
        let is_refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || env::var_os("TERM").is_some_and(|term| term == "dumb");
        if stream.is_terminal() && !is_refused {
            Colour::On
        } else {
            Colour::Off
        }
    }

    /// Appends `text` in `ink`.
    pub(crate) fn paint(self, out: &mut String, ink: Ink, text: &str) {
        if self == Colour::Off {
            out.push_str(text);
            return;
        }
        let parameter = match ink {
            Ink::Bold => "1",
            Ink::Dim => "2",
            Ink::Red => "31",
            Ink::BrightRed => "1;31",
            Ink::Yellow => "33",
            Ink::Green => "32",
            Ink::Blue => "34",
            Ink::Cyan => "36",
        };
        let _ = write!(out, "\x1b[{parameter}m{text}\x1b[0m");
    }

    pub(crate) fn painted(self, ink: Ink, text: &str) -> String {
        let mut out = String::new();
        self.paint(&mut out, ink, text);
        out
    }
}

/// `text` on one line, with control characters escaped: an event must not move the cursor, ring the
/// bell, or pretend to be other lines.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_unsafe(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Control characters, and those that turn the direction of writing (Unicode annex 9).
fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        let cases = [
            ("plain é 火", "plain é 火"),
            ("a\nb\tc", "a\\nb\\tc"),
            ("\x1b[2J", "\\u{1b}[2J"),
            ("x\u{202e}y", "x\\u{202e}y"),
        ];
        for (text, expected) in cases {
            assert_eq!(printable(text), expected);
        }
    }
}
