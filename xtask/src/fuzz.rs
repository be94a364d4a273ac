//! `cargo xtask fuzz`: the bounded fuzzing that needs only a stable compiler.

use clap::Args;

use crate::command::{self, Output};
use crate::programs::Programs;
use crate::workspace::Workspace;

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// How long to try each target.
    #[arg(long, default_value_t = 10)]
    pub(crate) seconds: u64,
    /// Only this target; `list` names them.
    #[arg(long)]
    pub(crate) target: Option<String>,
    /// The seed of the mutations, to repeat a run [default: of the clock].
    #[arg(long)]
    pub(crate) seed: Option<u64>,
}

/// Runs the driver in `fuzz/`.
pub(crate) fn run(
    workspace: &Workspace,
    arguments: &Arguments,
    output: Output<'_>,
) -> anyhow::Result<bool> {
    let mut driver = Programs::debug(workspace, output)?.alone("cordwood-fuzz");
    driver.args(["--seconds", &arguments.seconds.to_string()]);
    if let Some(target) = &arguments.target {
        driver.args(["--target", target]);
    }
    if let Some(seed) = arguments.seed {
        driver.args(["--seed", &seed.to_string()]);
    }
    command::run(&mut driver, output)
}
