//! Tests of text that take long: what they say when nobody interrupts them, and how soon they give up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cordwood_event::Timestamp;
use cordwood_query::{Filter, Interrupt, Predicate, parse};
use proptest::prelude::*;

fn predicate(text: &str) -> Predicate {
    let filter = parse(text)
        .unwrap_or_else(|error| panic!("{text}: {error:?}"))
        .query
        .filter;
    let Filter::Clause(clause) = filter else {
        panic!("{text} is one clause");
    };
    Predicate::new(&clause.test, Timestamp::default())
}

/// Stops at the look after so many, and counts them.
fn after(looks_max: usize) -> (Interrupt, Arc<AtomicUsize>) {
    let looks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&looks);
    let interrupt = Interrupt::when(move || counted.fetch_add(1, Ordering::Relaxed) >= looks_max);
    (interrupt, looks)
}

/// Regular expressions of all that they are made of, most of them valid.
fn expression() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("a"),
        Just("b"),
        Just("é"),
        Just("."),
        Just("[a-c]"),
        Just(r"\w"),
        Just(r"\b"),
        Just(r"\d"),
        Just("^"),
        Just("$"),
        Just("(?:ab|b)"),
        Just("*"),
        Just("+"),
        Just("?"),
        Just("{2,4}"),
        Just("|"),
        Just(r"\pL"),
        Just("[^a]"),
        Just("(?i:B)"),
        Just(r"\B"),
        Just("(?m:^b)"),
        Just("(?s:.)"),
    ];
    proptest::collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Of large texts, which are gone through step by step.
    #[test]
    fn nobody_interrupts(
        expression in expression(),
        flag in prop_oneof![Just(""), Just("i")],
        unit in "[abBcé1 \n-]{1,12}",
        end in "[abBcé1 \n-]{0,12}",
    ) {
        prop_assume!(parse(&format!("x:/{expression}/{flag}")).is_ok());
        let predicate = predicate(&format!("x:/{expression}/{flag}"));
        let (interrupt, _) = after(usize::MAX);
        let patient = predicate.clone().interrupted_by(&interrupt);
        let large = unit.repeat(9_000 / unit.len() + 1) + &end;
        for text in [&*unit, &*end, &*large] {
            prop_assert_eq!(patient.matches_text(text), predicate.matches_text(text), "on {:?} and {:?}", unit, end);
        }
        let run = format!("{unit}{large}{end}");
        let ends = [unit.len(), unit.len() + large.len(), run.len()].map(|end| u32::try_from(end).unwrap());
        let select = |predicate: &Predicate| {
            let mut selected = Vec::new();
            predicate.select_texts(run.as_bytes(), &ends, &mut |index| selected.push(index));
            selected
        };
        prop_assert_eq!(select(&patient), select(&predicate));
        prop_assert!(!interrupt.has_stopped());
    }
}

/// Tests that take long, and texts on which they do.
fn slow() -> Vec<(&'static str, String)> {
    let mixed: String = (0..40_000u32)
        .map(|number| char::from(b'a' + (number.wrapping_mul(2_654_435_761) >> 27) as u8 % 26))
        .collect();
    vec![
        ("x:/(?:[a-z].{0,50}[0-9]){4}Q/", mixed.clone()),
        ("x:/[a-c].*[0-9]Q/i", mixed.clone()),
        ("x:*a?b?c?d?e?f?g?0", mixed.clone()),
        ("x:(/[a-c].*[0-9]Q/ OR /[d-f].*[0-9]Q/)", mixed),
    ]
}

#[test]
fn a_large_text_is_given_up_where_it_is() {
    for (text, large) in slow() {
        let predicate = predicate(text);
        let (interrupt, looks) = after(usize::MAX);
        assert!(
            !predicate
                .clone()
                .interrupted_by(&interrupt)
                .matches_text(&large),
            "{text}"
        );
        let all = looks.load(Ordering::Relaxed);
        assert!(all >= large.len() / (16 << 10), "{text}: {all} looks");
        assert!(!interrupt.has_stopped(), "{text}");
        for looks_max in 0..all {
            let (interrupt, looks) = after(looks_max);
            assert!(
                !predicate
                    .clone()
                    .interrupted_by(&interrupt)
                    .matches_text(&large),
                "{text}"
            );
            assert!(interrupt.has_stopped(), "{text}");
            let made = looks.load(Ordering::Relaxed);
            assert_eq!(
                made,
                looks_max + 1,
                "{text}: nothing is done after it was told to stop"
            );
        }
    }
}

#[test]
fn many_small_texts_are_given_up_too() {
    for (text, large) in slow() {
        let ends: Vec<u32> = (1..=400).map(|index| index * 100).collect();
        let predicate = predicate(text);
        let (interrupt, looks) = after(1);
        let mut selected = 0;
        predicate
            .interrupted_by(&interrupt)
            .select_texts(large.as_bytes(), &ends, &mut |_| selected += 1);
        assert_eq!(selected, 0, "{text}");
        assert!(interrupt.has_stopped(), "{text}");
        assert_eq!(looks.load(Ordering::Relaxed), 2, "{text}");
    }
}
