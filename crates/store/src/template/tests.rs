//! Texts are taken apart at the borders of words and put together again; tables come back, or are refused.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// The runs of a text, those with a digit in brackets.
fn runs_of(text: &str) -> Vec<String> {
    let show = |run: Run| match run.has_digit {
        true => format!("<{}>", text.get(run.range).unwrap()),
        false => text.get(run.range).unwrap().to_owned(),
    };
    runs(text).map(show).collect()
}

#[test]
fn runs_are_words_with_what_holds_them_together() {
    for (text, expected) in [
        ("", &[][..]),
        ("no digit", &["no", "digit"]),
        ("took 34.5ms", &["took", "<34.5ms>"]),
        ("7", &["<7>"]),
        ("a=b_1,c", &["a", "<b_1>", "c"]),
        (
            "GET /api/v1/x?n=2",
            &["GET", "<\u{2f}api/v1/x>", "n", "<2>"],
        ),
        ("caf\u{e9}1 \u{2192}2\u{2192}", &["<caf\u{e9}1>", "<2>"]),
        ("\u{663}x", &["\u{663}x"]),
        ("by zoe, of zoe-b", &["by", "zoe", "of", "zoe-b"]),
    ] {
        assert_eq!(runs_of(text), expected, "{text}");
    }
}

#[test]
fn a_template_has_no_digit_but_for_its_slots() {
    for (text, slots) in [
        ("", Some(0)),
        ("took 0", Some(1)),
        ("0, 0", Some(2)),
        ("took 1", None),
        ("took 0ms", None),
        ("00", None),
    ] {
        let template = Template::new(text);
        assert_eq!(template.map(|template| template.slots()), slots, "{text}");
    }
    let ids = ["took 0", "took 0 "].map(|text| Template::new(text).unwrap().id());
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ids[0], 13182938730531887784, "stable from build to build");
}

fn templates() -> impl Strategy<Value = Vec<Template>> {
    let text = "([a-c\u{e9} ,=]{0,4} 0 ){0,5}[a-c ]{0,3}";
    vec((text, vec("[a-c_]{1,2}", 0..3)), 0..30).prop_map(|templates| {
        let made = templates.into_iter().filter_map(|(text, held)| {
            let template = Template::new(&text)?;
            // Where there are no slots there is nothing in them.
            Some(match template.slots() {
                0 => template,
                _ => template.holding(held),
            })
        });
        made.collect()
    })
}

#[test]
fn a_template_holds_what_is_in_the_slots_of_all_its_texts() {
    let held = ["node", "core", "node"].map(str::to_owned).to_vec();
    let template = Template::new("from 0").unwrap().holding(held);
    assert!(template.held_words().eq(["core", "node"]));
    for (text, is_held) in [
        ("Node", true),
        ("core", true),
        ("from", false),
        ("no", false),
    ] {
        let word = &ListedWord::each_of(text)[0];
        assert_eq!(template.holds(word), is_held, "{text}");
    }
    assert!(Template::new("from 0").unwrap() < template);
}

proptest! {
    #[test]
    fn runs_cut_no_word_and_leave_no_digit(text in "\\PC{0,20}|[a1 _.\u{e9}\u{2192}=]{0,20}") {
        let mut at = 0;
        for run in runs(&text) {
            prop_assert!(run.range.start >= at && !run.range.is_empty());
            let between = text.get(at..run.range.start).unwrap();
            prop_assert!(!between.contains(|c: char| is_word(c)), "{:?} between runs of {:?}", between, text);
            let is_digit = |c: char| c.is_ascii_digit();
            let run_text = text.get(run.range.clone()).unwrap();
            prop_assert_eq!(run_text.contains(is_digit), run.has_digit);
            at = run.range.end;
        }
        prop_assert!(!text.get(at..).unwrap().contains(is_word));
    }

    #[test]
    fn tables_come_back(templates in templates()) {
        let table = TemplateTable::of(templates.clone());
        prop_assert_eq!(&TemplateTable::decode(&table.encode()), &Ok(table.clone()));
        for template in &templates {
            let index = table.index_of(template);
            prop_assert_eq!(index.and_then(|index| table.get(index)), Some(template));
        }
    }

    #[test]
    fn damaged_tables_are_refused_or_read_but_never_panic(
        templates in templates(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = TemplateTable::of(templates).encode();
        for (index, byte) in damage {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        if let Ok(table) = TemplateTable::decode(&bytes) {
            prop_assert_eq!(TemplateTable::decode(&table.encode()), Ok(table));
        }
    }

    #[test]
    fn arbitrary_bytes_are_no_table_or_read(bytes in vec(prop_oneof![0u8..4, any::<u8>()], 0..100)) {
        let _ = TemplateTable::decode(&bytes);
    }
}
