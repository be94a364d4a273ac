//! `cargo xtask crash`: a real server killed at random moments.

use clap::Args;

use crate::command::{self, Output};
use crate::programs::Programs;
use crate::workspace::Workspace;

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// How many times the server is killed under load.
    #[arg(long, default_value_t = 50)]
    pub(crate) rounds: u32,
    /// The seed of the moments and sizes, to come close to an earlier run [default: of the clock].
    #[arg(long)]
    pub(crate) seed: Option<u64>,
}

/// Runs the trial in `harness/` against a debug build.
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
    command::run(&mut harness, output)
}
