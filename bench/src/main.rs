//! The benchmark suite.

mod corpus;
mod latency;
mod load;
mod oracle;
mod process;
mod question;
mod report;
mod suite;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};

use crate::corpus::incident::{self, Incident};

#[derive(Debug, Parser)]
#[command(about = "Cordwood's benchmark suite")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ingest the `app` corpus and ask the questions.
    Run(suite::Arguments),
    /// Ingest the `app` corpus and check thousands of alerts on it: that part of a run alone.
    Alerts(suite::Arguments),
    /// Measure how soon events are seen by live tails, one and many: that part of a run alone.
    Tails(suite::Arguments),
    /// Write the `app` corpus, a day of a web shop, as NDJSON, unless it is there already.
    App(Generate),
    /// Write the `loghub` corpus: real lines of sixteen systems with their numbers varied.
    Loghub {
        /// The directory that holds the *_2k.log files.
        #[arg(long)]
        dir: PathBuf,
        #[command(flatten)]
        generate: Generate,
    },
    /// Write the `wide` corpus: 600 paths, few of them in an event.
    Wide(Generate),
    /// Write the `incident` corpus, five hours in the last of which something goes wrong, and print what.
    Incident {
        /// Which of the ten incidents, from 0 on.
        #[arg(long)]
        number: usize,
        #[command(flatten)]
        generate: Generate,
    },
}

#[derive(Args, Debug)]
struct Generate {
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Where to write; `.meta.json` beside it says what is known of the corpus.
    #[arg(long)]
    out: PathBuf,
}

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().command {
        Command::Run(arguments) => return Ok(code(suite::run(&arguments)?)),
        Command::Alerts(arguments) => return Ok(code(suite::run_alerts(&arguments)?)),
        Command::Tails(arguments) => suite::run_tails(&arguments)?,
        Command::App(generate) => generate.run(corpus::Kind::App)?,
        Command::Loghub { dir, generate } => generate.run(corpus::Kind::Loghub(dir))?,
        Command::Wide(generate) => generate.run(corpus::Kind::Wide)?,
        Command::Incident { number, generate } => generate.strike(number)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn code(is_right: bool) -> ExitCode {
    if is_right {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

impl Generate {
    fn run(self, kind: corpus::Kind) -> anyhow::Result<()> {
        let spec = corpus::Spec {
            day: kind.day().to_owned(),
            kind,
            events: self.events,
            seed: self.seed,
        };
        let meta = corpus::ensure(&spec, &self.out)?;
        println!("{}", serde_json::to_string(&meta)?);
        Ok(())
    }

    fn strike(self, number: usize) -> anyhow::Result<()> {
        /// 2026-06-13T08:00:00Z.
        const START_MS: u64 = 1_781_337_600_000;
        let incident = Incident::ALL.get(number).copied();
        let incident = incident.context("there are ten incidents, 0 to 9")?;
        let mut lines = incident::lines(incident, self.seed, self.events, START_MS).join("\n");
        lines.push('\n');
        std::fs::write(&self.out, lines)
            .with_context(|| format!("write {}", self.out.display()))?;
        let cause = incident.cause();
        println!("{incident:?}: {} of {cause:?}", incident.change());
        if let Some(message) = incident.new_message() {
            println!("new: {message}");
        }
        if let Some(message) = incident.changed_message() {
            println!("more or fewer: {message}");
        }
        Ok(())
    }
}
