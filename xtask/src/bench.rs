//! `cargo xtask bench`: builds the release server and measures it; `--smoke` only proves that it can.

use clap::Args;

use crate::command::{self, Output};
use crate::server::{self, Profile};
use crate::workspace::Workspace;

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Events in the corpus [default: 10 000 000, which are 3.75 GB].
    #[arg(long)]
    pub(crate) events: Option<u64>,
    /// Small and unoptimised, to prove that the suite runs and the answers are right; records nothing.
    #[arg(long)]
    pub(crate) smoke: bool,
}

/// Runs the suite in `bench/`.
pub(crate) fn run(
    workspace: &Workspace,
    arguments: &Arguments,
    output: Output<'_>,
) -> anyhow::Result<bool> {
    let profile = if arguments.smoke {
        Profile::Debug
    } else {
        Profile::Release
    };
    let server = server::build(workspace, profile, output)?;
    let mut cargo = workspace.cargo(["run", "--quiet", "--package", "cordwood-bench"]);
    if matches!(profile, Profile::Release) {
        cargo.arg("--release");
    }
    cargo.args(["--", "run", "--server"]).arg(server);
    if arguments.smoke {
        cargo.arg("--smoke");
    }
    if let Some(events) = arguments.events {
        cargo.args(["--events", &events.to_string()]);
    }
    command::run(&mut cargo, output)
}
