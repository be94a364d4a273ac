//! Texts that follow templates, against the one-event matcher: questions that meet the borders between what recurs and
//! what varies.

use crate::support::document::Document;
use crate::support::fixture::{Fixture, newest, sorted, sources};
use cordwood_engine::{SearchRequest, Total};
use cordwood_event::{Event, Timestamp};
use cordwood_query::{TimeBounds, parse};
use proptest::prelude::*;
use serde_json::json;

/// Rows of a block: enough for templates, few enough for several blocks.
const BLOCK_ROWS: usize = 48;

fn slot() -> impl Strategy<Value = String> {
    prop_oneof![
        (0u32..30).prop_map(|n| n.to_string()),
        (0u32..30_000).prop_map(|n| format!("{}.{:02}ms", n / 100, n % 100)),
        (0u32..9).prop_map(|n| format!("user-{n}")),
        (0u32..9).prop_map(|n| format!("{n}/refused")),
        (0u32..9).prop_map(|n| format!("-{n}-")),
        (0u32..9).prop_map(|n| format!("É{n}k")),
        any::<u16>().prop_map(|n| format!("{n:04x}")),
        proptest::sample::select(&["zoe", "K\u{212a}", "refused", "user", "straße"][..])
            .prop_map(str::to_owned),
    ]
}

fn message() -> impl Strategy<Value = String> {
    (0usize..9, slot(), slot(), any::<u16>()).prop_map(|(kind, a, b, n)| match kind {
        0 => format!("Connection refused by {a} after {b}, again"),
        1 => format!("{a} is the user that took {b}"),
        2 => format!("statement timeout ÄRGER of {a}; took {b} there"),
        3 => format!("é {a}={b} «user» in some more words"),
        5 => format!("it gave {a} {b} {a}-{b} at last"),
        7 => format!("from host-{}.user came {a}, to node-{}/zoe", n % 30, n / 99),
        8 => format!("on {}-{:02}.z not {a} but {}-{:02}.z", n, n % 28, n, n % 28),
        4 => "nothing varies in this: timeout of the user".to_owned(),
        _ => format!("{a} and {b}: {b} or {a}, who knows"),
    })
}

fn documents() -> impl Strategy<Value = Vec<Document>> {
    let message = prop_oneof![30 => message(), 1 => "\\PC{0,12}"];
    let document =
        (0i64..40, proptest::option::weighted(0.95, message)).prop_map(|(time, text)| {
            let fields = text.map(|text| ("message".to_owned(), json!(text)));
            Document {
                time,
                fields: fields.into_iter().collect(),
            }
        });
    proptest::collection::vec(document, 100..200)
}

const QUESTIONS: &[&str] = &[
    "message:user",
    "message:refused",
    "message:REFUSED",
    "message:\"connection refused\"",
    "message:\"refused by\"",
    "message:\"refused by user\"",
    "message:\"by user-3 after\"",
    "message:\"user-3\"",
    "message:\"-3-\"",
    "message:\"-3\"",
    "message:3",
    "message:\"took 1\"",
    "message:\"took \"",
    "message:\" and \"",
    "message:\"; took\"",
    "message:\"ärger of\"",
    "message:\"user refused\"",
    "message:\"refused zoe\"",
    "message:\"refused user-3\"",
    "message:\"gave user refused\"",
    // Through two slots, with a word of the template between them.
    "message:\"refused, to node-1\"",
    "message:\"user-3 after 4\"",
    "message:\"by user-3 after 4\"",
    "message:\"took user there\"",
    "message:*3, to no*",
    "message:(\"user zoe\" OR \"refused refused\")",
    "message:\"user refused\" NOT message:zoe",
    "message:zoe",
    // In the slots of all texts of a template.
    "message:host",
    "message:z",
    "message:(node OR deadlock)",
    "message:host NOT message:user",
    "message:\"user came\"",
    "message:\"host-3\"",
    "message:\"from host\"",
    "message:\"but 7\"",
    // From the middle of a word on, or to it: in no text.
    "message:\"k user-3\"",
    "message:\"ook user-\"",
    "message:\"user-3 aft\"",
    "message:*7-0*",
    "message:\"zoe and\"",
    "message:ék",
    "message:\"é3k\"",
    "message:kk",
    "message:\"k\u{212a}\"",
    "message:straße",
    "message:\"=user\"",
    "message:\"«user»\"",
    "message:*timeout*",
    "message:*efuse*",
    "message:*user-*",
    "message:*ms",
    "message:user*",
    "message:*t*k*",
    "message:\"\"",
    "message:/took [0-9]{2,}\\.[0-9]+ms/",
    "message:/^[a-z]+ timeout/",
    "message:/É[0-9]k/",
    "message:/USER|zoe/i",
    "message:/refused$/",
    "message:(zoe OR deadlock)",
    // One in the static text of a template, the other in its slots.
    "message:(connection OR zoe)",
    "message:in(statement, zoe)",
    "message:>k",
    "message=\"nothing varies in this: timeout of the user\"",
    "message=\"Connection refused by 3 after 4, again\"",
    "message:*",
    "NOT message:user",
    "(message:statement OR message:timeout) NOT message:user",
    "message:user message:refused message:zoe",
    "zoe",
];

fn literal() -> impl Strategy<Value = String> {
    (message(), any::<prop::sample::Index>(), 1usize..32).prop_map(|(text, start, length)| {
        let chars: Vec<char> = text.chars().collect();
        let part = chars.iter().skip(start.index(chars.len())).take(length);
        part.filter(|c| !matches!(c, '"' | '\\' | '*' | '?'))
            .collect()
    })
}

fn questions() -> impl Strategy<Value = Vec<String>> {
    let part = literal().prop_map(|part| format!("message:\"{part}\""));
    let infix = literal().prop_map(|part| {
        let escaped: String = part.chars().flat_map(|c| ['\\', c]).collect();
        format!("message:*{escaped}*")
    });
    let fixed = proptest::sample::select(QUESTIONS).prop_map(str::to_owned);
    proptest::collection::vec(prop_oneof![3 => fixed, 3 => part, 1 => infix], 40)
}

fn answered(fixture: &Fixture, request: &SearchRequest) -> (Vec<Event>, Option<u64>) {
    let snapshot = fixture.store.snapshot();
    let answer = fixture
        .engine
        .search(&snapshot, request)
        .expect("an answer");
    assert!(answer.account.is_complete(), "{:?}", answer.account);
    let events = answer.events.into_iter().map(sorted).collect();
    (events, answer.total)
}

/// All times, or some that cut blocks.
fn range() -> impl Strategy<Value = TimeBounds> {
    let cutting = (0i64..40, 0i64..40).prop_map(|(first, last)| TimeBounds {
        first: Timestamp::from_nanos(first),
        last: Timestamp::from_nanos(last),
    });
    prop_oneof![Just(TimeBounds::ALL), cutting]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn templates_decide_what_the_matcher_decides(
        documents in documents(),
        questions in questions(),
        deleted in proptest::option::weighted(0.3, (proptest::sample::select(QUESTIONS), range())),
        range in range(),
    ) {
        let mut fixture = Fixture::new(BLOCK_ROWS);
        let (early, late) = documents.split_at(documents.len() / 2);
        fixture.append(&sources()[0], early);
        fixture.store.flush().expect("a flush");
        fixture.append(&sources()[0], late);
        fixture.append(&sources()[1], early);
        if let Some((text, range)) = deleted {
            fixture.delete(text, &sources()[..1], range);
        }
        for text in questions.iter().filter(|text| parse(text).is_ok()) {
            for range in [TimeBounds::ALL, range] {
                // A count without rows takes other ways than one with them.
                for limit in [0, 300] {
                    let request = SearchRequest { total: Total::Count, range, ..newest(text, limit) };
                    let expected = fixture.expected(&request);
                    let (events, total) = answered(&fixture, &request);
                    prop_assert_eq!(total, Some(expected.len() as u64), "total of {}", text);
                    if limit > 0 {
                        prop_assert_eq!(events, expected, "events of {}", text);
                    }
                }
            }
        }
    }
}

/// Enough for so many blocks that several are handed out together.
fn many_documents() -> impl Strategy<Value = Vec<Document>> {
    let pool = proptest::collection::vec(message(), 60..120);
    (pool, any::<u32>()).prop_map(|(messages, seed)| {
        let mut mix = seed | 1;
        let mut next = |end: usize| {
            mix = mix.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (mix >> 8) as usize % end
        };
        let document = |time: i64| {
            let text = &messages[next(messages.len())];
            let is_there = next(20) > 0;
            let fields = is_there.then(|| ("message".to_owned(), json!(text)));
            Document {
                time: time / 20,
                fields: fields.into_iter().collect(),
            }
        };
        (0..800).map(document).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn many_blocks_are_counted_as_the_matcher_counts(
        documents in many_documents(),
        questions in questions(),
        deleted in proptest::option::weighted(0.3, (proptest::sample::select(QUESTIONS), range())),
        range in range(),
    ) {
        let mut fixture = Fixture::new(BLOCK_ROWS / 2);
        for documents in documents.chunks(documents.len() / 3) {
            fixture.append(&sources()[0], documents);
            fixture.store.flush().expect("a flush");
        }
        if let Some((text, range)) = deleted {
            fixture.delete(text, &sources()[..1], range);
        }
        for text in questions.iter().filter(|text| parse(text).is_ok()) {
            for (range, limit) in [(TimeBounds::ALL, 0), (TimeBounds::ALL, 7), (range, 0), (range, 7)] {
                let request = SearchRequest { total: Total::Count, range, ..newest(text, limit) };
                let mut expected = fixture.expected(&request);
                let (events, total) = answered(&fixture, &request);
                prop_assert_eq!(total, Some(expected.len() as u64), "total of {}", text);
                expected.truncate(limit);
                prop_assert_eq!(events, expected, "events of {}", text);
            }
        }
    }
}

/// What a slot holds that is not a number.
const SLOTS: &[&str] = &["user-7", "zoe", "8/refused", "-5-", "3.14ms"];

/// Of each kind, a text like the others but for what is in its slots.
fn texts_of_a_kind(kind: usize) -> impl Iterator<Item = String> {
    let slot = move |n: usize, of: usize| match (n * of).is_multiple_of(3) {
        true => SLOTS[(n / 3 + of) % SLOTS.len()].to_owned(),
        false => (n * of % 97).to_string(),
    };
    (1..=2 * BLOCK_ROWS).map(move |n| {
        let (a, b) = (slot(n, 5), slot(n, 7));
        match kind {
            0 => format!("from host-{}.user came {a}, to node-{}/zoe", n % 30, n * 7),
            1 => format!("it gave {a} {b} at last"),
            2 => format!("{a} and then {b}: {b} or {a} it is"),
            _ => format!("refused by {a} after {b}, again, of {n}"),
        }
    })
}

/// Through slots and static text alike, from wherever a phrase begins to wherever it ends.
#[test]
fn every_part_of_a_text_is_found_in_it() {
    for kind in 0..4 {
        let mut fixture = Fixture::new(BLOCK_ROWS);
        let texts: Vec<String> = texts_of_a_kind(kind).collect();
        let document = |text: &String| Document {
            time: 0,
            fields: [("message".to_owned(), json!(text))].into_iter().collect(),
        };
        let documents: Vec<Document> = texts.iter().map(document).collect();
        fixture.append(&sources()[0], &documents);
        fixture.store.flush().expect("a flush");
        for text in [&texts[11], &texts[24]] {
            for (start, end) in (0..text.len()).flat_map(|start| {
                let ends = start + 1..=text.len();
                ends.map(move |end| (start, end))
            }) {
                let part = text.get(start..end).expect("the texts are ASCII");
                let escaped: String = part.chars().flat_map(|c| ['\\', c]).collect();
                let infix = (start % 4 == 0).then(|| format!("message:*{escaped}*"));
                for question in [format!("message:\"{part}\"")].into_iter().chain(infix) {
                    let request = SearchRequest {
                        total: Total::Count,
                        ..newest(&question, 0)
                    };
                    let expected = fixture.expected(&request).len() as u64;
                    let (_, total) = answered(&fixture, &request);
                    assert_eq!(total, Some(expected), "total of {question}");
                }
            }
        }
    }
}

#[test]
fn listed_words_are_counted_before_a_block_is_opened() {
    let mut fixture = Fixture::new(BLOCK_ROWS);
    let document = |n: usize| {
        let rare = if n.is_multiple_of(9) { "zoe" } else { "-" };
        let text = format!("the user {rare} refused {n} of {rare} at last");
        let fields = [("message".to_owned(), json!(text))];
        Document {
            time: 0,
            fields: fields.into_iter().collect(),
        }
    };
    let documents: Vec<Document> = (0..2 * BLOCK_ROWS).map(document).collect();
    let zoes = documents.len().div_ceil(9) as u64;
    fixture.append(&sources()[0], &documents);
    fixture.store.flush().expect("a flush");
    for (text, total) in [
        ("message:zoe", zoes),
        ("NOT message:zoe", documents.len() as u64 - zoes),
        ("message:\"at last\"", documents.len() as u64),
        ("message:nobody", 0),
    ] {
        let request = SearchRequest {
            total: Total::Count,
            ..newest(text, 0)
        };
        let snapshot = fixture.store.snapshot();
        let answer = fixture
            .engine
            .search(&snapshot, &request)
            .expect("an answer");
        let blocks = answer.account.blocks;
        assert_eq!(answer.total, Some(total), "{text}");
        assert_eq!(answer.account.bytes_scanned, 0, "{text}");
        assert_eq!((blocks.total, blocks.read), (2, 0), "{text}: {blocks:?}");
    }
}

#[test]
fn what_no_template_can_hold_is_answered_from_the_directory() {
    let mut fixture = Fixture::new(BLOCK_ROWS);
    let document = |n: usize| Document {
        time: 0,
        fields: [(
            "message".to_owned(),
            json!(format!("the request req-{n} took {n}.5ms")),
        )]
        .into_iter()
        .collect(),
    };
    let documents: Vec<Document> = (0..BLOCK_ROWS).map(document).collect();
    fixture.append(&sources()[0], &documents);
    fixture.store.flush().expect("a flush");
    for (text, total, reads) in [
        ("message:deadlock", 0, false),
        ("message:*deadlock*", 0, false),
        ("message:/deadlock [0-9]/", 0, false),
        ("message:\"request took\"", 0, false),
        ("message:request", BLOCK_ROWS as u64, false),
        ("message:req", BLOCK_ROWS as u64, false),
        ("message:\"took 7.5ms\"", 1, true),
    ] {
        let request = SearchRequest {
            total: Total::Count,
            ..newest(text, 0)
        };
        let snapshot = fixture.store.snapshot();
        let answer = fixture
            .engine
            .search(&snapshot, &request)
            .expect("an answer");
        assert_eq!(answer.total, Some(total), "{text}");
        assert_eq!(answer.account.bytes_scanned > 0, reads, "{text}");
    }
}
