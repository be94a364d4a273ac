//! `cargo xtask test`: every test there is, step by step, with one closing line.

mod steps;

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;

use crate::prerequisites;
use crate::tally::Tally;
use crate::workspace::Workspace;
use steps::{Step, Trial};

/// Lines of a failed step's log that are printed; the rest is in the file.
const LOG_TAIL_LINES: usize = 120;

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Run only these steps, separated by commas.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Step>,
    /// Run all but these steps.
    #[arg(long, value_enum, value_delimiter = ',', conflicts_with = "only")]
    skip: Vec<Step>,
    /// Take longer: five times the fuzzing and killing, and install cargo-deny if it is missing.
    #[arg(long)]
    full: bool,
}

impl Arguments {
    fn steps(&self) -> Vec<Step> {
        Step::ALL
            .into_iter()
            .filter(|step| self.only.is_empty() || self.only.contains(step))
            .filter(|step| !self.skip.contains(step))
            .collect()
    }
}

struct Outcome {
    step: Step,
    tally: Tally,
    note: String,
    elapsed: Duration,
}

/// Runs the steps. Whether all passed; a step that cannot run counts as one failure.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> anyhow::Result<bool> {
    let steps = arguments.steps();
    let missing = prerequisites::missing(steps.iter().flat_map(|step| step.needs()).copied());
    if !missing.is_empty() {
        for sentence in missing {
            eprintln!("{sentence}");
        }
        anyhow::bail!("nothing was tested: install what is missing and run it again");
    }
    let logs = workspace.scratch_dir("test-logs")?;
    let outcomes: Vec<Outcome> = steps
        .into_iter()
        .map(|step| {
            let trial = Trial {
                workspace,
                log: logs.join(format!("{}.log", step.name())),
                is_full: arguments.full,
                is_named: arguments.only.contains(&step),
            };
            run_step(step, &trial)
        })
        .collect();
    Ok(close(&outcomes))
}

fn run_step(step: Step, trial: &Trial<'_>) -> Outcome {
    println!("── {:<8} {}", step.name(), step.purpose());
    let started = Instant::now();
    let result = std::fs::write(&trial.log, "")
        .map_err(anyhow::Error::from)
        .and_then(|()| step.run(trial));
    let (tally, note) = match result {
        Ok(findings) => (findings.tally, findings.note),
        Err(error) => (Tally::one(false), format!("{error:#}")),
    };
    let elapsed = started.elapsed();
    if tally.failed > 0 {
        print_tail(&trial.log);
    }
    println!(
        "   {} in {:.1} s: {} passed, {} failed{}{note}",
        if tally.failed == 0 { "ok" } else { "FAILED" },
        elapsed.as_secs_f64(),
        tally.passed,
        tally.failed,
        if note.is_empty() { "" } else { "; " },
    );
    Outcome {
        step,
        tally,
        note,
        elapsed,
    }
}

fn print_tail(log: &Path) {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let skipped = lines.len().saturating_sub(LOG_TAIL_LINES);
    if skipped > 0 {
        println!("   … {skipped} lines before these are in {}", log.display());
    }
    for line in lines.iter().skip(skipped) {
        println!("   │ {line}");
    }
}

/// The table of times and the closing line.
fn close(outcomes: &[Outcome]) -> bool {
    let mut total = Tally::default();
    let mut table = String::from("\n  step      seconds   passed  failed\n");
    for outcome in outcomes {
        total += outcome.tally;
        let mark = if outcome.tally.failed == 0 {
            ' '
        } else {
            '✗'
        };
        let _ = writeln!(
            table,
            "{mark} {:<8} {:>8.1} {:>8} {:>7}  {}",
            outcome.step.name(),
            outcome.elapsed.as_secs_f64(),
            outcome.tally.passed,
            outcome.tally.failed,
            outcome.note,
        );
    }
    let elapsed: Duration = outcomes.iter().map(|outcome| outcome.elapsed).sum();
    let _ = writeln!(table, "  all      {:>8.1}", elapsed.as_secs_f64());
    println!("{table}");
    println!("{} passed, {} failed", total.passed, total.failed);
    total.failed == 0
}
