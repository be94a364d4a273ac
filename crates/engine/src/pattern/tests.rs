//! Forms of texts, what forms teach, and what is shown of them.

use std::collections::BTreeSet;

use cordwood_event::{Batch, BatchBuilder, EventHead, Scalar, SourceId, Timestamp};
use cordwood_query::{Matcher, Origin, parse};
use cordwood_store::template::{Shapes, runs};
use proptest::prelude::*;

use super::form::{cut, first_line};
use super::forms::Common;
use super::{Form, PatternForms, PatternQuery, form_of, settle, typed, word_of};

#[track_caller]
fn check(text: &str, expected: &str) {
    let form = form_of(text);
    assert_eq!(form.replace('\0', "<*>"), expected, "{text}");
    assert_eq!(super::Form::parse(&form).text(), form);
}

#[test]
fn what_varies_by_its_nature_is_a_place() {
    check("user-123 logged in", "<*> logged in");
    check(
        "took 15.06ms for 550e8400-e29b-41d4-a716-446655440000",
        "took <*> for <*>",
    );
    check(
        "GET /healthz 304 1.71ms upstream=kafka-broker",
        "GET <*> <*> <*> upstream=<*>",
    );
    check(
        "search query='vekvesu zuxozu' hits=25220",
        "search query='<*>' hits=<*>",
    );
    check("can't open 'my file' of bob's", "can't open '<*>' of bob's");
    check("an 'open quote", "an 'open quote");
    check(
        "{\"a\":\"b c\",\"d\":\"\"}",
        "{\"<*>\":\"<*>\",\"<*>\":\"<*>\"}",
    );
    check(
        "mail to ann@example.com from db.prod.example.",
        "mail to <*> from <*>",
    );
    check(
        "java.lang.NullPointerException: null",
        "java.lang.NullPointerException: null",
    );
    check("key deadbeef or decade", "key <*> or decade");
    check("\n\n  first line  \nsecond 1", "  first line");
    check("", "");
    check("!!!", "!!!");
    check("42", "<*>");
    check("a\0b", "a");
}

#[test]
fn long_texts_are_cut() {
    let words = vec!["word"; 70].join(" ");
    let form = form_of(&words);
    assert_eq!(form, format!("{} …", vec!["word"; 64].join(" ")));
    check(
        &format!("{} {} end", "a".repeat(65), "-".repeat(9)),
        "<*> --------- end",
    );
    assert!(form_of(&format!("a{}b", "=".repeat(500))).len() < 80);
}

#[track_caller]
fn check_settled(texts: &[&str], text: &str, expected: &str) {
    let forms: BTreeSet<String> = texts.iter().map(|text| form_of(text)).collect();
    let settled = settle(&PatternForms::default(), forms.iter().map(String::as_str));
    let form = form_of(text);
    assert_eq!(settled.of(&form).replace('\0', "<*>"), expected);
}

#[test]
fn words_that_vary_become_places() {
    let names = [
        "ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal", "ivy", "jim",
    ];
    let texts: Vec<String> = names
        .iter()
        .map(|name| format!("user {name} logged in"))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    check_settled(&texts, "user eve logged in", "user <*> logged in");
    check_settled(&texts[1..], "user eve logged in", "user eve logged in");
    check_settled(
        &["user 7 logged in", "user eve logged in"],
        "user eve logged in",
        "user <*> logged in",
    );
    check_settled(
        &["failed 7", "failed again"],
        "failed again",
        "failed again",
    );
    check_settled(
        &["GET /a done in 5ms", "POST /b done in 7ms"],
        "GET /c done in 1s",
        "GET <*> done in <*>",
    );
}

#[test]
fn places_are_shown_by_what_stands_there() {
    for (text, expected) in [
        (
            "took 15.06ms for 550e8400-e29b-41d4-a716-446655440000",
            "took <num>ms for <uuid>",
        ),
        (
            "user-123 from 10.0.0.1: /var/log at 12:30:45",
            "user-<num> from <ip>: <path> at <time>",
        ),
        ("kid=5656d945 key='a b' n=7", "kid=<hex> key='<*>' n=<num>"),
        ("http://a/b 10.0.0.1:5432", "<url> <ip>:<num>"),
    ] {
        assert_eq!(typed(&form_of(text), text), expected);
    }
    assert_eq!(typed("a \0 b", "something else"), "a <*> b");
}

/// One event with this message.
fn event(message: &str) -> Batch {
    let mut builder = BatchBuilder::new();
    builder.begin_event();
    builder.set_root_field("message", Scalar::Str(message));
    builder.finish_event(EventHead {
        timestamp: Timestamp::MIN,
        level: None,
        source_bytes: 0,
    });
    builder.finish()
}

fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        6 => proptest::sample::select(&["user", "bob", "ann", "logged", "in", "a.b", "/x/y", "7", "12ms", "-", "it's"][..])
            .prop_map(str::to_owned),
        1 => "\\PC{0,6}",
    ];
    let between = proptest::sample::select(
        &[" ", " ", " ", "=", " '", "' ", "\"", ", ", "\n", "  ", "→"][..],
    );
    proptest::collection::vec((word, between), 0..8).prop_map(|parts| {
        parts
            .into_iter()
            .map(|(word, between)| word + between)
            .collect()
    })
}

/// The text of a template, with a slot for each run that has a digit and for some that do not, and what is in its slots.
fn taken_apart(text: &str, rare: u64) -> (String, Vec<&str>) {
    let (mut template, mut values, mut at) = (String::new(), Vec::new(), 0);
    for (index, run) in runs(text).enumerate() {
        template.push_str(cut(text, at..run.range.start));
        at = run.range.end;
        if run.has_digit || rare >> (index % 64) & 1 == 1 {
            template.push('0');
            values.push(cut(text, run.range));
        } else {
            template.push_str(cut(text, run.range));
        }
    }
    template.push_str(cut(text, at..text.len()));
    (template, values)
}

proptest! {
    #[test]
    fn the_form_of_a_form_is_itself(text in text()) {
        let form = form_of(&text);
        prop_assert_eq!(super::Form::parse(&form).text(), form);
    }

    #[test]
    fn the_shape_of_a_text_has_its_form(text in text()) {
        let mut shape = String::new();
        Shapes::default().push(first_line(&text), &mut shape);
        prop_assert_eq!(form_of(&shape), form_of(&text), "{}", shape);
    }

    #[test]
    fn the_query_of_a_form_finds_its_texts(text in text()) {
        let form = form_of(&text);
        let query = PatternQuery::of("message", &form).text;
        let parsed = parse(&query).unwrap_or_else(|wrong| panic!("{query}: {wrong:?}"));
        let batch = event(&text);
        let origin = Origin { source: SourceId(1), source_name: "one", sequence: 1 };
        let matcher = Matcher::new(&parsed.query.filter, Timestamp::MIN);
        for found in batch.events() {
            prop_assert!(matcher.matches(found, &origin), "{} of {:?}", query, text);
        }
    }

    #[test]
    fn the_template_of_a_text_tells_its_pattern(
        texts in proptest::collection::vec(text(), 1..12),
        rare in any::<u64>(),
    ) {
        let forms: BTreeSet<String> = texts.iter().map(|text| form_of(text)).collect();
        let settled = settle(&PatternForms::default(), forms.iter().map(String::as_str));
        let moved = settled.moved().map(|(_, to)| to);
        let known: PatternForms = forms.iter().skip(1).map(String::as_str).chain(moved).collect();
        for text in &texts {
            let (template, values) = taken_apart(text, rare);
            let own = Form::of_text(text);
            let (expected, own) = (known.known(&own), own.text());
            let found = match known.common(&template) {
                Common::Known(form) => Some(String::from(form)),
                Common::New(form) => {
                    prop_assert_eq!(&*form, own);
                    None
                }
                Common::Open(open) => {
                    let slots = open.slots().iter();
                    let words = slots.clone().map(|slot| word_of(values[slot.slot]));
                    prop_assert_eq!(open.form_with(words), own);
                    let standing: Vec<_> = slots.map(|slot| slot.standing(values[slot.slot])).collect();
                    let known = open.known(&standing);
                    known.and_then(|index| open.candidates().nth(index)).map(str::to_owned)
                }
            };
            prop_assert_eq!(found, expected, "{} of {}", text, template);
        }
    }

    #[test]
    fn what_forms_teach_does_not_depend_on_what_is_known_already(
        texts in proptest::collection::vec(text(), 0..40),
        split in 0usize..40,
    ) {
        let forms: BTreeSet<String> = texts.iter().map(|text| form_of(text)).collect();
        let all: Vec<&str> = forms.iter().map(String::as_str).collect();
        let settled = settle(&PatternForms::default(), all.iter().copied());
        let (known, new) = all.split_at(split.min(all.len()));
        let known: PatternForms = known.iter().copied().collect();
        let again = settle(&known, new.iter().copied());
        for form in new {
            prop_assert_eq!(again.of(form), settled.of(form));
        }
        // Of forms that are all known, what they teach is found out once.
        let known: PatternForms = all.iter().copied().collect();
        for _ in 0..2 {
            let again = settle(&known, new.iter().copied());
            for form in new {
                prop_assert_eq!(again.of(form), settled.of(form));
            }
        }
    }
}
