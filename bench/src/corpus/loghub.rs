//! The `loghub` corpus: real lines of sixteen systems, repeated with their numbers varied.

use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, ensure};

use super::day::{DAY_MS, Day};
use super::rng::Rng;
use super::text::push_member;
use super::{Meta, Spec};

/// A system and its lines, as found in `<System>_2k.log`.
struct System {
    name: String,
    lines: Vec<String>,
    next: usize,
}

/// Writes the corpus as NDJSON and returns what is known of it.
pub(crate) fn generate(spec: &Spec, dir: &Path, out: &mut impl Write) -> anyhow::Result<Meta> {
    let day = Day::parse(&spec.day)?;
    let mut systems = read_systems(dir)?;
    ensure!(
        !systems.is_empty(),
        "no *_2k.log files in {}",
        dir.display()
    );
    let mut rng = Rng::new(spec.seed);
    let mut bytes = 0;
    let mut line = Vec::new();
    for index in 0..spec.events {
        let chosen = rng.below(systems.len() as u64) as usize;
        let system = &mut systems[chosen];
        let original = &system.lines[system.next];
        system.next = (system.next + 1) % system.lines.len();
        let message = vary_numbers(original.as_bytes(), &mut rng);
        let fraction = index as f64 / spec.events as f64;
        let time_ms = day.start_ms() + (fraction * 86_399_000.0) as u64 + rng.below(900);
        line.clear();
        day.push_event_start(&mut line, time_ms);
        push_member(&mut line, "level", level_of(original).as_bytes());
        push_member(&mut line, "message", &message);
        push_member(&mut line, "service", system.name.as_bytes());
        let host = format!("{}-{:02}", system.name, 1 + rng.below(12));
        push_member(&mut line, "host", host.as_bytes());
        line.extend_from_slice(b"}\n");
        bytes += line.len() as u64;
        out.write_all(&line)?;
    }
    Ok(Meta {
        corpus: "loghub".to_owned(),
        events: spec.events,
        bytes,
        seed: spec.seed,
        day: day.name().to_owned(),
        t0_ms: day.start_ms(),
        t1_ms: day.start_ms() + DAY_MS,
        templates: None,
        needle_request_id: None,
        needle_hits: None,
        rare_token: None,
        rare_hits: None,
        levels: std::collections::BTreeMap::new(),
    })
}

fn read_systems(dir: &Path) -> anyhow::Result<Vec<System>> {
    let entries = std::fs::read_dir(dir).with_context(|| format!("read {}", dir.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with("_2k.log"))
        .collect();
    names.sort_unstable();
    names
        .into_iter()
        .map(|file| {
            let raw = std::fs::read(dir.join(&file))?;
            let lines = String::from_utf8_lossy(&raw)
                .lines()
                .filter(|line| !line.trim().is_empty())
                .map(|line| line.trim_end().to_owned())
                .collect();
            Ok(System {
                name: file.replace("_2k.log", "").to_lowercase(),
                lines,
                next: 0,
            })
        })
        .collect()
}

/// Every second run of three or more digits becomes as many random ones.
fn vary_numbers(line: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut varied = Vec::with_capacity(line.len());
    for run in line.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()) {
        if run[0].is_ascii_digit() && run.len() >= 3 && rng.below(2) == 0 {
            varied.push(run[0]);
            for _ in 1..run.len() {
                varied.push(b'0' + rng.below(10) as u8);
            }
        } else {
            varied.extend_from_slice(run);
        }
    }
    varied
}

fn level_of(line: &str) -> &'static str {
    const MARKS: [(&str, &str); 13] = [
        ("FATAL", "fatal"),
        ("ERROR", "error"),
        ("[error]", "error"),
        ("SEVERE", "error"),
        (" E ", "error"),
        ("WARN", "warn"),
        (" W ", "warn"),
        ("[warn]", "warn"),
        ("DEBUG", "debug"),
        (" D ", "debug"),
        (" V ", "trace"),
        ("failure", "error"),
        ("INFO", "info"),
    ];
    MARKS
        .iter()
        .find(|(mark, _)| line.contains(mark))
        .map_or("info", |(_, level)| level)
}
