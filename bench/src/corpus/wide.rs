//! The `wide` corpus: events that share few fields. 600 paths, 10 to 60 of them in an event, nested up to three deep,
//! some of them with values of several types.

use std::collections::BTreeSet;
use std::io::Write;

use super::day::{DAY_MS, Day};
use super::rng::Rng;
use super::text::{push_decimal, push_hex, push_integer, push_member};
use super::{Meta, Spec};

/// Twenty objects of thirty paths each: ten members, and four objects of five members.
const GROUPS: [&str; 20] = [
    "aws", "k8s", "http", "db", "queue", "cache", "client", "geo", "build", "deploy", "feature",
    "cart", "payment", "user", "device", "trace", "job", "mail", "search", "audit",
];
const PATHS_PER_GROUP: usize = 30;
const MEMBERS: usize = 10;
const PATHS_PER_OBJECT: usize = 5;
const PATHS: usize = GROUPS.len() * PATHS_PER_GROUP;
/// Shares no factor with the number of paths, so that common and rare ones are spread over the groups.
const SPREAD: usize = 7919;
const WORDS: [&str; 16] = [
    "amber", "azure", "bronze", "coral", "crimson", "ebony", "emerald", "indigo", "ivory", "jade",
    "maroon", "ochre", "olive", "scarlet", "teal", "violet",
];
const LEVELS: [&str; 4] = ["info", "info", "warn", "error"];

/// Writes the corpus as NDJSON and returns what is known of it.
pub(crate) fn generate(spec: &Spec, out: &mut impl Write) -> anyhow::Result<Meta> {
    let day = Day::parse(&spec.day)?;
    let mut rng = Rng::new(spec.seed);
    let mut bytes = 0;
    let mut line = Vec::new();
    for index in 0..spec.events {
        let fraction = index as f64 / spec.events as f64;
        let time_ms = day.start_ms() + (fraction * 86_399_000.0) as u64 + rng.below(900);
        line.clear();
        day.push_event_start(&mut line, time_ms);
        push_event(&mut line, &mut rng);
        line.extend_from_slice(b"}\n");
        bytes += line.len() as u64;
        out.write_all(&line)?;
    }
    Ok(Meta {
        corpus: "wide".to_owned(),
        events: spec.events,
        bytes,
        seed: spec.seed,
        day: day.name().to_owned(),
        t0_ms: day.start_ms(),
        t1_ms: day.start_ms() + DAY_MS,
        ..Meta::default()
    })
}

fn push_event(line: &mut Vec<u8>, rng: &mut Rng) {
    push_member(line, "level", rng.pick(&LEVELS).as_bytes());
    let message = format!("{} turned {}", rng.pick(&WORDS), rng.pick(&WORDS));
    push_member(line, "message", message.as_bytes());
    let paths = draw_paths(rng);
    let mut rest = paths.as_slice();
    while let Some(&first) = rest.first() {
        let group = first / PATHS_PER_GROUP;
        let end = rest.partition_point(|path| path / PATHS_PER_GROUP == group);
        let (members, later) = rest.split_at(end);
        line.extend_from_slice(format!(",\"{}\":{{", GROUPS[group]).as_bytes());
        push_group(line, members, rng);
        line.push(b'}');
        rest = later;
    }
}

/// 10 to 60 of the paths, in their order; the hundredth is a hundred times as rare as the first.
fn draw_paths(rng: &mut Rng) -> Vec<usize> {
    let count = rng.range(10, 60) as usize;
    let mut paths = BTreeSet::new();
    while paths.len() < count {
        let rank = rng.zipf(PATHS as u64) as usize;
        paths.insert(rank * SPREAD % PATHS);
    }
    paths.into_iter().collect()
}

/// The paths are of one group.
fn push_group(line: &mut Vec<u8>, paths: &[usize], rng: &mut Rng) {
    let object_of = |path: usize| {
        (path % PATHS_PER_GROUP)
            .checked_sub(MEMBERS)
            .map(|nth| nth / PATHS_PER_OBJECT)
    };
    for (index, members) in paths
        .chunk_by(|a, b| object_of(*a) == object_of(*b))
        .enumerate()
    {
        if index > 0 {
            line.push(b',');
        }
        let object = object_of(members[0]);
        if let Some(object) = object {
            line.extend_from_slice(format!("\"s{object}\":{{").as_bytes());
        }
        for (index, path) in members.iter().enumerate() {
            if index > 0 {
                line.push(b',');
            }
            let member = path % PATHS_PER_GROUP;
            line.extend_from_slice(format!("\"f{member:02}\":").as_bytes());
            push_value(line, member, rng);
        }
        if object.is_some() {
            line.push(b'}');
        }
    }
}

/// A member has values of one type, but every eighth has values of five.
fn push_value(line: &mut Vec<u8>, member: usize, rng: &mut Rng) {
    match member % 8 {
        0 | 1 => push_integer(line, rng.below(1000)),
        2 => push_decimal(line, rng.unit() * 1000.0),
        3 => push_word(line, rng),
        4 => {
            line.push(b'"');
            push_hex(line, rng, 16);
            line.push(b'"');
        }
        5 => push_boolean(line, rng),
        6 => {
            line.push(b'[');
            push_word(line, rng);
            line.push(b',');
            push_word(line, rng);
            line.push(b']');
        }
        _ => push_any(line, rng),
    }
}

fn push_any(line: &mut Vec<u8>, rng: &mut Rng) {
    match rng.below(5) {
        0 => push_integer(line, rng.below(1000)),
        1 => {
            line.push(b'"');
            push_integer(line, rng.below(1000));
            line.push(b'"');
        }
        2 => push_word(line, rng),
        3 => push_boolean(line, rng),
        _ => line.extend_from_slice(b"null"),
    }
}

fn push_word(line: &mut Vec<u8>, rng: &mut Rng) {
    line.push(b'"');
    line.extend_from_slice(rng.pick(&WORDS).as_bytes());
    line.push(b'"');
}

fn push_boolean(line: &mut Vec<u8>, rng: &mut Rng) {
    let is_true = rng.below(2) == 0;
    line.extend_from_slice(if is_true { b"true" } else { b"false" });
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::Value;

    use super::generate;
    use crate::corpus::{Kind, Spec};

    #[test]
    fn events_are_wide_nested_and_of_mixed_types() {
        let spec = Spec {
            kind: Kind::Wide,
            events: 5_000,
            seed: 42,
            day: "2026-06-12".to_owned(),
        };
        let mut text = Vec::new();
        let meta = generate(&spec, &mut text).expect("the corpus is written");
        assert_eq!(meta.bytes, text.len() as u64);
        let mut types: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        let mut events = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let event: Value = serde_json::from_slice(line).expect("it is JSON");
            let mut leaves = Vec::new();
            collect(&event, "", &mut leaves);
            let present = leaves.len() - ["dt", "level", "message"].len();
            assert!((10..=60).contains(&present), "{present}");
            for (path, kind) in leaves {
                types.entry(path).or_default().insert(kind);
            }
            events += 1;
        }
        assert_eq!(events, meta.events);
        assert_eq!(types.len(), 600 + 3);
        let mixed = types.values().filter(|kinds| kinds.len() == 4).count();
        assert_eq!(mixed, 20 * 3, "f07, f15 and f23 of each group");
        assert!(types.contains_key("audit.s3.f29"), "{types:?}");
    }

    fn collect(value: &Value, path: &str, leaves: &mut Vec<(String, &'static str)>) {
        let kind = match value {
            Value::Object(members) => {
                for (name, member) in members {
                    let path = if path.is_empty() {
                        name.clone()
                    } else {
                        format!("{path}.{name}")
                    };
                    collect(member, &path, leaves);
                }
                return;
            }
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "text",
            Value::Array(_) => "array",
        };
        leaves.push((path.to_owned(), kind));
    }
}
