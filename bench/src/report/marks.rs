//! The marks set for the 10 million events of the `app` corpus, and whether they are reached.

use std::fmt::Write as _;

use super::Outcome;
use super::encodings::shares_of_plain;
use super::figures::{mb, yes_or_no};
use super::questions::standings;
use super::standing::{Standing, geometric_mean};
use crate::latency::Latencies;

/// Milliseconds that a warm answer stays under: what the structures made for such questions can do, so that a
/// question is seen at once to have missed them.
const WARM_MS: [(&str, f64); 14] = [
    ("needle_request", 5.0),
    ("rare_token", 5.0),
    ("newest100", 5.0),
    ("newest100_err", 5.0),
    ("hist_minute", 5.0),
    ("phrase_count", 10.0),
    ("phrase_zero", 10.0),
    ("phrase_newest", 10.0),
    ("hist_err_level", 60.0),
    ("top_paths", 60.0),
    ("p95_by_svc", 60.0),
    ("distinct_users", 60.0),
    ("regexp", 300.0),
    ("substring", 300.0),
];

/// On which side of a number a figure has to be.
#[derive(Clone, Copy, Debug)]
enum Bound {
    Under(f64),
    AtMost(f64),
    AtLeast(f64),
}

/// A mark, and our figure where there is one.
#[derive(Clone, Debug)]
struct Mark {
    what: String,
    bound: Bound,
    figure: Option<f64>,
    unit: &'static str,
}

impl Bound {
    fn is_reached(self, figure: f64) -> bool {
        match self {
            Bound::Under(limit) => figure < limit,
            Bound::AtMost(limit) => figure <= limit,
            Bound::AtLeast(limit) => figure >= limit,
        }
    }

    fn describe(self) -> String {
        match self {
            Bound::Under(limit) => format!("under {limit}"),
            Bound::AtMost(limit) => format!("at most {limit}"),
            Bound::AtLeast(limit) => format!("at least {limit}"),
        }
    }
}

pub(super) fn write(page: &mut String, outcome: &Outcome<'_>) -> anyhow::Result<()> {
    page.push_str(
        "## Marks\n\n\
         Set for the 10 million events, on this kind of machine.\n\n\
         | mark | wanted | figure | reached |\n|---|---|---|---|\n",
    );
    let marks = [
        marks_of_questions(outcome),
        marks_beside_others(outcome),
        marks_of_resources(outcome),
        marks_under_load(outcome),
    ];
    for mark in marks.into_iter().flatten() {
        let (bound, unit) = (mark.bound.describe(), mark.unit);
        match mark.figure {
            Some(figure) => {
                let reached = yes_or_no(mark.bound.is_reached(figure));
                let places = match unit {
                    "cores" | "×" | "of plain" => 2,
                    _ => 1,
                };
                writeln!(
                    page,
                    "| {} | {bound} {unit} | {figure:.places$} | {reached} |",
                    mark.what
                )?;
            }
            None => writeln!(
                page,
                "| {} | {bound} {unit} | – | not measured |",
                mark.what
            )?,
        }
    }
    page.push('\n');
    Ok(())
}

fn marks_of_questions(outcome: &Outcome<'_>) -> Vec<Mark> {
    let asked = || outcome.questions.iter().zip(&outcome.asked.answers);
    let mark = |(name, limit): (&str, f64)| Mark {
        what: format!("`{name}` warm"),
        bound: Bound::Under(limit),
        figure: asked()
            .find(|(question, _)| question.name == name)
            .map(|(_, answer)| answer.warm.as_secs_f64() * 1000.0),
        unit: "ms",
    };
    WARM_MS.into_iter().map(mark).collect()
}

/// Against the fastest other system at each question.
fn marks_beside_others(outcome: &Outcome<'_>) -> Vec<Mark> {
    let [warm, cold] = standings(outcome);
    let mark = |temperature: &str, standings: &[Standing]| {
        let slower = standings.iter().filter(|standing| !standing.is_reached());
        [
            Mark {
                what: format!("slower than the fastest other, {temperature}"),
                bound: Bound::AtMost(0.0),
                figure: Some(slower.count() as f64),
                unit: "questions",
            },
            Mark {
                what: format!("geometric mean against the fastest other, {temperature}"),
                bound: Bound::AtLeast(3.0),
                figure: Some(geometric_mean(standings)),
                unit: "×",
            },
        ]
    };
    [mark("warm", &warm), mark("cold", &cold)].concat()
}

fn marks_of_resources(outcome: &Outcome<'_>) -> Vec<Mark> {
    let (ingest, memory) = (outcome.ingest, outcome.asked.memory);
    let raw = mb(ingest.sent.raw_bytes);
    let mark = |what: &str, bound, figure, unit| Mark {
        what: what.to_owned(),
        bound,
        figure: Some(figure),
        unit,
    };
    let mut marks = vec![
        mark(
            "ingest",
            Bound::AtLeast(100.0),
            raw / ingest.processor_seconds,
            "MB per CPU second",
        ),
        mark(
            "ingest, acknowledged",
            Bound::AtLeast(150.0),
            raw / ingest.sent.elapsed.as_secs_f64(),
            "MB/s",
        ),
        mark("disk", Bound::AtMost(375.0), mb(ingest.disk_bytes), "MB"),
        mark(
            "memory, peak while ingesting",
            Bound::Under(600.0),
            mb(ingest.memory_peak_bytes),
            "MB",
        ),
        mark(
            "memory, peak while asked",
            Bound::Under(600.0),
            mb(memory.peak_bytes),
            "MB",
        ),
        mark(
            "memory, idle after ingest",
            Bound::Under(150.0),
            mb(ingest.memory_idle_bytes),
            "MB",
        ),
        mark(
            "memory, idle after the questions",
            Bound::Under(150.0),
            mb(memory.resident_bytes),
            "MB",
        ),
    ];
    let compressed = shares_of_plain(outcome).into_iter();
    marks.extend(compressed.map(|(encoding, share)| {
        let what = format!("ingest, {encoding} bodies, MB per CPU second");
        mark(&what, Bound::AtLeast(0.8), share, "of plain")
    }));
    let loghub = outcome
        .shapes
        .iter()
        .find(|shape| shape.meta.corpus == "loghub");
    marks.push(Mark {
        what: "disk, `loghub`".to_owned(),
        bound: Bound::AtMost(45.0),
        figure: loghub.map(|shape| mb(shape.ingest.disk_bytes)),
        unit: "MB",
    });
    marks
}

/// While others ask, send or wait.
fn marks_under_load(outcome: &Outcome<'_>) -> Vec<Mark> {
    let (alone, beside) = (
        &outcome.concurrency.alone,
        &outcome.concurrency.beside_ingest,
    );
    let time = |what: &str, times: &Latencies, percent: usize, limit: f64| Mark {
        what: format!("{what}, p{percent}"),
        bound: Bound::Under(limit),
        figure: Some(times.percentile(percent).as_secs_f64() * 1000.0),
        unit: "ms",
    };
    let given_up = outcome.given_up;
    let mut marks = vec![
        Mark {
            what: "a search given up ends, longest".to_owned(),
            bound: Bound::AtMost(50.0),
            figure: (given_up.count() > 0).then(|| given_up.longest().as_secs_f64() * 1000.0),
            unit: "ms",
        },
        time("eight clients", &alone.answers, 50, 20.0),
        time("eight clients", &alone.answers, 99, 250.0),
        time("eight clients beside ingest", &beside.answers, 50, 20.0),
        time("eight clients beside ingest", &beside.answers, 99, 250.0),
        time("a batch beside eight clients", &beside.batches, 99, 50.0),
    ];
    marks.extend(outcome.tails.iter().map(|tailed| {
        let what = format!(
            "live tails, {} of {} queries",
            tailed.trial.tails, tailed.trial.queries
        );
        time(&what, &tailed.acknowledged, 99, 200.0)
    }));
    marks.push(Mark {
        what: "5 000 alerts checked each minute".to_owned(),
        bound: Bound::Under(0.5),
        figure: Some(outcome.alerting.cores()),
        unit: "cores",
    });
    marks
}

#[cfg(test)]
mod tests {
    use super::{Bound, WARM_MS};
    use crate::corpus::Meta;
    use crate::question::questions;

    #[test]
    fn every_mark_is_of_a_question() {
        let meta = Meta::default();
        let names: Vec<_> = questions(&meta)
            .iter()
            .map(|question| question.name)
            .collect();
        for (name, _) in WARM_MS {
            assert!(names.contains(&name), "{name}");
        }
    }

    #[test]
    fn a_bound_has_a_side_and_an_edge() {
        for (bound, reached) in [
            (Bound::Under(5.0), [true, false, false]),
            (Bound::AtMost(5.0), [true, true, false]),
            (Bound::AtLeast(5.0), [false, true, true]),
        ] {
            assert_eq!(
                [4.9, 5.0, 5.1].map(|figure| bound.is_reached(figure)),
                reached,
                "{bound:?}"
            );
        }
    }
}
