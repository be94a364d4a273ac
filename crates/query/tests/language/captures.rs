//! What `parse` captures.

use cordwood_event::Scalar;
use cordwood_query::{
    CaptureKind, CompiledPattern, ParsePattern, PatternPart, Stage, limits, parse,
};
use proptest::prelude::*;

use crate::generate;

fn pattern(text: &str) -> ParsePattern {
    let query = format!("| parse \"{text}\"");
    let stages = parse(&query)
        .unwrap_or_else(|said| panic!("{query}: {said}"))
        .query
        .stages;
    match &stages[..] {
        [Stage::Parse { pattern, .. }] => pattern.clone(),
        other => panic!("{query}: {other:?}"),
    }
}

/// Asserts what a pattern captures from a text, shown as JSON; nothing when it does not occur.
fn check(pattern_text: &str, text: &str, expected: Option<&str>) {
    let compiled = CompiledPattern::new(&pattern(pattern_text));
    let captured = compiled.captures(text).map(|values| {
        let shown = values.into_iter().map(|value| {
            let mut json = String::new();
            match value {
                Scalar::Int(integer) => json = integer.to_string(),
                other => cordwood_event::json::write_value(&mut json, other),
            }
            json
        });
        shown.collect::<Vec<_>>().join(" ")
    });
    assert_eq!(captured.as_deref(), expected, "{pattern_text} on {text}");
}

#[test]
fn captures_reach_to_the_next_literal() {
    let line = "user=jana took 12ms to log in";
    check("user=<user> took <ms:number>ms", line, Some("\"jana\" 12"));
    check("<first> took", line, Some("\"user=jana\""));
    check("took <rest>", line, Some("\"12ms to log in\""));
    check("<all>", line, Some("\"user=jana took 12ms to log in\""));
    check("log <a>in", line, Some("\"\""));
    check("User=<user> ", line, None);
    check("took <ms>s to log out", line, None);
    check("a<<<x>>", "a<é>", Some("\"é\""));
}

#[test]
fn the_first_place_counts_where_every_capture_finds_what_it_takes() {
    check(
        "took <n:number>ms",
        "took a while, took 5ms, took 6ms",
        Some("5"),
    );
    check("a<x>b<n:number>c", "a1b?b5c", None);
    check("aa<n:number>;", "aaa5;", Some("5"));
    check("=<w:word> =", "=a b = =c =", Some("\"c\""));
    check("<n:number> ", "x 5 ", None);
}

#[test]
fn numbers_are_as_json_writes_them() {
    for (text, expected) in [
        ("0", Some("0")),
        ("-12", Some("-12")),
        ("1.50", Some("1.5")),
        ("1e3", Some("1000.0")),
        ("-0.5E-2", Some("-0.005")),
        ("18446744073709551616", Some("18446744073709551616")),
        ("007", None),
        ("+5", None),
        ("5.", None),
        (".5", None),
        ("5e", None),
        ("-", None),
        ("", None),
        ("0x1", None),
        ("NaN", None),
    ] {
        check("<n:number>;", &format!("{text};"), expected);
    }
    let longest = "1".repeat(limits::CAPTURED_NUMBER_BYTES_MAX);
    check("<n:number>;", &format!("{longest};"), Some(&longest));
    check("<n:number>;", &format!("1{longest};"), None);
    check("<n:number>", &format!("1{longest}"), None);
}

#[test]
fn at_the_end_a_capture_takes_all_it_can() {
    check("code=<n:number>", "code=500 path=/", Some("500"));
    check("took <n:number>", "took 12.5ms", Some("12.5"));
    check("took <n:number>", "took 5. Then", Some("5"));
    check("code=<n:number>", "code=007", None);
    check("code=<n:number>", "code=x code=7", Some("7"));
    check("path=<p:word>", "path=/a b", Some("\"/a\""));
    check("path=<p:word>", "path= path=/b", Some("\"/b\""));
    check("path=<p>", "path=", Some("\"\""));
}

#[test]
fn time_is_linear_in_the_text() {
    // With time growing by the square these would take minutes.
    let text = "a1".repeat(500_000);
    for hostile in [
        "a<w:word>; <x>",
        "a<n:number>;",
        "a<x>1<n:number>a;",
        "1<w:word> <y>;",
    ] {
        assert_eq!(
            CompiledPattern::new(&pattern(hostile)).captures(&text),
            None
        );
        let closed = format!("{text} ; ");
        let _ = CompiledPattern::new(&pattern(hostile)).captures(&closed);
    }
}

/// The rules taken at their word: every place is tried anew.
fn oracle(pattern: &ParsePattern, text: &str) -> Option<Vec<String>> {
    let (first, parts) = match &pattern.parts[..] {
        [PatternPart::Literal(first), rest @ ..] => (Some(first), rest),
        parts => (None, parts),
    };
    let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    starts
        .filter(|at| match first {
            Some(first) => text[*at..].starts_with(first.as_str()),
            None => *at == 0,
        })
        .find_map(|at| taken(parts, &text[at + first.map_or(0, String::len)..]))
}

fn taken(parts: &[PatternPart], text: &str) -> Option<Vec<String>> {
    let [PatternPart::Capture(capture), rest @ ..] = parts else {
        return Some(Vec::new());
    };
    let is_number = |text: &str| {
        serde_json::from_str::<serde_json::Number>(text).is_ok()
            && !text.contains(char::is_whitespace)
    };
    let (captured, after) = match rest {
        [PatternPart::Literal(literal), ..] => text.split_once(literal.as_str())?,
        _ => {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            let longest = match capture.kind {
                CaptureKind::Text => text.len(),
                CaptureKind::Word => text.find(char::is_whitespace).unwrap_or(text.len()),
                CaptureKind::Number => ends
                    .filter(|end| is_number(&text[..*end]))
                    .max()
                    .filter(|end| !text[*end..].starts_with(|c: char| c.is_ascii_digit()))
                    .unwrap_or(0),
            };
            text.split_at(longest)
        }
    };
    let is_taken = match capture.kind {
        CaptureKind::Text => true,
        CaptureKind::Word => !captured.is_empty() && !captured.contains(char::is_whitespace),
        CaptureKind::Number => is_number(captured),
    };
    if !is_taken {
        return None;
    }
    let mut values = vec![captured.to_owned()];
    values.extend(taken(rest.get(1..).unwrap_or_default(), after)?);
    Some(values)
}

/// Texts in which the parts of a pattern stand, with other things between them.
fn text_for(pattern: ParsePattern) -> impl Strategy<Value = (ParsePattern, String)> {
    let literals: Vec<String> = pattern
        .parts
        .iter()
        .filter_map(|part| match part {
            PatternPart::Literal(text) => Some(text.clone()),
            PatternPart::Capture(_) => None,
        })
        .chain(["5", "-1.5", "x", " ", ""].map(str::to_owned))
        .collect();
    let piece = prop::sample::select(literals.clone());
    let ordered = prop::collection::vec(prop::sample::select(vec!["5", "1.5", "x", " ", "007"]), 4);
    prop_oneof![
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat()),
        ordered.prop_map(move |between| {
            let mut text = String::new();
            for (literal, filling) in literals.iter().zip(between) {
                text.push_str(literal);
                text.push_str(filling);
            }
            text
        }),
    ]
    .prop_map(move |text| (pattern.clone(), text))
}

proptest! {
    #[test]
    fn captures_are_what_the_rules_say(
        (pattern, text) in generate::pattern().prop_flat_map(text_for),
    ) {
        let compiled = CompiledPattern::new(&pattern);
        let captured = compiled.captures(&text).map(|values| {
            values.into_iter().map(shown).collect::<Vec<_>>()
        });
        let expected = oracle(&pattern, &text);
        let kinds = pattern.parts.iter().filter_map(|part| match part {
            PatternPart::Capture(capture) => Some(capture.kind),
            PatternPart::Literal(_) => None,
        });
        let expected = expected.map(|values| {
            values.iter().zip(kinds).map(|(text, kind)| match kind {
                CaptureKind::Number => format!("{:?}", text.parse::<f64>().unwrap()),
                _ => text.clone(),
            }).collect::<Vec<_>>()
        });
        prop_assert_eq!(captured, expected, "{} on {:?}", pattern, text);
    }
}

fn shown(value: Scalar<'_>) -> String {
    match value {
        Scalar::Str(text) => text.to_owned(),
        number => format!("{:?}", number.as_number().unwrap().as_f64()),
    }
}
