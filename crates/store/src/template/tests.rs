//! Texts are taken apart at the borders of words and put together again; tables come back, or are refused.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn pieces_of(text: &str, rare: &[&str]) -> Vec<String> {
    let mut pieces = Vec::new();
    for_each_piece(
        text,
        |run| rare.contains(&run),
        |piece| {
            pieces.push(match piece {
                Piece::Static(text) => text.to_owned(),
                Piece::Slot(slot) => format!("<{slot}>"),
            });
        },
    );
    pieces
}

#[test]
fn runs_with_a_digit_and_rare_runs_are_slots() {
    for (text, expected) in [
        ("", &[][..]),
        ("no digit", &["no digit"]),
        ("took 34.5ms", &["took ", "<34.5ms>"]),
        ("7", &["<7>"]),
        ("a=b_1,c", &["a=", "<b_1>", ",c"]),
        (
            "GET /api/v1/x?n=2",
            &["GET ", "<\u{2f}api/v1/x>", "?n=", "<2>"],
        ),
        (
            "caf\u{e9}1 \u{2192}2\u{2192}",
            &["<caf\u{e9}1>", " \u{2192}", "<2>", "\u{2192}"],
        ),
        ("\u{663}x", &["\u{663}x"]),
        ("by zoe, of zoe-b", &["by ", "<zoe>", ", of zoe-b"]),
    ] {
        assert_eq!(pieces_of(text, &["zoe"]), expected, "{text}");
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
    vec("([a-c\u{e9} ,=]{0,4} 0 ){0,5}[a-c ]{0,3}", 0..30).prop_map(|texts| {
        texts
            .iter()
            .filter_map(|text| Template::new(text))
            .collect()
    })
}

proptest! {
    #[test]
    fn pieces_make_the_text_and_cut_no_word(text in "\\PC{0,20}|[a1 _.\u{e9}\u{2192}=]{0,20}", modulus in 1usize..4) {
        let (mut joined, mut borders) = (String::new(), Vec::new());
        let is_rare = |run: &str| run.len().is_multiple_of(modulus);
        for_each_piece(&text, is_rare, |piece| {
            let (Piece::Static(part) | Piece::Slot(part)) = piece;
            assert!(!part.is_empty());
            if let Piece::Static(part) = piece {
                assert!(!part.contains(|c: char| c.is_ascii_digit()));
            }
            borders.push(joined.len());
            joined.push_str(part);
        });
        prop_assert_eq!(&joined, &text);
        for border in borders.into_iter().skip(1) {
            let before = text.get(..border).unwrap().chars().next_back().unwrap();
            let after = text.get(border..).unwrap().chars().next().unwrap();
            prop_assert!(!(is_word(before) && is_word(after)), "{:?} is cut at {}", text, border);
        }
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
