//! What holds for every query and every event.

use std::collections::HashSet;

use cordwood_event::{Number, Scalar};
use cordwood_query::{
    Clause, CompiledClause, Diagnostic, Filter, Matcher, Predicate, RequiredWords, Target, Test,
    parse,
};
use proptest::prelude::*;

use crate::event::{ORIGIN, event, holds, now};
use crate::generate;

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn canonical_text_reads_back(filter in generate::filter()) {
        let printed = filter.to_string();
        let parsed = parse(&printed);
        prop_assert!(parsed.is_ok(), "{printed}: {}", parsed.unwrap_err());
        let parsed = parsed.unwrap();
        prop_assert_eq!(&parsed.query.filter, &filter, "{}", printed);
        prop_assert_eq!(parsed.query.to_string(), printed);
        let of_paths = |hint: &&Diagnostic| !hint.message.contains("regular expression");
        prop_assert_eq!(parsed.hints.iter().find(of_paths), None);
    }

    #[test]
    fn canonical_text_of_stages_reads_back(query in generate::query()) {
        let printed = query.to_string();
        let parsed = parse(&printed);
        prop_assert!(parsed.is_ok(), "{printed}: {}", parsed.unwrap_err());
        let parsed = parsed.unwrap();
        prop_assert_eq!(&parsed.query, &query, "{}", printed);
        prop_assert_eq!(parsed.query.to_string(), printed);
    }

    #[test]
    fn every_clause_stands_for_itself(filter in generate::filter()) {
        for clause in filter.clauses() {
            let printed = clause.to_string();
            prop_assert_eq!(
                parse(&printed).map(|parsed| parsed.query.filter),
                Ok(Filter::Clause(clause.clone())),
                "{}", printed
            );
        }
    }

    #[test]
    fn any_text_is_read_or_told_why_not(text in prop_oneof![generate::query_text(), any::<String>()]) {
        match parse(&text) {
            Ok(parsed) => {
                let again = parse(&parsed.query.to_string());
                prop_assert_eq!(again.map(|again| again.query), Ok(parsed.query));
                for hint in parsed.hints {
                    prop_assert!(text.get(hint.span.clone()).is_some(), "{:?}", hint);
                }
            }
            Err(diagnostics) => {
                prop_assert!(!diagnostics.0.is_empty());
                for said in diagnostics.0 {
                    prop_assert!(text.get(said.span.clone()).is_some(), "{:?}", said);
                    prop_assert!(said.message.ends_with('.'), "{:?}", said);
                }
            }
        }
    }

    #[test]
    fn a_negation_is_the_complement(filter in generate::filter(), json in generate::event()) {
        let batch = event(&json);
        let held = holds(&filter, &batch);
        prop_assert_eq!(holds(&filter.clone().negated(), &batch), !held);
        prop_assert_eq!(holds(&Filter::and(vec![filter.clone(), filter.clone()]), &batch), held);
        prop_assert!(holds(&Filter::or(vec![filter.clone().negated(), filter]), &batch));
    }

    #[test]
    fn alternatives_are_an_or(json in generate::event(), filter in generate::filter()) {
        let batch = event(&json);
        for clause in filter.clauses() {
            let alone = clause.test.alternatives().iter().map(|test| {
                Filter::Clause(Clause { target: clause.target.clone(), test: test.clone() })
            });
            let held = alone.clone().any(|alone| holds(&alone, &batch));
            prop_assert_eq!(holds(&Filter::Clause(clause.clone()), &batch), held, "{}", clause);
        }
    }

    #[test]
    fn a_match_lies_within_the_bounds(filter in generate::filter(), json in generate::event()) {
        let batch = event(&json);
        if holds(&filter, &batch) {
            prop_assert!(filter.time_bounds(now()).contains(batch.event(0).timestamp()));
            prop_assert!(filter.admits_source(ORIGIN.source, ORIGIN.source_name));
        }
    }

    #[test]
    fn a_match_holds_the_words_required(filter in generate::filter(), json in generate::event()) {
        let batch = event(&json);
        let mut words = HashSet::new();
        for (_, value) in batch.event(0).fields() {
            words_of(value, &mut words);
        }
        for clause in filter.clauses() {
            let (CompiledClause::Field(_, predicate) | CompiledClause::AnyField(predicate, _)) =
                clause.compile(now())
            else {
                continue;
            };
            let RequiredWords::AnyOf(sets) = predicate.required_words() else { continue };
            prop_assert!(sets.iter().all(|set| !set.is_empty()), "{clause}");
            let is_met = sets.iter().any(|set| set.iter().all(|word| words.contains(word)));
            let mut fields = batch.event(0).fields();
            let holds = match &clause.target {
                Target::AnyField => fields.any(|(_, value)| predicate.matches_anywhere(value)),
                _ => holds(&Filter::Clause(clause.clone()), &batch),
            };
            prop_assert!(is_met || !holds, "{clause} asks for {sets:?} of {json}");
        }
    }

    #[test]
    fn a_filter_of_one_clause_is_the_clause(filter in generate::filter(), json in generate::event()) {
        let batch = event(&json);
        for clause in filter.clauses() {
            prop_assert_eq!(
                Matcher::of_clause(clause, now()).matches(batch.event(0), &ORIGIN),
                holds(&Filter::Clause(clause.clone()), &batch)
            );
        }
    }

    #[test]
    fn what_a_predicate_tells_of_itself_is_true(
        filter in generate::filter(),
        texts in prop::collection::vec(generate::text(), 0..20),
        numbers in prop::collection::vec(-9_i64..9, 0..9),
    ) {
        let of_fields = |clause: &&Clause| matches!(clause.target, Target::Field(_) | Target::AnyField);
        for clause in filter.clauses().into_iter().filter(of_fields) {
            let predicate = Predicate::new(&clause.test, now());
            check_texts(&predicate, &texts, &clause.test)?;
            check_numbers(&predicate, &numbers, &clause.test)?;
        }
    }
}

/// The words of a value as [`cordwood_query::RequiredWords`] counts them, by the definition.
fn words_of(value: Scalar<'_>, words: &mut HashSet<String>) {
    let whole = |number: Number| {
        number
            .as_integer()
            .map(|whole| whole.unsigned_abs().to_string())
    };
    match value {
        Scalar::Null => {}
        Scalar::Bool(boolean) => words.extend([boolean.to_string()]),
        Scalar::Int(_) | Scalar::Float(_) => words.extend(value.as_number().and_then(whole)),
        Scalar::Str(text) => words.extend(
            text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .map(str::to_ascii_lowercase),
        ),
        Scalar::Json(json) => match serde_json::from_str(json) {
            Ok(serde_json::Value::Array(items)) => {
                items
                    .iter()
                    .for_each(|item| words_of(Scalar::Json(&item.to_string()), words));
            }
            Ok(serde_json::Value::Object(members)) => {
                members
                    .values()
                    .for_each(|item| words_of(Scalar::Json(&item.to_string()), words));
            }
            Ok(serde_json::Value::String(text)) => words_of(Scalar::Str(&text), words),
            Ok(serde_json::Value::Bool(boolean)) => words_of(Scalar::Bool(boolean), words),
            _ => words.extend(value.as_number().and_then(whole)),
        },
    }
}

/// A run of values gives the same verdicts as the values one by one.
fn check_texts(predicate: &Predicate, texts: &[String], test: &Test) -> Result<(), TestCaseError> {
    let run = texts.concat();
    let mut ends = Vec::new();
    let mut end = 0;
    for text in texts {
        end += u32::try_from(text.len()).unwrap();
        ends.push(end);
    }
    let mut selected = Vec::new();
    predicate.select_texts(run.as_bytes(), &ends, &mut |index| selected.push(index));
    let expected: Vec<usize> = (0..texts.len())
        .filter(|index| predicate.matches(Scalar::Str(&texts[*index])))
        .collect();
    prop_assert_eq!(&selected, &expected, "{:?} on {:?}", test, texts);
    Ok(())
}

/// The intervals decide numbers, and their integer bounds decide integers.
fn check_numbers(predicate: &Predicate, numbers: &[i64], test: &Test) -> Result<(), TestCaseError> {
    let Some(intervals) = predicate.number_intervals() else {
        return Ok(());
    };
    for number in numbers {
        let held = predicate.matches(Scalar::Int(*number));
        let in_integers = intervals
            .iter()
            .filter_map(|interval| interval.integers())
            .any(|(least, greatest)| (least..=greatest).contains(number));
        prop_assert_eq!(in_integers, held, "{:?} on {}", test, number);
    }
    Ok(())
}
