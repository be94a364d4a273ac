//! Patterns against the naive evaluator: messages that follow templates, in blocks and open, known and new.

use std::collections::BTreeMap;
use std::sync::Arc;

use cordwood_engine::pattern::{PatternForms, form_of, settle};
use cordwood_engine::{
    LEVELS, Pattern, Patterns, PatternsRequest, SearchRequest, SearchedSource, Staged,
    StagedRequest,
};
use cordwood_event::{Event, EventId, SourceId, Timestamp, Value};
use cordwood_query::{FieldName, TimeBounds, parse};
use proptest::prelude::*;
use serde_json::json;

use crate::support::document::Document;
use crate::support::fixture::{Fixture, newest, sources};

/// Rows of a block: enough for templates, few enough for several blocks.
const BLOCK_ROWS: usize = 64;
const NANOS_PER_SECOND: i64 = 1_000_000_000;

const NAMES: [&str; 14] = [
    "ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal", "ivy", "jim", "kay", "leo", "mia",
    "ned",
];

fn message() -> impl Strategy<Value = String> {
    let name = proptest::sample::select(&NAMES[..]);
    (0usize..8, name, 0u32..300).prop_map(|(kind, name, n)| match kind {
        0 => format!("user {name} logged in from 10.0.0.{n}"),
        1 => format!("user u{n} logged in from db.prod.example"),
        2 => format!("lock {name} acquired by thread {n} in {n}ms"),
        3 => format!("request to {name}-service failed: connection refused"),
        4 => format!("request to host{n} failed: connection refused"),
        5 => format!(
            "cache {} for key '{name} {n}'",
            if n % 2 == 0 { "hit" } else { "miss" }
        ),
        6 => format!("{name} {name} {name} and nothing else at all {n}"),
        _ => "nothing varies in this message of many words".to_owned(),
    })
}

fn documents() -> impl Strategy<Value = Vec<Document>> {
    let message = prop_oneof![30 => message(), 1 => "\\PC{0,12}"];
    let level = proptest::option::of(proptest::sample::select(&["info", "error"][..]));
    let document = (0i64..40, proptest::option::weighted(0.95, message), level).prop_map(
        |(time, text, level)| {
            let text = text.map(|text| ("message".to_owned(), json!(text)));
            let level = level.map(|level| ("level".to_owned(), json!(level)));
            Document {
                time: time * NANOS_PER_SECOND,
                fields: text.into_iter().chain(level).collect(),
            }
        },
    );
    proptest::collection::vec(document, 100..200)
}

/// Where the events are.
#[derive(Clone, Copy, Debug)]
enum Step {
    Append(usize),
    Flush,
    Merge,
    Delete,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0usize..2).prop_map(Step::Append),
        1 => Just(Step::Flush),
        1 => Just(Step::Merge),
        1 => Just(Step::Delete),
    ];
    proptest::collection::vec(step, 1..6)
}

fn request(filter: &str, range: TimeBounds, buckets_max: usize) -> PatternsRequest {
    PatternsRequest {
        search: SearchRequest {
            range,
            ..newest(filter, 0)
        },
        field: FieldName::new("message"),
        buckets_max,
        examples_max: 3,
    }
}

/// What is counted of one pattern, in the plainest way.
#[derive(Clone, Debug, Default, PartialEq)]
struct Counts {
    count: u64,
    by_level: [u64; LEVELS],
    by_bucket: BTreeMap<Timestamp, u64>,
    by_source: BTreeMap<SourceId, u64>,
    edges: Option<(EventId, EventId)>,
}

fn message_of(event: &Event) -> Option<&str> {
    let mut fields = event.fields.iter();
    match fields.find(|(path, _)| &**path == "message") {
        Some((_, Value::Str(text))) => Some(text),
        _ => None,
    }
}

/// By form, of the events that match.
fn expected(events: &[Event], known: &PatternForms, found: &Patterns) -> BTreeMap<String, Counts> {
    let mut by_form: BTreeMap<String, Counts> = BTreeMap::new();
    let form = |event: &Event| message_of(event).map(|text| known_or_new(known, text));
    for source in sources() {
        let of_source = || events.iter().filter(|event| event.source == source.id);
        let forms: Vec<String> = of_source().filter_map(form).collect();
        let settled = settle(known, forms.iter().map(String::as_str));
        for event in of_source() {
            let Some(form) = form(event) else { continue };
            let counts = by_form.entry(settled.of(&form).to_owned()).or_default();
            counts.count += 1;
            counts.by_level[event.level.map_or(0, |level| usize::from(level.code()))] += 1;
            *counts.by_source.entry(source.id).or_default() += 1;
            let behind = found
                .buckets
                .partition_point(|start| *start <= event.id.timestamp);
            if let Some(start) = behind.checked_sub(1) {
                *counts.by_bucket.entry(found.buckets[start]).or_default() += 1;
            }
            let (first, last) = counts.edges.get_or_insert((event.id, event.id));
            (*first, *last) = ((*first).min(event.id), (*last).max(event.id));
        }
    }
    by_form
}

/// The known form with the fewest places that a text is of, or its own: asked of each alone.
fn known_or_new(known: &PatternForms, text: &str) -> String {
    let form = form_of(text);
    if known.is_empty() {
        return form;
    }
    let places = |form: &str| form.matches('\0').count();
    let mut candidates: Vec<&str> = known.iter().collect();
    candidates.sort_by_key(|candidate| (places(candidate), *candidate));
    let is_of = |candidate: &&str| {
        let one: PatternForms = [*candidate].into_iter().collect();
        settle(&one, [&*form]).of(&form) == *candidate
    };
    candidates
        .into_iter()
        .find(is_of)
        .map_or(form.clone(), str::to_owned)
}

fn counted(found: &Patterns) -> BTreeMap<String, Counts> {
    let counts = |pattern: &cordwood_engine::Pattern| Counts {
        count: pattern.count,
        by_level: pattern.by_level,
        by_bucket: found
            .buckets
            .iter()
            .copied()
            .zip(pattern.by_bucket.iter().copied())
            .filter(|(_, count)| *count > 0)
            .collect(),
        by_source: pattern.by_source.clone(),
        edges: Some((pattern.first, pattern.last)),
    };
    let patterns = found.patterns.iter();
    patterns
        .map(|pattern| (pattern.form.clone(), counts(pattern)))
        .collect()
}

fn check(
    fixture: &Fixture,
    request: &PatternsRequest,
    known: &PatternForms,
) -> Result<Patterns, TestCaseError> {
    let found = fixture.engine.patterns(&fixture.store.snapshot(), request);
    let found = found.expect("an answer");
    prop_assert!(found.account.is_complete(), "{:?}", found.account);
    let search = SearchRequest {
        limit: usize::MAX,
        ..request.search.clone()
    };
    let events = fixture.expected(&search);
    prop_assert_eq!(counted(&found), expected(&events, known, &found));
    let in_patterns: u64 = found.patterns.iter().map(|pattern| pattern.count).sum();
    prop_assert_eq!(found.events, events.len() as u64);
    prop_assert_eq!(
        in_patterns + found.without_field + found.other,
        found.events
    );
    for pattern in found.patterns.iter().take(request.examples_max) {
        let example = pattern.example.as_ref().map(|event| event.id);
        prop_assert_eq!(example, Some(pattern.last));
    }
    check_texts(fixture, request, &found)?;
    Ok(found)
}

/// Read together, patterns are what each is by itself.
fn check_texts(
    fixture: &Fixture,
    request: &PatternsRequest,
    found: &Patterns,
) -> Result<(), TestCaseError> {
    let (engine, snapshot) = (&fixture.engine, fixture.store.snapshot());
    let mut together = found.patterns.clone();
    let mut each: Vec<&mut Pattern> = together.iter_mut().collect();
    let typed = engine.type_patterns(&snapshot, request, &mut each);
    typed.expect("nothing is broken");
    for (pattern, typed) in found.patterns.iter().zip(&together) {
        let mut alone = pattern.clone();
        let fetched = engine.fetch_example(&snapshot, request, &mut alone);
        fetched.expect("nothing is broken");
        prop_assert_eq!(&typed.text, &alone.text);
    }
    Ok(())
}

fn take(fixture: &mut Fixture, step: Step, documents: &[Document]) {
    match step {
        Step::Append(source) => fixture.append(&sources()[source], documents),
        Step::Flush => {
            fixture.store.flush().expect("a flush");
        }
        Step::Merge => {
            fixture.store.compact().expect("a merge");
        }
        Step::Delete => {
            let range = TimeBounds {
                first: Timestamp::from_nanos(0),
                last: Timestamp::from_nanos(5 * NANOS_PER_SECOND),
            };
            fixture.delete("message:lock", &sources(), range);
        }
    }
}

/// Every form of the events that there are.
fn forms_of(fixture: &Fixture) -> PatternForms {
    let all = SearchRequest {
        limit: usize::MAX,
        ..newest("*", 0)
    };
    let events = fixture.expected(&all);
    let forms: Vec<String> = events.iter().filter_map(message_of).map(form_of).collect();
    let settled = settle(&PatternForms::default(), forms.iter().map(String::as_str));
    forms.iter().map(|form| settled.of(form)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn patterns_are_what_the_naive_evaluator_counts(
        documents in documents(),
        steps in steps(),
        (first, length) in (0i64..40, 0i64..40),
        buckets_max in 0usize..12,
    ) {
        let mut fixture = Fixture::new(BLOCK_ROWS);
        take(&mut fixture, Step::Append(0), &documents);
        for step in steps {
            take(&mut fixture, step, &documents);
        }
        let range = TimeBounds {
            first: Timestamp::from_nanos(first * NANOS_PER_SECOND),
            last: Timestamp::from_nanos((first + length) * NANOS_PER_SECOND),
        };
        let learnt = Arc::new(forms_of(&fixture));
        let some: PatternForms = learnt.iter().step_by(2).collect();
        for known in [Arc::default(), Arc::new(some), learnt] {
            sources().iter().for_each(|source| fixture.engine.know_patterns(source.id, Arc::clone(&known)));
            check(&fixture, &request("*", TimeBounds::ALL, buckets_max), &known)?;
            check(&fixture, &request("*", range, buckets_max), &known)?;
            check(&fixture, &request("message:user OR level:error", range, buckets_max), &known)?;
        }
    }

    #[test]
    fn a_pattern_is_the_same_wherever_its_events_lie(documents in documents(), split in 0usize..100) {
        let mut fixture = Fixture::new(BLOCK_ROWS);
        let [source, _] = &*sources() else { unreachable!() };
        let ids = |fixture: &Fixture| {
            let found = fixture.engine.patterns(&fixture.store.snapshot(), &request("*", TimeBounds::ALL, 0));
            let patterns = found.expect("an answer").patterns.into_iter();
            patterns.map(|pattern| (pattern.id, pattern.count)).collect::<Vec<_>>()
        };
        fixture.append(source, &documents[..split]);
        fixture.append(source, &documents[split..]);
        let open = ids(&fixture);
        fixture.store.flush().expect("a flush");
        prop_assert_eq!(&ids(&fixture), &open);
        fixture.store.compact().expect("a merge");
        prop_assert_eq!(&ids(&fixture), &open);
        let fixture = fixture.reopened();
        prop_assert_eq!(&ids(&fixture), &open);
    }

    #[test]
    fn what_comes_later_is_told_apart_by_its_sequence(
        documents in documents(),
        split in 1usize..100,
        is_flushed in any::<bool>(),
    ) {
        let mut fixture = Fixture::new(BLOCK_ROWS);
        let [source, _] = &*sources() else { unreachable!() };
        fixture.append(source, &documents[..split]);
        let last_sequence = fixture.store.snapshot().last_sequence();
        fixture.append(source, &documents[split..]);
        if is_flushed {
            fixture.store.flush().expect("a flush");
        }
        let mut later = request("*", TimeBounds::ALL, 0);
        later.search.after_sequence = Some(last_sequence);
        let found = fixture.engine.patterns(&fixture.store.snapshot(), &later).expect("an answer");
        prop_assert_eq!(found.events, (documents.len() - split) as u64);
        prop_assert!(found.patterns.iter().all(|pattern| pattern.first.sequence > last_sequence));
    }

    #[test]
    fn the_query_of_a_pattern_finds_its_events(documents in documents()) {
        let mut fixture = Fixture::new(BLOCK_ROWS);
        let [source, _] = &*sources() else { unreachable!() };
        fixture.append(source, &documents);
        let found = fixture.engine.patterns(&fixture.store.snapshot(), &request("*", TimeBounds::ALL, 0));
        for pattern in found.expect("an answer").patterns {
            let search = newest(&pattern.query, usize::MAX);
            let matching = fixture.expected(&search);
            prop_assert!(matching.len() as u64 >= pattern.count, "{}", pattern.query);
        }
    }
}

fn documents_of(messages: &[&str]) -> Vec<Document> {
    let document = |(time, text): (i64, &&str)| Document {
        time: time * NANOS_PER_SECOND,
        fields: [("message".to_owned(), json!(text))].into_iter().collect(),
    };
    (0..).zip(messages).map(document).collect()
}

fn table(fixture: &Fixture, text: &str) -> Vec<Vec<String>> {
    let query = parse(text).expect("a query").query;
    let request = StagedRequest {
        search: SearchRequest {
            filter: query.filter,
            ..newest("*", 0)
        },
        stages: query.stages,
        rows_max: 100,
    };
    let answer = fixture
        .engine
        .run_stages(&fixture.store.snapshot(), &request);
    let Staged::Table(table) = answer.expect("an answer").result else {
        panic!("patterns make a table");
    };
    let rows = table.rows.into_iter();
    rows.map(|row| row.iter().map(|cell| format!("{cell:?}")).collect())
        .collect()
}

#[test]
fn the_stage_knows_what_the_engine_knows() {
    let mut fixture = Fixture::new(BLOCK_ROWS);
    let [source, other] = &*sources() else {
        unreachable!()
    };
    fixture.append(
        source,
        &documents_of(&["user ann logged in", "user 7 is out", "user bob logged in"]),
    );
    fixture.append(other, &documents_of(&["user cid logged in"]));
    let known: PatternForms = ["user \0 logged in"].into_iter().collect();
    fixture.engine.know_patterns(source.id, Arc::new(known));
    let rows = table(
        &fixture,
        "* | patterns | where count > 1 | fields pattern, count",
    );
    assert_eq!(rows, [[r#"Str("user <*> logged in")"#, "Int(2)"]]);
    // What one source has taught says nothing of another.
    let rows = table(&fixture, "message:cid | patterns | fields pattern");
    assert_eq!(rows, [[r#"Str("user cid logged in")"#]]);
}

#[test]
fn too_many_forms_are_other() {
    let mut fixture = Fixture::new(4096);
    let letters = |n: usize| -> String {
        let letter = |place: u32| b"abcdefghijklmno"[n / 15usize.pow(place) % 15];
        (0..5).map(|place| char::from(letter(place))).collect()
    };
    let messages: Vec<String> = (0..21_000)
        .map(|n| format!("{} {}", letters(n), letters(n * 7)))
        .collect();
    let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
    let source: &SearchedSource = &sources()[0];
    fixture.append(source, &documents_of(&messages));
    let found = fixture
        .engine
        .patterns(&fixture.store.snapshot(), &request("*", TimeBounds::ALL, 0));
    let found = found.expect("an answer");
    assert_eq!((found.patterns.len(), found.other), (20_000, 1_000));
    assert_eq!(found.events, 21_000);
}
