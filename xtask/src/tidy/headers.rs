//! Every Rust file opens by saying what it is.

use super::SourceFile;

pub(super) fn check(files: &[SourceFile]) -> Vec<String> {
    files
        .iter()
        .filter(|file| file.has_extension("rs"))
        .filter(|file| !opens_with_purpose(&file.text))
        .map(|file| {
            file.finding(
                1,
                "the file must open with a `//!` line that says what it is",
            )
        })
        .collect()
}

/// A crate attribute that must come first (such as `no_main` for a fuzz target) may precede it.
fn opens_with_purpose(text: &str) -> bool {
    text.lines()
        .find(|line| !line.starts_with("#!["))
        .and_then(|line| line.strip_prefix("//! "))
        .is_some_and(|purpose| !purpose.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::files;

    #[test]
    fn a_header_is_a_sentence_on_the_first_line() {
        for (text, findings) in [
            ("//! What it is.\n", 0),
            ("#![no_main]\n//! What it is.\n", 0),
            ("//!\n", 1),
            ("// What it is.\n", 1),
            ("use std::fmt;\n", 1),
            ("", 1),
        ] {
            assert_eq!(
                check(&files(&[("src/a.rs", text)])).len(),
                findings,
                "{text:?}"
            );
        }
        assert!(check(&files(&[("a.py", "import os\n")])).is_empty());
    }
}
