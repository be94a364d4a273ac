//! `cargo xtask crash`: a real server killed at random moments, under load and while it tells of incidents.

use std::process::Command;

use clap::Args;

use crate::command::{self, Output};
use crate::programs::Programs;
use crate::workspace::Workspace;

/// Kills while notices are on their way, of a short trial: checks are ten seconds apart.
pub(crate) const NOTICE_ROUNDS: u32 = 5;

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// How many times the server is killed under load.
    #[arg(long, default_value_t = 50)]
    pub(crate) rounds: u32,
    /// The seed of the moments and sizes, to come close to an earlier run [default: of the clock].
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// How many times it is killed while alerts are checked and notices are on their way, and as often while incidents are opened: about ten
    /// seconds each. The project promises 50.
    #[arg(long, default_value_t = NOTICE_ROUNDS)]
    pub(crate) notice_rounds: u32,
}

/// Runs the trial in `harness/` against a debug build, then that of notices, which is a test of the binary.
pub(crate) fn run(
    workspace: &Workspace,
    arguments: &Arguments,
    output: Output<'_>,
) -> anyhow::Result<bool> {
    let mut harness = Programs::debug(workspace, output)?.beside_server("cordwood-harness");
    harness.args(["crash", "--rounds", &arguments.rounds.to_string()]);
    if let Some(seed) = arguments.seed {
        harness.args(["--seed", &seed.to_string()]);
    }
    let is_stored = command::run(&mut harness, output)?;
    let is_told = command::run(&mut notices(workspace, arguments.notice_rounds), output)?;
    Ok(is_stored && is_told)
}

/// Built with whatever the programs are, so that nothing is compiled twice.
fn notices(workspace: &Workspace, rounds: u32) -> Command {
    let mut cargo = workspace.cargo([
        "test",
        "--workspace",
        "--exclude",
        "cordwood-sql",
        "--test",
        "kill_notices",
        "--",
        "--nocapture",
    ]);
    cargo.env("CORDWOOD_KILL_ROUNDS", rounds.to_string());
    cargo
}
