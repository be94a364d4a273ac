//! Searching text against the plainest possible reading of the rules.

use cordwood_query::{GlobToken, TextPattern, Wildcard, WildcardPattern, fold, is_word};
use proptest::prelude::*;

use crate::generate;

/// Character by character at every place.
fn contains(text: &str, phrase: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let phrase: Vec<char> = phrase.chars().collect();
    (0..=text.len()).any(|start| {
        let end = start + phrase.len();
        end <= text.len()
            && text[start..end]
                .iter()
                .zip(&phrase)
                .all(|(a, b)| fold(*a) == fold(*b))
            && !(is_word(phrase[0]) && start > 0 && is_word(text[start - 1]))
            && !(is_word(phrase[phrase.len() - 1]) && end < text.len() && is_word(text[end]))
    })
}

/// Whole value or word, by trying every way.
fn globs(text: &str, tokens: &[GlobToken]) -> bool {
    let whole: Vec<char> = text.chars().collect();
    glob(&whole, tokens)
        || text
            .split_whitespace()
            .any(|word| glob(&word.chars().collect::<Vec<_>>(), tokens))
}

fn glob(text: &[char], tokens: &[GlobToken]) -> bool {
    let Some((token, rest)) = tokens.split_first() else {
        return text.is_empty();
    };
    match token {
        GlobToken::AnyRun => (0..=text.len()).any(|skipped| glob(&text[skipped..], rest)),
        GlobToken::AnyChar => !text.is_empty() && glob(&text[1..], rest),
        GlobToken::Char(c) => text
            .split_first()
            .is_some_and(|(first, after)| fold(*first) == fold(*c) && glob(after, rest)),
    }
}

fn around(phrase: String) -> impl Strategy<Value = String> {
    let shouted = phrase.to_uppercase();
    let piece = prop_oneof![
        2 => generate::text(),
        1 => Just(phrase),
        1 => Just(shouted),
        1 => "[ -~]{0,90}",
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn phrases_are_found_as_the_rules_say(
        (phrase, text) in generate::text()
            .prop_filter("not empty", |phrase| !phrase.is_empty())
            .prop_flat_map(|phrase| { let text = around(phrase.clone()); (Just(phrase), text) })
    ) {
        let pattern = TextPattern::new(&phrase).unwrap();
        prop_assert_eq!(pattern.matches(&text), contains(&text, &phrase), "{:?} in {:?}", phrase, text);
    }

    #[test]
    fn a_candidate_is_the_phrase_itself(
        (phrase, text) in "[a-zA-Zé/. ]{1,5}".prop_flat_map(|phrase| {
            let text = around(phrase.clone());
            (Just(phrase), text)
        })
    ) {
        let pattern = TextPattern::new(&phrase).unwrap();
        let folded = |text: &str| text.chars().map(fold).collect::<Vec<_>>();
        let mut places = Vec::new();
        let mut from = 0;
        while let Some(found) = pattern.candidate(text.as_bytes(), from) {
            prop_assert_eq!(folded(&text[found.clone()]), folded(&phrase));
            from = found.start + text[found.start..].chars().next().unwrap().len_utf8();
            places.push(found.start);
        }
        let expected: Vec<usize> = text
            .char_indices()
            .map(|(place, _)| place)
            .filter(|place| folded(&text[*place..]).starts_with(&folded(&phrase)))
            .collect();
        prop_assert_eq!(places, expected);
    }

    #[test]
    fn wildcards_match_as_the_rules_say(
        tokens in prop::collection::vec(
            prop_oneof![
                "[abB é-]".prop_map(|c| GlobToken::Char(c.chars().next().unwrap())),
                Just(GlobToken::AnyChar),
                Just(GlobToken::AnyRun),
            ],
            1..6,
        ),
        text in prop_oneof!["[abAB éÉ-]{0,8}", generate::text()],
    ) {
        if let Some(wildcard) = Wildcard::new(tokens) {
            let pattern = WildcardPattern::new(&wildcard);
            prop_assert_eq!(
                pattern.matches(&text),
                globs(&text, wildcard.tokens()),
                "{:?} on {:?}", wildcard, text
            );
        }
    }
}

#[test]
fn case_is_folded_within_ascii_and_outside_it_but_not_across() {
    let check = |phrase: &str, text: &str, expected: bool| {
        let pattern = TextPattern::new(phrase).unwrap();
        assert_eq!(pattern.matches(text), expected, "{phrase} in {text}");
    };
    check("ÉTÉ", "l'été", true);
    check("σ", "Σ", true);
    check("straße", "STRAẞE", true);
    check("strasse", "straße", false);
    check("k", "\u{212a}", false);
    check("\u{212a}", "k", false);
    check("i", "İ", false);
    check("Ⱥx", "ⱥX", true);
    check("日本", "日本語", false);
    check("日本", "日本 語", true);
}

#[test]
fn a_match_never_reaches_from_one_value_into_the_next() {
    let pattern = TextPattern::new("ab").unwrap();
    let mut selected = Vec::new();
    // Values: "a", "b", "", "ab", "xab", "c ab", "ab"
    pattern.select(b"ababxabc abab", &[1, 2, 2, 4, 7, 11, 13], &mut |index| {
        selected.push(index)
    });
    assert_eq!(selected, [3, 5, 6]);
}

#[test]
fn long_runs_are_searched_to_their_last_byte() {
    for length in 0..300 {
        let text = format!("{}zq", " ".repeat(length));
        let pattern = TextPattern::new("ZQ").unwrap();
        assert_eq!(pattern.find(text.as_bytes(), 0), Some(length..length + 2));
        assert_eq!(pattern.find(&text.as_bytes()[..length + 1], 0), None);
        assert_eq!(pattern.find(text.as_bytes(), length + 1), None);
        assert_eq!(pattern.find(text.as_bytes(), length + 9), None);
    }
}
