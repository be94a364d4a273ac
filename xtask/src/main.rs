//! The project's own chores: `cargo xtask <chore>`.

mod bench;
mod bucket;
mod clients;
mod command;
mod crash;
mod fuzz;
mod prerequisites;
mod programs;
mod tally;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use command::Output;
use workspace::Workspace;

#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "Cordwood's chores"
)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Run every test there is, installing what the real-client tests need.
    Test(test::Arguments),
    /// Check layers, names, sizes, documents and licences.
    Tidy,
    /// Build the release binary and serve.
    Run {
        /// Arguments for `cordwood`, after `--`.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Kill the server at random moments and prove that nothing acknowledged is lost or doubled.
    Crash(crash::Arguments),
    /// Throw mutated input at every decoder and parser for a while.
    Fuzz(fuzz::Arguments),
    /// Measure ingest and the questions; writes bench/RESULTS.md.
    Bench(bench::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.chore) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all went well; what did not has been printed.
fn run(chore: Chore) -> anyhow::Result<bool> {
    let workspace = Workspace::locate()?;
    match chore {
        Chore::Test(arguments) => test::run(&workspace, &arguments),
        Chore::Tidy => {
            let report = tidy::run(&workspace)?;
            for finding in &report.findings {
                println!("{finding}");
            }
            println!(
                "{} checks, {} findings",
                report.checks,
                report.findings.len()
            );
            Ok(report.findings.is_empty())
        }
        Chore::Run { arguments } => {
            let mut cargo = workspace.cargo(["run", "--release", "--package", "cordwood", "--"]);
            command::run(cargo.args(arguments), Output::View)
        }
        Chore::Crash(arguments) => crash::run(&workspace, &arguments, Output::View),
        Chore::Fuzz(arguments) => fuzz::run(&workspace, &arguments, Output::View),
        Chore::Bench(arguments) => bench::run(&workspace, &arguments, Output::View),
    }
}
