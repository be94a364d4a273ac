//! `cargo xtask bench`: builds the release server and measures it; `--smoke` only proves that it can.

use std::path::PathBuf;

use clap::Args;

use crate::command::{self, Output};
use crate::programs::Programs;
use crate::workspace::Workspace;

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Events in the corpus [default: 10 000 000, which are 3.75 GB].
    #[arg(long)]
    pub(crate) events: Option<u64>,
    /// Small and unoptimised, to prove that the suite runs and the answers are right; records nothing.
    #[arg(long)]
    pub(crate) smoke: bool,
    /// The directory that holds Loghub's *_2k.log files: they are ingested too.
    #[arg(long, value_name = "DIR")]
    pub(crate) loghub_dir: Option<PathBuf>,
}

/// Runs the suite in `bench/`.
pub(crate) fn run(
    workspace: &Workspace,
    arguments: &Arguments,
    output: Output<'_>,
) -> anyhow::Result<bool> {
    let programs = if arguments.smoke {
        Programs::debug(workspace, output)?
    } else {
        Programs::release(workspace, output)?
    };
    let mut suite = programs.alone("cordwood-bench");
    suite.arg("run").arg("--server").arg(programs.server());
    if arguments.smoke {
        suite.arg("--smoke");
    }
    if let Some(events) = arguments.events {
        suite.args(["--events", &events.to_string()]);
    }
    if let Some(dir) = &arguments.loghub_dir {
        suite.arg("--loghub-dir").arg(dir);
    }
    command::run(&mut suite, output)
}
