//! Whether texts have so little in common that it is of no use to look for their templates.
//!
//! A text without its runs is its *skeleton*. Texts that follow one template have the same, because nothing but a run becomes a
//! slot: how many are left alone by their skeletons is known without taking texts apart, of which stack traces take the most time.

use std::hash::BuildHasher;

use super::split::ROWS_OF_MANY_LEFT;
use crate::template::{Marks, PLACEHOLDER};

/// How many of the texts can follow no template, at the least: too few others have their skeleton.
pub(super) fn texts_alone(texts: &[&str]) -> usize {
    let hasher = rapidhash::fast::RandomState::new();
    let mut marks = Marks::default();
    let mut skeleton = Vec::new();
    let hash = |text: &&str| {
        skeleton.clear();
        push_skeleton(text, &mut marks, &mut skeleton);
        hasher.hash_one(&*skeleton)
    };
    let mut hashes: Vec<u64> = texts.iter().map(hash).collect();
    hashes.sort_unstable();
    let same = hashes.chunk_by(|a, b| a == b).map(<[u64]>::len);
    same.filter(|texts| *texts < ROWS_OF_MANY_LEFT).sum()
}

fn push_skeleton(text: &str, marks: &mut Marks, skeleton: &mut Vec<u8>) {
    marks.mark(text);
    let mut at = 0;
    marks.each_run(|run| {
        let between = text.as_bytes().get(at..run.range.start);
        skeleton.extend_from_slice(between.unwrap_or_default());
        skeleton.extend_from_slice(PLACEHOLDER.as_bytes());
        at = run.range.end;
    });
    skeleton.extend_from_slice(text.as_bytes().get(at..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::split::Split;
    use super::super::tokenized::Tokenized;
    use super::*;
    use crate::tokens::BlockTokens;

    #[test]
    fn what_differs_in_more_than_runs_is_alone() {
        let alike = ["a 1", "bc x7", "a.b:c 1", "- d"];
        assert_eq!(texts_alone(&alike), 0);
        assert_eq!(texts_alone(&alike[..3]), 3);
        for other in [
            "a  1",
            "a 1 ",
            " a 1",
            "a 1 1",
            "a,1",
            "a",
            "",
            "a \u{2192}",
        ] {
            let texts = [&alike[..], &[other]].concat();
            assert_eq!(texts_alone(&texts), 1, "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_that_follows_a_template_is_alone(
            texts in prop::collection::vec("(a|b1|\u{e9}|\u{2192})( |, |\n)(a|b|c2){1,2}( x)?", 0..60),
            rows_min in ROWS_OF_MANY_LEFT..9,
        ) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let tokenized = Tokenized::of(&texts, &mut BlockTokens::default());
            let split = Split::of(&tokenized, rows_min);
            prop_assert!(texts_alone(&texts) <= split.whole.len());
        }
    }
}
