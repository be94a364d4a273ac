//! Another way to the answers: every line read and tested, with no index, no query language and none
//! of the server's code. Slow, so the outcome is kept beside the corpus.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::corpus::Meta;
use crate::question::{Question, Wanted};
use crate::table::{Row, Tally};

/// An event of the `app` corpus, as far as the questions ask.
#[derive(Debug, Deserialize)]
pub(crate) struct Line<'a> {
    pub(crate) dt: &'a str,
    pub(crate) level: &'a str,
    #[serde(borrow)]
    message: Cow<'a, str>,
    pub(crate) service: &'a str,
    pub(crate) host: &'a str,
    pub(crate) request_id: Option<&'a str>,
    pub(crate) tenant_id: Option<&'a str>,
    pub(crate) user_id: Option<&'a str>,
    pub(crate) status: Option<u16>,
    pub(crate) duration_ms: Option<f64>,
    #[serde(borrow)]
    pub(crate) path: Option<Cow<'a, str>>,
    pub(crate) http: Option<Http<'a>>,
    #[serde(borrow)]
    stack_trace: Option<Cow<'a, str>>,
    #[serde(skip)]
    lowered: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Http<'a> {
    pub(crate) method: &'a str,
    pub(crate) bytes: u64,
}

impl<'a> Line<'a> {
    pub(crate) fn parse(text: &'a str) -> anyhow::Result<Line<'a>> {
        let mut line: Line<'a> =
            serde_json::from_str(text).with_context(|| format!("not an event: {text}"))?;
        line.lowered = line.message.to_ascii_lowercase();
        Ok(line)
    }

    /// The message in lower case.
    pub(crate) fn message_lowered(&self) -> &str {
        &self.lowered
    }

    /// Whether the message holds this phrase between word boundaries, whatever the case.
    pub(crate) fn says(&self, phrase: &str) -> bool {
        has_phrase(&self.lowered, phrase)
    }

    pub(crate) fn stack_says(&self, phrase: &str) -> bool {
        self.stack_trace.as_ref().is_some_and(|trace| {
            has_phrase(&trace.to_ascii_lowercase(), &phrase.to_ascii_lowercase())
        })
    }

    /// Whether the message says `took 1234.5ms`, with four digits or more before the point.
    pub(crate) fn took_seconds(&self) -> bool {
        self.message.match_indices("took ").any(|(index, took)| {
            let number = self.message.get(index + took.len()..).unwrap_or_default();
            let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
            let whole = digits(number);
            let fraction = number.get(whole..).and_then(|rest| rest.strip_prefix('.'));
            whole >= 4
                && fraction.is_some_and(|fraction| {
                    let places = digits(fraction);
                    let unit = fraction.get(places..).unwrap_or_default();
                    places > 0 && unit.starts_with("ms")
                })
        })
    }
}

/// Both in lower case. A boundary is where a letter, digit or `_` does not continue.
fn has_phrase(text: &str, phrase: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(phrase).any(|(start, _)| {
        let before = text.get(..start).and_then(|text| text.chars().next_back());
        let after = text
            .get(start + phrase.len()..)
            .and_then(|text| text.chars().next());
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// The right answer to one question.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Expected {
    pub(crate) total: u64,
    /// The times of the events wanted, in their order.
    pub(crate) times: Vec<String>,
    /// The rows of the table wanted.
    pub(crate) rows: Vec<Row>,
}

/// What one worker found for one question.
#[derive(Debug, Default)]
struct Part {
    expected: Expected,
    tally: Tally,
}

/// The right answers, by query and by what of it is wanted, so that a changed question is counted anew.
pub(crate) type Answers = BTreeMap<String, Expected>;

/// Finds the answers, from the file beside the corpus if it has them all.
pub(crate) fn answers(
    corpus: &Path,
    meta: &Meta,
    questions: &[Question],
) -> anyhow::Result<Vec<Expected>> {
    let kept = kept_path(corpus);
    if let Ok(text) = fs::read_to_string(&kept) {
        let known: (Meta, Answers) = serde_json::from_str(&text).context("read kept answers")?;
        let found = questions.iter().map(|q| known.1.get(&key(q)).cloned());
        if let Some(all) = found
            .collect::<Option<Vec<_>>>()
            .filter(|_| known.0 == *meta)
        {
            return Ok(all);
        }
    }
    let counted = count(corpus, meta, questions)?;
    let answers: Answers = questions.iter().map(key).zip(counted.clone()).collect();
    fs::write(kept, serde_json::to_string(&(meta, answers))?)?;
    Ok(counted)
}

fn kept_path(corpus: &Path) -> PathBuf {
    let mut name = corpus.as_os_str().to_owned();
    name.push(".answers.json");
    PathBuf::from(name)
}

fn key(question: &Question) -> String {
    let since = question.since.as_deref().unwrap_or("the beginning");
    format!("{:?} since {since} {}", question.wanted, question.query)
}

/// Reads the corpus on every core, each taking every n-th chunk of lines.
fn count(corpus: &Path, meta: &Meta, questions: &[Question]) -> anyhow::Result<Vec<Expected>> {
    let workers = thread::available_parallelism()?.get();
    let parts = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers)
            .map(|worker| scope.spawn(move || count_part(corpus, meta, questions, worker, workers)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("counting does not panic"))
            .collect::<anyhow::Result<Vec<_>>>()
    })?;
    let mut merged: Vec<Part> = questions.iter().map(|_| Part::default()).collect();
    for part in parts {
        for (merged, part) in merged.iter_mut().zip(part) {
            merged.expected.total += part.expected.total;
            merged.expected.times.extend(part.expected.times);
            merged.tally.append(part.tally);
        }
    }
    let finished = questions.iter().zip(merged).map(|(question, part)| {
        let mut expected = part.expected;
        keep_wanted(&mut expected.times, question.wanted);
        if let Wanted::Table(table) = question.wanted {
            expected.rows = part.tally.into_rows(&table);
        }
        expected
    });
    Ok(finished.collect())
}

/// Lines a worker takes at once.
const CHUNK_LINES: usize = 4096;

fn count_part(
    corpus: &Path,
    meta: &Meta,
    questions: &[Question],
    worker: usize,
    workers: usize,
) -> anyhow::Result<Vec<Part>> {
    let file = File::open(corpus).with_context(|| format!("open {}", corpus.display()))?;
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut parts: Vec<Part> = questions.iter().map(|_| Part::default()).collect();
    let mut text = String::new();
    let mut number = 0;
    loop {
        text.clear();
        if reader.read_line(&mut text)? == 0 {
            break;
        }
        if number / CHUNK_LINES % workers == worker {
            let line = Line::parse(text.trim_end())?;
            for (question, part) in questions.iter().zip(&mut parts) {
                let since = question.since.as_deref();
                if since.is_none_or(|since| line.dt >= since) && (question.holds)(&line, meta) {
                    add(part, &line, question.wanted)?;
                }
            }
        }
        number += 1;
    }
    Ok(parts)
}

fn add(part: &mut Part, line: &Line<'_>, wanted: Wanted) -> anyhow::Result<()> {
    /// How far the list may grow before it is cut to what is wanted again.
    const SLACK: usize = 4096;
    let expected = &mut part.expected;
    expected.total += 1;
    match wanted {
        Wanted::Total => {}
        Wanted::Table(table) => part.tally.add(&table, line)?,
        Wanted::Newest(_) | Wanted::Oldest(_) => {
            expected.times.push(line.dt.to_owned());
            if expected.times.len() > SLACK {
                keep_wanted(&mut expected.times, wanted);
            }
        }
    }
    Ok(())
}

/// RFC 3339 in one zone and one precision sorts as text.
fn keep_wanted(times: &mut Vec<String>, wanted: Wanted) {
    times.sort_unstable();
    match wanted {
        Wanted::Total | Wanted::Table(_) => times.clear(),
        Wanted::Oldest(count) => times.truncate(count),
        Wanted::Newest(count) => {
            times.reverse();
            times.truncate(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, count, has_phrase};
    use crate::corpus::{Kind, Spec, write};
    use crate::question::aggregates;

    /// What must hold of the tables of any corpus: the counts of the rows are those of the events.
    #[test]
    fn counts_of_rows_add_up_to_the_events() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("app.ndjson");
        let spec = Spec {
            kind: Kind::App,
            events: 20_000,
            seed: 42,
            day: "2026-06-10".to_owned(),
        };
        let meta = write(&spec, &path).expect("the corpus is written");
        let questions = aggregates(&meta);
        let answers = count(&path, &meta, &questions).expect("the corpus is counted");
        for (question, expected) in questions.iter().zip(&answers) {
            assert!(expected.total > 0, "{}", question.name);
            let sum: f64 = expected.rows.iter().filter_map(|row| row.value).sum();
            let rows = expected.rows.len();
            match question.name {
                "svc_err_1h" | "dash_5min" | "hist_minute" | "hist_err_level" => {
                    assert_eq!(sum, expected.total as f64, "{}", question.name);
                }
                "top_paths" => assert!(rows >= 10 && sum < expected.total as f64),
                "p95_by_svc" => assert_eq!(rows, 20),
                "distinct_users" => assert!(rows == 1 && sum < expected.total as f64),
                name => panic!("{name} is not looked at"),
            }
        }
        let [error_hour, dashboard] = ["svc_err_1h", "dash_5min"].map(|name| {
            let index = questions.iter().position(|question| question.name == name);
            answers[index.expect("it is a question")].total
        });
        assert!(
            error_hour < 812 && dashboard < 20_000 / 24,
            "{error_hour} {dashboard}"
        );
    }

    #[test]
    fn phrases_stand_between_word_boundaries() {
        for (text, phrase, expected) in [
            ("connection refused", "connection refused", true),
            ("reconnection refused", "connection refused", false),
            ("x: connection refused, y", "connection refused", true),
            ("connection  refused", "connection refused", false),
            ("user_id=5 user=7", "user", true),
            ("user_id=5 superuser", "user", false),
            ("žuser", "user", false),
        ] {
            assert_eq!(has_phrase(text, phrase), expected, "{text:?} {phrase:?}");
        }
    }

    #[test]
    fn durations_are_read_as_the_pattern_says() {
        for (message, expected) in [
            ("took 1234.5ms", true),
            ("took 123.5ms", false),
            ("took 1234ms", false),
            ("took 12345.67ms at all", true),
            ("took 1234.5s; took 99999.0ms", true),
            ("mistook 1234.56ms", true),
        ] {
            let text = format!(
                r#"{{"dt":"t","level":"info","message":"{message}","service":"s","host":"h"}}"#
            );
            let line = Line::parse(&text).expect("it is an event");
            assert_eq!(line.took_seconds(), expected, "{message}");
        }
    }
}
